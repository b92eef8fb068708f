//! 语音催签, who is to be telephoned: an urgent ticket for which nobody has signed goes up a ladder of duty, deputy and office, until
//! somebody says that he has heard it or signs.

use super::model::{State, Ticket};
use crate::ticket::district::District;

/// Whom the machine telephones, in this order.
pub const RUNGS: [&str; 3] = ["duty", "deputy", "office"];
/// Attempts that a crash cut off are made again, so often at most.
const CUT_MOST: usize = 3;
/// An attempt that a restart cut off.
pub const CUT: &str = "cut";
/// He pressed the key.
pub const HEARD: &str = "heard";

/// When and how often. Durations in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// From the dispatch to the first call.
    pub after_ms: i64,
    /// Duty, deputy, office: so often.
    pub rounds: usize,
    /// From the last call of a round to the next.
    pub pause_ms: i64,
    /// The key signs for the ticket.
    pub signs: bool,
}

/// Somebody has to be told.
pub fn waits(ticket: &Ticket) -> bool {
    ticket.matter.urgency.as_deref() == Some("U")
        && matches!(ticket.state, State::Dispatched | State::Redo)
        && ticket.lead.is_some()
}

/// The rung that is due at `now` (milliseconds since 1970): one of [`RUNGS`]. `None`: none, or none yet.
pub fn next(ticket: &Ticket, now: i64, ladder: &Ladder) -> Option<&'static str> {
    // A new dispatch begins at the bottom.
    if !waits(ticket) || now < ticket.state_at.saturating_add(ladder.after_ms) {
        return None;
    }
    let since = || ticket.voice.iter().filter(|one| one.at >= ticket.state_at);
    if since().any(|one| one.result == HEARD) || since().filter(|one| one.result == CUT).count() > CUT_MOST {
        return None;
    }
    let made = since().filter(|one| one.result != CUT).count();
    let (round, rung) = (made / RUNGS.len(), made % RUNGS.len());
    if round >= ladder.rounds {
        return None;
    }
    let last = since().filter(|one| one.result != CUT).map(|one| one.at).max();
    if rung == 0 && last.is_some_and(|last| now < last.saturating_add(ladder.pause_ms)) {
        return None;
    }
    RUNGS.get(rung).copied()
}

/// What is said: that there is an urgent ticket, its matter, its street, the key. Nothing of a person, and no number by which anybody
/// could look it up.
pub fn spoken(ticket: &Ticket, district: &District) -> Vec<String> {
    let mut clips = vec!["urge_intro".to_owned()];
    if let Some(code) = ticket.matter.category.as_deref().filter(|code| district.has_category(code)) {
        clips.extend(["urge_what".to_owned(), ["cat_", code].concat()]);
    }
    if let Some(office) = ticket.matter.street.as_deref().and_then(|street| district.street_office(street)) {
        clips.extend(["urge_where".to_owned(), ["dept_", office].concat()]);
    }
    clips.push("urge_key".to_owned());
    clips
}

#[cfg(test)]
mod tests {
    use super::super::model::{Event, Matter, Step, Tables, Wish};
    use super::*;
    use crate::roster::Calendar;
    use std::sync::Arc;

    const MINUTE: i64 = 60_000;
    /// 2026-12-05 02:10, a Saturday.
    const NIGHT: i64 = 1_796_407_800_000;
    const LADDER: Ladder = Ladder { after_ms: 10 * MINUTE, rounds: 2, pause_ms: 10 * MINUTE, signs: false };

    fn tables() -> Tables {
        Tables::shipped(Arc::new(Calendar::default()), jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
    }

    fn dispatched(urgency: &str) -> Ticket {
        let matter = Matter { urgency: Some(urgency.into()), ..Matter::default() };
        let opened = super::super::open(matter, Some("cgw".into()), Vec::new(), NIGHT, &tables());
        let mut sent = Event::new(Step::Dispatch);
        sent.state = Some(State::Dispatched);
        sent.wish.lead = Some("cgw".into());
        Ticket::fold([(NIGHT, "system", &opened), (NIGHT, "user:d", &sent)]).unwrap()
    }

    fn tried(ticket: &mut Ticket, at: i64, rung: &str, result: &str) {
        let wish = Wish {
            unit: Some("cgw".into()),
            level: Some(rung.into()),
            result: Some(result.into()),
            at: Some(at),
            ..Wish::default()
        };
        ticket.apply(at, "system", &Event { wish, ..Event::new(Step::VoiceUrged) });
    }

    #[test]
    fn the_ladder_is_climbed_twice_and_not_before_its_time() {
        let mut ticket = dispatched("U");
        assert_eq!(next(&ticket, NIGHT + 10 * MINUTE - 1, &LADDER), None);
        let mut now = NIGHT + 10 * MINUTE;
        for round in 0..2 {
            for (rung, result) in [("duty", "no_answer"), ("deputy", "busy"), ("office", "unheard")] {
                assert_eq!(next(&ticket, now, &LADDER), Some(rung), "{round}");
                tried(&mut ticket, now, rung, result);
                now += MINUTE;
            }
            assert_eq!(next(&ticket, now, &LADDER), None, "a pause");
            now += 9 * MINUTE;
        }
        assert_eq!(next(&ticket, now + 600 * MINUTE, &LADDER), None, "that was all");
    }

    #[test]
    fn whoever_heard_it_ends_it_and_so_does_signing() {
        let mut ticket = dispatched("U");
        let later = NIGHT + 20 * MINUTE;
        tried(&mut ticket, later, "duty", HEARD);
        assert_eq!(next(&ticket, later + 60 * MINUTE, &LADDER), None);
        let mut ticket = dispatched("U");
        let signed = Event { state: Some(State::Handling), ..Event::new(Step::Sign) };
        ticket.apply(later, "user:cgw", &signed);
        assert_eq!(next(&ticket, later, &LADDER), None);
        for other in ["L", "N", "C"] {
            assert_eq!(next(&dispatched(other), later, &LADDER), None, "{other}");
        }
    }

    #[test]
    fn a_new_dispatch_begins_at_the_bottom() {
        let mut ticket = dispatched("U");
        tried(&mut ticket, NIGHT + 11 * MINUTE, "duty", HEARD);
        let mut again = Event::new(Step::Dispatch);
        again.state = Some(State::Dispatched);
        again.wish.lead = Some("st019".into());
        ticket.apply(NIGHT + 12 * MINUTE, "user:d", &again);
        assert_eq!(next(&ticket, NIGHT + 21 * MINUTE, &LADDER), None);
        assert_eq!(next(&ticket, NIGHT + 22 * MINUTE, &LADDER), Some("duty"));
    }

    #[test]
    fn what_a_crash_cut_off_is_made_again_and_not_for_ever() {
        let mut ticket = dispatched("U");
        let now = NIGHT + 11 * MINUTE;
        for n in 0..4 {
            assert_eq!(next(&ticket, now, &LADDER), Some("duty"), "{n}");
            tried(&mut ticket, now, "duty", CUT);
        }
        assert_eq!(next(&ticket, now, &LADDER), None);
    }

    #[test]
    fn every_matter_and_street_can_be_said() {
        let district = District::shipped();
        let clip = |name: &str| format!("{}/sounds/zh/{name}.wav", env!("CARGO_MANIFEST_DIR"));
        let mut all = std::collections::BTreeSet::new();
        for (code, _) in district.categories() {
            let mut ticket = dispatched("U");
            ticket.matter.category = Some(code.to_owned());
            ticket.matter.street = Some("110102019".into());
            let said = spoken(&ticket, &district);
            assert_eq!(said.len(), 6, "{said:?}");
            all.extend(said);
        }
        assert!(all.len() > 68, "{}", all.len());
        let missing: Vec<_> = all.iter().filter(|name| !std::path::Path::new(&clip(name)).exists()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(spoken(&dispatched("U"), &district), ["urge_intro", "urge_key"], "nothing is known of it");
    }
}
