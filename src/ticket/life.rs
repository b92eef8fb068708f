//! What may become of a draft: `draft → accepted | closed | void`, what each needs, and the words of a refusal.
//!
//! ```text
//!  draft ──category, street, title or content, a number──▶ accepted   保存并受理
//!    ├────category, content, a number────────────────────▶ closed     直接答复办结
//!    └────a reason───────────────────────────────────────▶ void       作废
//! ```
//!
//! The rule that always holds: what left `draft` is not changed here any more.

use super::district::District;
use crate::base::reach::SafeTime;

/// Kinds of matter: 咨询 求助 投诉 举报 建议 表扬.
pub const TYPES: [&str; 6] = ["consult", "help", "complaint", "report", "suggestion", "praise"];
/// 紧急, 民生, 一般, 疑难.
pub const URGENCIES: [&str; 4] = ["U", "L", "N", "C"];
pub const SECRECIES: [&str; 3] = ["normal", "secret", "anonymous"];

/// Callers for whom the usual way is wrong.
pub const SPECIALS: [&str; 10] = [
    "suicide",
    "silent",
    "emergency",
    "minor",
    "violence",
    "deaf",
    "foreign",
    "elderly",
    "abuse",
    "retaliation",
];
/// Any way; text only, nobody may call; no message at all, not even a text.
pub const NOTIFIES: [&str; 3] = ["any", "text_only", "no_message"];
/// Saved without a leaf or a street, which the lead adds later; secret unless he wants to be anonymous.
pub(super) const WITHOUT_LEAF: [&str; 3] = ["suicide", "minor", "violence"];

/// Longest texts, in characters.
const TITLE_MAX: usize = 120;
const CONTENT_MAX: usize = 4_000;
const REASON_MAX: usize = 500;
const CONTACT_MAX: usize = 200;
/// Tags of a ticket, and characters of one.
const TAGS_MAX: usize = 12;
const TAG_MAX: usize = 20;
/// Units that assist.
const ASSIST_MAX: usize = 6;

/// Where a draft may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Accepted,
    /// Answered directly: nobody has to do anything any more.
    Closed,
    /// Silent, wrong number, test: kept, and counted nowhere.
    Void,
}

impl Goal {
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Closed, Self::Void];

    /// The state's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Closed => "closed",
            Self::Void => "void",
        }
    }
}

/// What somebody fills in. `None`: nothing there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub lead: Option<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    /// The caller's own words: the hotline's alone.
    pub content: Option<String>,
    /// What the unit reads instead, without what must not come to it.
    pub brief: Option<String>,
    /// Short words, the second axis beside the category.
    pub tags: Option<Vec<String>>,
    /// Units that assist the lead.
    pub assist: Option<Vec<String>>,
    pub secrecy: Option<String>,
    /// What kind of caller: one of [`SPECIALS`].
    pub special: Option<String>,
    /// How he may be told: one of [`NOTIFIES`].
    pub notify: Option<String>,
    /// When he may be called, `09:00-11:30`, Beijing time.
    pub safe_time: Option<String>,
    /// The unit it complains about, of any level: it never sees it.
    pub complained_unit: Option<String>,
    /// The user it complains about.
    pub complained_person: Option<String>,
}

/// Whom to call and where it is, as the caller said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
}

/// A wish to change a ticket. In `fields`, `None` leaves as it was and an empty text clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub fields: Fields,
    pub contact: Contact,
    /// One of [`Goal`]'s names.
    pub state: Option<String>,
    /// Why it is void.
    pub reason: Option<String>,
}

/// The ticket before the change.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    pub state: &'a str,
    pub numbered: bool,
    pub fields: &'a Fields,
}

/// The ticket after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    pub fields: Fields,
    pub contact: Contact,
    pub goal: Option<Goal>,
    pub reason: Option<String>,
}

/// Why not; the name is for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is no draft any more.
    Final,
    /// It has no official number yet.
    NoNumber,
    /// The goal needs this field.
    Needed,
    /// Not a code of this district, or no such word.
    UnknownCode,
    TooLong,
    /// The field has no place in this change.
    NotHere,
    /// Not in the state the ticket is in.
    State,
    /// So often, so much, or so long is not allowed.
    Limit,
    /// Its time is over.
    Late,
    /// Not his to do.
    Role,
}

impl Why {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::NoNumber => "no_number",
            Self::Needed => "needed",
            Self::UnknownCode => "unknown_code",
            Self::TooLong => "too_long",
            Self::NotHere => "not_here",
            Self::State => "state",
            Self::Limit => "limit",
            Self::Late => "late",
            Self::Role => "role",
        }
    }
}

/// One thing that is wrong, at its field (by the name on the wire).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: &'static str,
    pub why: Why,
    pub message: String,
}

/// The ticket as the change would leave it, or everything that is wrong with the change.
pub fn change(before: Before<'_>, change: &Change, district: &District) -> Result<After, Vec<Refusal>> {
    let mut wrong = Wrong::default();
    if before.state != "draft" {
        wrong.tell("state", Why::Final, format!("the ticket is {} and cannot be changed here", before.state));
        return Err(wrong.0);
    }
    let goal = change.state.as_deref().and_then(|name| {
        let goal = Goal::ALL.into_iter().find(|goal| goal.label() == name);
        if goal.is_none() {
            wrong.tell("state", Why::UnknownCode, "a draft becomes accepted, closed or void".into());
        }
        goal
    });

    let (was, new) = (before.fields, &change.fields);
    let mut fields = Fields {
        kind: merged(&was.kind, &new.kind),
        category: merged(&was.category, &new.category),
        street: merged(&was.street, &new.street),
        lead: merged(&was.lead, &new.lead),
        urgency: merged(&was.urgency, &new.urgency),
        title: merged(&was.title, &new.title),
        content: merged(&was.content, &new.content),
        brief: merged(&was.brief, &new.brief),
        tags: merged_list(&was.tags, &new.tags),
        assist: merged_list(&was.assist, &new.assist),
        secrecy: merged(&was.secrecy, &new.secrecy),
        special: merged(&was.special, &new.special),
        notify: merged(&was.notify, &new.notify),
        safe_time: merged(&was.safe_time, &new.safe_time),
        complained_unit: merged(&was.complained_unit, &new.complained_unit),
        complained_person: merged(&was.complained_person, &new.complained_person),
    };
    let special = fields.special.clone().unwrap_or_default();
    let hidden = WITHOUT_LEAF.contains(&&*special) || special == "retaliation";
    if hidden && fields.secrecy.as_deref() != Some("anonymous") {
        fields.secrecy = Some("secret".into());
    }
    if fields.notify.is_none() {
        fields.notify = match &*special {
            "deaf" => Some("text_only".into()),
            "violence" => Some("no_message".into()),
            _ => None,
        };
    }
    if fields.urgency.is_none() && matches!(&*special, "suicide" | "emergency" | "violence" | "retaliation") {
        fields.urgency = Some("U".into());
    }
    if fields.urgency.is_none() {
        fields.urgency = fields.category.as_deref().and_then(|c| district.urgency(c)).map(str::to_owned);
    }
    wrong.code("type", &fields.kind, |code| TYPES.contains(&code));
    wrong.code("category", &fields.category, |code| district.has_category(code));
    wrong.code("street", &fields.street, |code| district.has_street(code));
    wrong.code("lead", &fields.lead, |code| district.has_unit(code));
    wrong.code("urgency", &fields.urgency, |code| URGENCIES.contains(&code));
    wrong.code("secrecy", &fields.secrecy, |code| SECRECIES.contains(&code));
    wrong.code("special", &fields.special, |code| SPECIALS.contains(&code));
    wrong.code("notify", &fields.notify, |code| NOTIFIES.contains(&code));
    wrong.code("safe_time", &fields.safe_time, |text| SafeTime::read(text).is_some());
    wrong.code("complained_unit", &fields.complained_unit, |code| district.unit(code).is_some());
    wrong.long("complained_person", &fields.complained_person, CONTACT_MAX);
    wrong.complained(&fields, district);
    wrong.long("title", &fields.title, TITLE_MAX);
    wrong.long("content", &fields.content, CONTENT_MAX);
    wrong.long("brief", &fields.brief, CONTENT_MAX);
    wrong.tags(fields.tags.as_deref().unwrap_or_default());
    wrong.assist(fields.assist.as_deref().unwrap_or_default(), fields.lead.as_deref(), district);

    let contact = Contact {
        name: merged(&None, &change.contact.name),
        number: merged(&None, &change.contact.number),
        address: merged(&None, &change.contact.address),
    };
    wrong.long("name", &contact.name, CONTACT_MAX);
    wrong.long("number", &contact.number, CONTACT_MAX);
    wrong.long("address", &contact.address, CONTACT_MAX);
    let reason = merged(&None, &change.reason);
    wrong.long("reason", &reason, REASON_MAX);

    if let Some(goal) = goal {
        wrong.goal(goal, before.numbered, &fields, reason.as_deref());
    }
    if goal != Some(Goal::Void) && reason.is_some() {
        wrong.tell("reason", Why::NotHere, "only a ticket that becomes void has a reason".into());
    }
    if wrong.0.is_empty() { Ok(After { fields, contact, goal, reason }) } else { Err(wrong.0) }
}

/// The new text without space around it; nothing when it is empty.
fn merged(was: &Option<String>, new: &Option<String>) -> Option<String> {
    match new {
        None => was.clone(),
        Some(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
    }
}

/// The same of several: each once, in the order they were given.
fn merged_list(was: &Option<Vec<String>>, new: &Option<Vec<String>>) -> Option<Vec<String>> {
    let Some(new) = new else { return was.clone() };
    // One more than is allowed is enough to be refused.
    let most = TAGS_MAX.max(ASSIST_MAX) + 1;
    let mut list: Vec<String> = Vec::new();
    for text in new.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        if list.len() < most && !list.iter().any(|known| known == text) {
            list.push(text.to_owned());
        }
    }
    (!list.is_empty()).then_some(list)
}

/// What was found wrong, in the order of the form.
#[derive(Default)]
struct Wrong(Vec<Refusal>);

impl Wrong {
    fn tell(&mut self, field: &'static str, why: Why, message: String) {
        self.0.push(Refusal { field, why, message });
    }

    fn code(&mut self, field: &'static str, value: &Option<String>, known: impl Fn(&str) -> bool) {
        if value.as_deref().is_some_and(|code| !known(code)) {
            self.tell(field, Why::UnknownCode, format!("{field}: no such code here"));
        }
    }

    fn long(&mut self, field: &'static str, value: &Option<String>, max: usize) {
        // Bytes first: a text of so many bytes has no more characters, and a huge one is not counted.
        if value.as_deref().is_some_and(|text| text.len() > max && text.chars().nth(max).is_some()) {
            self.tell(field, Why::TooLong, format!("{field}: at most {max} characters"));
        }
    }

    fn tags(&mut self, tags: &[String]) {
        if tags.len() > TAGS_MAX {
            self.tell("tags", Why::TooLong, format!("tags: at most {TAGS_MAX}"));
        }
        for tag in tags {
            if tag.chars().nth(TAG_MAX).is_some() {
                self.tell("tags", Why::TooLong, format!("tags: at most {TAG_MAX} characters each"));
            }
            // A comma stands between two of them.
            if tag.contains(|c: char| c == ',' || c.is_control()) {
                self.tell("tags", Why::UnknownCode, "tags: words without commas".into());
            }
        }
    }

    fn assist(&mut self, units: &[String], lead: Option<&str>, district: &District) {
        if units.len() > ASSIST_MAX {
            self.tell("assist", Why::TooLong, format!("assist: at most {ASSIST_MAX}"));
        }
        if units.iter().any(|unit| !district.has_unit(unit)) {
            self.tell("assist", Why::UnknownCode, "assist: no such code here".into());
        }
        if units.iter().any(|unit| Some(&**unit) == lead) {
            self.tell("assist", Why::NotHere, "assist: the lead does not assist itself".into());
        }
    }

    /// Who is complained about is no candidate.
    fn complained(&mut self, fields: &Fields, district: &District) {
        let Some(target) = fields.complained_unit.as_deref() else { return };
        let is_target = |unit: &str| district.line(unit).any(|one| one == target);
        if fields.lead.as_deref().is_some_and(is_target) {
            self.tell("lead", Why::NotHere, "lead: it complains about this unit".into());
        }
        if fields.assist.iter().flatten().any(|unit| is_target(unit)) {
            self.tell("assist", Why::NotHere, "assist: it complains about this unit".into());
        }
    }

    fn goal(&mut self, goal: Goal, numbered: bool, fields: &Fields, reason: Option<&str>) {
        let mut needs: Vec<(&'static str, bool)> = Vec::new();
        match goal {
            Goal::Accepted => {
                let leaf = !WITHOUT_LEAF.contains(&fields.special.as_deref().unwrap_or_default());
                needs.push(("category", !leaf || fields.category.is_some()));
                needs.push(("street", !leaf || fields.street.is_some()));
                needs.push(("content", fields.title.is_some() || fields.content.is_some()));
            }
            Goal::Closed => {
                needs.push(("category", fields.category.is_some()));
                needs.push(("content", fields.content.is_some()));
            }
            Goal::Void => needs.push(("reason", reason.is_some())),
        }
        for (field, there) in needs {
            if !there {
                let what =
                    if field == "content" && goal == Goal::Accepted { "title or content" } else { field };
                self.tell(field, Why::Needed, format!("{what}: needed to become {}", goal.label()));
            }
        }
        if goal != Goal::Void && !numbered {
            let message = "the official number is not there yet: nobody has answered, or it is on its way";
            self.tell("state", Why::NoNumber, message.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.into())
    }

    fn full() -> Fields {
        Fields {
            category: some("030101"),
            street: some("110102019"),
            content: some("暖气不热"),
            ..Fields::default()
        }
    }

    fn to(state: &str, fields: Fields) -> Change {
        Change { fields, state: some(state), ..Change::default() }
    }

    fn ask(state: &str, numbered: bool, wish: &Change) -> Result<After, Vec<(&'static str, Why)>> {
        let before = Before { state, numbered, fields: &Fields::default() };
        change(before, wish, &District::shipped())
            .map_err(|all| all.into_iter().map(|one| (one.field, one.why)).collect())
    }

    #[test]
    fn each_goal_needs_what_it_needs() {
        let without = |drop: fn(&mut Fields)| {
            let mut fields = full();
            drop(&mut fields);
            fields
        };
        let needed = |field| Err(vec![(field, Why::Needed)]);
        let goal =
            |state: &str, fields: Fields| ask("draft", true, &to(state, fields)).map(|after| after.goal);
        assert_eq!(goal("accepted", full()), Ok(Some(Goal::Accepted)));
        assert_eq!(goal("accepted", without(|f| f.category = None)), needed("category"));
        assert_eq!(goal("accepted", without(|f| f.street = None)), needed("street"));
        assert_eq!(goal("accepted", without(|f| f.content = None)), needed("content"));
        let titled = without(|f| (f.content, f.title) = (None, Some("供暖".into())));
        assert_eq!(goal("accepted", titled.clone()), Ok(Some(Goal::Accepted)), "a title is enough");
        assert_eq!(goal("closed", titled), needed("content"), "an answer is written down");
        assert_eq!(goal("closed", without(|f| f.street = None)), Ok(Some(Goal::Closed)));
        assert_eq!(goal("closed", without(|f| f.category = None)), needed("category"));
        assert_eq!(goal("void", full()), needed("reason"));
        let void = Change { state: some("void"), reason: some("静音来电"), ..Change::default() };
        assert_eq!(
            ask("draft", false, &void).map(|after| after.goal),
            Ok(Some(Goal::Void)),
            "without a number too"
        );
        let blank = Change { reason: some(" \n"), ..void };
        assert_eq!(ask("draft", true, &blank).map(|after| after.goal), needed("reason"));
    }

    #[test]
    fn special_callers_have_rules_of_their_own() {
        let of = |special: &str, fields: Fields| {
            ask("draft", true, &to("accepted", Fields { special: some(special), ..fields }))
        };
        let words = Fields { content: some("在楼顶上"), secrecy: some("normal"), ..Fields::default() };
        for special in ["suicide", "minor", "violence"] {
            let after = of(special, words.clone()).expect("without a leaf").fields;
            assert_eq!(after.secrecy, some("secret"), "{special}");
            assert_eq!(after.category, None);
        }
        assert_eq!(of("suicide", words.clone()).expect("whole").fields.urgency, some("U"));
        assert_eq!(of("violence", words.clone()).expect("whole").fields.notify, some("no_message"));
        let anonymous = Fields { secrecy: some("anonymous"), ..words.clone() };
        assert_eq!(of("minor", anonymous).expect("whole").fields.secrecy, some("anonymous"));
        assert_eq!(of("deaf", full()).expect("whole").fields.notify, some("text_only"));
        let any = Fields { notify: some("any"), ..full() };
        assert_eq!(
            of("deaf", any).expect("whole").fields.notify,
            some("any"),
            "who says otherwise is believed"
        );
        assert_eq!(
            of("elderly", words).unwrap_err(),
            [("category", Why::Needed), ("street", Why::Needed)],
            "others need a leaf"
        );
        let odd = Fields { notify: some("loud"), safe_time: some("9-11"), ..full() };
        assert_eq!(
            of("tall", odd).unwrap_err(),
            [("special", Why::UnknownCode), ("notify", Why::UnknownCode), ("safe_time", Why::UnknownCode)]
        );
    }

    #[test]
    fn the_units_text_tags_and_helpers_are_looked_at() {
        let list = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let of = |fields: Fields| ask("draft", true, &Change { fields, ..Change::default() });
        let fine = Fields {
            lead: some("rl"),
            assist: list(&["st019", " st019 ", ""]),
            tags: list(&["供暖季", " 老年人", "供暖季"]),
            brief: some(" 市民反映室温低 "),
            ..Fields::default()
        };
        let after = of(fine).expect("fine").fields;
        assert_eq!(after.assist, list(&["st019"]));
        assert_eq!(after.tags, list(&["供暖季", "老年人"]), "each once");
        assert_eq!(after.brief, some("市民反映室温低"));
        let tags = |tags: Vec<String>| of(Fields { tags: Some(tags), ..Fields::default() });
        assert_eq!(tags(Vec::new()).expect("cleared").fields.tags, None);
        assert_eq!(tags(vec!["字".repeat(TAG_MAX + 1)]).unwrap_err(), [("tags", Why::TooLong)]);
        assert_eq!(tags((0..999).map(|n| n.to_string()).collect()).unwrap_err(), [("tags", Why::TooLong)]);
        assert_eq!(tags(vec!["a,b".into()]).unwrap_err(), [("tags", Why::UnknownCode)]);
        let helpers = |units: &[&str]| {
            of(Fields { lead: some("rl"), assist: list(units), ..Fields::default() }).map(|_| ())
        };
        assert_eq!(
            helpers(&["rl-bzf"]).unwrap_err(),
            [("assist", Why::UnknownCode)],
            "of the first level only"
        );
        assert_eq!(helpers(&["st019", "rl"]).unwrap_err(), [("assist", Why::NotHere)]);
        let many = ["fgw", "jw", "kxj", "mzj", "sfj", "czj", "rsj"];
        assert_eq!(helpers(&many).unwrap_err(), [("assist", Why::TooLong)]);
        let brief = Fields { brief: Some("字".repeat(CONTENT_MAX + 1)), ..Fields::default() };
        assert_eq!(of(brief).unwrap_err(), [("brief", Why::TooLong)]);
    }

    #[test]
    fn every_missing_thing_is_told_at_once() {
        let told = ask("draft", false, &to("accepted", Fields::default())).unwrap_err();
        let needed = |field| (field, Why::Needed);
        assert_eq!(told, [needed("category"), needed("street"), needed("content"), ("state", Why::NoNumber)]);
    }

    #[test]
    fn what_left_draft_is_final() {
        for state in ["accepted", "closed", "void", "missed", "handling"] {
            for wish in [Change::default(), to("void", full()), to("accepted", full())] {
                assert_eq!(ask(state, true, &wish).unwrap_err(), [("state", Why::Final)], "{state}");
            }
        }
    }

    #[test]
    fn codes_and_lengths_are_looked_at() {
        type Slot = fn(&mut Fields) -> &mut Option<String>;
        let codes: [(&str, Slot); 6] = [
            ("type", |f| &mut f.kind),
            ("category", |f| &mut f.category),
            ("street", |f| &mut f.street),
            ("lead", |f| &mut f.lead),
            ("urgency", |f| &mut f.urgency),
            ("secrecy", |f| &mut f.secrecy),
        ];
        for (name, slot) in codes {
            for text in ["nothing", "'; --", "030101 030102"] {
                let mut fields = Fields::default();
                *slot(&mut fields) = some(text);
                let told = ask("draft", true, &Change { fields, ..Change::default() }).unwrap_err();
                assert_eq!(told, [(name, Why::UnknownCode)], "{text}");
            }
        }
        let content = |n: usize| {
            let fields = Fields { content: Some("字".repeat(n)), ..Fields::default() };
            ask("draft", true, &Change { fields, ..Change::default() })
        };
        assert!(content(CONTENT_MAX).is_ok(), "characters, not bytes");
        assert_eq!(content(CONTENT_MAX + 1).unwrap_err(), [("content", Why::TooLong)]);
        assert_eq!(ask("draft", true, &to("handling", full())).unwrap_err(), [("state", Why::UnknownCode)]);
        let reason = Change { reason: some("x"), ..to("accepted", full()) };
        assert_eq!(ask("draft", true, &reason).unwrap_err(), [("reason", Why::NotHere)]);
    }

    #[test]
    fn absent_leaves_and_empty_clears_and_the_matter_brings_its_urgency() {
        let was = Fields { title: some("旧"), content: some("旧"), ..Fields::default() };
        let wish = Fields { title: some(""), category: some(" 010201 "), ..Fields::default() };
        let before = Before { state: "draft", numbered: true, fields: &was };
        let after =
            change(before, &Change { fields: wish, ..Change::default() }, &District::shipped()).unwrap();
        assert_eq!(after.fields.title, None);
        assert_eq!(after.fields.content, some("旧"));
        assert_eq!(after.fields.category, some("010201"));
        assert_eq!(after.fields.urgency, some("U"));
        assert_eq!(after.goal, None);
    }
}
