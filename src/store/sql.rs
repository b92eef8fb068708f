//! Statements with many rows, and the one place where SQL text is put together.
//!
//! Text comes from literals only; values are always bound. [`Sql`] has no way to take a value as text.

use super::db::Tx;
use super::error::StoreError;
use sqlx::any::AnyArguments;
use sqlx::{Any, AnyPool, AssertSqlSafe, any::AnyRow};

/// A bound value. Texts lose NUL characters, which PostgreSQL cannot keep.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(Some(v))
    }
}
impl From<Option<i64>> for Value {
    fn from(v: Option<i64>) -> Self {
        Self::Int(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Int(Some(i64::from(v)))
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(Some(v))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(Some(v.to_owned()))
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(Some(v.clone()))
    }
}
impl From<Option<String>> for Value {
    fn from(v: Option<String>) -> Self {
        Self::Text(v)
    }
}
impl From<Option<&str>> for Value {
    fn from(v: Option<&str>) -> Self {
        Self::Text(v.map(str::to_owned))
    }
}
impl From<&Option<String>> for Value {
    fn from(v: &Option<String>) -> Self {
        Self::Text(v.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Blob(Some(v))
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Blob(Some(v.to_vec()))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(v: Option<Vec<u8>>) -> Self {
        Self::Blob(v)
    }
}

/// How parameters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Marks {
    /// `$n`, which both databases read.
    #[default]
    Numbered,
    /// `?`, which only SQLite reads. A numbered one has a name there, and names are looked up one after the other: a
    /// statement with a thousand of them costs a million steps.
    Plain,
}

/// A statement under construction.
#[derive(Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
    marks: Marks,
}

impl Sql {
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
    /// For many parameters, each used once and in order.
    fn many(text: &'static str, tx: &Tx) -> Self {
        let marks = if tx.backend_name() == "SQLite" { Marks::Plain } else { Marks::Numbered };
        Self { text: text.to_owned(), values: Vec::new(), marks }
    }
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// A parameter with its value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        match self.marks {
            Marks::Plain => self.text.push('?'),
            Marks::Numbered => {
                self.text.push('$');
                self.text.push_str(&self.values.len().to_string());
            }
        }
        self
    }
    /// `($1, $2, …)`.
    pub fn tuple(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        self.text.push('(');
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self.text.push(')');
        self
    }

    /// ` AND name = $n`, or ` AND name IN (…)` for several values.
    pub fn and_field(&mut self, name: &'static str, values: &[String]) -> &mut Self {
        self.push(" AND ").push(name);
        match values {
            [one] => self.push(" = ").bind(one),
            many => self.push(" IN ").tuple(many.iter().map(Value::from)),
        }
    }

    fn query(self) -> sqlx::query::Query<'static, Any, AnyArguments> {
        // Literals and marks only: see the type's methods.
        let mut query = sqlx::query(AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Value::Int(v) => query.bind(v),
                Value::Text(v) => query.bind(v.map(without_nul)),
                Value::Blob(v) => query.bind(v),
            };
        }
        query
    }

    /// Runs it; the number of rows it changed.
    pub async fn run(self, tx: &mut Tx) -> Result<u64, StoreError> {
        Ok(self.query().execute(&mut **tx).await?.rows_affected())
    }
    /// Runs it outside any transaction.
    pub async fn run_alone(self, conn: &mut sqlx::AnyConnection) -> Result<(), StoreError> {
        self.query().execute(conn).await?;
        Ok(())
    }
    pub async fn rows(self, tx: &mut Tx) -> Result<Vec<AnyRow>, StoreError> {
        Ok(self.query().fetch_all(&mut **tx).await?)
    }
    pub async fn one(self, tx: &mut Tx) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.query().fetch_optional(&mut **tx).await?)
    }
    pub async fn read(self, pool: &AnyPool) -> Result<Vec<AnyRow>, StoreError> {
        Ok(self.query().fetch_all(pool).await?)
    }
    pub async fn read_one(self, pool: &AnyPool) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.query().fetch_optional(pool).await?)
    }
}

fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Rows go in by so many, so that four prepared statements serve every batch size.
const STEPS: [usize; 4] = [256, 32, 4, 1];

/// `head VALUES (…), (…) tail` for all rows.
pub(super) async fn insert_rows(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<Vec<Value>>,
    tail: &'static str,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter();
    for step in STEPS {
        while rows.len() >= step {
            let mut sql = Sql::many(head, tx);
            sql.push(" VALUES ");
            for (i, row) in rows.by_ref().take(step).enumerate() {
                if i > 0 {
                    sql.push(", ");
                }
                sql.tuple(row);
            }
            sql.push(tail);
            sql.run(tx).await?;
        }
    }
    Ok(())
}

/// `head (…keys…) tail` for all keys, `head` ending in `IN `.
pub(super) async fn select_keys(
    tx: &mut Tx,
    head: &'static str,
    keys: Vec<String>,
    tail: &'static str,
) -> Result<Vec<AnyRow>, StoreError> {
    let mut found = Vec::new();
    let mut keys = keys.into_iter();
    for step in STEPS {
        while keys.len() >= step {
            let mut sql = Sql::many(head, tx);
            sql.tuple(keys.by_ref().take(step).map(Value::from));
            sql.push(tail);
            found.append(&mut sql.rows(tx).await?);
        }
    }
    Ok(found)
}
