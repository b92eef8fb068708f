use super::*;

/// 2026-11-27 09:00 in Beijing.
const AT: i64 = 1_795_741_200_000;

fn settings() -> Settings {
    Settings {
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        link: Some("https://12341.example/public/".into()),
        units: [("rl".to_owned(), Units { webhook: true, mail: true })].into(),
        ..Settings::default()
    }
}

fn book() -> Book {
    let (book, problems) = Book::read("pushes.toml", SHIPPED);
    assert_eq!(problems, Vec::<String>::new());
    book.with(settings())
}

fn about() -> About<'static> {
    About {
        ticket: "t-01-00001-0000000001",
        no: Some("261127000017"),
        code: Some("483920"),
        number: Some("13800000001"),
        notify: Some("any"),
        secrecy: Some("normal"),
        lead: Some("rl"),
        urgency: Some("N"),
        due_at: Some(AT + 86_400_000),
        ..About::default()
    }
}

fn words(book: &Book, on: &str, about: &About<'_>) -> Vec<String> {
    let text = |push: &Push| push.payload["text"].as_str().unwrap_or_default().to_owned();
    book.pushes(on, "7", AT, about).iter().map(text).collect()
}

#[test]
fn an_acceptance_is_told_with_number_code_day_and_page() {
    let pushes = book().pushes("accepted", "accepted", AT, &about());
    let [push] = &pushes[..] else { panic!("{pushes:?}") };
    assert_eq!(
        push.payload["text"],
        "【西城12341】您的诉求已受理，编号261127000017，查询码{code}，预计11月28日09:00前办结。查询进度：https://12341.example/public/。"
    );
    assert_eq!(push.key, "t-01-00001-0000000001:accepted:sms");
    assert_eq!(push.to, To::Person(Personal::new("13800000001")));
    assert_eq!(push.personal, Some(json!({"code": "483920"})));
    assert_eq!(push.until, Some(AT + 86_400_000));
    assert_eq!(with_code("查询码{code}", Some("483920")), "查询码483920");
    assert_eq!(with_code("查询码{code}", None), "查询码••••••");
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = book().with(Settings { link: None, ..settings() });
    let about = About { code: None, due_at: None, ..about() };
    assert_eq!(words(&bare, "accepted", &about), ["【西城12341】您的诉求已受理，编号261127000017。"]);
    assert_eq!(words(&bare, "accepted", &About { no: None, ..about }), [""; 0]);
}

#[test]
fn some_get_no_message_whatever_happens() {
    let book = book();
    let events: Vec<&str> = EVENTS.into_iter().chain(Step::ALL.iter().map(|step| step.label())).collect();
    let sms = |about: &About<'_>| -> Vec<&str> {
        let told = |on: &&str| book.pushes(on, "1", AT, about).iter().any(|push| push.kind == Kind::Sms);
        events.iter().copied().filter(told).collect()
    };
    assert!(sms(&about()).len() > 6, "the others do: {:?}", sms(&about()));
    for special in ["violence", "suicide", "minor"] {
        assert_eq!(sms(&About { special: Some(special), ..about() }), [""; 0], "{special}");
    }
    assert_eq!(sms(&About { notify: Some("no_message"), ..about() }), [""; 0]);
    assert_eq!(sms(&About { secrecy: Some("anonymous"), ..about() }), [""; 0]);
    for number in
        ["01066160001", "12341", "", "1380000000", "138000000011", "4001234567", "unknown", "1380000000x"]
    {
        assert_eq!(sms(&About { number: Some(number), ..about() }), [""; 0], "{number:?} is no mobile");
    }
    assert_eq!(sms(&About { number: None, ..about() }), [""; 0]);
    for number in ["+8613800000001", "008613800000001", "138 0000 0001", "138-0000-0001"] {
        let pushes = book.pushes("accepted", "1", AT, &About { number: Some(number), ..about() });
        assert_eq!(pushes[0].to, To::Person(Personal::new("13800000001")), "{number}");
    }
}

#[test]
fn who_cannot_speak_gets_neutral_words_only() {
    let silent = About { no: None, code: None, due_at: None, special: Some("silent"), ..about() };
    let told = words(&book(), "silent_key", &silent);
    assert_eq!(
        told,
        [
            "【西城12341】您刚才的来电已收到。方便时可打开 https://12341.example/public/ 用文字联系我们，也可以随时再拨。"
        ]
    );
    // Also where the draft has a number already.
    assert_eq!(words(&book(), "silent_key", &about()), told);
}

#[test]
fn only_who_is_only_written_to_is_contacted_by_a_text() {
    let book = book();
    assert_eq!(words(&book, "sign", &about()), [""; 0]);
    let pushes = book.pushes("sign", "9", AT, &About { notify: Some("text_only"), ..about() });
    assert!(pushes.len() == 1 && pushes[0].contact, "{pushes:?}");
    assert!(!book.pushes("accepted", "1", AT, &about())[0].contact);
}

#[test]
fn a_unit_hears_of_its_ticket_by_number_and_urgency() {
    let book = book();
    let urgent = About { urgency: Some("U"), ..about() };
    let pushes = book.pushes("dispatch", "4", AT, &urgent);
    let [webhook, mail] = &pushes[..] else { panic!("{pushes:?}") };
    assert_eq!(
        webhook.payload,
        json!({"event": "dispatch", "unit": "rl", "ticket": "261127000017", "urgency": "U",
            "due_at": "2026-11-28T09:00:00+08:00", "at": "2026-11-27T09:00:00+08:00"})
    );
    assert_eq!((webhook.to.clone(), webhook.personal.clone()), (To::Place("rl".into()), None));
    assert_eq!(mail.payload["subject"], "12341 新派工单 261127000017");
    // Nobody there, nobody named, or it is about them.
    assert_eq!(book.pushes("dispatch", "4", AT, &About { lead: Some("st019"), ..urgent }), []);
    assert_eq!(book.pushes("dispatch", "4", AT, &About { lead: None, ..urgent }), []);
    assert_eq!(book.pushes("dispatch", "4", AT, &About { complained_unit: Some("rl"), ..urgent }), []);
}

/// The shipped file with one text of its own instead of the receipt's.
fn with_text(text: &str) -> Vec<String> {
    let line = SHIPPED.lines().find(|line| line.contains("查询码{code}")).unwrap();
    let (_, problems) = Book::read("pushes.toml", &SHIPPED.replace(line, &format!("sms = {text:?}")));
    problems
}

#[test]
fn no_template_can_name_a_person() {
    // All that a text may ask for; none of it is the caller's.
    let labels: Vec<_> = Field::ALL.iter().map(|field| field.label()).collect();
    assert_eq!(labels, ["no", "code", "due", "link"]);
    assert_eq!(with_text("编号{no}"), [""; 0]);
    for (text, says) in [
        ("{name}您好，编号{no}", "{name} is not one of {no}, {code}, {due}, {link}"),
        ("编号{no}[，{caller}]", "{caller} is not one of"),
        ("编号{no}[，地址{address}]", "{address} is not one of"),
        ("{title}：{no}", "{title} is not one of"),
        ("{content}{no}", "{content} is not one of"),
        ("{no}，详询13800000001", "a number stands in it"),
        ("{no}，详询 me@example.com", "an address stands in it"),
        ("张先生您好，编号{no}", "先生 is about a person"),
        ("{no}，查询码{code}", "{code} is not always known"),
        ("{no}[，{due}", "a [ without its ]"),
        ("{no", "a { without its }"),
        ("{no}]", "a ] in the wrong place"),
        ("{no}[[{due}]]", "a [ in the wrong place"),
        ("", "between 1 and"),
    ] {
        let problems = with_text(text);
        assert!(problems.iter().any(|line| line.contains(says)), "{text}: {problems:?}");
        assert!(problems[0].starts_with("pushes.toml:"), "{problems:?}");
    }
}

#[test]
fn every_text_is_made_of_its_fields_and_its_own_words() {
    // Whatever the ticket says, what comes out is what stands in the file and the four fields: nothing of the person.
    let book = book();
    let nasty =
        About { number: Some("13812345678"), special: Some("elderly"), secrecy: Some("secret"), ..about() };
    for on in EVENTS.into_iter().chain(Step::ALL.iter().map(|step| step.label())) {
        for notify in NOTIFIES {
            for push in book.pushes(on, "1", AT, &About { notify: Some(notify), ..nasty }) {
                let open = format!("{}{}{}", push.payload, push.subject, push.key);
                assert!(!open.contains("5678") && !open.contains("483920"), "{on}: {open}");
            }
        }
    }
}

#[test]
fn every_slip_in_the_file_is_told_with_its_place() {
    for (from, to, says) in [
        ("special = [\"violence\"", "special = [\"violenc\"", "\"violenc\" is not one of suicide"),
        ("on = \"review_pass\"", "on = \"reviewpass\"", "\"reviewpass\" is no event and no step of the loop"),
        ("text = \"replied\"", "text = \"repleid\"", "there is no text.repleid"),
        ("text = \"dispatched\"", "text = \"closed\"", "text.closed needs a subject and a mail"),
        ("only = \"text_only\"", "only = \"textonly\"", "\"textonly\" is not one of any"),
        ("text = \"silent\"", "text = \"accepted\"", "told of no ticket"),
        ("contact = true", "contacts = true", "unknown field"),
    ] {
        let (_, problems) = Book::read("pushes.toml", &SHIPPED.replacen(from, to, 1));
        assert!(
            problems.len() == 1 && problems[0].contains(says) && problems[0].starts_with("pushes.toml:"),
            "{says}: {problems:?}"
        );
        assert!(!problems[0].starts_with("pushes.toml:1:"), "{problems:?}");
    }
}
