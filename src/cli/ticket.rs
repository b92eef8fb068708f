//! `hotline ticket show NO`: a ticket, its calls and its history; `ticket import` is in `import.rs`.

use super::desk::{self, Missing, ask};
use super::{Failure, Where};
use crate::auth::Action;
use crate::config::Config;
use crate::store::{Scope, Ticket, TicketEvent};
use serde_json::{Value as Json, json};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show a ticket by its official number, or a draft by its id.
    Show(Show),
    /// Add tickets from before this program (CSV or XLSX) as closed history. The same file again adds nothing.
    Import(super::import::Import),
}

#[derive(clap::Args, Debug)]
pub struct Show {
    /// Official number (12 digits) or id.
    no: String,
    /// Print JSON: the ticket as the API shows it, with its history in "events".
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let args = match command {
        Command::Show(args) => args,
        Command::Import(args) => return super::import::run(args),
    };
    ask(&args.place, Missing::Tell, |db, config| async move {
        let ticket = db.ticket(&args.no, &Scope::All).await.map_err(Failure::new)?;
        let ticket =
            ticket.ok_or_else(|| Failure::new(format!("{}: no ticket has this number or id", args.no)))?;
        let events = db.ticket_events(&ticket.id).await.map_err(Failure::new)?;
        let access = desk::access(Action::ReadTickets.label(), ticket.id.clone(), "allowed");
        db.log_access(&access).await.map_err(Failure::new)?;
        if args.json {
            println!("{}", as_json(&config, &ticket, &events));
        } else {
            print!("{}", as_text(&config, &ticket, &events));
        }
        Ok(())
    })
}

fn as_json(config: &Config, ticket: &Ticket, events: &[TicketEvent]) -> Json {
    let time = |ms: Option<i64>| ms.map(|ms| desk::stamp(config, ms));
    let history: Vec<Json> = events
        .iter()
        .map(|e| {
            json!({ "n": e.n, "at": desk::stamp(config, e.at), "kind": e.kind, "actor": e.actor, "data": e.payload,
                "personal": e.personal })
        })
        .collect();
    json!({ "id": ticket.id, "no": ticket.no, "old_no": ticket.old_no, "state": ticket.state, "channel": ticket.channel, "type": ticket.kind,
        "category": ticket.category, "street": ticket.street, "lead": ticket.lead, "assist": ticket.assist,
        "urgency": ticket.urgency, "title": ticket.title, "content": ticket.content,
        "brief": ticket.brief, "tags": ticket.tags, "caller": ticket.caller,
        "secrecy": ticket.secrecy, "special": ticket.special, "notify": ticket.notify,
        "safe_time": ticket.safe_time, "calls": ticket.calls, "created_at": time(Some(ticket.created_at)),
        "accepted_at": time(ticket.accepted_at), "due_at": time(ticket.due_at), "closed_at": time(ticket.closed_at),
        "events": history })
}

fn as_text(config: &Config, ticket: &Ticket, events: &[TicketEvent]) -> String {
    use std::fmt::Write as _;
    let time = |ms: Option<i64>| ms.map(|ms| desk::time(config, ms));
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = writeln!(out, "{name:<10} {value}");
        }
    };
    line("number", ticket.no.clone());
    line("old number", ticket.old_no.clone());
    line("id", Some(ticket.id.clone()));
    line("state", Some(ticket.state.clone()));
    line("channel", Some(ticket.channel.clone()));
    line("type", ticket.kind.clone());
    line("category", ticket.category.clone());
    line("street", ticket.street.clone());
    line("lead", ticket.lead.clone());
    line("assist", Some(ticket.assist.join(", ")));
    line("urgency", ticket.urgency.clone());
    line("secrecy", Some(ticket.secrecy.clone()));
    line("special", ticket.special.clone());
    line("notify", ticket.notify.clone());
    line("safe time", ticket.safe_time.clone());
    line("caller", ticket.caller.clone());
    line("created", time(Some(ticket.created_at)));
    line("accepted", time(ticket.accepted_at));
    line("due", time(ticket.due_at));
    line("closed", time(ticket.closed_at));
    line("calls", Some(ticket.calls.join(", ")));
    line("title", ticket.title.clone());
    line("content", ticket.content.clone());
    line("brief", ticket.brief.clone());
    line("tags", Some(ticket.tags.join(", ")));
    let _ = writeln!(out);
    for event in events {
        let data = match &event.payload {
            Json::Object(map) => {
                map.iter().map(|(k, v)| format!("{k}={}", plain(v))).collect::<Vec<_>>().join("  ")
            }
            other => other.to_string(),
        };
        let at = desk::time(config, event.at);
        let _ = writeln!(out, "{:>3}  {at}  {:<10} {:<12} {data}", event.n, event.kind, event.actor);
    }
    out
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_told_in_lines_and_in_json_by_the_clock_of_its_zone() {
        let ticket = Ticket {
            id: "t-01-00001-0000000001".into(),
            no: Some("261123000018".into()),
            old_no: None,
            state: "accepted".into(),
            channel: "phone".into(),
            kind: None,
            category: Some("030101".into()),
            street: None,
            lead: Some("rl".into()),
            assist: vec!["st019".into(), "fgw".into()],
            urgency: None,
            title: None,
            content: None,
            brief: None,
            tags: Vec::new(),
            caller: Some("12000000001".into()),
            secrecy: "normal".into(),
            special: None,
            notify: None,
            safe_time: None,
            calls: vec!["c-01-00001-0000000001".into()],
            created_at: 1_795_395_600_000,
            accepted_at: None,
            due_at: None,
            closed_at: None,
            version: 2,
            surveys: Vec::new(),
            complained_unit: None,
            complained_person: None,
            subs: Vec::new(),
            cycle: None,
        };
        let event = TicketEvent {
            n: 1,
            at: 1_795_395_600_000,
            kind: "created".into(),
            actor: "system".into(),
            payload: json!({"call": "c-1"}),
            personal: None,
            hash: Vec::new(),
        };
        let config = Config::defaults();
        let text = as_text(&config, &ticket, std::slice::from_ref(&event));
        assert!(text.contains("number     261123000018\n"), "{text}");
        assert!(text.contains("created    2026-11-23 09:00:00\n"), "{text}");
        assert!(text.contains("  1  2026-11-23 09:00:00  created    system       call=c-1\n"), "{text}");
        assert!(!text.contains("title"), "what is not there has no line");
        let told = as_json(&config, &ticket, &[event]);
        assert_eq!(told["created_at"], "2026-11-23T09:00:00.000+08:00");
        assert_eq!(told["events"][0]["data"], json!({"call": "c-1"}));
    }
}
