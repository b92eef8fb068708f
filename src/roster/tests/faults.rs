//! Planted faults: each file of `tests/roster` says in its head what is wrong with it and where, and nothing else is.

use super::*;
use std::fs;
use std::path::PathBuf;

fn planted() -> Vec<(String, String)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/roster");
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn each_planted_fault_is_found_and_named_at_its_place() {
    let files = planted();
    assert!(files.len() >= 20, "{}", files.len());
    let mut wrong = String::new();
    for (name, text) in &files {
        let wanted: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expect: ")).collect();
        let roster = roster(text);
        let plan = &roster.plans[0];
        let report = roster.check(plan, plan.from, plan.to.unwrap(), &calendar());
        let told: Vec<String> = report
            .findings
            .iter()
            .map(|f| {
                assert!(!f.zh.is_empty() && f.zh != f.en);
                assert!(!f.law || f.approved_by.is_none());
                f.to_string().replacen("plan.toml:", "", 1)
            })
            .collect();
        if told != wanted {
            let shown: String = told.iter().map(|line| format!("# expect: {line}\n")).collect();
            wrong.push_str(&format!("{name}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "other than the files say:\n{wrong}");
}

#[test]
fn a_name_and_a_reason_answer_for_what_is_no_law() {
    let (_, text) = planted().into_iter().find(|(name, _)| name == "approval_without_reason.toml").unwrap();
    let roster = roster(&text.replace("reason = \"\"", "reason = \"同事突发疾病\""));
    let plan = &roster.plans[0];
    let report = roster.check(plan, plan.from, plan.to.unwrap(), &calendar());
    assert!(report.publishable());
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].approved_by.as_deref(), Some("lead"));
    assert!(report.findings[0].to_string().ends_with("(approved by lead)"));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let told = |text: &str| read(text).1.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (text, what) in [
        ("[[person]]\nid = \"a\"\nnmae = \"b\"", "3:1: unknown field `nmae`"),
        ("[[person]]\nid = \" \"", "2:6: a person needs an id"),
        ("[[person]]\nid = \"a\"\n[[person]]\nid = \"a\"", "4:6: the person \"a\" is written twice"),
        ("[[person]]\nid = \"a\"\nskills = { english = 10 }", "3:22: the level of english is not 1 to 9"),
        (
            "[[person]]\nid = \"a\"\ncontract = \"standart\"",
            "3:12: there is no contract \"standart\", did you mean \"standard\"?",
        ),
        ("[[person]]\nid = \"a\"\nbirth = 08:00:00", "3:9: 08:00:00 is not a date like 2026-11-26"),
        (
            "[[shift]]\ncode = \"early\"\nstart = \"08:00\"\nend = \"16:00\"",
            "2:8: the shift \"early\" is written twice",
        ),
        (
            "[[shift]]\ncode = \"x\"\nstart = \"8\"\nend = \"16:00\"",
            "3:9: \"8\" is not a time like \"08:30\"",
        ),
        (
            "[[shift]]\ncode = \"x\"\nstart = \"08:00\"\nend = \"33:00\"",
            "4:7: a shift begins by 24:00 and lasts a day at most",
        ),
        (
            "[[shift]]\ncode = \"x\"\nstart = \"08:00\"\nend = \"16:00\"\nunpaid_min = 480",
            "5:14: a break of 480 minutes does not fit in a shift of 480",
        ),
        (
            "[[need]]\nwanted = \"agent\"\npeople = 1",
            "2:10: \"agent\" is none of agents, lead, on_call, skill (with skill = …)",
        ),
        ("[[need]]\nwanted = \"skill\"\npeople = 1", "2:10: which skill? skill = \"english\""),
        (
            "[[need]]\nwanted = \"agents\"\npeople = 1\nfrom = \"22:00\"\nto = \"08:00\"",
            "5:6: a need is inside one day: hours over midnight are two needs",
        ),
        ("[[need]]\nwanted = \"agents\"\npeople = -1", "3:10: a need is 0 to 10000 people"),
        (
            "[[rule]]\ncode = \"resst\"\nseverity = \"blocks\"\nsource = \"\"\nmark = \"P\"",
            "2:8: there is no rule \"resst\", did you mean \"rest\"?",
        ),
        (
            "[[rule]]\ncode = \"rest\"\nseverity = \"block\"\nsource = \"\"\nmark = \"P\"",
            "3:12: \"block\" is none of blocks, warns",
        ),
        (
            "[night]\nfrom = \"22:00\"\nto = \"23:00\"",
            "3:6: the night ends in the next morning, before it begins again",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\nto = 2026-11-23",
            "4:6: a plan from 2026-11-23 has 1 to 1098 days",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\n[[plan.rotation]]\ntemplate = \"four_three\"\nteams = [[\"a\"]]",
            "5:12: four_three has 4 teams, not 1",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\n[[plan.rotation]]\ntemplate = \"four_three\"\nteams = [[], [], [], []]\nshifts = [\"early\"]",
            "5:12: four_three has 3 shifts, not 1",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\n[[plan.assign]]\nperson = \"a\"\ndates = []",
            "5:10: which shift? shift = \"early\"",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\n[[plan.assign]]\nperson = \"a\"\nshift = \"early\"\nkind = \"leave\"\ndates = []",
            "5:10: leave is a whole day: it has no shift",
        ),
        (
            "[[plan]]\nname = \"p\"\nfrom = 2026-11-23\n[[plan]]\nname = \"p\"\nfrom = 2026-11-23",
            "5:8: the plan \"p\" is written twice",
        ),
    ] {
        assert_eq!(told(text).len(), 1, "{text}");
        assert!(told(text)[0].starts_with(&format!("plan.toml:{what}")), "{text}");
    }
    let forecast = "[forecast]\nsource = \"x\"\naht_s = nan\nservice = 0.8\nwithin_s = 20.0\npatience_s = 120.0\nseed = 1\nhours = [1.0]\nweekend = 1.0\nholiday = 1.0";
    assert_eq!(told(forecast), ["plan.toml:8:9: a day has 24 hours, not 1"]);
    let day = format!("[{}]", ["1.0"; 24].join(", "));
    assert_eq!(told(&forecast.replace("[1.0]", &day)), ["plan.toml:3:9: aht_s is not 1 to 86400"]);
}
