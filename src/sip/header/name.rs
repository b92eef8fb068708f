//! Header names: those we read by a small enum, the rest by their text.

macro_rules! names {
    ($($name:ident = $text:literal, $lower:literal $(| $short:literal)?;)*) => {
        /// A header field we know. Compact and long form are the same name (RFC 3261 §7.3.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HeaderName {
            $($name,)*
            /// Kept in the index under its own text: see [`crate::sip::message::Message::other`].
            Other,
        }

        impl HeaderName {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Any case, long or compact.
            pub fn read(name: &[u8]) -> Self {
                let mut space = [0_u8; LONGEST];
                let Some(lower) = space.get_mut(..name.len()) else { return Self::Other };
                lower.copy_from_slice(name);
                lower.make_ascii_lowercase();
                match &*lower {
                    $($lower $(| $short)? => Self::$name,)*
                    _ => Self::Other,
                }
            }
            /// The long form, as we write it. Empty for `Other`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other => "",
                }
            }
        }
    };
}

/// No name in the table is longer.
const LONGEST: usize = 24;

names! {
    Via = "Via", b"via" | b"v";
    From = "From", b"from" | b"f";
    To = "To", b"to" | b"t";
    CallId = "Call-ID", b"call-id" | b"i";
    CSeq = "CSeq", b"cseq";
    MaxForwards = "Max-Forwards", b"max-forwards";
    Contact = "Contact", b"contact" | b"m";
    ContentLength = "Content-Length", b"content-length" | b"l";
    ContentType = "Content-Type", b"content-type" | b"c";
    ContentEncoding = "Content-Encoding", b"content-encoding" | b"e";
    ContentDisposition = "Content-Disposition", b"content-disposition";
    Route = "Route", b"route";
    RecordRoute = "Record-Route", b"record-route";
    Require = "Require", b"require";
    ProxyRequire = "Proxy-Require", b"proxy-require";
    Supported = "Supported", b"supported" | b"k";
    Unsupported = "Unsupported", b"unsupported";
    Allow = "Allow", b"allow";
    AllowEvents = "Allow-Events", b"allow-events" | b"u";
    Accept = "Accept", b"accept";
    AcceptEncoding = "Accept-Encoding", b"accept-encoding";
    Expires = "Expires", b"expires";
    MinExpires = "Min-Expires", b"min-expires";
    SessionExpires = "Session-Expires", b"session-expires" | b"x";
    MinSe = "Min-SE", b"min-se";
    RSeq = "RSeq", b"rseq";
    RAck = "RAck", b"rack";
    ReferTo = "Refer-To", b"refer-to" | b"r";
    ReferredBy = "Referred-By", b"referred-by" | b"b";
    Replaces = "Replaces", b"replaces";
    Reason = "Reason", b"reason";
    Privacy = "Privacy", b"privacy";
    PAssertedIdentity = "P-Asserted-Identity", b"p-asserted-identity";
    PPreferredIdentity = "P-Preferred-Identity", b"p-preferred-identity";
    RemotePartyId = "Remote-Party-ID", b"remote-party-id";
    Diversion = "Diversion", b"diversion";
    HistoryInfo = "History-Info", b"history-info";
    Identity = "Identity", b"identity" | b"y";
    Authorization = "Authorization", b"authorization";
    ProxyAuthorization = "Proxy-Authorization", b"proxy-authorization";
    WwwAuthenticate = "WWW-Authenticate", b"www-authenticate";
    ProxyAuthenticate = "Proxy-Authenticate", b"proxy-authenticate";
    AuthenticationInfo = "Authentication-Info", b"authentication-info";
    UserAgent = "User-Agent", b"user-agent";
    Server = "Server", b"server";
    Subject = "Subject", b"subject" | b"s";
    Event = "Event", b"event" | b"o";
    SubscriptionState = "Subscription-State", b"subscription-state";
    RetryAfter = "Retry-After", b"retry-after";
    Priority = "Priority", b"priority";
    ResourcePriority = "Resource-Priority", b"resource-priority";
    Warning = "Warning", b"warning";
    Date = "Date", b"date";
}

impl HeaderName {
    /// Does one line hold several values, divided by commas (RFC 3261 §7.3.1)?
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Via
                | Self::Contact
                | Self::Route
                | Self::RecordRoute
                | Self::Require
                | Self::ProxyRequire
                | Self::Supported
                | Self::Unsupported
                | Self::Allow
                | Self::AllowEvents
                | Self::Accept
                | Self::AcceptEncoding
                | Self::ContentEncoding
                | Self::Reason
                | Self::PAssertedIdentity
                | Self::PPreferredIdentity
                | Self::RemotePartyId
                | Self::Diversion
                | Self::HistoryInfo
                | Self::ResourcePriority
                | Self::Privacy
        )
    }
    /// Headers of which a second one makes the message ambiguous: two readers would take different ones.
    pub const fn is_single(self) -> bool {
        matches!(self, Self::From | Self::To | Self::CallId | Self::CSeq | Self::MaxForwards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_in_any_case() {
        for name in HeaderName::ALL {
            for text in [name.as_str().to_owned(), name.as_str().to_uppercase(), name.as_str().to_lowercase()]
            {
                assert_eq!(HeaderName::read(text.as_bytes()), *name, "{text}");
            }
        }
    }

    #[test]
    fn compact_names_and_strangers() {
        for (short, name) in
            [("v", HeaderName::Via), ("I", HeaderName::CallId), ("x", HeaderName::SessionExpires)]
        {
            assert_eq!(HeaderName::read(short.as_bytes()), name);
        }
        for text in ["", "z", "Viaa", "X-Account-Of-A-Very-Long-Header-Name-Indeed", "Vi\0"] {
            assert_eq!(HeaderName::read(text.as_bytes()), HeaderName::Other, "{text}");
        }
    }
}
