//! Knowledge on the wire.

use crate::api::state::Api;
use crate::knowledge::{Confidence, Standing, Step, Text, standing};
use crate::store::{KbCorrection, KbEntry, KbEvent, KbLive, KbNotice, KbQuote, KbUnit, KbVersion, KbWording};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An entry in lists.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbItem {
    pub id: String,
    pub title: String,
    pub unit: String,
    pub category: String,
    /// Of the newest version: `draft unit_review office_review published retired`.
    pub stage: String,
    /// The newest version, and the one agents read.
    pub head: i64,
    pub live: Option<i64>,
    /// Of the live one: `current stale`; null without one.
    pub standing: Option<String>,
    /// `doubt conflict review_past not_yet over`.
    pub why: Option<String>,
    pub conflict: bool,
    pub review_by: String,
    pub live_at: Option<String>,
    pub changed_at: String,
    pub writer: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbList {
    pub items: Vec<KbItem>,
    pub next: Option<String>,
}

/// What an entry says, in one version.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbTextView {
    pub version: i64,
    pub title: String,
    pub questions: Vec<String>,
    /// As it is spoken, at most 200 characters.
    pub answer: String,
    pub full: String,
    pub papers: String,
    pub place: String,
    pub basis: String,
    pub unit: String,
    pub category: String,
    /// Days, `2026-11-23`.
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
    pub review_by: String,
    pub source: String,
    pub confidence: String,
    pub at: String,
    pub by: String,
}

/// One entry. Who may not see drafts has the live version in `text`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbEntryView {
    pub id: String,
    pub stage: String,
    /// Lines of its history: what a change names.
    pub version: i64,
    pub head: i64,
    pub live: Option<i64>,
    pub live_at: Option<String>,
    pub standing: Option<String>,
    pub why: Option<String>,
    /// In words, why it is doubted and what it contradicts.
    pub doubt: Option<String>,
    pub conflict: Option<KbConflictView>,
    pub text: KbTextView,
    /// What agents read meanwhile, where that is another version.
    pub live_text: Option<KbTextView>,
    /// What stands against publishing the newest version: `conflict contradicted unverified review_past over same_question`.
    pub obstacles: Vec<String>,
    /// What the person who asks may do now.
    pub actions: Vec<String>,
    pub writer: String,
    pub created_at: String,
    pub changed_at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbConflictView {
    pub text: String,
    pub with: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbVersionList {
    pub items: Vec<KbTextView>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbEventView {
    pub n: i64,
    pub at: String,
    /// A step, `draft` or `import`.
    pub step: String,
    pub by: String,
    pub version: i64,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbEventList {
    pub items: Vec<KbEventView>,
    pub next: Option<String>,
}

/// A new entry, a draft.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNew {
    pub title: String,
    pub questions: Vec<String>,
    pub answer: String,
    #[serde(default)]
    pub full: String,
    #[serde(default)]
    pub papers: String,
    #[serde(default)]
    pub place: String,
    #[serde(default)]
    pub basis: String,
    /// Default: the unit of who writes it.
    pub unit: Option<String>,
    pub category: String,
    #[schema(value_type = Option<String>)]
    pub valid_from: Option<Date>,
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Date>,
    #[schema(value_type = String)]
    pub review_by: Date,
    pub source: String,
    /// `S G P X`, joined by `+`, a remark in brackets.
    pub confidence: String,
}

/// A new version: absent fields stay as they were.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbChange {
    /// `version` of the entry as it was read.
    pub version: i64,
    pub title: Option<String>,
    pub questions: Option<Vec<String>>,
    pub answer: Option<String>,
    pub full: Option<String>,
    pub papers: Option<String>,
    pub place: Option<String>,
    pub basis: Option<String>,
    pub unit: Option<String>,
    pub category: Option<String>,
    /// `""` clears a day.
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
    #[schema(value_type = Option<String>)]
    pub review_by: Option<Date>,
    pub source: Option<String>,
    pub confidence: Option<String>,
}

/// A step of an entry's way.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbAct {
    /// `submit approve publish return retire doubt conflict settle`.
    pub action: String,
    pub version: i64,
    /// Asked for by all but the first three.
    pub reason: Option<String>,
    /// Of `conflict`: the other entry.
    pub with: Option<String>,
}

/// A hit while somebody talks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbHit {
    pub id: String,
    pub title: String,
    /// How people ask for it.
    pub question: String,
    pub answer: String,
    pub version: i64,
    pub unit: String,
    pub category: String,
    pub standing: String,
    pub why: Option<String>,
    pub review_by: String,
    /// Since when agents read it.
    pub live_at: Option<String>,
    pub changed_today: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbFound {
    /// Best first.
    pub items: Vec<KbHit>,
    pub next: Option<String>,
    /// Agreed wordings in force, shown above everything.
    pub wordings: Vec<KbWordingView>,
    pub took_ms: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbToday {
    /// Published today, the last first.
    pub changed: Vec<KbHit>,
    /// Retired today: not to be given any more.
    pub retired: Vec<KbItem>,
    pub wordings: Vec<KbWordingView>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNewQuote {
    pub entry: String,
    /// The version that was read out.
    pub version: i64,
    pub call: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbQuoteView {
    pub id: String,
    pub entry: String,
    pub version: i64,
    pub call: String,
    pub ticket: Option<String>,
    pub at: String,
    pub by: String,
    /// As it was read out, whatever the entry says today.
    pub text: KbTextView,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbQuoteList {
    pub items: Vec<KbQuoteView>,
    pub next: Option<String>,
}

/// A search that is over: quoted, read, or given up.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNewSearch {
    pub q: String,
    /// The entry that was used; absent: a gap.
    pub used: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbGapView {
    pub q: String,
    pub times: i64,
    pub last_at: String,
    pub found: i64,
}

/// Enquiries that were passed to a unit although an entry of their matter exists.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbPassedOn {
    pub category: String,
    pub times: i64,
    pub entries: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbGaps {
    pub since: String,
    pub searches: Vec<KbGapView>,
    pub passed_on: Vec<KbPassedOn>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNewCorrection {
    pub text: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbAnswer {
    /// `fixed unfounded`.
    pub outcome: String,
    pub answer: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbCorrectionView {
    pub id: String,
    pub entry: String,
    pub version: i64,
    pub unit: String,
    pub at: String,
    pub by: String,
    pub text: String,
    /// The close of the next working day.
    pub due_at: String,
    /// Answered after that, or not yet although it has passed.
    pub late: bool,
    pub outcome: Option<String>,
    pub answer: Option<String>,
    pub done_at: Option<String>,
    pub done_by: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbCorrectionList {
    pub items: Vec<KbCorrectionView>,
    pub next: Option<String>,
}

/// How one unit keeps its knowledge.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbUnitView {
    pub unit: String,
    /// Entries agents read; of them 待核, and to be looked at within 30 days.
    pub live: i64,
    pub stale: i64,
    pub due_soon: i64,
    /// Since `since`.
    pub published: i64,
    pub corrections: i64,
    pub corrections_late: i64,
    pub notices: i64,
    pub notices_late: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbUnitList {
    pub items: Vec<KbUnitView>,
    pub next: Option<String>,
    pub since: String,
}

/// 政策变更单.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNewNotice {
    /// Default: the unit of who tells it.
    pub unit: Option<String>,
    #[schema(value_type = String)]
    pub effective_on: Date,
    pub text: String,
    /// Entries it touches.
    #[serde(default)]
    pub entries: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbNoticeEntry {
    pub entry: String,
    /// When it was published again.
    pub done_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbNoticeView {
    pub id: String,
    pub unit: String,
    pub at: String,
    pub by: String,
    pub effective_on: String,
    pub text: String,
    pub entries: Vec<KbNoticeEntry>,
    pub due_at: String,
    pub late: bool,
    /// How much later than due, so far.
    pub late_ms: i64,
    pub done_at: Option<String>,
    pub done_by: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbNoticeList {
    pub items: Vec<KbNoticeView>,
    pub next: Option<String>,
}

/// 口径单.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KbNewWording {
    pub unit: String,
    pub title: String,
    pub text: String,
    /// Default: now.
    pub from_at: Option<String>,
    pub until_at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbWordingView {
    pub id: String,
    pub unit: String,
    pub title: String,
    pub text: String,
    pub from_at: String,
    pub until_at: String,
    /// It is shown now.
    pub current: bool,
    pub by: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KbWordingList {
    pub items: Vec<KbWordingView>,
    pub next: Option<String>,
}

impl KbTextView {
    pub fn of(api: &Api, version: KbVersion) -> Self {
        let KbVersion { n, at, by, text } = version;
        Self {
            version: n,
            title: text.title,
            questions: text.questions,
            answer: text.answer,
            full: text.full,
            papers: text.papers,
            place: text.place,
            basis: text.basis,
            unit: text.unit,
            category: text.category,
            valid_from: text.valid_from.map(|day| day.to_string()),
            valid_until: text.valid_until.map(|day| day.to_string()),
            review_by: text.review_by.to_string(),
            source: text.source,
            confidence: text.confidence.as_str().to_owned(),
            at: api.time(at),
            by,
        }
    }
}

impl KbItem {
    /// `live`: the text agents read, where there is one; else the newest text's review date counts.
    pub fn of(api: &Api, row: KbEntry, live: Option<&Text>, review_by: Option<Date>) -> Self {
        let stands = live.map(|text| standing(&row.entry, text, api.today()));
        let review_by = live.map(|text| text.review_by).or(review_by);
        Self {
            id: row.id,
            title: row.title,
            unit: row.unit,
            category: row.category,
            stage: row.entry.stage.label().to_owned(),
            head: row.entry.head,
            live: row.entry.live,
            standing: stands.map(|s| s.label().to_owned()),
            why: stands.and_then(Standing::why).map(str::to_owned),
            conflict: row.entry.conflict.is_some(),
            review_by: review_by.map(|day| day.to_string()).unwrap_or_default(),
            live_at: row.live_at.map(|at| api.time(at)),
            changed_at: api.time(row.changed_at),
            writer: row.entry.writer,
        }
    }
}

impl KbHit {
    pub fn of(api: &Api, live: &KbLive) -> Self {
        let text = &live.version.text;
        let stands = standing(&live.row.entry, text, api.today());
        Self {
            id: live.row.id.clone(),
            title: text.title.clone(),
            question: text.questions.first().cloned().unwrap_or_default(),
            answer: text.answer.clone(),
            version: live.version.n,
            unit: text.unit.clone(),
            category: text.category.clone(),
            standing: stands.label().to_owned(),
            why: stands.why().map(str::to_owned),
            review_by: text.review_by.to_string(),
            live_at: live.row.live_at.map(|at| api.time(at)),
            changed_today: live.row.live_at.is_some_and(|at| at >= api.midnight()),
        }
    }
}

impl KbUnitView {
    pub fn of(unit: String, figures: KbUnit) -> Self {
        let KbUnit { published, corrections, corrections_late, notices, notices_late } = figures;
        let (live, stale, due_soon) = (0, 0, 0);
        Self { unit, live, stale, due_soon, published, corrections, corrections_late, notices, notices_late }
    }
}

impl KbEventView {
    pub fn of(api: &Api, event: KbEvent) -> Self {
        let KbEvent { n, at, step, by, version, reason } = event;
        Self { n, at: api.time(at), step, by, version, reason }
    }
}

impl KbQuoteView {
    pub fn of(api: &Api, quote: KbQuote, text: KbVersion) -> Self {
        Self {
            id: quote.id,
            entry: quote.entry,
            version: quote.version,
            call: quote.call,
            ticket: quote.ticket,
            at: api.time(quote.at),
            by: quote.by,
            text: KbTextView::of(api, text),
        }
    }
}

impl KbCorrectionView {
    pub fn of(api: &Api, row: KbCorrection) -> Self {
        let ended = row.done.as_ref().map_or_else(|| api.now(), |done| done.at);
        let (outcome, answer, done_at, done_by) = match row.done {
            Some(done) => (Some(done.outcome), Some(done.answer), Some(api.time(done.at)), Some(done.by)),
            None => (None, None, None, None),
        };
        Self {
            id: row.id,
            entry: row.entry,
            version: row.version,
            unit: row.unit,
            at: api.time(row.at),
            by: row.by,
            text: row.text,
            due_at: api.time(row.due_at),
            late: ended > row.due_at,
            outcome,
            answer,
            done_at,
            done_by,
        }
    }
}

impl KbNoticeView {
    pub fn of(api: &Api, row: KbNotice) -> Self {
        let late_ms = (row.done_at.unwrap_or_else(|| api.now()) - row.due_at).max(0);
        let entry = |(entry, done_at): (String, Option<i64>)| KbNoticeEntry {
            entry,
            done_at: done_at.map(|at| api.time(at)),
        };
        Self {
            id: row.id,
            unit: row.unit,
            at: api.time(row.at),
            by: row.by,
            effective_on: row.effective_on,
            text: row.text,
            entries: row.entries.into_iter().map(entry).collect(),
            due_at: api.time(row.due_at),
            late: late_ms > 0,
            late_ms,
            done_at: row.done_at.map(|at| api.time(at)),
            done_by: row.done_by,
        }
    }
}

impl KbWordingView {
    pub fn of(api: &Api, row: KbWording) -> Self {
        let now = api.now();
        Self {
            current: (row.from_at..row.until_at).contains(&now),
            id: row.id,
            unit: row.unit,
            title: row.title,
            text: row.text,
            from_at: api.time(row.from_at),
            until_at: api.time(row.until_at),
            by: row.by,
        }
    }
}

/// Steps that are asked for by name; a change has a text and its own address.
pub const ACTS: [Step; 8] = [
    Step::Submit,
    Step::Approve,
    Step::Publish,
    Step::Return,
    Step::Retire,
    Step::Doubt,
    Step::Conflict,
    Step::Settle,
];

/// `None` when the confidence does not read.
pub fn text_of(new: KbNew, unit: String) -> Option<Text> {
    Some(Text {
        title: new.title,
        questions: new.questions,
        answer: new.answer,
        full: new.full,
        papers: new.papers,
        place: new.place,
        basis: new.basis,
        unit,
        category: new.category,
        valid_from: new.valid_from,
        valid_until: new.valid_until,
        review_by: new.review_by,
        source: new.source,
        confidence: Confidence::read(&new.confidence)?,
    })
}
