//! A ticket's history: one append-only chain per ticket, each link the hash of the one before and of its own bytes.
//!
//! Personal parts are sealed (ChaCha20-Poly1305, RFC 8439) under the ticket's own key, and the chain covers the sealed
//! bytes: destroying the key erases the person and leaves the chain whole.

use super::error::StoreError;
use super::sql::Value;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// The link before the first.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// One line of a ticket's history, before it is written.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub ticket: String,
    /// Position in the chain, from 1.
    pub n: i64,
    /// Milliseconds since 1970 (UTC).
    pub at: i64,
    pub kind: String,
    /// `system`, or `user:<name>`.
    pub actor: String,
    /// JSON text without anything personal.
    pub payload: String,
    /// Empty when nothing personal belongs to it.
    pub sealed: Vec<u8>,
}

impl Link {
    /// From a row of `n, at, kind, actor, payload, sealed`.
    pub fn read(ticket: &str, row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            ticket: ticket.to_owned(),
            n: row.try_get(0)?,
            at: row.try_get(1)?,
            kind: row.try_get(2)?,
            actor: row.try_get(3)?,
            payload: row.try_get(4)?,
            sealed: row.try_get(5)?,
        })
    }

    /// SHA-256 over `prev` and every field with its length, so that no two links share their bytes.
    pub fn hash(&self, prev: &[u8]) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(prev);
        for part in
            [self.ticket.as_bytes(), &self.n.to_be_bytes(), &self.at.to_be_bytes(), self.kind.as_bytes()]
                .into_iter()
                .chain([self.actor.as_bytes(), self.payload.as_bytes(), &self.sealed])
        {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        sha.finalize().into()
    }

    pub fn row(self, hash: [u8; 32]) -> Vec<Value> {
        vec![
            self.ticket.into(),
            self.n.into(),
            self.at.into(),
            self.kind.into(),
            self.actor.into(),
            self.payload.into(),
            self.sealed.into(),
            hash.to_vec().into(),
        ]
    }
}

/// The end of a ticket's chain, where the next link goes. Everything that is appended is appended here.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// `None` once it was destroyed: nothing personal can be added then.
    pub key: Option<Vec<u8>>,
    /// Links so far.
    pub n: i64,
    pub head: Vec<u8>,
}

impl Tail {
    /// Of a new ticket, with a key of its own.
    pub fn fresh() -> Result<Self, StoreError> {
        Ok(Self { key: Some(new_key()?.to_vec()), n: 0, head: GENESIS.to_vec() })
    }

    /// Adds a link; the row to write, in one transaction with the ticket's own.
    pub fn append(
        &mut self,
        ticket: &str,
        at: i64,
        kind: &str,
        actor: &str,
        payload: &Json,
        personal: Option<&Json>,
    ) -> Vec<Value> {
        self.n += 1;
        let key = self.key.as_deref().and_then(|key| <&[u8; 32]>::try_from(key).ok());
        let sealed = match (personal, key) {
            (Some(personal), Some(key)) => seal(key, ticket, self.n, personal),
            _ => Vec::new(),
        };
        let link = Link {
            ticket: ticket.to_owned(),
            n: self.n,
            at,
            kind: kind.to_owned(),
            actor: actor.to_owned(),
            payload: payload.to_string(),
            sealed,
        };
        let hash = link.hash(&self.head);
        self.head = hash.to_vec();
        link.row(hash)
    }
}

pub(super) const INSERT: &str =
    "INSERT INTO ticket_events (ticket_id, n, at, kind, actor, payload, sealed, hash)";

/// A new ticket's key.
pub(super) fn new_key() -> Result<[u8; 32], StoreError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| StoreError::Away(e.to_string()))?;
    Ok(key)
}

/// The number in the chain is the nonce: a key is one ticket's, and a position is written once.
fn nonce(n: i64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&n.to_be_bytes());
    bytes.into()
}

fn seal(key: &[u8; 32], ticket: &str, n: i64, personal: &Json) -> Vec<u8> {
    let text = personal.to_string();
    let payload = Payload { msg: text.as_bytes(), aad: ticket.as_bytes() };
    // Fails only for messages over 256 GiB.
    ChaCha20Poly1305::new(key.into()).encrypt(&nonce(n), payload).unwrap_or_default()
}

/// The personal part, or `None` when its key is gone (or it never had one).
pub(super) fn open(key: Option<&[u8]>, ticket: &str, n: i64, sealed: &[u8]) -> Option<Json> {
    let key: &[u8; 32] = key?.try_into().ok()?;
    let payload = Payload { msg: sealed, aad: ticket.as_bytes() };
    let text = ChaCha20Poly1305::new(key.into()).decrypt(&nonce(n), payload).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Something of the person's that is no line of the history, sealed under the same key. `about` is what it belongs to: it opens
/// nowhere else. Its nonces begin with a byte that no line's does.
pub(super) fn seal_apart(key: &[u8], about: &str, personal: &Json) -> Result<Vec<u8>, StoreError> {
    let key: &[u8; 32] = key.try_into().map_err(|_| StoreError::Corrupt("a ticket's key".into()))?;
    let mut nonce = [APART; 12];
    getrandom::fill(&mut nonce[1..]).map_err(|e| StoreError::Away(e.to_string()))?;
    let text = personal.to_string();
    let payload = Payload { msg: text.as_bytes(), aad: about.as_bytes() };
    let mut sealed = nonce.to_vec();
    // Fails only for messages over 256 GiB.
    sealed.extend(ChaCha20Poly1305::new(key.into()).encrypt(&nonce.into(), payload).unwrap_or_default());
    Ok(sealed)
}

/// A line's nonce begins with four zeros.
const APART: u8 = 1;

/// What [`seal_apart`] has sealed, or `None` when its key is gone.
pub(super) fn open_apart(key: Option<&[u8]>, about: &str, sealed: &[u8]) -> Option<Json> {
    let key: &[u8; 32] = key?.try_into().ok()?;
    let (nonce, sealed) = sealed.split_at_checked(12)?;
    let nonce: [u8; 12] = nonce.try_into().ok()?;
    let payload = Payload { msg: sealed, aad: about.as_bytes() };
    let text = ChaCha20Poly1305::new(key.into()).decrypt(&nonce.into(), payload).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn link() -> Link {
        Link {
            ticket: "t-1".into(),
            n: 1,
            at: 2,
            kind: "created".into(),
            actor: "system".into(),
            payload: "{}".into(),
            sealed: vec![1],
        }
    }

    #[test]
    fn every_field_and_the_link_before_are_in_the_hash() {
        let base = link().hash(&GENESIS);
        let changed: [fn(&mut Link); 7] = [
            |l| l.ticket.push('x'),
            |l| l.n += 1,
            |l| l.at += 1,
            |l| l.kind.push('x'),
            |l| l.actor.push('x'),
            |l| l.payload.push('x'),
            |l| l.sealed.push(0),
        ];
        for change in changed {
            let mut other = link();
            change(&mut other);
            assert_ne!(other.hash(&GENESIS), base);
        }
        assert_ne!(link().hash(&base), base);
        // A byte moved over the border of two fields is a change too.
        let mut moved = link();
        moved.kind = "create".into();
        moved.actor = "dsystem".into();
        assert_ne!(moved.hash(&GENESIS), base);
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_place_only() {
        let key = new_key().unwrap();
        let sealed = seal(&key, "t-1", 3, &json!({"caller": "12000000001"}));
        assert!(!sealed.windows(5).any(|w| w == b"12000"));
        assert_eq!(open(Some(&key), "t-1", 3, &sealed), Some(json!({"caller": "12000000001"})));
        assert_eq!(open(Some(&key), "t-2", 3, &sealed), None);
        assert_eq!(open(Some(&key), "t-1", 4, &sealed), None);
        assert_eq!(open(None, "t-1", 3, &sealed), None);
    }

    #[test]
    fn what_is_sealed_apart_opens_with_its_key_and_for_what_it_is_about_only() {
        let key = new_key().unwrap();
        let (one, two) = (
            seal_apart(&key, "o-1", &json!("138")).unwrap(),
            seal_apart(&key, "o-1", &json!("138")).unwrap(),
        );
        assert_ne!(one, two, "the same words look different each time");
        assert_eq!(open_apart(Some(&key), "o-1", &one), Some(json!("138")));
        assert_eq!(open_apart(Some(&key), "o-2", &one), None);
        assert_eq!(open_apart(Some(&new_key().unwrap()), "o-1", &one), None);
        assert_eq!(open_apart(None, "o-1", &one), None);
        assert_eq!(open_apart(Some(&key), "o-1", &one[..11]), None);
    }
}
