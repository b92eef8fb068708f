//! What `--demo` puts into an empty database: the contract's users, and tickets whose numbers and codes are known, so that
//! a caller can ask for their status. Nothing here is of a real person.

use super::act::{ActOutcome, TicketAct};
use super::db::Db;
use super::error::StoreError;
use super::new_ticket::NewTicket;
use super::numbers::{DutyNumber, LegacyNumber, SYSTEM};
use super::user::{User, Work};
use crate::knowledge::{Conflict, Entry, Stage, shipped};
use crate::ticket::cycle::{Hand, State, Step, Tables, Who, Wish};
use crate::ticket::number::check_digit;

/// The password of every demo user.
pub const PASSWORD: &str = "demo-12341";

#[derive(Clone, Copy, Debug)]
pub struct DemoUser {
    pub name: &'static str,
    pub display: &'static str,
    pub unit: Option<&'static str>,
    pub role: &'static str,
}

const fn user(
    name: &'static str,
    display: &'static str,
    unit: Option<&'static str>,
    role: &'static str,
) -> DemoUser {
    DemoUser { name, display, unit, role }
}

pub const USERS: &[DemoUser] = &[
    user("8001", "坐席8001", None, "agent"),
    user("8002", "坐席8002", None, "agent"),
    user("8003", "坐席8003", None, "agent"),
    user("8004", "坐席8004", None, "agent"),
    user("lead", "班长", None, "lead"),
    user("dispatcher", "派单员", None, "dispatcher"),
    user("rl", "热力西城联络员", Some("rl"), "unit"),
    user("rl-head", "热力西城负责人", Some("rl"), "unit_head"),
    user("st019", "白纸坊街道联络员", Some("st019"), "unit"),
    user("st019-head", "白纸坊街道负责人", Some("st019"), "unit_head"),
    user("st019-sq", "建功南里社区", Some("st019-sq"), "unit"),
    user("visitor", "回访员", None, "visitor"),
    user("office", "区热线办", None, "office"),
    user("qld", "区领导", None, "leader"),
    user("kb", "知识库管理员", None, "kb"),
    user("qa", "质检员", None, "qa"),
    user("analyst", "数据分析员", None, "analyst"),
    user("auditor", "审计员", None, "auditor"),
    user("admin", "系统管理员", None, "admin"),
];

/// Agents know what the shipped flows ask for, not all of them the same.
fn work(user: &DemoUser) -> Work {
    let skills: &[(&str, u8)] = match user.name {
        "8001" => &[("english", 2), ("business", 1)],
        "8002" => &[("business", 2), ("dialect", 1)],
        "8003" => &[("senior", 2), ("sign_text", 1)],
        "8004" => &[("english", 1), ("senior", 1)],
        _ => &[],
    };
    Work {
        skills: skills.iter().map(|(skill, level)| ((*skill).to_owned(), *level)).collect(),
        ..Work::default()
    }
}

/// A ticket one can ask for.
#[derive(Clone, Copy, Debug)]
pub struct DemoTicket {
    /// Its place in the series of 1 November 2026; the number follows from it.
    pub sequence: u32,
    /// The look-up code.
    pub code: &'static str,
    pub state: &'static str,
    kind: &'static str,
    category: &'static str,
    street: Option<&'static str>,
    lead: Option<&'static str>,
    assist: &'static [&'static str],
    urgency: &'static str,
    secrecy: &'static str,
    title: &'static str,
    content: &'static str,
    caller: Option<&'static str>,
    /// Hours before now when it came.
    age_h: i64,
}

const HOUR_MS: i64 = 3_600_000;

pub const TICKETS: &[DemoTicket] = &[
    DemoTicket {
        sequence: 90_001,
        code: "123401",
        state: "handling",
        kind: "help",
        category: "030101",
        street: Some("110102019"),
        lead: Some("rl"),
        assist: &["st019"],
        urgency: "L",
        secrecy: "normal",
        title: "建功南里居民反映供暖首日室温15度",
        content: "建功南里居民来电：昨日供暖后室内只有十五度，家中有七十八岁老人，希望尽快上门检查。",
        caller: Some("12000000001"),
        age_h: 5,
    },
    DemoTicket {
        sequence: 90_002,
        code: "123402",
        state: "dispatched",
        kind: "report",
        category: "040104",
        street: Some("110102007"),
        lead: Some("st007"),
        assist: &["xfjy"],
        urgency: "L",
        secrecy: "secret",
        title: "楼道堆放电动自行车并充电",
        content: "来电人反映楼内有人飞线充电，要求保密。",
        caller: Some("12000000002"),
        age_h: 2,
    },
    DemoTicket {
        sequence: 90_003,
        code: "123403",
        state: "accepted",
        kind: "complaint",
        category: "050101",
        street: Some("110102020"),
        lead: None,
        assist: &[],
        urgency: "U",
        secrecy: "normal",
        title: "工地夜间施工噪声",
        content: "来电人反映广安门外一处工地夜间十一点后仍在浇筑，影响休息。",
        caller: Some("12000000004"),
        age_h: 1,
    },
    DemoTicket {
        sequence: 90_004,
        code: "123404",
        state: "replied",
        kind: "help",
        category: "010201",
        street: Some("110102018"),
        lead: Some("cgw"),
        assist: &["st018"],
        urgency: "U",
        secrecy: "normal",
        title: "人行道井盖破损",
        content: "牛街一处人行道井盖破损，夜间行走有危险。",
        caller: Some("12000000009"),
        age_h: 30,
    },
    DemoTicket {
        sequence: 90_005,
        code: "123405",
        state: "awaiting_visit",
        kind: "complaint",
        category: "050201",
        street: Some("110102018"),
        lead: Some("hbj"),
        assist: &["cgzf", "scjg"],
        urgency: "N",
        secrecy: "normal",
        title: "餐馆油烟扰民",
        content: "楼下餐馆油烟直排，开窗即闻到，要求治理。",
        caller: Some("12000000013"),
        age_h: 96,
    },
    DemoTicket {
        sequence: 90_006,
        code: "123406",
        state: "closed",
        kind: "praise",
        category: "120901",
        street: Some("110102010"),
        lead: Some("st010"),
        assist: &[],
        urgency: "N",
        secrecy: "normal",
        title: "表扬社区工作人员",
        content: "感谢社区工作人员帮助独居老人买药。",
        caller: Some("12000000010"),
        age_h: 240,
    },
    DemoTicket {
        sequence: 90_007,
        code: "123407",
        state: "redo",
        kind: "complaint",
        category: "030101",
        street: Some("110102019"),
        lead: Some("rl"),
        assist: &["st019"],
        urgency: "L",
        secrecy: "normal",
        title: "室温仍不达标，要求重办",
        content: "上次回复称已解决，来电人测温仍为十六度，不认可办理结果。",
        caller: Some("12000000001"),
        age_h: 50,
    },
    DemoTicket {
        sequence: 90_008,
        code: "123408",
        state: "return_review",
        kind: "consult",
        category: "120201",
        street: None,
        lead: Some("scjg"),
        assist: &[],
        urgency: "N",
        secrecy: "normal",
        title: "企业年报异常名录移出",
        content: "企业咨询如何移出经营异常名录，承办单位申请退单。",
        caller: Some("01000001111"),
        age_h: 20,
    },
    DemoTicket {
        sequence: 90_009,
        code: "123409",
        state: "deferred",
        kind: "help",
        category: "030201",
        street: Some("110102003"),
        lead: Some("zls"),
        assist: &["cgw"],
        urgency: "N",
        secrecy: "normal",
        title: "二次供水管线老化",
        content: "居民反映水压不足，需随老旧小区改造一并更换管线，已挂账。",
        caller: Some("12000000022"),
        age_h: 400,
    },
    DemoTicket {
        sequence: 90_010,
        code: "123410",
        state: "extension_review",
        kind: "complaint",
        category: "040103",
        street: Some("110102016"),
        lead: Some("cgw"),
        assist: &["st016"],
        urgency: "N",
        secrecy: "normal",
        title: "垃圾桶站位置争议",
        content: "居民要求移动垃圾桶站，需与业主商议，承办单位申请延期。",
        caller: Some("12000000018"),
        age_h: 90,
    },
    DemoTicket {
        sequence: 90_011,
        code: "123411",
        state: "transferred",
        kind: "consult",
        category: "080301",
        street: None,
        lead: None,
        assist: &[],
        urgency: "N",
        secrecy: "normal",
        title: "跨区医保报销",
        content: "咨询外区医院住院费用报销，转市平台办理。",
        caller: Some("12000000012"),
        age_h: 60,
    },
    DemoTicket {
        sequence: 90_012,
        code: "123412",
        state: "withdrawn",
        kind: "help",
        category: "010202",
        street: Some("110102001"),
        lead: Some("cgw"),
        assist: &[],
        urgency: "N",
        secrecy: "anonymous",
        title: "路灯不亮",
        content: "来电人称路灯已恢复，撤回诉求。",
        caller: None,
        age_h: 12,
    },
];

impl DemoTicket {
    /// The official number: 1 November 2026, the sequence, the Luhn digit.
    pub fn no(&self) -> String {
        let stem = format!("261101{:05}", self.sequence);
        format!("{stem}{}", check_digit(&stem))
    }
}

/// Adds what is missing and leaves the rest as it is. `hash` makes the kept form of [`PASSWORD`], with its own salt each
/// time; it is asked only for users that are not there. `now`: milliseconds since 1970.
pub async fn fill<E: std::fmt::Display>(
    db: &Db,
    now: i64,
    tables: &Tables,
    mut hash: impl FnMut() -> Result<String, E>,
) -> Result<(), StoreError> {
    let there = db.users().await?;
    for user in USERS.iter().filter(|user| there.iter().all(|known| known.name != user.name)) {
        let kept = hash().map_err(|e| StoreError::Refused(e.to_string()))?;
        let row = User {
            name: user.name.to_owned(),
            display: user.display.to_owned(),
            unit: user.unit.map(str::to_owned),
            roles: vec![user.role.to_owned()],
            disabled: false,
            created_at: now,
            work: work(user),
        };
        db.add_user(&row, &kept).await?;
    }
    for ticket in TICKETS {
        let created_at = now - ticket.age_h * HOUR_MS;
        let new = NewTicket {
            id: format!("t-demo-{}", ticket.sequence),
            no: ticket.no(),
            code: ticket.code.to_owned(),
            state: State::Accepted.label().to_owned(),
            channel: "phone".to_owned(),
            kind: ticket.kind.to_owned(),
            category: ticket.category.to_owned(),
            street: ticket.street.map(str::to_owned),
            lead: ticket.lead.map(str::to_owned),
            assist: ticket.assist.iter().map(|&unit| unit.to_owned()).collect(),
            urgency: ticket.urgency.to_owned(),
            title: ticket.title.to_owned(),
            content: ticket.content.to_owned(),
            caller: ticket.caller.map(str::to_owned),
            secrecy: ticket.secrecy.to_owned(),
            created_at,
            due_at: None,
            closed_at: None,
            actor: "system".to_owned(),
        };
        match db.add_ticket(&new).await {
            Ok(()) => live(db, ticket, &new.id, created_at, tables).await?,
            Err(StoreError::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    numbers(db, now).await?;
    knowledge(db, now).await
}

/// What happened to it since, step by step.
async fn live(
    db: &Db,
    ticket: &DemoTicket,
    id: &str,
    created_at: i64,
    tables: &Tables,
) -> Result<(), StoreError> {
    db.tick_ticket(id, created_at, tables).await?;
    for Happened { minutes, by, step, wish } in course(ticket) {
        let unit_user;
        let (user, hand, unit) = match by {
            By::Desk(user, hand) => (user, hand, None),
            By::Unit => (ticket.lead.unwrap_or_default(), Hand::Unit, ticket.lead),
            By::Head => {
                unit_user = format!("{}-head", ticket.lead.unwrap_or_default());
                (&*unit_user, Hand::Head, ticket.lead)
            }
        };
        let hands = [hand];
        let wish = Wish { until: wish.until.map(|after| created_at + after), ..wish };
        let Some(seen) = db.ticket(id, &super::Scope::All).await? else { continue };
        let act = TicketAct {
            name: id,
            who: Who { user, hands: &hands, unit },
            at: created_at + minutes * 60_000,
            version: seen.version,
            step,
            wish: &wish,
        };
        match db.act_on_ticket(act, tables).await? {
            ActOutcome::Done(_) => {}
            other => return Err(StoreError::Refused(format!("demo ticket {id}: {other:?}"))),
        }
    }
    Ok(())
}

/// Who did it.
#[derive(Clone, Copy)]
enum By {
    Desk(&'static str, Hand),
    /// The lead's liaison, and its head.
    Unit,
    Head,
}

struct Happened {
    /// After it came.
    minutes: i64,
    by: By,
    step: Step,
    wish: Wish,
}

/// The way of each ticket to the state it is shown in.
fn course(ticket: &DemoTicket) -> Vec<Happened> {
    const DISPATCHER: By = By::Desk("dispatcher", Hand::Dispatcher);
    const OFFICE: By = By::Desk("office", Hand::Office);
    const VISITOR: By = By::Desk("visitor", Hand::Visitor);
    let some = |text: &str| Some(text.to_owned());
    let none = Wish::default;
    let line = |minutes, by, step, wish| Happened { minutes, by, step, wish };
    let dispatch = Wish {
        lead: ticket.lead.map(str::to_owned),
        assist: Some(ticket.assist.iter().map(|&unit| unit.to_owned()).collect()),
        brief: some(ticket.title),
        ..none()
    };
    let contact =
        Wish { how: some("phone"), text: some("已与来电人联系，约定上门时间"), ..none() };
    let reply = |claim: &str| Wish {
        report: some("已派人到现场查看并处理，留有照片和来电人签字。"),
        text: some("您反映的问题我单位已到现场处理，感谢您的监督。"),
        claim: some(claim),
        ..none()
    };
    let mut course = Vec::new();
    let sent = !matches!(ticket.state, "accepted" | "transferred" | "withdrawn");
    if sent {
        course.push(line(4, DISPATCHER, Step::Dispatch, dispatch));
    }
    let signed = sent && !matches!(ticket.state, "dispatched" | "return_review");
    if signed {
        course.push(line(12, By::Unit, Step::Sign, none()));
        course.push(line(25, By::Unit, Step::Contact, contact));
    }
    if matches!(ticket.state, "replied" | "awaiting_visit" | "closed" | "redo") {
        course.push(line(90, By::Unit, Step::Reply, reply("solved")));
    }
    if matches!(ticket.state, "awaiting_visit" | "closed" | "redo") {
        course.push(line(100, By::Head, Step::SignReply, none()));
        course.push(line(110, DISPATCHER, Step::ReviewPass, none()));
    }
    match ticket.state {
        "redo" => {
            let verdict = Wish {
                contacted: Some(true),
                solved: some("no"),
                satisfied: some("not"),
                matches: Some(false),
                text: some("测温仍为十六度"),
                redo: Some(true),
                ..none()
            };
            course.push(line(180, VISITOR, Step::Visit, verdict));
        }
        "return_review" => {
            let wish = Wish {
                to: some("rsj"),
                basis: some("权责清单：年报异常名录由登记机关办理"),
                text: some("非本单位职责"),
                ..none()
            };
            course.push(line(20, By::Unit, Step::AskReturn, wish));
        }
        "extension_review" => {
            let wish = Wish { workdays: Some(2), reason: some("需与业主商议"), ..none() };
            course.push(line(600, By::Unit, Step::AskExtension, wish));
        }
        "deferred" => {
            let until = 240 * 24 * HOUR_MS;
            let wish =
                Wish { until: Some(until), plan: some("随老旧小区改造一并更换管线"), ..none() };
            course.push(line(600, OFFICE, Step::Defer, wish));
        }
        "transferred" => {
            let wish = Wish { reason: some("外区医院，不属本区"), ..none() };
            course.push(line(60, OFFICE, Step::Transfer, wish));
        }
        "withdrawn" => {
            let wish = Wish { reason: some("来电人称路灯已恢复"), ..none() };
            course.push(line(60, By::Desk("8001", Hand::Agent), Step::Withdraw, wish));
        }
        _ => {}
    }
    course
}

/// The beginning of every number that a demonstration may dial. None of them is anybody's.
pub const DIALS: &str = "120000";
/// The old number that rings in a demonstration.
pub const LEGACY: &str = "12000096341";

/// Where the keys and the duty numbers lead in a demonstration: to its own numbers, never to the real ones.
async fn numbers(db: &Db, now: i64) -> Result<(), StoreError> {
    for mut row in db.service_numbers().await?.into_iter().filter(|row| row.changed_by == SYSTEM) {
        row.number = format!("{DIALS}{:0>5}", row.number);
        row.changed_at = now;
        row.changed_by = "demo".to_owned();
        db.set_service_number(&row).await?;
    }
    let duty =
        |id: &str, unit: &str, label: &str, tail: u32, days: &[&str], hours: (i64, i64), rank| DutyNumber {
            id: id.to_owned(),
            unit: unit.to_owned(),
            label: label.to_owned(),
            number: format!("{DIALS}{tail:05}"),
            days: days.iter().map(|&day| day.to_owned()).collect(),
            from_min: hours.0,
            to_min: hours.1,
            rank,
            // One of them was dialled last week, one last winter.
            tested_at: match id {
                "rl-day" => Some(now - 7 * 24 * HOUR_MS),
                "zls-all" => Some(now - 40 * 24 * HOUR_MS),
                _ => None,
            },
            result: matches!(id, "rl-day" | "zls-all").then(|| "answered".to_owned()),
            tested_by: matches!(id, "rl-day" | "zls-all").then(|| "lead".to_owned()),
            sip_status: None,
            ring_ms: None,
            changed_at: now,
            changed_by: "demo".to_owned(),
        };
    const EVERY: &[&str] = &["workday", "weekend", "holiday"];
    let (day, night, whole) = ((9 * 60, 17 * 60 + 30), (17 * 60 + 30, 9 * 60), (0, 0));
    for row in [
        duty("rl-day", "rl", "客服调度", 71_001, &["workday"], day, 1),
        duty("rl-night", "rl", "夜间抢修", 71_002, &["workday"], night, 1),
        duty("rl-rest", "rl", "节假日值班", 71_003, &["weekend", "holiday"], whole, 1),
        duty("rl-backup", "rl", "值班负责人", 71_009, EVERY, whole, 2),
        duty("zls-all", "zls", "供水热线值班", 72_001, EVERY, whole, 1),
        duty("st019-day", "st019", "接诉即办专班", 73_001, &["workday"], day, 1),
        duty("st019-duty", "st019", "街道总值班室", 73_002, EVERY, whole, 2),
    ] {
        unless_there(db.add_duty_number(&row).await)?;
    }
    let old = LegacyNumber {
        number: LEGACY.to_owned(),
        unit: Some("cgw".to_owned()),
        queue: Some("main".to_owned()),
        skill: None,
        greeting: Some("welcome_short".to_owned()),
        ends_on: Some("2027-12-31".to_owned()),
        note: Some("原城市管理热线，已并入".to_owned()),
        changed_at: now,
        changed_by: "demo".to_owned(),
    };
    unless_there(db.add_legacy_number(&old).await)
}

/// The district's twenty entries, as its file has them; published a month ago, so that none is today's change.
async fn knowledge(db: &Db, now: i64) -> Result<(), StoreError> {
    for seed in shipped() {
        let live = (seed.stage == Stage::Published).then_some(1);
        let conflict = seed.conflict.map(|text| Conflict { text, with: None, at: 1 });
        let entry =
            Entry { stage: seed.stage, live, doubt: seed.doubt, conflict, ..Entry::new("demo".to_owned()) };
        db.import_kb_entry(&seed.id, &entry, &seed.text, now - 30 * 24 * HOUR_MS).await?;
    }
    Ok(())
}

fn unless_there(outcome: Result<(), StoreError>) -> Result<(), StoreError> {
    match outcome {
        Err(StoreError::Exists) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::number::is_official;

    #[test]
    fn demo_numbers_are_official_and_codes_have_six_digits() {
        for ticket in TICKETS {
            assert!(is_official(&ticket.no()), "{}", ticket.no());
            assert!(ticket.code.len() == 6 && ticket.code.bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
