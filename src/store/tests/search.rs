//! The search over tickets finds what a look at every text finds, on both databases, and nothing that somebody may not read.

use super::super::sql::{Value, insert_rows};
use super::super::{Db, Durability, Scope};
use super::on_both;
use crate::store::{Ticket, TicketSearch};
use crate::ticket::search::{Sought, read};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const TICKETS: usize = 20_000;
const SEED: u64 = 20_261_127;
const WHERE: [&str; 8] =
    ["建功南里", "白纸坊街", "右安门内", "自新路", "半步桥", "樱桃园", "里仁街", "南菜园"];
const WHAT: [&str; 10] = [
    "暖气不热",
    "室温只有15度",
    "井盖破损",
    "路灯不亮",
    "占道经营",
    "夜间施工噪声",
    "电梯故障停运",
    "垃圾清运不及时",
    "水管漏水",
    "KTV 扰民",
];
const SAYS: [&str; 6] =
    ["希望尽快处理", "已经反映三次", "家中有老人", "请回电说明", "影响出行", "邻居也有同样问题"];

struct Made {
    title: String,
    content: String,
    brief: String,
    lead: &'static str,
}

fn made(rng: &mut ChaCha8Rng) -> Made {
    let mut one = |from: &[&'static str]| from[rng.next_u32() as usize % from.len()];
    let (at, what, says) = (one(&WHERE), one(&WHAT), one(&SAYS));
    let lead = one(&["rl", "cgw", "st019"]);
    Made {
        title: format!("{at}{what}"),
        content: format!("{at}三号楼，{what}，{says}。"),
        brief: format!("居民反映{what}"),
        lead,
    }
}

fn no(n: usize) -> String {
    let stem = format!("261127{n:05}");
    format!("{stem}{}", crate::ticket::number::check_digit(&stem))
}

async fn fill(db: &Db, all: &[Made]) {
    let head = "INSERT INTO tickets (id, no, state, channel, category, lead, title, content, brief, caller, secrecy, created_at, events, head)";
    let row = |(n, one): (usize, &Made)| -> Vec<Value> {
        vec![
            format!("t-{n:06}").into(),
            no(n).into(),
            "handling".into(),
            "phone".into(),
            "030101".into(),
            one.lead.into(),
            (&one.title).into(),
            (&one.content).into(),
            (&one.brief).into(),
            format!("1200000{:04}", n % 5_000).into(),
            "normal".into(),
            (n as i64).into(),
            1i64.into(),
            vec![0u8; 32].into(),
        ]
    };
    let mut tx = db.begin(Durability::Refillable).await.unwrap();
    insert_rows(&mut tx, head, all.iter().enumerate().map(row).collect(), "").await.unwrap();
    tx.commit().await.unwrap();
    let mut after = (i64::MIN, String::new());
    while let Some(last) = db.index_tickets(&after).await.unwrap() {
        after = last;
    }
}

fn search(sought: Sought, all: bool) -> TicketSearch {
    TicketSearch { sought, all, callers: all, scope: Scope::All, limit: 20 }
}

fn ids(found: &[Ticket]) -> Vec<String> {
    found.iter().map(|ticket| ticket.id.clone()).collect()
}

/// The newest whose text has it, looked for in every text.
fn looked(all: &[Made], text: impl Fn(&Made) -> Vec<&str>, q: &str) -> Vec<String> {
    let has = |one: &Made| text(one).iter().any(|text| text.to_lowercase().contains(&q.to_lowercase()));
    let found = all.iter().enumerate().rev().filter(|(_, one)| has(one));
    found.take(20).map(|(n, _)| format!("t-{n:06}")).collect()
}

#[test]
fn it_finds_what_a_look_at_every_text_finds() {
    println!("seed {SEED}");
    on_both(|db| async move {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let all: Vec<Made> = (0..TICKETS).map(|_| made(&mut rng)).collect();
        fill(&db, &all).await;
        for n in 0..120 {
            // A part of what somebody said: two to six characters.
            let of = &all[rng.next_u32() as usize % all.len()].content;
            let chars: Vec<char> = of.chars().collect();
            let long = 2 + rng.next_u32() as usize % 5;
            let from = rng.next_u32() as usize % (chars.len() - long);
            let q: String = chars[from..from + long].iter().collect();
            let plain = q.chars().all(|c| c.is_alphanumeric() && !c.is_ascii_alphanumeric());
            if !plain {
                continue;
            }
            let Some(sought) = read(&q) else { continue };
            let want = looked(&all, |one| vec![&one.title, &one.content, &one.brief], &q);
            let found = db.search_tickets(&search(sought.clone(), true)).await.unwrap();
            assert_eq!(ids(&found), want, "{n}: {q}");
            let open = looked(&all, |one| vec![&one.title, &one.brief], &q);
            let found = db.search_tickets(&search(sought, false)).await.unwrap();
            assert_eq!(ids(&found), open, "{n}: {q}, as units read it");
        }
        for (q, want) in [("ktv 扰民", "KTV 扰民"), ("室温只有15度", "室温只有15度")] {
            let found = db.search_tickets(&search(read(q).unwrap(), true)).await.unwrap();
            assert_eq!(ids(&found), looked(&all, |one| vec![&one.title], want), "{q}");
        }
        // A unit finds its own, the newest of them.
        let scope = Scope::Unit { key: "rl".into(), line: vec!["rl".into()], user: "rl".into() };
        let mine = TicketSearch { scope, ..search(read("暖气").unwrap(), false) };
        let found = db.search_tickets(&mine).await.unwrap();
        assert!(found.len() == 20 && found.iter().all(|ticket| ticket.lead.as_deref() == Some("rl")));
        // Numbers: whole, by their beginning, and telephones for who may.
        let found = db.search_tickets(&search(read(&no(17)).unwrap(), true)).await.unwrap();
        assert_eq!(ids(&found), ["t-000017"]);
        let found = db.search_tickets(&search(read("26112700").unwrap(), false)).await.unwrap();
        assert_eq!(ids(&found)[0], "t-000999", "26112700…: the first thousand");
        let caller = || read("12000000017").unwrap();
        let found = db.search_tickets(&search(caller(), true)).await.unwrap();
        assert_eq!(ids(&found), ["t-015017", "t-010017", "t-005017", "t-000017"]);
        assert_eq!(db.search_tickets(&search(caller(), false)).await.unwrap(), []);
    });
}
