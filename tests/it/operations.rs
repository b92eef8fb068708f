//! Starting, stopping and refusing to start (contract, Operations).

use crate::support::caller::Phone;
use crate::support::level;
use crate::support::server::{BINARY, Server, Setup, text};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn server(drain_s: u32) -> Server {
    Setup::scenarios().flow("keys", include_str!("flows/keys.toml")).key("limits.drain_s", drain_s).start()
}

/// The call in progress goes on and the process ends when it has ended, well before the limit.
#[test]
fn sigterm_drains() {
    let mut server = server(60);
    let mut talking = Phone::udp("talking", server.at.udp);
    talking.dial();
    server.signal(libc::SIGTERM);
    level::until_equal("readyz", SOON, Some(503), || server.readyz());

    let mut late = Phone::udp("late", server.at.udp);
    let invite = late.script.invite();
    late.send(&invite);
    let refusal = late.expect_status("INVITE", 503);
    let retry: Option<u32> =
        refusal.header("Retry-After").and_then(|v| v.split([' ', ';', '(']).next()?.parse().ok());
    assert!(retry.is_some_and(|s| (1..=600).contains(&s)), "{}", refusal.0);

    // Still the same call: a key is taken, and only its own BYE ends it.
    talking.press('1');
    talking.hang_up();
    let status = server.ended(SOON);
    assert!(status.success(), "{status}: {}", server.log());

    server.restart();
    let api = server.api();
    let call = level::until("the call's record", SOON, || {
        api.call_by_sip_id(&talking.script.call_id).filter(|c| !c["end_reason"].is_null())
    });
    assert_eq!(
        (call["end_reason"].as_str(), call["keys"].as_str()),
        (Some("caller_hung_up"), Some("1")),
        "{call}"
    );
    assert!(api.call_by_sip_id(&late.script.call_id).is_none(), "a refused call has no record");
}

#[test]
fn the_drain_limit_ends_what_is_left() {
    let mut server = server(1);
    let mut phone = Phone::udp("stays", server.at.udp);
    phone.dial();
    server.signal(libc::SIGTERM);
    phone.expect_bye(SOON);
    let status = server.ended(SOON);
    assert!(status.success(), "{status}: {}", server.log());
    server.restart();
    let api = server.api();
    let call = level::until("the call's record", SOON, || {
        api.call_by_sip_id(&phone.script.call_id).filter(|c| !c["end_reason"].is_null())
    });
    assert_eq!(call["end_reason"], "drained");
}

#[test]
fn a_second_sigterm_stops_at_once() {
    let mut server = server(600);
    let mut phone = Phone::udp("cut", server.at.udp);
    phone.dial();
    server.signal(libc::SIGTERM);
    level::until_equal("readyz", SOON, Some(503), || server.readyz());
    server.signal(libc::SIGTERM);
    phone.expect_bye(SOON);
    let status = server.ended(SOON);
    assert!(status.success(), "{status}: {}", server.log());
}

#[test]
fn an_idle_server_ends_at_the_first_sigterm_and_starts_again() {
    let mut server = server(600);
    assert!(server.stop().success(), "{}", server.log());
    server.restart();
    let mut phone = Phone::udp("again", server.at.udp);
    phone.dial();
    phone.hang_up();
    server.assert_clean();
}

#[test]
fn readiness_and_health_are_told() {
    let server = server(60);
    assert_eq!(server.readyz(), Some(200));
    let health = reqwest::blocking::get(format!("http://{}/healthz", server.at.http)).expect("healthz");
    assert_eq!(health.status().as_u16(), 200);
}

/// Runs `serve` that must refuse to start, in a folder with this configuration.
fn refused(config: &str, env: &[(&str, String)], data: Option<&std::path::Path>) -> Output {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("hotline.toml"), config).expect("write");
    let mut command = Command::new(BINARY);
    command.arg("serve").arg("--config").arg(dir.path().join("hotline.toml"));
    command.arg("--data").arg(data.map_or_else(|| dir.path().join("data"), std::path::Path::to_path_buf));
    for (key, value) in
        [("SIP__UDP", "127.0.0.1:0"), ("SIP__TCP", "127.0.0.1:0"), ("HTTP__LISTEN", "127.0.0.1:0")]
    {
        command.env(format!("HOTLINE__{key}"), value);
    }
    for (key, value) in env {
        command.env(key, value);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start hotline");
    level::until("hotline gives up", Duration::from_secs(20), || child.try_wait().ok().flatten());
    child.wait_with_output().expect("its output")
}

/// Exit 1, and one line on standard error that holds all of `words`.
#[track_caller]
fn assert_one_line(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    let told = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = told.lines().filter(|l| !l.trim().is_empty()).collect();
    assert_eq!(lines.len(), 1, "one line was expected:\n{told}");
    for word in words {
        assert!(lines[0].contains(word), "{word:?} is not in {:?}", lines[0]);
    }
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn a_port_in_use_is_one_line() {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = udp.local_addr().expect("bound");
    let output = refused("", &[("HOTLINE__SIP__UDP", at.to_string())], None);
    assert_one_line(&output, &[&at.port().to_string(), "in use"]);

    let tcp = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let at = tcp.local_addr().expect("bound");
    for key in ["HOTLINE__SIP__TCP", "HOTLINE__HTTP__LISTEN"] {
        let output = refused("", &[(key, at.to_string())], None);
        assert_one_line(&output, &[&at.port().to_string(), "in use"]);
    }
}

#[test]
fn a_bad_configuration_is_one_line_with_its_place() {
    assert_one_line(
        &refused("[sip]\nnubmer = \"12341\"\n", &[], None),
        &["hotline.toml:2:1", "nubmer", "\"number\""],
    );
    assert_one_line(&refused("[sip]\nt1_ms = \"fast\"\n", &[], None), &["hotline.toml:2:", "t1_ms"]);
    assert_one_line(&refused("", &[("HOTLINE__IVR__ENTRY", "nowhere".to_owned())], None), &["nowhere"]);
}

#[test]
fn an_unwritable_data_folder_is_one_line() {
    // A file where the folder should be: that stops root too.
    let file = tempfile::NamedTempFile::new().expect("a file");
    let name = file.path().display().to_string();
    assert_one_line(&refused("", &[], Some(file.path())), &[&name]);
    assert_one_line(&refused("", &[], Some(&file.path().join("below"))), &[&name]);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = server(60);
    let output = server.run(&["serve"]);
    assert_one_line(&output, &["run"]);
    // The first is none the worse.
    let mut phone = Phone::udp("first", server.at.udp);
    phone.dial();
    phone.hang_up();
    server.assert_clean();
}

#[test]
fn check_tells_every_problem_with_place_and_suggestion() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("hotline.toml");
    std::fs::write(&file, "[sip]\nnubmer = \"12341\"\n[media]\nprots = \"20000-20001\"\n").expect("write");
    let run =
        || Command::new(BINARY).args(["check", "--config"]).arg(&file).output().expect("run hotline check");
    let output = run();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let told = text(&output);
    for words in ["hotline.toml:2:1", "did you mean \"number\"", "hotline.toml:4:1", "did you mean \"ports\""]
    {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let nowhere = "[queue.main.overflow]\nto = \"biusness\"\nno_staff = true\n";
    std::fs::write(&file, nowhere).expect("write");
    let output = run();
    assert!(output.status.code() == Some(1) && text(&output).contains("biusness"), "{}", text(&output));
    // Texts that name somebody, a unit that is none, and texts that nobody would send.
    let texts = dir.path().join("pushes.toml");
    let shipped = include_str!("../../district/pushes.toml");
    std::fs::write(&texts, shipped.replacen("编号{no}[", "{name}，编号{no}[", 1)).expect("write");
    let outbox =
        "[outbox]\nmode = \"live\"\ntexts = \"pushes.toml\"\n[outbox.unit.nobody]\nmail = \"a@b.cn\"\n";
    std::fs::write(&file, outbox).expect("write");
    let output = run();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for words in [
        "{name} is not one of {no}, {code}, {due}, {link}",
        "pushes.toml:",
        "outbox.unit.nobody",
        "there is no [outbox.sms]",
        "there is no [outbox.smtp]",
    ] {
        assert!(text(&output).contains(words), "{words:?} is not in\n{}", text(&output));
    }
    std::fs::write(&texts, shipped).expect("write");
    std::fs::write(&file, "[sip]\nnumber = \"12341\"\n[outbox]\ntexts = \"pushes.toml\"\n").expect("write");
    for _ in 0..2 {
        let output = run();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
}

#[test]
fn a_command_that_is_not_one_is_a_usage_error() {
    let output = Command::new(BINARY).arg("sevre").output().expect("run hotline");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

/// The demonstration: five lines, and one's own telephone may call.
#[test]
fn the_demonstration_prints_five_lines_and_answers() {
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("") }.key("sip.t1_ms", 50).start();
    let told: Vec<String> =
        server.log().lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect();
    let printed = told.iter().filter(|l| !l.contains(" INFO ") && !l.contains(" WARN ")).collect::<Vec<_>>();
    assert_eq!(printed.len(), 5, "{told:#?}");
    let all = server.log();
    for word in ["12341", &server.at.http.port().to_string(), "8001", "demo-12341"] {
        assert!(all.contains(word), "{word} is not in\n{all}");
    }
    let mut phone = Phone::udp("citizen", server.at.udp);
    phone.dial();
    phone.hang_up();
    server.assert_clean();
}

#[test]
fn a_recording_whose_time_is_over_is_deleted_and_its_call_stays() {
    let mut server = server(60);
    let mut phone = Phone::udp("kept", server.at.udp);
    phone.dial();
    phone.hang_up();
    let folder = server.data().join("recordings");
    let files = || {
        std::fs::read_dir(&folder).map_or(0, |entries| {
            entries.flatten().filter(|e| e.path().extension().is_some_and(|x| x == "wav")).count()
        })
    };
    level::until("the recording is there", Duration::from_secs(10), || (files() == 1).then_some(()));
    server.assert_clean();
    assert!(server.stop().success(), "{}", server.log());
    server.restart();
    level::until("the old are looked at", Duration::from_secs(10), || {
        server.metrics().get("hotline_retention_total{what=\"recordings\"}")
    });
    assert_eq!(files(), 1, "two years are not over");
    assert!(server.stop().success(), "{}", server.log());
    // The clock is moved in demonstrations only.
    server.restart_with(&["--demo", "--now", "2031-01-01T03:00:00+08:00"]);
    level::until("it is deleted", Duration::from_secs(10), || {
        (server.metrics().count("hotline_retention_total{what=\"recordings\"}") == 1.0).then_some(())
    });
    assert_eq!(files(), 0);
    let calls = server.api().list("calls");
    assert!(!calls.is_empty() && calls.iter().all(|call| call["recording"].is_null()), "{calls:?}");
}
