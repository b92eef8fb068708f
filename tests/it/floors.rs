//! Versions below which a known fault sits. A lock file that falls below one fails here, also where no list of
//! advisories can be reached.

use std::fs;
use std::path::Path;

/// Package, the least version, and what is wrong below it. A package that isn't used passes.
const FLOORS: &[(&str, &str, &str)] = &[
    ("sqlx", "0.9.0", "brings SQLite 3.51.3, the first without the WAL reset fault"),
    ("libsqlite3-sys", "0.37.0", "SQLite below 3.51.3 can corrupt a database in WAL mode"),
    ("rustls", "0.23.18", "RUSTSEC-2024-0399: a fragmented ClientHello panics"),
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0049, -0098, -0099, -0104"),
    ("h2", "0.4.16", "resets and CONTINUATION floods"),
    ("tungstenite", "0.20.1", "RUSTSEC-2023-0065: a long header takes minutes"),
    ("tracing-subscriber", "0.3.20", "escape sequences of a caller reach the terminal"),
    ("quick-xml", "0.41.0", "unbounded expansion"),
];

/// Packages that must not be there at all.
const BARRED: &[(&str, &str)] = &[
    ("async-nats", "RUSTSEC-2023-0027"),
    ("openssl-sys", "one TLS: rustls with ring"),
    ("aws-lc-sys", "one TLS: rustls with ring"),
    ("native-tls", "one TLS: rustls with ring"),
];

#[test]
fn no_dependency_is_below_its_floor() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock = fs::read_to_string(lock).expect("Cargo.lock is committed");
    let packages = packages(&lock);
    assert!(packages.iter().any(|(name, _)| *name == "sqlx"), "the lock file was not understood");
    let wrong = below(&packages);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_fallen_floor_is_seen() {
    let lock = "[[package]]\nname = \"rustls\"\nversion = \"0.23.9\"\n\n[[package]]\nname = \"h2\"\nversion = \"0.4.16\"\n\n\
                [[package]]\nname = \"async-nats\"\nversion = \"9.0.0\"\n";
    let wrong = below(&packages(lock));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].starts_with("rustls 0.23.9 is below 0.23.18"));
}

#[test]
fn every_package_comes_from_the_registry() {
    let lock = include_str!("../../Cargo.lock");
    let elsewhere: Vec<_> = lock
        .lines()
        .filter(|l| {
            l.starts_with("source = ") && !l.contains("registry+https://github.com/rust-lang/crates.io-index")
        })
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

fn packages(lock: &str) -> Vec<(&str, &str)> {
    let quoted = |line: &'_ str, key: &str| -> Option<(usize, usize)> {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        let begin = line.len() - rest.len();
        Some((begin, begin + rest.find('"')?))
    };
    let lines: Vec<&str> = lock.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let (name, version) = (quoted(pair[0], "name")?, quoted(pair[1], "version")?);
            Some((&pair[0][name.0..name.1], &pair[1][version.0..version.1]))
        })
        .collect()
}

fn below(packages: &[(&str, &str)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, version) in packages {
        for (_, floor, why) in FLOORS.iter().filter(|(floored, _, _)| floored == name) {
            if numbers(version) < numbers(floor) {
                wrong.push(format!("{name} {version} is below {floor}: {why}"));
            }
        }
        for (_, why) in BARRED.iter().filter(|(barred, _)| barred == name) {
            wrong.push(format!("{name} must not be used: {why}"));
        }
    }
    wrong
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}
