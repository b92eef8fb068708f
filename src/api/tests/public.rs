//! The citizens' page: messages with photos once each, progress by number and code, what is guessed, and what is refused.

use super::{Desk, on_both};
use crate::store::tests::facts::NINE;
use crate::store::tests::tables;
use crate::store::{NoStatus, StatusAnswer};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::json;

const WORDS: &str = "建功南里三号楼门口井盖没有了，昨天晚上差点有人掉下去，请尽快来修。";

fn png(side: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(side, side, |x, y| image::Rgb([x as u8, y as u8, 60]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn page(desk: &Desk, path: &str) -> (StatusCode, String) {
    let answer = desk.ask(reqwest::Method::GET, path).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The value of the first place that is marked so.
fn cut(text: &str, before: &str) -> String {
    let from = text.find(before).unwrap_or_else(|| panic!("{before} in {text}")) + before.len();
    text[from..].split('"').next().unwrap().to_owned()
}

async fn token(desk: &Desk) -> String {
    let (status, form) = page(desk, "/public/message").await;
    assert_eq!(status, StatusCode::OK);
    cut(&form, "name=\"token\" value=\"")
}

fn filled(token: &str) -> Form {
    Form::new()
        .text("token", token.to_owned())
        .text("type", "help")
        .text("content", WORDS)
        .text("street", "110102019")
        .text("address", "三号楼")
        .text("secrecy", "normal")
        .text("name", "王女士")
        .text("number", "120 0000 0077")
        .text("hide", "我住 602")
}

async fn send(desk: &Desk, form: Form) -> (StatusCode, String) {
    let answer = desk.ask(reqwest::Method::POST, "/public/message").multipart(form).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn act(desk: &Desk, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = desk.ask(reqwest::Method::POST, "/public/ticket").form(fields).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[test]
fn a_form_is_one_message_however_often_it_is_sent() {
    on_both(|desk| async move {
        let token = self::token(&desk).await;
        let (status, receipt) = send(&desk, filled(&token)).await;
        assert_eq!(status, StatusCode::OK, "{receipt}");
        let (no, code) = (cut(&receipt, "data-no=\""), cut(&receipt, "data-code=\""));
        // The answer was lost; the button was pressed twice; both at once.
        let (one, other) = tokio::join!(send(&desk, filled(&token)), send(&desk, filled(&token)));
        for (status, again) in [one, other] {
            assert_eq!(status, StatusCode::OK, "{again}");
            assert_eq!((cut(&again, "data-no=\""), cut(&again, "data-code=\"")), (no.clone(), code.clone()));
        }
        let office = desk.token("office").await;
        let (_, list) = desk.get(&office, "/api/v1/tickets?channel=web&caller=12000000077").await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
        assert_eq!(
            (&ticket["state"], &ticket["content"], &ticket["urgency"], &ticket["caller"]),
            (
                &json!("accepted"),
                &json!(format!("{WORDS}\n（不能让对方知道：我住 602）")),
                &json!(null),
                &json!("12000000077")
            )
        );
        let (_, events) = desk.get(&office, &format!("/api/v1/tickets/{no}/events")).await;
        assert_eq!(events["items"][0]["personal"]["hide"], "我住 602");
        // Another form is another message.
        let again = self::token(&desk).await;
        let (_, receipt) = send(&desk, filled(&again)).await;
        assert_ne!(cut(&receipt, "data-no=\""), no);
        assert_eq!(desk.db.verify().await.unwrap().problems, Vec::<String>::new());
        desk
    });
}

#[test]
fn what_is_missing_is_said_at_its_field_and_nothing_that_was_written_is_lost() {
    on_both(|desk| async move {
        let form =
            Form::new().text("token", token(&desk).await).text("content", "<b>短</b>").text("tick", "smoke");
        let (status, shown) = send(&desk, form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        for id in ["#type", "#content", "#secrecy", "#number"] {
            assert!(shown.contains(&format!("href=\"{id}\"")), "{id}: {shown}");
        }
        assert!(shown.contains("&lt;b&gt;短&lt;/b&gt;") && !shown.contains("<b>短"), "escaped, and kept");
        assert!(shown.contains("value=\"smoke\" checked"));
        // No form of ours, a machine's, another site's.
        for form in [Form::new().text("token", "x"), filled(&token(&desk).await).text("website", "http://x")]
        {
            assert_eq!(send(&desk, form).await.0, StatusCode::BAD_REQUEST);
        }
        let foreign =
            desk.ask(reqwest::Method::POST, "/public/message").header("sec-fetch-site", "cross-site");
        let answer = foreign.multipart(filled(&token(&desk).await)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let office = desk.token("office").await;
        let (_, list) = desk.get(&office, "/api/v1/tickets?channel=web&caller=12000000077").await;
        assert_eq!(list["items"], json!([]));
        desk
    });
}

#[test]
fn photos_are_judged_by_what_they_are() {
    on_both(|desk| async move {
        let part = |bytes: Vec<u8>, name: &'static str| Part::bytes(bytes).file_name(name);
        for (bytes, word) in [
            (b"GIF89a".to_vec(), "照片只能是"),
            (b"<svg onload=alert(1)>".to_vec(), "照片只能是"),
            (png(200)[..100].to_vec(), "照片打不开"),
            (vec![0xff; (6 << 20) + 1], "照片太大"),
        ] {
            let form = filled(&token(&desk).await).part("photos", part(bytes, "../../etc/passwd.png"));
            let (status, shown) = send(&desk, form).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{word}");
            assert!(shown.contains(word), "{word}: {shown}");
        }
        let mut many = filled(&token(&desk).await);
        for _ in 0..4 {
            many = many.part("photos", part(png(8), "a.png"));
        }
        assert!(send(&desk, many).await.1.contains("照片太多"));
        let form = filled(&token(&desk).await).part("photos", part(png(64), "../../etc/passwd.png"));
        let (status, receipt) = send(&desk, form).await;
        assert_eq!(status, StatusCode::OK, "{receipt}");
        let no = cut(&receipt, "data-no=\"");
        let (office, rl) = (desk.token("office").await, desk.token("rl").await);
        let (_, files) = desk.get(&office, &format!("/api/v1/tickets/{no}/files")).await;
        assert_eq!((&files["items"][0]["width"], files["items"].as_array().unwrap().len()), (&json!(64), 1));
        let id = files["items"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/tickets/{no}/files/{id}");
        let answer = desk.ask(reqwest::Method::GET, &path).bearer_auth(&office).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(&answer.bytes().await.unwrap()[..3], &[0xff, 0xd8, 0xff]);
        assert_eq!(desk.get(&rl, &path).await.0, StatusCode::NOT_FOUND, "not its ticket");
        let other = format!("/api/v1/tickets/{no}/files/..%2f..%2fhotline.db");
        assert_eq!(desk.get(&office, &other).await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            desk.ask(reqwest::Method::GET, &path).send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED
        );
        desk
    });
}

#[test]
fn codes_are_guessed_in_vain_and_leads_hear_of_it() {
    on_both(|desk| async move {
        let (_, receipt) = send(&desk, filled(&token(&desk).await)).await;
        let (no, code) = (cut(&receipt, "data-no=\""), cut(&receipt, "data-code=\""));
        let (status, shown) = act(&desk, &[("no", &spaced(&no)), ("code", &code)]).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        assert!(
            shown.contains("已受理，正在派单") && !shown.contains("12000000077") && !shown.contains("王女士")
        );
        let wrong = if code == "000000" { "000001" } else { "000000" };
        // Three by telephone, two here: five are five, whichever way they came.
        let now = NINE;
        for _ in 0..3 {
            let answer = desk.db.ticket_status(&no, wrong, now).await.unwrap();
            assert_eq!(answer, StatusAnswer::None(NoStatus::WrongCode));
        }
        let unknown = act(&desk, &[("no", "261127999999"), ("code", wrong)]).await;
        for _ in 0..2 {
            let (status, shown) = act(&desk, &[("no", &no), ("code", wrong)]).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert_eq!(
                shown.replace(&no, "261127999999"),
                unknown.1,
                "it looks like a number that is not there"
            );
        }
        assert_eq!(*desk.engine.guessed.lock().unwrap(), 0);
        // The right one comes too late, here and by telephone.
        assert_eq!(act(&desk, &[("no", &no), ("code", &code)]).await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            desk.db.ticket_status(&no, &code, now).await.unwrap(),
            StatusAnswer::None(NoStatus::Locked)
        );
        assert_eq!(*desk.engine.guessed.lock().unwrap(), 1, "leads hear of it");
        desk
    });
}

pub fn spaced(no: &str) -> String {
    format!("{} {} {}", &no[..4], &no[4..8], &no[8..])
}

#[test]
fn one_address_writes_and_guesses_so_often_and_no_more() {
    on_both(|desk| async move {
        let (_, receipt) = send(&desk, filled(&token(&desk).await)).await;
        let (no, code) = (cut(&receipt, "data-no=\""), cut(&receipt, "data-code=\""));
        for _ in 1..6 {
            assert_eq!(send(&desk, filled(&token(&desk).await)).await.0, StatusCode::OK);
        }
        assert_eq!(send(&desk, filled(&token(&desk).await)).await.0, StatusCode::TOO_MANY_REQUESTS);
        let urge = [("no", &*no), ("code", &*code), ("do", "urge"), ("text", "还没有人来")];
        desk.db.tick_ticket(&format!("t-{no}"), NINE, &tables()).await.unwrap();
        for _ in 0..30 {
            let (status, shown) = act(&desk, &urge).await;
            assert_eq!(status, StatusCode::OK, "{shown}");
        }
        assert_eq!(act(&desk, &urge).await.0, StatusCode::TOO_MANY_REQUESTS);
        for n in 0..20 {
            act(&desk, &[("no", "261127999999"), ("code", &format!("0000{n:02}"))]).await;
        }
        assert_eq!(
            act(&desk, &[("no", &no), ("code", &code)]).await.0,
            StatusCode::NOT_FOUND,
            "he has guessed enough"
        );
        desk.later.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(act(&desk, &[("no", &no), ("code", &code)]).await.0, StatusCode::OK, "an hour later");
        desk
    });
}

#[test]
fn from_the_message_to_the_verdict_by_the_citizens_own_hand() {
    on_both(|desk| async move {
        let (_, receipt) = send(&desk, filled(&token(&desk).await)).await;
        let (no, code) = (cut(&receipt, "data-no=\""), cut(&receipt, "data-code=\""));
        desk.db.tick_ticket(&format!("t-{no}"), NINE, &tables()).await.unwrap();
        let mine = |more: &[(&'static str, &'static str)]| {
            let mut fields = vec![("no", no.clone()), ("code", code.clone())];
            fields.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
            fields
        };
        let send = async |fields: Vec<(&str, String)>| {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            act(&desk, &fields).await
        };
        let (_, shown) = send(mine(&[("do", "supplement"), ("text", "井盖在路北侧")])).await;
        assert!(shown.contains("已经补充"), "{shown}");
        let (status, shown) =
            send(mine(&[("do", "visit"), ("contacted", "yes"), ("solved", "yes"), ("satisfied", "basic")]))
                .await;
        assert!(
            status == StatusCode::UNPROCESSABLE_ENTITY && shown.contains("现在不能这样做"),
            "not yet: {shown}"
        );
        let steps: [(&str, &str, serde_json::Value); 6] = [
            (
                "dispatcher",
                "dispatch",
                json!({"lead": "rl", "assist": [], "brief": "暖气井盖缺失", "category": "030102"}),
            ),
            ("rl", "sign", json!({})),
            ("rl", "contact", json!({"how": "phone", "text": "已联系"})),
            ("rl", "reply", json!({"report": "已更换", "text": "井盖已于今日更换。", "claim": "solved"})),
            ("rl-head", "sign_reply", json!({})),
            ("dispatcher", "review_pass", json!({})),
        ];
        for (user, action, mut body) in steps {
            let token = desk.token(user).await;
            let (_, seen) = desk.get(&token, &format!("/api/v1/tickets/{no}")).await;
            body["action"] = json!(action);
            body["version"] = seen["version"].clone();
            let path = format!("/api/v1/tickets/{no}/actions");
            let ask = desk.ask(reqwest::Method::POST, &path).bearer_auth(&token).json(&body);
            let answer = ask.send().await.unwrap();
            let status = answer.status();
            assert_eq!(status, StatusCode::OK, "{action}: {}", answer.text().await.unwrap());
            if action == "dispatch" {
                let (_, seen) = desk.get(&token, &format!("/api/v1/tickets/{no}")).await;
                assert_eq!(
                    (&seen["category"], &seen["urgency"]),
                    (&json!("030102"), &json!("L")),
                    "as its leaf says"
                );
                let met = &seen["clocks"][0];
                assert_eq!((&met["name"], &met["state"]), (&json!("dispatch"), &json!("met")), "{seen}");
            }
            if action == "reply" {
                let (_, shown) = send(mine(&[])).await;
                assert!(!shown.contains("井盖已于今日更换"), "nobody has looked at it yet");
            }
        }
        let (_, shown) = send(mine(&[])).await;
        assert!(shown.contains("井盖已于今日更换。") && shown.contains("热力"), "{shown}");
        let (_, shown) = send(mine(&[
            ("do", "visit"),
            ("contacted", "yes"),
            ("solved", "yes"),
            ("satisfied", "basic"),
            ("accurate", "yes"),
        ]))
        .await;
        assert!(shown.contains("谢谢您的评价"), "{shown}");
        let office = desk.token("office").await;
        let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
        assert_eq!(
            (&ticket["state"], &ticket["visit"]["satisfied"], &ticket["visit"]["by"]),
            (&json!("closed"), &json!("basic"), &json!("citizen"))
        );
        assert_eq!(desk.db.verify().await.unwrap().problems, Vec::<String>::new());
        desk
    });
}
