//! The program from outside: one binary, one file for each subject.
mod agents;
mod browser_audio;
mod callbacks;
mod corpus;
mod floors;
mod flows;
mod kills;
mod operations;
mod panel;
mod pcaps;
mod reload;
mod replay;
mod second_client;
mod sip_bytes;
mod sip_scenarios;
mod support;
mod tidy;
