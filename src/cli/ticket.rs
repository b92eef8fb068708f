//! `hotline ticket show`: one ticket and its history.

use super::desk::{shown, with_db};
use super::{Failure, Where};
use crate::store::Scope;
use serde_json::{Value, json};

#[derive(clap::Args, Debug)]
pub struct Show {
    /// Its official number, or its id.
    no: String,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn show(args: &Show) -> Result<(), Failure> {
    with_db(&args.place, |db, config| async move {
        let ticket = db.ticket(&args.no, &Scope::All).await.map_err(Failure::new)?;
        let Some(ticket) = ticket else { return Err(Failure::new(format!("there is no ticket {}", args.no))) };
        let events = db.ticket_events(&ticket.id).await.map_err(Failure::new)?;
        if args.json {
            let events: Vec<Value> = events.iter().map(|e| json!({"n": e.n, "at": shown(&config, e.at), "kind": e.kind, "actor": e.actor, "data": e.payload})).collect();
            println!(
                "{}",
                json!({"id": ticket.id, "no": ticket.no, "state": ticket.state, "channel": ticket.channel, "title": ticket.title, "content": ticket.content,
                    "caller": ticket.caller, "lead": ticket.lead, "calls": ticket.calls, "created_at": shown(&config, ticket.created_at), "events": events})
            );
            return Ok(());
        }
        println!("{}  {}  {}", ticket.no.as_deref().unwrap_or("-"), ticket.state, ticket.id);
        println!("made {}  by {}  caller {}", shown(&config, ticket.created_at), ticket.channel, ticket.caller.as_deref().unwrap_or("-"));
        if !ticket.calls.is_empty() {
            println!("calls {}", ticket.calls.join(" "));
        }
        for text in [&ticket.title, &ticket.content].into_iter().flatten().filter(|text| !text.is_empty()) {
            println!("{text}");
        }
        for event in events {
            println!("{:>4}  {}  {:<12} {}  {}", event.n, shown(&config, event.at), event.kind, event.actor, event.payload);
        }
        Ok(())
    })
}
