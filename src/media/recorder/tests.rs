//! The real thread and real files; every wait is for a level.

use super::*;
use crate::media::g711;
use crate::media::seam::{Codec, RecordingGap};

const LIMIT: Duration = Duration::from_secs(60);

fn call(leg: u64, id: u128, index: u32, level: i16) -> Frame {
    let sound = [g711::encode(Codec::Pcma, level); g711::FRAME];
    let what = What::Call { codec: Codec::Pcma, gap: None, caller: sound, ours: sound };
    Frame { leg: LegId(leg), recording: RecordingId(id), what, index }
}

fn push(frames: &mut rtrb::Producer<Frame>, frame: Frame) {
    let mut frame = frame;
    while let Err(rtrb::PushError::Full(again)) = frames.push(frame) {
        frame = again;
        thread::yield_now();
    }
}

fn news(news: &mut rtrb::Consumer<Event>) -> Event {
    let began = Instant::now();
    loop {
        if let Ok(event) = news.pop() {
            return event;
        }
        assert!(began.elapsed() < LIMIT, "no news of the recorder");
        thread::yield_now();
    }
}

fn path(dir: &Path, id: u128, ext: &str) -> PathBuf {
    dir.join(format!("{id:032x}.{ext}"))
}

#[test]
fn frames_that_found_no_room_are_silence_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, mut doors) = start(dir.path(), 1, Box::new(|| {})).unwrap();
    let (mut frames, mut events) = doors.pop().unwrap().split();
    for index in (0..50).chain(80..100) {
        push(&mut frames, call(1, 7, index, 5000));
    }
    push(&mut frames, Frame { index: 110, what: What::CallEnds, ..call(1, 7, 0, 0) });
    let want = Event::RecordingEnded {
        leg: LegId(1),
        recording: RecordingId(7),
        length_ms: 2200,
        gaps_ms: 800,
        failed: false,
    };
    assert_eq!(news(&mut events), want);
    let page: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path(dir.path(), 7, "json")).unwrap()).unwrap();
    let gaps = serde_json::json!([
        { "from_ms": 1000, "to_ms": 1600, "why": "overrun" },
        { "from_ms": 2000, "to_ms": 2200, "why": "overrun" },
    ]);
    assert_eq!((&page["gaps"], &page["length_ms"], &page["kind"]), (&gaps, &2200.into(), &"call".into()));
    let mut wav = hound::WavReader::open(path(dir.path(), 7, "wav")).unwrap();
    let left: Vec<i16> = wav.samples::<i16>().step_by(2).map(Result::unwrap).collect();
    assert_eq!(left.len(), 110 * 160);
    assert!(left[..8000].iter().all(|s| *s > 4000) && left[8000..12_800].iter().all(|s| *s == 0));
    drop(frames);
    recorder.stop();
    // The same as marks: where, how long, why.
    let bytes = std::fs::read(path(dir.path(), 7, "wav")).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(4) as usize + 8, bytes.len(), "the outer size is the file's");
    let chunk = |name: &[u8]| bytes.windows(4).position(|w| w == name).unwrap() + 8;
    let cue = chunk(b"cue ");
    assert_eq!((word(cue), word(cue + 24), word(cue + 48)), (2, 8_000, 16_000));
    let region = chunk(b"ltxt");
    assert_eq!((word(region), word(region + 4)), (1, 4_800));
    assert_eq!(bytes[chunk(b"labl") + 4..][..8], *b"overrun\0");
    assert_eq!(
        crate::media::wav::read(&bytes).unwrap().samples.len(),
        110 * 160,
        "other readers pass by them"
    );
}

#[test]
fn a_file_is_whole_while_it_grows_and_when_nobody_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, mut doors) = start(dir.path(), 1, Box::new(|| {})).unwrap();
    let (mut frames, events) = doors.pop().unwrap().split();
    (0..100).for_each(|index| push(&mut frames, call(1, 8, index, 5000)));
    // What a killed process would leave: the file as any other process sees it now.
    let began = Instant::now();
    let seen = || hound::WavReader::open(path(dir.path(), 8, "wav")).map(|wav| wav.duration()).unwrap_or(0);
    while seen() < 100 * 160 {
        assert!(began.elapsed() < LIMIT, "{} samples in the header", seen());
        thread::yield_now();
    }
    // The worker's side goes without a word: the file is ended all the same.
    drop((frames, events));
    recorder.stop();
    assert!(path(dir.path(), 8, "json").is_file());
}

#[test]
fn a_thousand_recordings_at_once_are_all_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, mut doors) = start(dir.path(), 2, Box::new(|| {})).unwrap();
    let (mut frames, mut events) = doors.pop().unwrap().split();
    for index in 0..25 {
        (0..1000).for_each(|n| push(&mut frames, call(n, u128::from(n) + 1, index, 3000)));
    }
    for n in 0..1000 {
        push(&mut frames, Frame { index: 25, what: What::CallEnds, ..call(n, u128::from(n) + 1, 0, 0) });
    }
    for _ in 0..1000 {
        let event = news(&mut events);
        assert!(
            matches!(event, Event::RecordingEnded { length_ms: 500, gaps_ms: 0, failed: false, .. }),
            "{event:?}"
        );
    }
    drop((frames, doors));
    let counters = recorder.counters();
    recorder.stop();
    assert!(counters.contains(&("failed", 0)), "{counters:?}");
    for n in 1..=1000 {
        let wav = hound::WavReader::open(path(dir.path(), n, "wav")).unwrap();
        assert_eq!((wav.duration(), wav.spec().channels), (4000, 2), "{n}");
    }
}

#[test]
fn a_message_that_cannot_be_kept_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, mut doors) = start(dir.path(), 1, Box::new(|| {})).unwrap();
    let (mut frames, mut events) = doors.pop().unwrap().split();
    std::fs::write(path(dir.path(), 9, "wav"), b"kept").unwrap();
    let message = |index| Frame {
        leg: LegId(1),
        recording: RecordingId(9),
        what: What::Message { codec: Codec::Pcmu, gap: Some(RecordingGap::Paused), caller: [0; g711::FRAME] },
        index,
    };
    push(&mut frames, message(0));
    let told = news(&mut events);
    assert!(matches!(told, Event::MessageEnded { why: MessageEnd::Failed, .. }), "{told:?}");
    push(&mut frames, message(1));
    let ends = What::MessageEnds { why: MessageEnd::Stopped, voiced_ms: 40 };
    push(&mut frames, Frame { what: ends, ..message(2) });
    drop(frames);
    recorder.stop();
    assert!(events.pop().is_err(), "told once");
}
