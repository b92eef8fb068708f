//! Values of the installation itself, one row each.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::sql::Sql;
use sqlx::Row as _;

const PEPPER: &str = "code_pepper";

/// Makes the values that every installation has. Two processes starting at once agree on the first one's.
pub(super) async fn ensure(db: &Db) -> Result<(), StoreError> {
    let fresh = super::chain::new_key()?;
    let mut tx = db.begin(Durability::Full).await?;
    let mut sql = Sql::new("INSERT INTO settings (name, value) VALUES ");
    sql.tuple([PEPPER.into(), fresh.to_vec().into()]).push(" ON CONFLICT (name) DO NOTHING");
    sql.run(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// What look-up codes are hashed with.
pub(super) async fn pepper(db: &Db) -> Result<Vec<u8>, StoreError> {
    let mut sql = Sql::new("SELECT value FROM settings WHERE name = ");
    sql.bind(PEPPER);
    let row = sql
        .read_one(&db.read)
        .await?
        .ok_or_else(|| StoreError::Corrupt("settings: no code_pepper".into()))?;
    Ok(row.try_get(0)?)
}
