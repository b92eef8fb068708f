//! Who called, of a ticket that is kept secret: told with a reason, which its history keeps.

use super::db::{Db, Durability};
use super::error::StoreError;
use serde_json::{Value as Json, json};

/// The history's line of it.
pub const REVEALED: &str = "revealed";

/// How the caller may be reached, as the history has it; the last words of each count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The number he called from.
    pub caller: Option<String>,
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
}

impl Db {
    /// Writes down who asks and why, then tells. `id`: the ticket's. `None`: no such ticket.
    pub async fn reveal_caller(
        &self,
        id: &str,
        user: &str,
        reason: &str,
        at: i64,
    ) -> Result<Option<Contact>, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let Some((mut held, _)) = self.held(&mut tx, id).await? else { return Ok(None) };
        let actor = ["user:", user].concat();
        held.line(at, REVEALED, &actor, &json!({}), Some(&json!({ "reason": reason })));
        held.write_lines(&mut tx).await?;
        tx.commit().await?;
        let mut contact = Contact::default();
        for event in self.ticket_events(id).await? {
            let Some(personal) = event.personal else { continue };
            for (name, slot) in [
                ("caller", &mut contact.caller),
                ("name", &mut contact.name),
                ("number", &mut contact.number),
                ("address", &mut contact.address),
            ] {
                if let Some(text) = personal.get(name).and_then(Json::as_str) {
                    *slot = Some(text.to_owned()).filter(|text| !text.is_empty());
                }
            }
        }
        Ok(Some(contact))
    }
}
