//! The five lines of `hotline serve --demo`.

use super::build::Bound;
use crate::config::{Config, DEMO_PASSWORD};
use std::net::SocketAddr;

/// Number, panel, logins: what somebody who has just typed `make run` needs, and no more.
pub fn tell(config: &Config, sip: &Bound, http: SocketAddr) {
    let at = sip.udp.first().map_or_else(String::new, |addr| match addr.port() {
        5060 => "127.0.0.1".to_owned(),
        port => format!("127.0.0.1:{port}"),
    });
    println!("12341 is up (demonstration: data in {}, loopback only)", config.data.display());
    println!("dial    sip:{}@{at}  (any SIP phone on this machine, UDP or TCP)", config.sip.number);
    println!("panel   http://{http}/  (call from the browser: http://{http}/demo/phone)");
    println!("logins  admin · lead · dispatcher · office · qa · 8001 … 8004, password {DEMO_PASSWORD}");
    println!("phones  8001 … 8004 may register with the same password");
}

#[cfg(test)]
mod tests {
    use crate::{config, store};

    /// The tables' demo rows and the configuration's rules are written in two rooms.
    #[test]
    fn the_demonstration_may_dial_the_numbers_it_fills_in_and_no_other() {
        assert_eq!(store::demo::DIALS, config::DEMO_DIALS);
        assert_eq!(store::demo::LEGACY, config::DEMO_LEGACY);
        let rules = super::super::build::dial_rules(&config::Config::defaults().demo(&[]).unwrap());
        assert!(rules.allows("12000071001"));
        for real in ["110", "119", "120", "122", "96777", "12345", "13800000000"] {
            assert!(!rules.allows(real), "{real}");
        }
    }
}
