//! The verbs of SIP. What we know is closed; anything else is kept by name, so that 405 and 501 can be told apart.

use std::fmt;

macro_rules! methods {
    ($($name:ident = $text:literal),* $(,)?) => {
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Method {
            $($name,)*
            /// Any other token. Methods are case-sensitive (RFC 3261 §7.1), so `invite` is one of these.
            Other(Box<str>),
        }
        impl Method {
            /// Reads any text; [`super::message::Message::parse`] has made sure before that it is a token.
            pub fn read(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    other => Self::Other(other.into()),
                }
            }
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

methods! {
    Invite = "INVITE", Ack = "ACK", Bye = "BYE", Cancel = "CANCEL", Options = "OPTIONS", Register = "REGISTER",
    Prack = "PRACK", Update = "UPDATE", Info = "INFO", Refer = "REFER", Notify = "NOTIFY", Subscribe = "SUBSCRIBE",
    Message = "MESSAGE", Publish = "PUBLISH",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_read_back_and_case_matters() {
        for text in ["INVITE", "ACK", "PUBLISH", "invite", "PING", "!odd-one'"] {
            assert_eq!(Method::read(text).as_str(), text);
        }
        assert!(matches!(Method::read("invite"), Method::Other(_)));
    }
}
