//! How an entry gets to the agents, and whether what they read may be quoted.

use super::entry::Text;
use jiff::civil::Date;

macro_rules! named {
    ($(#[$top:meta])* $kind:ident { $($(#[$doc:meta])* $name:ident = $label:literal;)* }) => {
        $(#[$top])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $kind { $($(#[$doc])* $name,)* }
        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Name on the wire and in the database.
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
            pub fn read(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.label() == text)
            }
        }
    };
}

named! {
    /// Where the newest version is.
    Stage {
        Draft = "draft";
        /// The unit's leader has it.
        UnitReview = "unit_review";
        /// The office has it.
        OfficeReview = "office_review";
        Published = "published";
        Retired = "retired";
    }
}

named! {
    /// What somebody does with an entry. Who may is `auth`'s to say.
    Step {
        /// A new version.
        Change = "change";
        Submit = "submit";
        Approve = "approve";
        Publish = "publish";
        Return = "return";
        Retire = "retire";
        /// 待核: what is live may not be quoted until a new version is published.
        Doubt = "doubt";
        /// It contradicts itself, its sources or another entry.
        Conflict = "conflict";
        /// The contradiction is over.
        Settle = "settle";
    }
}

/// An entry without its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub stage: Stage,
    /// The newest version, from 1.
    pub head: i64,
    /// The version agents read.
    pub live: Option<i64>,
    /// Why the live version is 待核.
    pub doubt: Option<String>,
    pub conflict: Option<Conflict>,
    /// Who wrote the newest version.
    pub writer: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub text: String,
    /// The other entry; none: its own sources.
    pub with: Option<String>,
    /// The newest version when it was found.
    pub at: i64,
}

impl Entry {
    pub fn new(writer: String) -> Self {
        Self { stage: Stage::Draft, head: 1, live: None, doubt: None, conflict: None, writer }
    }
}

/// Why a step is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Not from this stage.
    Stage,
    /// Who wrote it does not approve or publish it.
    OwnText,
    /// A reason is needed.
    Reason,
    /// Nothing is live that could be doubted.
    NotLive,
    /// No contradiction is known, or one is known already.
    Conflict,
    /// Sources that contradict each other are settled by a new text.
    SameText,
}

impl Refusal {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::OwnText => "own_text",
            Self::Reason => "needed",
            Self::NotLive => "not_live",
            Self::Conflict => "conflict",
            Self::SameText => "same_text",
        }
    }
}

/// Takes `step`. `reason` is asked for where a text is refused or withdrawn; `with` is the other entry of a contradiction.
/// [`Step::Publish`] asks [`obstacles`] first: whoever calls this has.
pub fn step(
    entry: &Entry,
    step: Step,
    by: &str,
    reason: Option<&str>,
    with: Option<&str>,
) -> Result<Entry, Refusal> {
    let mut next = entry.clone();
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let needed = || reason.map(str::to_owned).ok_or(Refusal::Reason);
    let not_his = || if entry.writer == by { Err(Refusal::OwnText) } else { Ok(()) };
    match (step, entry.stage) {
        (Step::Change, Stage::Draft | Stage::Published | Stage::Retired) => {
            next.stage = Stage::Draft;
            next.head += 1;
            next.writer = by.to_owned();
        }
        (Step::Submit, Stage::Draft) => next.stage = Stage::UnitReview,
        (Step::Approve, Stage::UnitReview) => {
            not_his()?;
            next.stage = Stage::OfficeReview;
        }
        (Step::Return, Stage::UnitReview | Stage::OfficeReview) => {
            needed()?;
            next.stage = Stage::Draft;
        }
        (Step::Publish, Stage::OfficeReview) => {
            not_his()?;
            next.stage = Stage::Published;
            next.live = Some(entry.head);
            next.doubt = None;
        }
        (Step::Retire, Stage::Draft | Stage::UnitReview | Stage::OfficeReview | Stage::Published) => {
            needed()?;
            (next.stage, next.live, next.doubt, next.conflict) = (Stage::Retired, None, None, None);
        }
        (Step::Doubt, _) => {
            let why = needed()?;
            if entry.live.is_none() {
                return Err(Refusal::NotLive);
            }
            next.doubt = Some(why);
        }
        (Step::Conflict, Stage::Draft | Stage::UnitReview | Stage::OfficeReview | Stage::Published) => {
            let text = needed()?;
            if entry.conflict.is_some() {
                return Err(Refusal::Conflict);
            }
            next.conflict = Some(Conflict { text, with: with.map(str::to_owned), at: entry.head });
        }
        (Step::Settle, _) => {
            needed()?;
            let conflict = entry.conflict.as_ref().ok_or(Refusal::Conflict)?;
            if conflict.with.is_none() && entry.head <= conflict.at {
                return Err(Refusal::SameText);
            }
            next.conflict = None;
        }
        _ => return Err(Refusal::Stage),
    }
    Ok(next)
}

/// What a text says of itself while nobody has confirmed it.
const UNVERIFIED: &str = "【待核】";

/// What stands against publishing `text`, all of it. `same` is another live entry that answers the same question.
pub fn obstacles(entry: &Entry, text: &Text, today: Date, same: Option<&str>) -> Vec<&'static str> {
    let unverified = [&text.title, &text.answer, &text.full].iter().any(|part| part.contains(UNVERIFIED));
    [
        (entry.conflict.is_some(), "conflict"),
        (text.confidence.contradicted(), "contradicted"),
        (unverified, "unverified"),
        (text.review_by <= today, "review_past"),
        (text.valid_until.is_some_and(|last| last < today), "over"),
        (same.is_some(), "same_question"),
    ]
    .into_iter()
    .filter_map(|(stands, code)| stands.then_some(code))
    .collect()
}

named! {
    /// Why what is live is 待核.
    Stale {
        /// Somebody doubts it.
        Doubt = "doubt";
        Conflict = "conflict";
        /// It should have been looked at by now.
        ReviewPast = "review_past";
        /// It does not hold yet.
        NotYet = "not_yet";
        /// It holds no more.
        Over = "over";
    }
}

/// What agents may do with a live text today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Quote it.
    Current,
    /// Read it, and not as the standard answer.
    Stale(Stale),
}

impl Standing {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Stale(_) => "stale",
        }
    }
    pub const fn why(self) -> Option<&'static str> {
        match self {
            Self::Current => None,
            Self::Stale(why) => Some(why.label()),
        }
    }
    pub fn quotable(self) -> bool {
        self == Self::Current
    }
}

/// Of the live version, whose text this is.
pub fn standing(entry: &Entry, text: &Text, today: Date) -> Standing {
    let stale = [
        (entry.doubt.is_some(), Stale::Doubt),
        (entry.conflict.is_some(), Stale::Conflict),
        (text.review_by < today, Stale::ReviewPast),
        (text.valid_from.is_some_and(|first| today < first), Stale::NotYet),
        (text.valid_until.is_some_and(|last| last < today), Stale::Over),
    ];
    stale.into_iter().find(|(is, _)| *is).map_or(Standing::Current, |(_, why)| Standing::Stale(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::shipped;
    use jiff::civil::date;

    /// What each step makes of each stage; `-` refused. Columns in the order of `Stage::ALL`. The second table beside the code.
    const TABLE: &[(Step, [&str; 5])] = &[
        (Step::Change, ["draft", "-", "-", "draft", "draft"]),
        (Step::Submit, ["unit_review", "-", "-", "-", "-"]),
        (Step::Approve, ["-", "office_review", "-", "-", "-"]),
        (Step::Publish, ["-", "-", "published", "-", "-"]),
        (Step::Return, ["-", "draft", "draft", "-", "-"]),
        (Step::Retire, ["retired", "retired", "retired", "retired", "-"]),
        (Step::Doubt, ["draft", "unit_review", "office_review", "published", "-"]),
        (Step::Conflict, ["draft", "unit_review", "office_review", "published", "-"]),
        (Step::Settle, ["draft", "unit_review", "office_review", "published", "-"]),
    ];

    fn at(stage: Stage) -> Entry {
        Entry {
            stage,
            head: 2,
            live: match stage {
                Stage::Retired => None,
                Stage::Published => Some(2),
                _ => Some(1),
            },
            ..Entry::new("kb".into())
        }
    }

    #[test]
    fn every_stage_and_step_is_as_the_table_says() {
        assert_eq!(TABLE.len(), Step::ALL.len());
        for (one, row) in TABLE {
            for (stage, want) in Stage::ALL.iter().zip(row) {
                let mut entry = at(*stage);
                if *one == Step::Settle && *stage != Stage::Retired {
                    entry.conflict = Some(Conflict { text: "x".into(), with: None, at: 1 });
                }
                let got = step(&entry, *one, "office", Some("理由"), None);
                let got = got.map_or("-", |next| next.stage.label());
                assert_eq!(got, *want, "{one:?} from {stage:?}");
            }
        }
    }

    #[test]
    fn nobody_approves_or_publishes_what_he_wrote() {
        for (stage, one) in [(Stage::UnitReview, Step::Approve), (Stage::OfficeReview, Step::Publish)] {
            assert_eq!(step(&at(stage), one, "kb", None, None), Err(Refusal::OwnText));
            assert!(step(&at(stage), one, "head", None, None).is_ok());
        }
    }

    #[test]
    fn a_change_under_way_takes_no_answer_from_the_desk() {
        let next = step(&at(Stage::Published), Step::Change, "kb", None, None).unwrap();
        assert_eq!((next.stage, next.head, next.live), (Stage::Draft, 3, Some(2)));
    }

    #[test]
    fn doubt_ends_with_a_new_version_and_contradicting_sources_with_a_new_text() {
        let doubted =
            step(&at(Stage::Published), Step::Doubt, "office", Some("与民法典不一致"), None).unwrap();
        let text = shipped().remove(0).text;
        let today = date(2026, 11, 23);
        assert_eq!(standing(&doubted, &text, today), Standing::Stale(Stale::Doubt));
        let mut next = doubted;
        for (one, by) in
            [(Step::Change, "kb"), (Step::Submit, "kb"), (Step::Approve, "head"), (Step::Publish, "office")]
        {
            assert!(next.doubt.is_some(), "before {one:?}");
            next = step(&next, one, by, None, None).unwrap();
        }
        assert_eq!(standing(&next, &text, today), Standing::Current);

        let found = step(&at(Stage::Draft), Step::Conflict, "kb", Some("来源相互矛盾"), None).unwrap();
        assert_eq!(step(&found, Step::Settle, "office", Some("好了"), None), Err(Refusal::SameText));
        let changed = step(&found, Step::Change, "kb", None, None).unwrap();
        assert!(step(&changed, Step::Settle, "office", Some("已改"), None).is_ok());
        let other = step(&at(Stage::Published), Step::Conflict, "kb", Some("x"), Some("KB-0002")).unwrap();
        assert!(step(&other, Step::Settle, "office", Some("以本条为准"), None).is_ok());
    }

    #[test]
    fn dates_decide_what_may_be_quoted() {
        let (entry, mut text) = (at(Stage::Published), shipped().remove(0).text);
        text.review_by = date(2026, 12, 15);
        let ask = |text: &Text, day| standing(&entry, text, day).why();
        assert_eq!(ask(&text, date(2026, 12, 15)), None, "the last day is still good");
        assert_eq!(ask(&text, date(2026, 12, 16)), Some("review_past"));
        text.review_by = date(2028, 1, 1);
        text.valid_from = Some(date(2027, 1, 1));
        text.valid_until = Some(date(2027, 6, 30));
        assert_eq!(ask(&text, date(2026, 12, 31)), Some("not_yet"));
        assert_eq!(ask(&text, date(2027, 1, 1)), None);
        assert_eq!(ask(&text, date(2027, 6, 30)), None);
        assert_eq!(ask(&text, date(2027, 7, 1)), Some("over"));
    }

    #[test]
    fn all_obstacles_are_told_together() {
        let mut text = shipped().into_iter().find(|seed| seed.id == "KB-0014").unwrap().text;
        let entry = Entry {
            conflict: Some(Conflict { text: "x".into(), with: None, at: 1 }),
            ..Entry::new("kb".into())
        };
        text.valid_until = Some(date(2026, 11, 22));
        let told = obstacles(&entry, &text, date(2026, 12, 1), Some("KB-0001"));
        assert_eq!(told, ["conflict", "contradicted", "unverified", "review_past", "over", "same_question"]);
        let fine = shipped().remove(0).text;
        assert!(obstacles(&Entry::new("kb".into()), &fine, date(2026, 11, 23), None).is_empty());
    }

    /// Whoever does whatever: agents read only what two others than its writer have passed.
    #[test]
    fn ten_thousand_random_histories_publish_nothing_unseen() {
        const PEOPLE: &[&str] = &["kb", "head", "office"];
        let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x4b42_u64);
        println!("SEED={seed}");
        let mut state = seed;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let (mut taken, mut published) = (0_u32, 0_u32);
        for _ in 0..10_000 {
            let mut entry = Entry::new("kb".into());
            let mut approved = None;
            for _ in 0..draw(30) {
                let one = Step::ALL[draw(Step::ALL.len())];
                let by = PEOPLE[draw(PEOPLE.len())];
                let reason = (draw(4) > 0).then_some("理由");
                let before = entry.clone();
                let Ok(next) = step(&entry, one, by, reason, None) else { continue };
                taken += 1;
                let row = TABLE.iter().find(|(known, _)| *known == one).unwrap().1;
                let column = Stage::ALL.iter().position(|stage| *stage == before.stage).unwrap();
                assert_eq!(next.stage.label(), row[column], "{one:?} from {before:?}");
                assert!(next.head >= before.head && next.live.is_none_or(|live| live <= next.head));
                if next.live != before.live && next.live.is_some() {
                    published += 1;
                    assert_eq!(one, Step::Publish);
                    assert_ne!(by, before.writer, "the writer published");
                    assert_eq!(approved, Some(before.head), "nobody approved {before:?}");
                }
                match one {
                    Step::Approve => approved = Some(before.head),
                    Step::Return => approved = None,
                    _ => {}
                }
                if next.stage == Stage::Published {
                    assert_eq!(next.live, Some(next.head));
                }
                if next.stage == Stage::Retired {
                    assert_eq!((next.live, &next.doubt), (None, &None));
                }
                assert!(next.live.is_some() || next.doubt.is_none());
                entry = next;
            }
        }
        assert!(taken > 20_000 && published > 200, "{taken} steps, {published} published");
    }
}
