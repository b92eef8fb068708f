//! The flow language from outside: planted faults are found where they are, the shipped flows are sound, and their cases take every
//! node and every outcome.

use hotline::ivr::sim::case::CaseFile;
use hotline::ivr::sim::cover::Coverage;
use hotline::ivr::{Book, Flow, FlowSet};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FAULTS_WANTED: usize = 30;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn book() -> Arc<Book> {
    Arc::new(Book::read(&text(&top().join("sounds/manifest.json"))).expect("the shipped manifest reads"))
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The TOML files of a folder, by name.
fn folder(name: &str) -> Vec<(String, String)> {
    let dir = top().join(name);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), text(&path)))
        .collect();
    files.sort();
    files
}

/// Folders whose flows are shipped; each is a set by itself.
const SHIPPED: [&str; 2] = ["ivr-flows", "ivr-flows/examples"];

fn shipped() -> BTreeMap<String, Arc<Flow>> {
    let book = book();
    let mut flows = BTreeMap::new();
    for name in SHIPPED {
        let set = FlowSet::load(folder(name), &book).unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
        for flow in set.flows() {
            let stem = flow.file().trim_end_matches(".toml").to_owned();
            assert!(flows.insert(stem, Arc::clone(flow)).is_none(), "two flows are called {}", flow.file());
        }
    }
    flows
}

/// `# expect: 7:8: no prompt "welcom"`: line, column, and words of the message.
fn expected(text: &str) -> Vec<(usize, usize, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# expect: "));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ':');
            let mut number = || parts.next().and_then(|n| n.trim().parse().ok()).expect("line:column:");
            (number(), number(), parts.next().expect("words of the message").trim())
        })
        .collect()
}

#[test]
fn every_planted_fault_is_found_where_it_is_and_nothing_else() {
    let book = book();
    let parts: Vec<_> = folder("ivr-flows").into_iter().filter(|(name, _)| name == "status.toml").collect();
    let (mut told, mut found, mut suggested) = (String::new(), 0, 0);
    let planted = folder("tests/flows");
    for (name, text) in &planted {
        let mut files = vec![(name.clone(), text.clone())];
        files.extend(parts.iter().cloned());
        let problems = FlowSet::load(files, &book).err().map(|problems| problems.0).unwrap_or_default();
        let mut problems: Vec<_> = problems.into_iter().filter(|problem| problem.file == *name).collect();
        for problem in &problems {
            // What was probably meant, what to do, or how it should look.
            let advises = ["did you mean", "; ", ", like ", " like \"", "expected "];
            if !advises.iter().any(|words| problem.what.contains(words)) {
                writeln!(told, "{name}: no advice in: {}", problem.what).expect("a String");
            }
        }
        suggested += usize::from(problems.iter().any(|problem| problem.what.contains("did you mean")));
        let want = expected(text);
        if want.is_empty() {
            writeln!(told, "{name}: expects nothing").expect("a String");
        }
        for (line, column, words) in want {
            let place =
                problems.iter().position(|p| (p.line, p.column) == (line, column) && p.what.contains(words));
            match place {
                Some(n) => {
                    problems.remove(n);
                    found += 1;
                }
                None => writeln!(told, "{name}: not found: {line}:{column}: {words}").expect("a String"),
            }
        }
        for problem in problems {
            writeln!(told, "not expected: {problem}").expect("a String");
        }
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(planted.len() >= FAULTS_WANTED, "{} files", planted.len());
    println!(
        "{found} faults planted in {} files, all found; {suggested} files with a suggestion",
        planted.len()
    );
}

#[test]
fn the_cases_of_the_shipped_flows_hold_and_take_every_node_and_outcome() {
    let flows = shipped();
    let mut coverage = Coverage::default();
    flows.values().for_each(|flow| coverage.expect(flow));
    let (mut told, mut cases, mut with_cases) = (String::new(), 0, Vec::new());
    for (name, text) in folder("ivr-flows/cases") {
        let file = CaseFile::read(&text).unwrap_or_else(|error| panic!("ivr-flows/cases/{name}:{error}"));
        let flow = flows.get(&file.flow).unwrap_or_else(|| panic!("{name}: there is no flow {}", file.flow));
        with_cases.push(file.flow.clone());
        for case in &file.cases {
            let (story, differences) = case.run(flow).unwrap_or_else(|error| panic!("{name}: {error}"));
            coverage.add(flow, &story);
            cases += 1;
            for difference in differences {
                writeln!(told, "{name}: {}: {difference}", case.name).expect("a String");
            }
        }
    }
    let without: Vec<_> = flows.keys().filter(|name| !with_cases.contains(name)).collect();
    let (taken, all) = coverage.count();
    println!("{cases} cases; {taken} of {all} nodes and outcomes");
    for (file, [nodes, outcomes]) in coverage.by_file() {
        println!(
            "{file:<24} nodes {:>3} of {:>3}, outcomes {:>3} of {:>3}",
            nodes.0, nodes.1, outcomes.0, outcomes.1
        );
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(coverage.missing().is_empty(), "never taken:\n{}", coverage.missing().join("\n"));
    assert!(without.is_empty(), "flows without a case file: {without:?}");
}

#[test]
fn the_flows_of_the_other_tests_are_sound() {
    let book = book();
    for (name, text) in folder("tests/it/flows") {
        if let Err(problems) = FlowSet::load(vec![(name, text)], &book) {
            panic!("{problems}");
        }
    }
}
