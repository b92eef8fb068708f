//! Citizens who asked to be called back: their list, open and past.

use super::call::{Call, alternatives};
use super::db::Db;
use super::error::StoreError;
use super::page::{Cursor, Page, Paged};
use super::projector::record_of;
use super::sql::Sql;
use sqlx::Row as _;

/// A state filter's word for those who still wait or are being dialled.
const OPEN: &str = "open";

impl Db {
    /// By the calls in which they asked, newest first. `state` and `queue` with commas are alternatives; `open` is not over.
    pub async fn callbacks(
        &self,
        state: Option<&str>,
        queue: Option<&str>,
        page: &Page,
    ) -> Result<Paged<Call>, StoreError> {
        let mut sql = Sql::new(
            "SELECT direction, detail FROM (SELECT b.call_id AS id, b.asked_at, b.state, b.queue, c.direction, c.detail \
             FROM callbacks b JOIN calls c ON c.id = b.call_id) x WHERE 1 = 1",
        );
        match state {
            Some(OPEN) => drop(sql.push(" AND state IN ('waiting', 'dialling')")),
            Some(state) => drop(sql.and_field("state", &alternatives(state))),
            None => {}
        }
        if let Some(queue) = queue {
            sql.and_field("queue", &alternatives(queue));
        }
        page.close(&mut sql, " AND (asked_at, id) < ", " ORDER BY asked_at DESC, id DESC");
        let mut calls = Vec::new();
        for row in sql.read(&self.read).await? {
            calls.push(Call {
                direction: row.try_get(0)?,
                record: record_of(&row.try_get::<String, _>(1)?)?,
                tickets: Vec::new(),
                numbers: Vec::new(),
                secret: false,
            });
        }
        let asked = |call: &Call| call.record.callback.as_ref().map_or(0, |callback| callback.asked_at);
        let mut page = page.cut(calls, |call| Cursor { at: asked(call), id: call.record.id.clone() });
        self.add_tickets(&mut page.items).await?;
        Ok(page)
    }
}
