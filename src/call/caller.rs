//! Who is calling: what we believe, where it came from, and whether he asked not to be shown.

use crate::sip::seam::Invite;

pub(super) struct Caller {
    /// Empty when unknown.
    pub number: String,
    /// `pai`, `from` or `none`.
    pub source: &'static str,
    pub private: bool,
    pub redirected_from: Option<String>,
    pub redirect_reason: Option<String>,
}

/// A trusted trunk's P-Asserted-Identity wins over From (RFC 3325); the user agent has already dropped it for others.
pub(super) fn identify(invite: &Invite) -> Caller {
    let asserted = invite.asserted.iter().find(|value| is_number(value)).or(invite.asserted.first());
    let anonymous = invite.from_user.is_empty() || invite.from_user.eq_ignore_ascii_case("anonymous");
    let (number, source) = match asserted {
        Some(value) => (value.clone(), "pai"),
        None if anonymous => (String::new(), "none"),
        None => (invite.from_user.clone(), "from"),
    };
    let private = anonymous
        || invite.privacy.iter().any(|value| matches!(value.as_str(), "id" | "user" | "header" | "full"));
    let (redirected_from, redirect_reason) = first_dialled(invite);
    Caller { number, source, private, redirected_from, redirect_reason }
}

/// The number dialled first: History-Info begins with it (RFC 7044), Diversion ends with it (RFC 5806).
fn first_dialled(invite: &Invite) -> (Option<String>, Option<String>) {
    let diverted = invite.diversion.last();
    let first = invite.history.first().filter(|(number, _)| *number != invite.called);
    let number = first.map(|(number, _)| number.clone()).or(diverted.map(|(number, _)| number.clone()));
    let reason = diverted
        .map(|(_, reason)| reason.clone())
        .filter(|reason| !reason.is_empty())
        .or_else(|| invite.history.iter().find_map(|(_, cause)| cause.map(|cause| cause.to_string())));
    let reason = number.is_some().then_some(reason).flatten();
    (number, reason)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}
