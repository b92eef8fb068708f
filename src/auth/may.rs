//! Who may do what: one table, asked by every door.

use super::role::{Role, RoleSet};
use crate::ticket::cycle::{Hand, Stand, Step, permits};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        /// Everything somebody can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Name in the access log.
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
        }
    };
}

actions! {
    /// Lists of calls, one call, its timeline.
    ReadCalls = "call.read";
    /// Calls in progress and the engine's state.
    WatchLive = "call.watch";
    HangUpCall = "call.hang_up";
    PlayRecording = "recording.play";
    ReadTickets = "ticket.read";
    /// Take tickets out as a file: what he may read of them.
    ExportTickets = "ticket.export";
    /// A ticket's history.
    ReadHistory = "ticket.history";
    /// Who called, of a ticket that is kept secret; with a reason, one by one.
    RevealCaller = "ticket.reveal";
    /// 谁看过: who looked at a ticket, its history, its calls and recordings.
    ReadLookers = "ticket.lookers";
    /// Fill a draft in and finish it.
    ChangeTicket = "ticket.change";
    /// 补录: enter a sheet of paper from when the system was down, or say that it is void; see which are missing.
    EnterPaper = "ticket.paper";
    /// A step of the loop; which, and to what kind of ticket, is in the resource.
    ActOnTicket = "ticket.act";
    /// 三率两度. Masked: a unit's own only.
    ReadIndicators = "indicator.read";
    /// Fix the numbers of a period for good.
    PublishIndicators = "indicator.publish";
    /// Units and matters of the district.
    ReadDistrict = "district.read";
    ReadFlows = "flow.read";
    /// Services of one key, duty numbers, old numbers.
    ReadNumbers = "number.read";
    ManageNumbers = "number.manage";
    /// Note the result of a dial test.
    TestNumbers = "number.test";
    /// Trunks, phones, queues' settings, texts of flows and prompts.
    ReadWorks = "works.read";
    /// Upload flows and prompts.
    ManageWorks = "works.manage";
    /// Check and swap flows and configuration.
    Reload = "engine.reload";
    ReadUsers = "user.read";
    /// Add, disable, new password.
    ManageUsers = "user.manage";
    /// Give and take roles.
    ManageRoles = "user.roles";
    ReadAccessLog = "access.read";
    /// Take calls: the agents' websocket.
    UseDesk = "desk.use";
    /// Listen, whisper, barge, take over, set states.
    Supervise = "desk.supervise";
    /// Shifts, coverage, the sheet for the next shift. Masked: findings about others stay hidden.
    ReadRoster = "roster.read";
    /// Ask for a swap or leave, agree, withdraw.
    AskRoster = "roster.ask";
    /// Approve and refuse, with one's name; write what every shift must read.
    DecideRoster = "roster.decide";
    /// Search and read what agents read.
    ReadKnowledge = "kb.read";
    /// Read drafts, versions, histories.
    ReadDrafts = "kb.drafts";
    /// Write entries, answer corrections.
    DraftKnowledge = "kb.draft";
    /// Pass a unit's text on to the office, or send it back.
    ApproveKnowledge = "kb.approve";
    /// Publish, retire, settle, agree on wordings.
    PublishKnowledge = "kb.publish";
    /// Freeze an answer into a call.
    QuoteKnowledge = "kb.quote";
    /// Report an error in an entry.
    CorrectKnowledge = "kb.correct";
    /// Tell that a policy changes.
    NoticeKnowledge = "kb.notice";
    /// What was looked for in vain.
    ReadGaps = "kb.gaps";
    /// Sign a hand-over of shifts.
    SignHandover = "roster.sign";
    /// Sessions of heads of departments. Masked: without what the tickets are about.
    ReadSessions = "leader_session.read";
    /// Plan, change and call them off.
    ManageSessions = "leader_session.manage";
    /// What was sent outside, and what could not be.
    ReadOutbox = "outbox.read";
    /// Try it again, give it up.
    ManageOutbox = "outbox.manage";
}

/// What the action is about, as far as rights depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The unit of the person who asks.
    pub own_unit: Option<&'a str>,
    /// A ticket's leading unit.
    pub lead: Option<&'a str>,
    /// Its assisting units.
    pub assist: &'a [String],
    /// Not only `normal`: the caller asked for secrecy or anonymity.
    pub secret: bool,
    /// It is about one ticket, so its units count.
    pub one: bool,
    /// A ticket of a call that the person took, or that call itself.
    pub own_call: bool,
    /// The unit that answers for an entry of the knowledge base.
    pub owner: Option<&'a str>,
    /// Units below the lead that the ticket was passed down to.
    pub subs: &'a [String],
    /// It complains about the person who asks, his unit, or one above it.
    pub complained: bool,
    /// 打击报复: the office's alone, and of the unit to which the office gives it.
    pub for_office: bool,
    /// What is to be done, and whether the ticket is urgent.
    pub step: Option<Step>,
    pub urgent: bool,
}

impl Resource<'_> {
    /// What the person's unit is to the ticket.
    fn stand(&self) -> Stand {
        match self.own_unit {
            _ if self.complained => Stand::Complained,
            None => Stand::Other,
            Some(own) if self.lead == Some(own) => Stand::Lead,
            Some(own) if self.assist.iter().any(|unit| unit == own) => Stand::Assist,
            Some(own) if self.subs.iter().any(|unit| unit == own) => Stand::Sub,
            Some(_) => Stand::Other,
        }
    }
}

/// What a role is to the loop.
pub const fn hand(role: Role) -> Option<Hand> {
    Some(match role {
        Role::Agent => Hand::Agent,
        Role::Lead => Hand::Lead,
        Role::Dispatcher => Hand::Dispatcher,
        Role::Unit => Hand::Unit,
        Role::UnitHead => Hand::Head,
        Role::Visitor => Hand::Visitor,
        Role::Office => Hand::Office,
        Role::Leader
        | Role::Kb
        | Role::Qa
        | Role::Auditor
        | Role::Analyst
        | Role::Observer
        | Role::Security
        | Role::Admin => return None,
    })
}

/// The unit of the office that manages the hotline: it approves its own entries.
pub const OFFICE_UNIT: &str = "rexianban";

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    Refuse(Refusal),
    /// Yes, without numbers, names and contents that identify a person.
    Masked,
    /// Yes, but who called stays hidden: what a unit sees of a ticket.
    CallerHidden,
    /// Yes, with all that was said, but not how to reach whoever said it: that is revealed with a reason.
    ContactHidden,
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The role may not: 403.
    Role,
    /// It is somebody else's: it does not exist for the one who asks (404).
    Hidden,
}

impl Decision {
    pub const fn allowed(self) -> bool {
        !matches!(self, Self::Refuse(_))
    }
}

/// The best that any of the roles gives. What complains about the person does not exist for him, whatever his roles.
pub fn may(roles: &RoleSet, action: Action, resource: Resource<'_>) -> Decision {
    let part = || matches!(resource.stand(), Stand::Lead | Stand::Assist | Stand::Sub);
    let closed = resource.for_office && !resource.own_call && !roles.has(Role::Office) && !part();
    if resource.one && (resource.complained || closed) {
        return Decision::Refuse(Refusal::Hidden);
    }
    roles.iter().map(|role| one(role, action, resource)).max().unwrap_or(Decision::Refuse(Refusal::Role))
}

fn one(role: Role, action: Action, resource: Resource<'_>) -> Decision {
    use Decision::{Allow, Masked};
    use Role as R;
    const NO: Decision = Decision::Refuse(Refusal::Role);
    match action {
        Action::ReadCalls => match role {
            R::Agent if resource.own_call => Allow,
            R::Agent | R::Qa if resource.secret => Decision::CallerHidden,
            R::Lead | R::Dispatcher | R::Visitor | R::Office if resource.secret => Decision::ContactHidden,
            R::Agent | R::Lead | R::Dispatcher | R::Visitor | R::Office | R::Qa => Allow,
            R::Leader | R::Observer | R::Analyst | R::Admin => Masked,
            R::Unit | R::UnitHead | R::Kb | R::Auditor | R::Security => NO,
        },
        Action::WatchLive => match role {
            R::Agent | R::Lead | R::Dispatcher | R::Office => Allow,
            R::Leader | R::Observer | R::Admin | R::Qa => Masked,
            R::Unit | R::UnitHead | R::Visitor | R::Kb | R::Auditor | R::Analyst | R::Security => NO,
        },
        Action::HangUpCall => match role {
            R::Lead | R::Office => Allow,
            _ => NO,
        },
        Action::PlayRecording => match role {
            R::Lead | R::Office | R::Qa | R::Visitor | R::Dispatcher => Allow,
            _ => NO,
        },
        Action::ReadTickets | Action::ReadHistory => match role {
            R::Agent if resource.own_call => Allow,
            R::Agent | R::Qa | R::Leader if resource.secret => Decision::CallerHidden,
            R::Lead | R::Dispatcher | R::Visitor | R::Office if resource.secret => Decision::ContactHidden,
            R::Agent | R::Lead | R::Dispatcher | R::Visitor | R::Office => Allow,
            R::Qa | R::Leader => Allow,
            R::Unit | R::UnitHead => unit(resource),
            R::Analyst | R::Observer | R::Admin => Masked,
            R::Kb | R::Auditor | R::Security => NO,
        },
        Action::RevealCaller => match role {
            R::Agent if resource.own_call => Allow,
            R::Lead | R::Dispatcher | R::Visitor | R::Office => Allow,
            _ => NO,
        },
        Action::ReadLookers => match role {
            R::Office | R::Auditor => Allow,
            _ => NO,
        },
        // Who works on one ticket at a time takes none of them home.
        Action::ExportTickets => match role {
            R::Lead | R::Dispatcher | R::Office | R::Leader | R::Qa => Allow,
            R::Unit | R::UnitHead => unit(resource),
            R::Analyst | R::Observer => Masked,
            R::Agent | R::Visitor | R::Kb | R::Auditor | R::Security | R::Admin => NO,
        },
        Action::ChangeTicket => match role {
            R::Agent if resource.own_call => Allow,
            R::Lead => Allow,
            _ => NO,
        },
        Action::EnterPaper => match role {
            R::Agent | R::Lead => Allow,
            _ => NO,
        },
        Action::ActOnTicket => act(role, resource),
        Action::ReadIndicators => match role {
            R::Lead
            | R::Dispatcher
            | R::Visitor
            | R::Office
            | R::Leader
            | R::Qa
            | R::Analyst
            | R::Observer => Allow,
            R::Unit | R::UnitHead => Masked,
            R::Agent | R::Kb | R::Auditor | R::Security | R::Admin => NO,
        },
        Action::PublishIndicators => match role {
            R::Office => Allow,
            _ => NO,
        },
        Action::ReadDistrict => Allow,
        Action::ReadFlows => match role {
            R::Agent | R::Lead | R::Dispatcher | R::Office | R::Qa | R::Admin | R::Observer => Allow,
            _ => NO,
        },
        Action::ReadNumbers => match role {
            R::Agent | R::Lead | R::Dispatcher | R::Visitor | R::Office | R::Admin => Allow,
            _ => NO,
        },
        Action::TestNumbers => match role {
            R::Lead | R::Admin => Allow,
            _ => NO,
        },
        Action::ReadWorks => match role {
            R::Lead | R::Office | R::Admin => Allow,
            _ => NO,
        },
        Action::ManageNumbers | Action::ManageWorks => match role {
            R::Admin => Allow,
            _ => NO,
        },
        Action::Reload => match role {
            R::Admin => Allow,
            _ => NO,
        },
        Action::ReadUsers => match role {
            R::Admin | R::Security | R::Office | R::Auditor => Allow,
            _ => NO,
        },
        Action::ManageUsers => match role {
            R::Admin => Allow,
            _ => NO,
        },
        Action::ManageRoles => match role {
            R::Security | R::Admin => Allow,
            _ => NO,
        },
        Action::UseDesk => match role {
            R::Agent | R::Lead => Allow,
            _ => NO,
        },
        Action::ReadRoster => match role {
            R::Lead | R::Office => Allow,
            R::Agent | R::Visitor => Masked,
            _ => NO,
        },
        Action::AskRoster => match role {
            R::Agent | R::Lead | R::Visitor => Allow,
            _ => NO,
        },
        Action::DecideRoster => match role {
            R::Lead | R::Office => Allow,
            _ => NO,
        },
        Action::ReadKnowledge => match role {
            R::Agent | R::Lead | R::Dispatcher | R::Visitor | R::Office | R::Kb | R::Qa | R::Auditor => Allow,
            R::Unit | R::UnitHead => owns(resource, Refusal::Hidden),
            R::Leader | R::Analyst | R::Observer | R::Security | R::Admin => NO,
        },
        Action::ReadDrafts | Action::NoticeKnowledge => match role {
            R::Office => Allow,
            R::Unit | R::UnitHead => owns(resource, Refusal::Hidden),
            R::Kb => keeps(resource, Refusal::Hidden),
            _ => NO,
        },
        Action::DraftKnowledge => match role {
            R::Kb => keeps(resource, Refusal::Role),
            _ => NO,
        },
        Action::ApproveKnowledge => match role {
            R::UnitHead => owns(resource, Refusal::Role),
            R::Office if resource.owner == Some(OFFICE_UNIT) => Allow,
            _ => NO,
        },
        Action::PublishKnowledge => match role {
            R::Office => Allow,
            _ => NO,
        },
        Action::QuoteKnowledge => match role {
            R::Agent if resource.own_call => Allow,
            R::Lead => Allow,
            _ => NO,
        },
        Action::CorrectKnowledge => match role {
            R::Agent | R::Lead | R::Dispatcher | R::Visitor | R::Office | R::Qa => Allow,
            _ => NO,
        },
        Action::ReadGaps => match role {
            R::Lead | R::Office | R::Kb | R::Analyst => Allow,
            _ => NO,
        },
        Action::SignHandover => match role {
            R::Lead => Allow,
            _ => NO,
        },
        Action::ReadSessions => match role {
            R::Lead | R::Dispatcher | R::Office | R::Leader => Allow,
            R::Agent | R::Admin => Masked,
            _ => NO,
        },
        Action::ManageSessions => match role {
            R::Lead | R::Office => Allow,
            _ => NO,
        },
        Action::ReadOutbox => match role {
            R::Lead | R::Office | R::Auditor | R::Admin => Allow,
            _ => NO,
        },
        Action::ManageOutbox => match role {
            R::Office | R::Admin => Allow,
            _ => NO,
        },
        Action::Supervise => match role {
            R::Lead => Allow,
            _ => NO,
        },
        Action::ReadAccessLog => match role {
            R::Auditor | R::Security | R::Office => Allow,
            _ => NO,
        },
    }
}

/// A step of the loop, by the loop's own table. Without a step: whether the role has any part in it.
fn act(role: Role, resource: Resource<'_>) -> Decision {
    let Some(hand) = hand(role) else { return Decision::Refuse(Refusal::Role) };
    let Some(step) = resource.step else { return Decision::Allow };
    let stand = resource.stand();
    let of_unit = matches!(hand, Hand::Unit | Hand::Head);
    if permits(step, hand, stand, resource.urgent) {
        Decision::Allow
    } else if of_unit && resource.one && stand == Stand::Other {
        Decision::Refuse(Refusal::Hidden)
    } else {
        Decision::Refuse(Refusal::Role)
    }
}

/// A unit sees its own tickets, never the caller of them; all others do not exist for it.
fn unit(resource: Resource<'_>) -> Decision {
    if resource.own_unit.is_none() {
        return Decision::Refuse(Refusal::Hidden);
    }
    if !resource.one || matches!(resource.stand(), Stand::Lead | Stand::Assist | Stand::Sub) {
        Decision::CallerHidden
    } else {
        Decision::Refuse(Refusal::Hidden)
    }
}

/// A unit's people have the entries their unit answers for.
fn owns(resource: Resource<'_>, other: Refusal) -> Decision {
    let Some(own) = resource.own_unit else { return Decision::Refuse(other) };
    if !resource.one || resource.owner == Some(own) { Decision::Allow } else { Decision::Refuse(other) }
}

/// Who keeps the knowledge of a unit has that one's entries; who is bound to none, all.
fn keeps(resource: Resource<'_>, other: Refusal) -> Decision {
    if resource.own_unit.is_none() { Decision::Allow } else { owns(resource, other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A` allowed, `c` without the caller, `m` masked, `.` refused, `h` hidden; columns in the order of `Role::ALL`.
    /// Units are asked about a list (their own tickets).
    const TABLE: &[(Action, &str)] = &[
        //                         agent lead disp unit head visit office leader kb qa audit analyst observer sec admin
        (Action::ReadCalls, "AAA..AAm.A.mm.m"),
        (Action::WatchLive, "AAA...Am.m..m.m"),
        (Action::HangUpCall, ".A....A........"),
        (Action::PlayRecording, ".AA..AA..A....."),
        (Action::ReadTickets, "AAAccAAA.A.mm.m"),
        (Action::ReadHistory, "AAAccAAA.A.mm.m"),
        // Of calls of others.
        (Action::RevealCaller, ".AA..AA........"),
        (Action::ReadLookers, "......A...A...."),
        (Action::ExportTickets, ".AAcc.AA.A.mm.."),
        // Of calls of others; the next test asks about one's own.
        (Action::ChangeTicket, ".A............."),
        (Action::EnterPaper, "AA............."),
        // Any part in the loop; which step is asked below.
        (Action::ActOnTicket, "AAAAAAA........"),
        (Action::ReadIndicators, ".AAmmAAA.A.AA.."),
        (Action::PublishIndicators, "......A........"),
        (Action::ReadDistrict, "AAAAAAAAAAAAAAA"),
        (Action::ReadFlows, "AAA...A..A..A.A"),
        (Action::ReadNumbers, "AAA..AA.......A"),
        (Action::ManageNumbers, "..............A"),
        (Action::TestNumbers, ".A............A"),
        (Action::ReadWorks, ".A....A.......A"),
        (Action::ManageWorks, "..............A"),
        (Action::ReadOutbox, ".A....A...A...A"),
        (Action::ManageOutbox, "......A.......A"),
        (Action::Reload, "..............A"),
        (Action::ReadUsers, "......A...A..AA"),
        (Action::ManageUsers, "..............A"),
        (Action::ManageRoles, ".............AA"),
        (Action::ReadAccessLog, "......A...A..A."),
        (Action::UseDesk, "AA............."),
        (Action::Supervise, ".A............."),
        (Action::ReadRoster, "mA...mA........"),
        (Action::AskRoster, "AA...A........."),
        (Action::DecideRoster, ".A....A........"),
        // Units and who keeps knowledge: about their own entries; the test below asks about others'.
        (Action::ReadKnowledge, "AAAAAAA.AAA...."),
        (Action::ReadDrafts, "...AA.A.A......"),
        (Action::DraftKnowledge, "........A......"),
        (Action::ApproveKnowledge, "....A.........."),
        (Action::PublishKnowledge, "......A........"),
        // Of calls of others.
        (Action::QuoteKnowledge, ".A............."),
        (Action::CorrectKnowledge, "AAA..AA..A....."),
        (Action::NoticeKnowledge, "...AA.A.A......"),
        (Action::ReadGaps, ".A....A.A..A..."),
        (Action::SignHandover, ".A............."),
        (Action::ReadSessions, "mAA...AA......m"),
        (Action::ManageSessions, ".A....A........"),
    ];

    fn letter(decision: Decision) -> char {
        match decision {
            Decision::Allow => 'A',
            Decision::Masked => 'm',
            Decision::CallerHidden => 'c',
            Decision::ContactHidden => 'n',
            Decision::Refuse(Refusal::Role) => '.',
            Decision::Refuse(Refusal::Hidden) => 'h',
        }
    }

    #[test]
    fn every_role_and_action_is_as_the_table_says() {
        assert_eq!(TABLE.len(), Action::ALL.len(), "an action without a row");
        for (action, row) in TABLE {
            let list = Resource { own_unit: Some("u1"), ..Resource::default() };
            let got: String = Role::ALL
                .iter()
                .map(|role| letter(may(&RoleSet::from_iter([*role]), *action, list)))
                .collect();
            assert_eq!(&got, row, "{action:?}");
        }
    }

    #[test]
    fn an_agent_changes_the_tickets_of_the_calls_he_took() {
        let own = Resource { own_call: true, one: true, ..Resource::default() };
        for role in Role::ALL {
            let allowed = may(&RoleSet::from_iter([*role]), Action::ChangeTicket, own).allowed();
            assert_eq!(allowed, matches!(role, Role::Agent | Role::Lead), "{role:?}");
        }
    }

    #[test]
    fn knowledge_is_written_by_its_unit_and_read_by_the_hotline() {
        let about = |own: Option<&'static str>| Resource {
            own_unit: own,
            owner: Some("u1"),
            one: true,
            ..Resource::default()
        };
        let ask = |role, action, own| letter(may(&RoleSet::from_iter([role]), action, about(own)));
        // Own unit, another one, none.
        for (role, action, want) in [
            (Role::Unit, Action::ReadKnowledge, "Ahh"),
            (Role::UnitHead, Action::ReadKnowledge, "Ahh"),
            (Role::Kb, Action::ReadKnowledge, "AAA"),
            (Role::Agent, Action::ReadKnowledge, "AAA"),
            (Role::Unit, Action::ReadDrafts, "Ahh"),
            (Role::Kb, Action::ReadDrafts, "AhA"),
            (Role::Agent, Action::ReadDrafts, "..."),
            (Role::Kb, Action::DraftKnowledge, "A.A"),
            (Role::Office, Action::DraftKnowledge, "..."),
            (Role::UnitHead, Action::ApproveKnowledge, "A.."),
            (Role::Office, Action::ApproveKnowledge, "..."),
            (Role::Kb, Action::PublishKnowledge, "..."),
            (Role::UnitHead, Action::PublishKnowledge, "..."),
        ] {
            let got: String =
                [Some("u1"), Some("u2"), None].map(|own| ask(role, action, own)).iter().collect();
            assert_eq!(got, want, "{role:?} {action:?}");
        }
        let office = Resource { owner: Some(OFFICE_UNIT), one: true, ..Resource::default() };
        let roles = RoleSet::from_iter([Role::Office]);
        assert_eq!(may(&roles, Action::ApproveKnowledge, office), Decision::Allow, "its own entries");
        for role in Role::ALL {
            let own = Resource { own_call: true, ..Resource::default() };
            let quotes = may(&RoleSet::from_iter([*role]), Action::QuoteKnowledge, own).allowed();
            assert_eq!(quotes, matches!(role, Role::Agent | Role::Lead), "{role:?}");
        }
    }

    #[test]
    fn nobody_without_a_role_may_anything() {
        for action in Action::ALL {
            assert!(!may(&RoleSet::default(), *action, Resource::default()).allowed(), "{action:?}");
        }
    }

    #[test]
    fn a_unit_sees_what_it_leads_or_assists_and_nothing_else() {
        let roles = RoleSet::from_iter([Role::Unit]);
        let assist = ["u2".to_owned()];
        let about =
            |own, lead| Resource { own_unit: own, lead, assist: &assist, one: true, ..Resource::default() };
        let ask = |own, lead| letter(may(&roles, Action::ReadTickets, about(own, lead)));
        assert_eq!(ask(Some("u1"), Some("u1")), 'c');
        assert_eq!(ask(Some("u2"), Some("u1")), 'c');
        assert_eq!(ask(Some("u3"), Some("u1")), 'h');
        assert_eq!(ask(Some("u3"), None), 'h');
        assert_eq!(ask(None, None), 'h', "a liaison without a unit is nobody's");
    }

    /// Every step × every role × the unit's own, other, assisting, sub- and complained-about tickets × urgent or not, against the table
    /// that the loop's own test was written from.
    #[test]
    fn every_step_role_and_unit_is_as_the_second_table_says() {
        use crate::ticket::cycle::tests::SECOND;
        let second: std::collections::BTreeMap<&str, Vec<&str>> = SECOND
            .trim()
            .lines()
            .map(|line| {
                let parts: Vec<&str> = line.split('|').map(str::trim).collect();
                (parts[0], parts[2].split_whitespace().collect())
            })
            .collect();
        let (assist, subs) = (["assisting".to_owned()], ["below".to_owned()]);
        let mut cells = 0;
        for step in crate::ticket::cycle::steps() {
            let who = &second[step.label()];
            for role in Role::ALL {
                for (own, stand) in [
                    (Some("leading"), "lead"),
                    (Some("assisting"), "assist"),
                    (Some("below"), "sub"),
                    (Some("other"), "other"),
                    (None, "other"),
                    (Some("leading"), "complained"),
                ] {
                    for urgent in [false, true] {
                        let about = Resource {
                            own_unit: own,
                            lead: Some("leading"),
                            assist: &assist,
                            subs: &subs,
                            complained: stand == "complained",
                            one: true,
                            step: Some(step),
                            urgent,
                            ..Resource::default()
                        };
                        let got = may(&RoleSet::from_iter([*role]), Action::ActOnTicket, about);
                        let part = match (role, stand) {
                            (_, "complained") => None,
                            (Role::Agent, _) => Some("ag"),
                            (Role::Lead, _) => Some("ld"),
                            (Role::Dispatcher, _) => Some("dp"),
                            (Role::Visitor, _) => Some("vi"),
                            (Role::Office, _) => Some("of"),
                            (Role::Unit, "lead") => Some("u"),
                            (Role::UnitHead, "lead") => Some("h"),
                            (Role::Unit, "assist") => Some("au"),
                            (Role::UnitHead, "assist") => Some("ah"),
                            (Role::Unit, "sub") => Some("su"),
                            (Role::UnitHead, "sub") => Some("sh"),
                            _ => None,
                        };
                        let his = part.is_some_and(|part| {
                            who.contains(&part) || (part == "ag" && urgent && who.contains(&"ag!"))
                        });
                        let hidden = stand == "complained"
                            || (stand == "other" && matches!(role, Role::Unit | Role::UnitHead));
                        let want = match (his, hidden) {
                            (true, _) => 'A',
                            (false, true) => 'h',
                            (false, false) => '.',
                        };
                        assert_eq!(letter(got), want, "{step:?} as {role:?}, {stand}, urgent {urgent}");
                        cells += 1;
                    }
                }
            }
        }
        assert_eq!(cells, second.len() * Role::ALL.len() * 12);
    }

    #[test]
    fn who_is_complained_about_finds_nothing_whatever_his_roles() {
        let assist = ["u2".to_owned()];
        for role in Role::ALL {
            let roles = RoleSet::from_iter([*role, Role::Office]);
            for action in Action::ALL {
                let about = Resource {
                    own_unit: Some("u1"),
                    lead: Some("u1"),
                    assist: &assist,
                    one: true,
                    complained: true,
                    own_call: true,
                    ..Resource::default()
                };
                assert_eq!(
                    may(&roles, *action, about),
                    Decision::Refuse(Refusal::Hidden),
                    "{role:?} {action:?}"
                );
            }
        }
    }

    /// What is kept secret: calls, tickets, history, and whom a reason opens the caller to.
    #[test]
    fn what_is_secret_hides_who_called_from_everybody_but_who_took_the_call() {
        for (action, others, own) in [
            //                      agent lead disp unit head visit office leader kb qa audit analyst observer sec admin
            (Action::ReadCalls, "cnn..nnm.c.mm.m", "Ann..nnm.c.mm.m"),
            (Action::ReadTickets, "cnnccnnc.c.mm.m", "Annccnnc.c.mm.m"),
            (Action::ReadHistory, "cnnccnnc.c.mm.m", "Annccnnc.c.mm.m"),
            (Action::RevealCaller, ".AA..AA........", "AAA..AA........"),
        ] {
            for (own_call, want) in [(false, others), (true, own)] {
                let about = Resource {
                    own_unit: Some("u1"),
                    lead: Some("u1"),
                    secret: true,
                    one: true,
                    own_call,
                    ..Resource::default()
                };
                let ask = |role: &Role| letter(may(&RoleSet::from_iter([*role]), action, about));
                let got: String = Role::ALL.iter().map(ask).collect();
                assert_eq!(got, want, "{action:?}, own call: {own_call}");
            }
        }
    }

    #[test]
    fn what_is_for_the_office_is_nobody_elses() {
        for role in Role::ALL {
            let roles = RoleSet::from_iter([*role]);
            for action in Action::ALL {
                let about = Resource {
                    own_unit: Some("u1"),
                    one: true,
                    for_office: true,
                    owner: Some("u1"),
                    ..Resource::default()
                };
                let got = may(&roles, *action, about);
                if *role == Role::Office {
                    assert_ne!(got, Decision::Refuse(Refusal::Hidden), "{action:?}");
                } else {
                    assert_eq!(got, Decision::Refuse(Refusal::Hidden), "{role:?} {action:?}");
                }
            }
        }
        // Who was given it works on it as on any other.
        let given = Resource {
            own_unit: Some("u1"),
            lead: Some("u1"),
            one: true,
            for_office: true,
            ..Resource::default()
        };
        let roles = RoleSet::from_iter([Role::Unit]);
        assert_eq!(may(&roles, Action::ReadTickets, given), Decision::CallerHidden);
    }

    #[test]
    fn several_roles_give_the_best_of_each() {
        let roles = RoleSet::from_iter([Role::Kb, Role::Analyst, Role::Agent]);
        assert_eq!(may(&roles, Action::ReadCalls, Resource::default()), Decision::Allow);
    }

    #[test]
    fn machine_rights_and_audit_are_three_persons() {
        for role in [Role::Admin, Role::Security, Role::Auditor] {
            let roles = RoleSet::from_iter([role]);
            assert_ne!(may(&roles, Action::ReadTickets, Resource::default()), Decision::Allow, "{role:?}");
            assert!(!may(&roles, Action::PlayRecording, Resource::default()).allowed(), "{role:?}");
        }
    }
}
