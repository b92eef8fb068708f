//! The roles of the hotline's people.

use std::collections::BTreeSet;

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $($(#[$doc])* $name,)* }

        impl Role {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Name on the wire and in the database.
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
        }
    };
}

roles! {
    /// Takes calls.
    Agent = "agent";
    /// Leads the shift: listens in, helps, ends calls.
    Lead = "lead";
    Dispatcher = "dispatcher";
    /// A unit's liaison and those who work for him.
    Unit = "unit";
    /// Signs the unit's replies.
    UnitHead = "unit_head";
    /// Calls citizens back after the reply.
    Visitor = "visitor";
    /// The office that manages the hotline.
    Office = "office";
    /// A leader of the district: reads and comments.
    Leader = "leader";
    /// Keeps the knowledge base.
    Kb = "kb";
    /// Judges calls by their recordings.
    Qa = "qa";
    /// Reads who did what, never what it was about.
    Auditor = "auditor";
    /// Works with figures; sees no person.
    Analyst = "analyst";
    /// Watches the screens; changes nothing.
    Observer = "observer";
    /// Gives rights and keys; reads no tickets.
    Security = "security";
    /// Runs the machine and its users; reads no tickets' contents.
    Admin = "admin";
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no role is called {0:?}")]
pub struct UnknownRole(pub String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .iter()
            .find(|role| role.label() == text)
            .copied()
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The roles one person has together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSet(BTreeSet<Role>);

impl RoleSet {
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Reads names; unknown ones (a newer version's) give no right.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        labels.into_iter().filter_map(|label| label.parse().ok()).collect()
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}
