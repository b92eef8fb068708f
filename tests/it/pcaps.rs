//! The sounds and keys that SIPp replays are what their description says.

use crate::support::pcap;
use crate::support::server::TOP;
use std::path::Path;

/// `HOTLINE_WRITE_PCAPS=1` writes them anew.
#[test]
fn the_committed_pcaps_are_those_of_the_generator() {
    let folder = Path::new(TOP).join("sipp-scenarios/pcap");
    for (name, bytes) in pcap::all() {
        let path = folder.join(name);
        if std::env::var_os("HOTLINE_WRITE_PCAPS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder");
            std::fs::write(&path, &bytes).expect("write");
        }
        let committed = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(
            committed == bytes,
            "{} is not what the generator makes; HOTLINE_WRITE_PCAPS=1 writes it anew",
            path.display()
        );
    }
}
