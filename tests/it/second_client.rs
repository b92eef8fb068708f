//! A second, independent client: baresip calls over UDP and over TCP, listens, presses keys and speaks (issue 3, row 3).
//!
//! What came out of its loudspeaker is compared with the prompt files, what it sent and what it was sent with both channels of the
//! recording. Where the channels belong is known from the client: it notes when each direction's samples pass its socket, on one
//! clock and on the same machine, so the distance between its voice and the prompt is the truth the recording has to keep.

use crate::support::audio;
use crate::support::baresip::Baresip;
use crate::support::level;
use crate::support::server::{Setup, TOP};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Correlation above which two sounds are the same.
const LIKE: f64 = 0.9;
/// How far apart the recording's channels may be from what they were.
const ALIGNED_MS: f64 = 20.0;
const WAIT: Duration = Duration::from_secs(20);

/// What the caller says, one after the other. No prompt of the flow, so that nothing can be taken for the other.
const VOICE: [&str; 6] =
    ["dept_rexianban", "callback_intro", "after_hours", "agent_hold", "abuse_warn", "conf_add_generic"];

fn prompt(name: &str) -> Vec<f32> {
    let path = Path::new(TOP).join("sounds/zh").join(format!("{name}.wav"));
    let (mut channels, rate) = audio::read_wav(&path);
    assert_eq!((channels.len(), rate), (1, 8_000), "{}", path.display());
    channels.remove(0)
}

/// Three seconds from the first on: the stretch that is looked for. Its beginning is left to the way to lose.
fn part(sound: &[f32]) -> &[f32] {
    &sound[8_000..32_000]
}

/// A microphone for longer than any call here takes.
fn voice(dir: &Path) -> (PathBuf, Vec<f32>) {
    let said: Vec<f32> = VOICE.iter().flat_map(|name| prompt(name)).collect();
    let path = dir.join("voice.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).expect("a WAV file");
    for sample in said.iter().cycle().take(60 * 8_000) {
        file.write_sample(*sample as i16).expect("write");
    }
    file.finalize().expect("a whole file");
    (path, said)
}

fn a_call(transport: &str) {
    let server = Setup::scenarios().flow("keys", include_str!("flows/keys.toml")).start();
    let api = server.api();
    let dir = tempfile::tempdir().expect("a folder");
    let (microphone, said) = voice(dir.path());
    let mut client = Baresip::start(&microphone);
    let at = if transport == "tcp" { server.at.tcp } else { server.at.udp };
    client.order("dial", &format!("sip:12341@{at};transport={transport}"));
    client.logged("Call established");

    // Listens to the first prompt, presses 1, listens to the second, presses 1, and leaves from the third node.
    let walked = |want: &[&str]| {
        level::until(&format!("the way is {want:?}"), WAIT, || {
            let calls = api.try_get("calls?limit=1")?;
            let path: Vec<_> =
                calls["items"][0]["path"].as_array()?.iter().filter_map(Value::as_str).collect();
            (path == want).then_some(())
        });
    };
    walked(&["listen"]);
    client.listen(5);
    client.order("sndcode", "1");
    walked(&["listen", "one"]);
    client.listen(5);
    client.order("sndcode", "1");
    walked(&["listen", "one", "two"]);
    client.listen(1);
    client.order("hangup", "");
    client.logged("terminated");
    let client = client.quit();

    let call = level::until("the call's record is complete", WAIT, || {
        let calls = api.try_get("calls?limit=1")?;
        let call = calls["items"][0].clone();
        (!call["end_reason"].is_null() && !call["recording"]["length_ms"].is_null()).then_some(call)
    });
    let told = |key: &str| call[key].as_str().unwrap_or_default();
    assert_eq!((told("end_reason"), told("keys"), told("codec")), ("caller_hung_up", "11", "PCMA"), "{call}");
    assert!(told("user_agent").starts_with("baresip"), "{call}");
    let metrics = server.metrics();
    assert_eq!(metrics.count("hotline_engine_total{what=\"digits_rtp\"}"), 2.0, "keys by RFC 4733");
    let connections = metrics.count("hotline_net_total{what=\"tcp_accepted\"}");
    assert_eq!(connections > 0.0, transport == "tcp", "{connections} connections over {transport}");

    let menu = prompt("menu");
    for (name, whole) in [("menu", &menu), ("queue_offer", &prompt("queue_offer"))] {
        let (like, _) = audio::find(part(whole), &client.heard);
        println!("{transport}: {name} heard {like:.4}");
        assert!(like > LIKE, "prompt {name} is {like:.3} like what was heard over {transport}");
    }

    let file = dir.path().join("recording.wav");
    let id = call["recording"]["id"].as_str().expect("an id");
    std::fs::write(&file, api.bytes(&format!("recordings/{id}"))).expect("write");
    let (channels, rate) = audio::read_wav(&file);
    assert_eq!((channels.len(), rate), (2, 8_000));
    let recorded = |what: &str, sound: &[f32], channel: usize| {
        let (like, at) = audio::find(part(sound), &channels[channel]);
        let (strange, _) = audio::find(part(sound), &channels[1 - channel]);
        println!("{transport}: {what} in channel {channel} {like:.4}, in the other {strange:.4}");
        assert!(like > LIKE, "the {what} is {like:.3} like channel {channel} over {transport}");
        assert!(strange < 0.5, "the {what} is {strange:.3} like channel {} too", 1 - channel);
        at as f64 / 8.0
    };
    let apart = recorded("voice", &said, 0) - recorded("prompt", &menu, 1);

    let passed = |what: &str, sound: &[f32], track: &crate::support::baresip::Track| {
        let (like, at) = audio::find(part(sound), &track.samples);
        assert!(like > LIKE, "the {what} is {like:.3} like what was on the wire over {transport}");
        track.began * 1_000.0 + at as f64 / 8.0
    };
    let truth = passed("voice", &said, &client.sent) - passed("prompt", &menu, &client.received);
    println!("{transport}: voice and prompt {apart:.1} ms apart in the recording, {truth:.1} ms on the wire");
    assert!(
        (apart - truth).abs() <= ALIGNED_MS,
        "voice and prompt are {apart:.1} ms apart in the recording and were {truth:.1} ms on the wire over {transport}"
    );
    server.assert_clean();
}

#[test]
fn baresip_over_udp_listens_presses_keys_and_is_recorded() {
    a_call("udp");
}

#[test]
fn baresip_over_tcp_listens_presses_keys_and_is_recorded() {
    a_call("tcp");
}
