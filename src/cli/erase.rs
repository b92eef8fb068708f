//! `hotline db erase-person`: keys and files first, the rows that name them last, then nothing is left to find him by.

use super::Failure;
use super::db::ErasePerson;
use super::desk::{self, Missing, ask};
use crate::base::CallId;
use crate::config::Config;
use crate::journal::{self, RealDisk};
use crate::store::{Erased, Person};
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

pub fn run(args: &ErasePerson) -> Result<(), Failure> {
    if args.number.len() < 3 || !args.number.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::new("--number: digits only"));
    }
    ask(&args.place, Missing::Tell, |db, config| async move {
        let person = db.person(&args.number).await.map_err(Failure::new)?;
        if args.dry_run {
            tell(args, &person, Erased::default());
            return Ok(());
        }
        if !person.busy.is_empty() {
            return Err(Failure::new(format!("not yet: {}", person.busy.join("; "))));
        }
        // The trace comes first, and does not name whom it is about.
        let access = desk::access("person.erase", args.reason.clone(), "begun");
        db.log_access(&access).await.map_err(Failure::new)?;
        forget_files(&config, &person).map_err(Failure::new)?;
        let erased = db.erase_person(&args.number, &person, desk::now()).await.map_err(Failure::new)?;
        db.scrub().await.map_err(Failure::new)?;
        let outcome = format!("{} calls, {} tickets", erased.calls, erased.tickets);
        let access = desk::access("person.erase", args.reason.clone(), &outcome);
        db.log_access(&access).await.map_err(Failure::new)?;
        tell(args, &person, erased);
        Ok(())
    })
}

/// The journal's keys of his calls, his recordings, his pictures.
pub fn forget_files(config: &Config, person: &Person) -> std::io::Result<()> {
    let mut disk = RealDisk::default();
    for id in &person.calls {
        if let Ok(call) = id.parse::<CallId>() {
            journal::erase(&mut disk, &config.data.join("keys"), call)?;
        }
    }
    for id in &person.recordings {
        delete(&config.recording.dir, &format!("{id}.wav"))?;
    }
    for id in &person.pictures {
        delete(&config.data.join("pictures"), &format!("{id}.jpg"))?;
    }
    Ok(())
}

/// A file of the folder, or of a folder one level down; gone is as good.
fn delete(dir: &Path, name: &str) -> std::io::Result<()> {
    let gone = |error: std::io::Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) };
    std::fs::remove_file(dir.join(name)).or_else(gone)?;
    let below = match std::fs::read_dir(dir) {
        Ok(below) => below,
        Err(error) => return gone(error),
    };
    for entry in below {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_file(entry.path().join(name)).or_else(gone)?;
        }
    }
    Ok(())
}

fn tell(args: &ErasePerson, person: &Person, erased: Erased) {
    let (calls, tickets) = (person.calls.len(), person.tickets.len());
    if args.json {
        let told = json!({ "calls": calls, "tickets": tickets, "recordings": person.recordings.len(),
            "pictures": person.pictures.len(), "pushes": erased.pushes, "mentions": erased.mentions,
            "shared": person.shared, "busy": person.busy, "erased": !args.dry_run });
        println!("{told}");
        return;
    }
    println!(
        "{calls} calls, {tickets} tickets, {} recordings, {} pictures",
        person.recordings.len(),
        person.pictures.len()
    );
    for ticket in &person.shared {
        println!("{ticket} is somebody else's ticket to which a call of his was linked; it stays");
    }
    for busy in &person.busy {
        println!("{busy}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::fact::Stamped;
    use crate::journal::{Journal, News, Options, Reader};
    use crate::store::Db;
    use crate::store::projector::Projector;
    use crate::store::tests::facts::{Book, call};
    use crate::store::tests::sqlite;

    /// Bytes of every file below the folder.
    fn all_bytes(dir: &Path) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            all.extend(if path.is_dir() { all_bytes(&path) } else { std::fs::read(&path).unwrap() });
            all.extend(entry.file_name().as_encoded_bytes());
        }
        all
    }

    fn holds(all: &[u8], text: &str) -> bool {
        all.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn nothing_of_an_erased_person_is_in_any_file_and_all_else_is() {
        const HIS: &str = "13911112222";
        const OTHER: &str = "13933334444";
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let mut config = Config::defaults();
        config.data = data.to_owned();
        config.journal.dir = data.join("journal");
        config.recording.dir = data.join("recordings");
        let options = Options {
            node: 1,
            dir: config.journal.dir.clone(),
            spare_dir: None,
            keys_dir: data.join("keys"),
            segment_bytes: 1 << 20,
            reserve_bytes: 0,
            commit: std::time::Duration::ZERO,
        };
        let mut book = Book::default();
        book.booted(1)
            .arrived(call(1), HIS)
            .answered(call(1))
            .ended(call(1), crate::call::EndReason::CallerHungUp);
        book.arrived(call(2), OTHER).ended(call(2), crate::call::EndReason::CallerHungUp);
        let (mut journal, _) = Journal::open(options.clone(), 0).unwrap();
        let facts: Vec<Box<Stamped>> = book.0.iter().cloned().map(Box::new).collect();
        assert!(journal.commit(&facts, &News::starting_at(1)));
        drop(journal);
        let callers = || {
            let (mut reader, mut out) = (Reader::open(&options.dir, &options.keys_dir), Vec::new());
            reader.read_after(0, 100, &mut out).unwrap();
            let of = |stamped: &Stamped| match &stamped.fact {
                crate::call::fact::Fact::CallArrived(fact) => Some(fact.caller.reveal().to_owned()),
                _ => None,
            };
            out.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert_eq!(callers(), [HIS, OTHER]);
        std::fs::create_dir_all(config.recording.dir.join("01")).unwrap();
        std::fs::create_dir_all(data.join("pictures")).unwrap();
        let sounds = ["a", "b"].map(|c| c.repeat(32));
        std::fs::write(config.recording.dir.join("01").join(format!("{}.wav", sounds[0])), HIS).unwrap();
        std::fs::write(data.join("pictures").join(format!("{}.jpg", sounds[1])), HIS).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db: Db = sqlite(data).await;
            Projector::new(db.clone(), 1).apply(&book.0).await.unwrap();
            let mut person = db.person(HIS).await.unwrap();
            assert_eq!(
                (person.calls.len(), person.tickets.len(), person.busy.len()),
                (1, 1, 0),
                "{person:?}"
            );
            person.recordings.push(sounds[0].clone());
            person.pictures.push(sounds[1].clone());
            forget_files(&config, &person).unwrap();
            // Again does no harm.
            forget_files(&config, &person).unwrap();
            db.erase_person(HIS, &person, 1).await.unwrap();
            db.scrub().await.unwrap();
            assert_eq!(db.person(HIS).await.unwrap(), Person::default());
            assert_eq!(db.verify().await.unwrap().problems, Vec::<String>::new());
            db.close().await;
        });
        assert_eq!(callers(), ["", OTHER]);
        let all = all_bytes(data);
        assert!(holds(&all, OTHER), "the search finds what is there");
        for text in [HIS, &sounds[0], &sounds[1]] {
            assert!(!holds(&all, text), "{text}");
        }
    }
}
