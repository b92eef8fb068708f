//! Whom one may telephone: emergency codes, and how the citizen of a ticket may be reached.

/// The state's emergency codes. They are matched whole: 1100 and 0110 are other numbers.
pub const EMERGENCY: [&str; 4] = ["110", "119", "120", "122"];

pub fn is_emergency(number: &str) -> bool {
    EMERGENCY.contains(&number)
}

/// When somebody may be called: minutes of the day, the second may be before the first (over midnight).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafeTime {
    from: u16,
    to: u16,
}

impl SafeTime {
    /// `09:00-11:30`.
    pub fn read(text: &str) -> Option<Self> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
            let two =
                |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
            let (hour, minute) = (two(hour)?, two(minute)?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        (from != to).then_some(Self { from, to })
    }

    pub const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }
}

/// Why the citizen of this ticket may not be called now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCall {
    TextOnly,
    /// Outside his safe time.
    NotNow,
}

/// How the citizen of a ticket may be reached by telephone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachable {
    #[default]
    Always,
    Within(SafeTime),
    TextOnly,
}

impl Reachable {
    pub fn of(notify: Option<&str>, safe_time: Option<&str>) -> Self {
        match safe_time.and_then(SafeTime::read) {
            _ if notify == Some("text_only") => Self::TextOnly,
            Some(safe) => Self::Within(safe),
            None => Self::Always,
        }
    }

    /// `minute` of the day in the service's zone.
    pub fn may_call(self, minute: u16) -> Result<(), NoCall> {
        match self {
            Self::TextOnly => Err(NoCall::TextOnly),
            Self::Within(safe) if !safe.contains(minute) => Err(NoCall::NotNow),
            Self::Within(_) | Self::Always => Ok(()),
        }
    }

    /// Minutes from this one of the day until he may be called; none when that is now, or never.
    pub fn opens_in(self, minute: u16) -> Option<u16> {
        match self {
            Self::Within(safe) if !safe.contains(minute) => Some((safe.from + DAY - minute % DAY) % DAY),
            _ => None,
        }
    }
}

/// Minutes.
const DAY: u16 = 24 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_be_called_is_not() {
        let may_call = |notify, safe, minute| Reachable::of(notify, safe).may_call(minute);
        assert_eq!(may_call(None, None, 700), Ok(()));
        assert_eq!(may_call(Some("text_only"), None, 700), Err(NoCall::TextOnly));
        let safe = Some("09:00-11:30");
        assert_eq!(may_call(Some("any"), safe, 540), Ok(()));
        assert_eq!(may_call(None, safe, 690), Err(NoCall::NotNow));
        let night = Some("22:00-02:00");
        for (minute, may) in [(1_320, true), (0, true), (119, true), (120, false), (1_319, false)] {
            assert_eq!(may_call(None, night, minute).is_ok(), may, "{minute}");
        }
        let opens = |safe, minute| Reachable::of(None, safe).opens_in(minute);
        assert_eq!((opens(safe, 530), opens(safe, 540), opens(safe, 690)), (Some(10), None, Some(1_290)));
        assert_eq!((opens(night, 120), opens(night, 1_319), opens(night, 0)), (Some(1_200), Some(1), None));
        assert_eq!(Reachable::of(Some("text_only"), safe).opens_in(0), None, "nobody calls at all");
        for bad in ["", "9:00-10:00", "09:00", "24:00-25:00", "09:00-09:00", "09:60-10:00", "ab:cd-10:00"] {
            assert_eq!(SafeTime::read(bad), None, "{bad}");
        }
    }
}
