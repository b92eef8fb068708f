//! Every input the fuzzer has kept, once more: seeds, finds and what once broke a rule. The fuzzer itself is `make fuzz`.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/targets.rs"]
mod targets;

#[test]
fn every_kept_input_is_taken_in_peace() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut total = 0;
    for (name, target) in targets::ALL {
        let folder = corpus.join(name);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{name} has no corpus: {error}"))
            .map(|entry| entry.expect("readable").path())
            .collect();
        files.sort();
        assert!(files.len() >= 5, "{name} has a corpus of {}", files.len());
        for file in &files {
            let bytes = fs::read(file).expect("readable");
            if let Err(panic) = std::panic::catch_unwind(|| target(&bytes)) {
                eprintln!("{}", file.display());
                std::panic::resume_unwind(panic);
            }
        }
        println!("{name}: {} inputs", files.len());
        total += files.len();
    }
    println!("{total} inputs of {} targets", targets::ALL.len());
    let folders = fs::read_dir(&corpus).expect("readable").count();
    assert_eq!(folders, targets::ALL.len(), "a corpus without a target");
}
