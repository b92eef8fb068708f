//! The language as a whole: shipped flows, their walks, and whatever a caller may do.

use super::*;
use std::sync::Arc;

pub(super) fn book() -> Arc<Book> {
    Arc::new(Book::read(include_str!("../../sounds/manifest.json")).unwrap())
}

fn folder(name: &str) -> Vec<(String, String)> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(p).unwrap()))
        .collect()
}

pub(super) fn shipped() -> FlowSet {
    FlowSet::load(folder("ivr-flows"), &book()).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_shipped_flows_are_sound() {
    let set = shipped();
    for name in ["main", "menu", "status", "callback"] {
        assert!(set.get(name).is_some(), "{name}");
    }
    let flow = set.get("main").unwrap();
    assert_eq!(flow.queues().map(|q| q.to_string()).collect::<Vec<_>>(), ["business", "english", "main"]);
}

#[test]
fn a_kept_flow_reads_back_with_the_same_hash() {
    for flow in shipped().flows() {
        if let Ok(again) = FlowSet::from_bundle(flow.bundle()) {
            assert_eq!(
                (again.hash(), again.file(), again.version()),
                (flow.hash(), flow.file(), flow.version())
            );
            assert!(again.nodes().eq(flow.nodes()));
        } else {
            panic!("{flow:?}: {}", FlowSet::from_bundle(flow.bundle()).unwrap_err());
        }
    }
}
