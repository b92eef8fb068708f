//! How many answers each unknown source gets: a bounded table of small budgets (`attacks.md` S17, S18, S30).
//!
//! A source is an address, of IPv6 its /64. When the table is full and nothing in it has aged, newcomers get silence.

use crate::base::Time;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Sources remembered at most.
const MOST: usize = 4096;
/// A budget lasts this long.
const WINDOW: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Strangers {
    seen: BTreeMap<IpAddr, Budget>,
    swept: Time,
}

#[derive(Debug)]
struct Budget {
    since: Time,
    used: u32,
}

impl Strangers {
    /// May this source have one more answer now?
    pub fn admit(&mut self, now: Time, source: IpAddr, per_second: u32) -> bool {
        let source = network(source);
        if let Some(budget) = self.seen.get_mut(&source) {
            if now.since(budget.since) >= WINDOW {
                *budget = Budget { since: now, used: 0 };
            }
            if budget.used >= per_second {
                return false;
            }
            budget.used += 1;
            return true;
        }
        if self.seen.len() >= MOST {
            if now.since(self.swept) < WINDOW {
                return false; // Swept within this window: nothing can have aged enough to matter.
            }
            self.swept = now;
            self.seen.retain(|_, budget| now.since(budget.since) < WINDOW);
            if self.seen.len() >= MOST {
                return false;
            }
        }
        if per_second == 0 {
            return false;
        }
        self.seen.insert(source, Budget { since: now, used: 1 });
        true
    }
}

fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_second_then_silence() {
        let mut s = Strangers::default();
        let who: IpAddr = "203.0.113.9".parse().unwrap();
        let answers = |s: &mut Strangers, at| (0..20).filter(|_| s.admit(at, who, 5)).count();
        assert_eq!(answers(&mut s, Time::ZERO), 5);
        assert_eq!(answers(&mut s, Time::from_millis(999)), 0);
        assert_eq!(answers(&mut s, Time::from_millis(1000)), 5);
    }

    #[test]
    fn the_table_does_not_grow_and_recovers() {
        let mut s = Strangers::default();
        let at = |n: u32| IpAddr::V4(std::net::Ipv4Addr::from(n));
        let answered = (0..100_000).filter(|n| s.admit(Time::from_millis(2000), at(*n), 5)).count();
        assert_eq!((answered, s.seen.len()), (MOST, MOST));
        assert!(s.admit(Time::from_millis(3100), at(200_000), 5));
        assert_eq!(s.seen.len(), 1);
    }

    #[test]
    fn one_ipv6_network_is_one_source() {
        let mut s = Strangers::default();
        let answered = (1..100u128)
            .filter(|n| s.admit(Time::ZERO, IpAddr::V6((0x2001_0db8_u128 << 96 | *n).into()), 5))
            .count();
        assert_eq!(answered, 5);
    }
}
