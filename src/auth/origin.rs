//! Whether a request that changes something comes from a page of ours (cross-site request forgery, attacks A1 and A20).

/// What a browser (or a program) said of where a request comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whence<'a> {
    /// `Origin` header (RFC 6454, section 7).
    pub origin: Option<&'a str>,
    /// `Host` header: our own name as the client sees it.
    pub host: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// Our own header with the token of [`super::token::Token::csrf`], where it was right.
    pub csrf: bool,
}

/// For a request with a cookie. A page of ours shows by its origin, or by the token where no origin came; a cookie alone is
/// never enough. `allowed` are other origins the configuration names, and `https` how we are reached.
pub fn is_ours(whence: Whence<'_>, allowed: &[String], https: bool) -> bool {
    if whence.fetch_site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match whence.origin {
        Some(origin) => same(origin, whence.host, allowed, https),
        None => whence.csrf,
    }
}

/// For signing in, where there is no cookie yet: programs send no origin, foreign pages always do.
pub fn may_sign_in(whence: Whence<'_>, allowed: &[String], https: bool) -> bool {
    whence.origin.is_none_or(|origin| same(origin, whence.host, allowed, https))
}

/// Exact equality: no suffixes, no default ports, no upper case, never `null`.
fn same(origin: &str, host: Option<&str>, allowed: &[String], https: bool) -> bool {
    let scheme = if https { "https://" } else { "http://" };
    let ours = host.is_some_and(|host| !host.is_empty() && origin.strip_prefix(scheme) == Some(host));
    ours || allowed.iter().any(|a| a == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_origin_passes() {
        let from = |origin| Whence { origin, host: Some("hotline.example:8080"), ..Whence::default() };
        let cases = [
            (Some("http://hotline.example:8080"), true),
            (Some("https://hotline.example:8080"), false),
            (Some("http://hotline.example"), false),
            (Some("http://hotline.example:8081"), false),
            (Some("http://evil.hotline.example:8080"), false),
            (Some("http://hotline.example:8080.evil"), false),
            (Some("http://HOTLINE.example:8080"), false),
            (Some("null"), false),
            (Some(""), false),
            (None, false),
        ];
        for (origin, fine) in cases {
            assert_eq!(is_ours(from(origin), &[], false), fine, "{origin:?}");
        }
        assert!(is_ours(from(Some("https://desk.example")), &["https://desk.example".to_owned()], false));
    }

    #[test]
    fn without_an_origin_the_token_decides_and_foreign_fetches_never_pass() {
        let whence = Whence { host: Some("h"), csrf: true, ..Whence::default() };
        assert!(is_ours(whence, &[], false));
        assert!(!is_ours(Whence { csrf: false, ..whence }, &[], false));
        for site in ["cross-site", "same-site"] {
            assert!(!is_ours(Whence { fetch_site: Some(site), ..whence }, &[], false), "{site}");
        }
    }

    #[test]
    fn programs_sign_in_and_foreign_pages_do_not() {
        let whence = |origin| Whence { origin, host: Some("h:1"), ..Whence::default() };
        assert!(may_sign_in(whence(None), &[], false));
        assert!(may_sign_in(whence(Some("http://h:1")), &[], false));
        assert!(!may_sign_in(whence(Some("http://evil")), &[], false));
    }
}
