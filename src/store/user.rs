//! Users, their roles and their sessions, as rows. What they mean is `auth`'s.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::sql::{Sql, insert_rows};
use sqlx::Row as _;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub display: String,
    /// The unit whose tickets a unit's people see.
    pub unit: Option<String>,
    pub roles: Vec<String>,
    pub disabled: bool,
    pub created_at: i64,
    pub work: Work,
}

/// What an agent can and may do at the telephone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Work {
    /// Level by skill, 1 lowest.
    pub skills: BTreeMap<String, u8>,
    /// The queues he serves; `None`: all.
    pub queues: Option<Vec<String>>,
    /// Rung when he is on call.
    pub mobile: Option<String>,
}

impl Work {
    fn read(skills: &str, queues: Option<&str>, mobile: Option<String>) -> Result<Self, StoreError> {
        let broken = |error: serde_json::Error| StoreError::Corrupt(format!("a user's work: {error}"));
        Ok(Self {
            skills: serde_json::from_str(skills).map_err(broken)?,
            queues: queues.map(serde_json::from_str).transpose().map_err(broken)?,
            mobile,
        })
    }

    fn written(&self) -> (String, Option<String>) {
        (
            serde_json::json!(self.skills).to_string(),
            self.queues.as_ref().map(|q| serde_json::json!(q).to_string()),
        )
    }
}

/// A session's row. The token itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub user: String,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
    pub source: String,
    pub agent: String,
}

impl Db {
    /// Adds a user. `password` is the hash (PHC string).
    pub async fn add_user(&self, user: &User, password: &str) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(
            "INSERT INTO users (name, display, unit, password, disabled, created_at, skills, queues, mobile) VALUES ",
        );
        let (skills, queues) = user.work.written();
        sql.tuple([
            (&user.name).into(),
            (&user.display).into(),
            (&user.unit).into(),
            password.into(),
            user.disabled.into(),
            user.created_at.into(),
            (&skills).into(),
            (&queues).into(),
            (&user.work.mobile).into(),
        ]);
        sql.run(&mut tx).await?;
        let roles = user.roles.iter().map(|role| vec![(&user.name).into(), role.into()]).collect();
        insert_rows(&mut tx, "INSERT INTO roles (user_name, role)", roles, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// A new password ends all of the user's sessions. `false`: no such user.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("UPDATE users SET password = ");
        sql.bind(password).push(" WHERE name = ").bind(name);
        self.change_user(name, sql).await
    }

    /// Disabling ends all of the user's sessions. `false`: no such user.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<bool, StoreError> {
        let mut sql = Sql::new("UPDATE users SET disabled = ");
        sql.bind(disabled).push(" WHERE name = ").bind(name);
        self.change_user(name, sql).await
    }

    /// Other roles, or another unit, begin with a new sign-in. `false`: no such user.
    pub async fn set_roles(
        &self,
        name: &str,
        unit: Option<&str>,
        roles: &[String],
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE users SET unit = ");
        sql.bind(unit).push(" WHERE name = ").bind(name);
        if sql.run(&mut tx).await? == 0 {
            return Ok(false);
        }
        let mut sql = Sql::new("DELETE FROM roles WHERE user_name = ");
        sql.bind(name);
        sql.run(&mut tx).await?;
        let rows = roles.iter().map(|role| vec![name.into(), role.into()]).collect();
        insert_rows(&mut tx, "INSERT INTO roles (user_name, role)", rows, "").await?;
        let mut sql = Sql::new("DELETE FROM sessions WHERE user_name = ");
        sql.bind(name);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes effect at once and ends nobody's session. `false`: no such user.
    pub async fn set_work(&self, name: &str, work: &Work) -> Result<bool, StoreError> {
        let (skills, queues) = work.written();
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE users SET skills = ");
        sql.bind(&skills).push(", queues = ").bind(&queues).push(", mobile = ").bind(&work.mobile);
        sql.push(" WHERE name = ").bind(name);
        let changed = sql.run(&mut tx).await? > 0;
        tx.commit().await?;
        Ok(changed)
    }

    async fn change_user(&self, name: &str, change: Sql) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let changed = change.run(&mut tx).await? > 0;
        let mut sql = Sql::new("DELETE FROM sessions WHERE user_name = ");
        sql.bind(name);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// All users, by name. They are the staff of one hotline: a few hundred.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in
            Sql::new("SELECT user_name, role FROM roles ORDER BY user_name, role").read(&self.read).await?
        {
            roles.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        let mut users = Vec::new();
        for row in Sql::new("SELECT name, display, unit, disabled, created_at, skills, queues, mobile FROM users ORDER BY name")
            .read(&self.read)
            .await?
        {
            let name: String = row.try_get(0)?;
            users.push(User {
                roles: roles.remove(&name).unwrap_or_default(),
                name,
                display: row.try_get(1)?,
                unit: row.try_get(2)?,
                disabled: row.try_get::<i64, _>(3)? != 0,
                created_at: row.try_get(4)?,
                work: Work::read(row.try_get(5)?, row.try_get(6)?, row.try_get(7)?)?,
            });
        }
        Ok(users)
    }

    /// A user and the hash of the password.
    pub async fn user(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let mut sql = Sql::new(
            "SELECT name, display, unit, disabled, created_at, password, skills, queues, mobile FROM users WHERE name = ",
        );
        sql.bind(name);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let mut sql = Sql::new("SELECT role FROM roles WHERE user_name = ");
        sql.bind(name).push(" ORDER BY role");
        let roles = sql.read(&self.read).await?;
        let user = User {
            name: row.try_get(0)?,
            display: row.try_get(1)?,
            unit: row.try_get(2)?,
            roles: roles.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?,
            disabled: row.try_get::<i64, _>(3)? != 0,
            created_at: row.try_get(4)?,
            work: Work::read(row.try_get(6)?, row.try_get(7)?, row.try_get(8)?)?,
        };
        Ok(Some((user, row.try_get(5)?)))
    }

    pub async fn add_session(&self, token_hash: &[u8], session: &SessionRow) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("DELETE FROM sessions WHERE expires_at <= ");
        sql.bind(session.created_at);
        sql.run(&mut tx).await?;
        let mut sql = Sql::new(
            "INSERT INTO sessions (token_hash, user_name, created_at, seen_at, expires_at, source, agent) VALUES ",
        );
        sql.tuple([
            token_hash.into(),
            (&session.user).into(),
            session.created_at.into(),
            session.seen_at.into(),
            session.expires_at.into(),
            (&session.source).into(),
            (&session.agent).into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn session(&self, token_hash: &[u8]) -> Result<Option<SessionRow>, StoreError> {
        let mut sql = Sql::new(
            "SELECT user_name, created_at, seen_at, expires_at, source, agent FROM sessions WHERE token_hash = ",
        );
        sql.bind(token_hash);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        Ok(Some(SessionRow {
            user: row.try_get(0)?,
            created_at: row.try_get(1)?,
            seen_at: row.try_get(2)?,
            expires_at: row.try_get(3)?,
            source: row.try_get(4)?,
            agent: row.try_get(5)?,
        }))
    }

    pub async fn touch_session(&self, token_hash: &[u8], now: i64) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Refillable).await?;
        let mut sql = Sql::new("UPDATE sessions SET seen_at = ");
        sql.bind(now).push(" WHERE token_hash = ").bind(token_hash);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends one session. `false`: there was none.
    pub async fn end_session(&self, token_hash: &[u8]) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("DELETE FROM sessions WHERE token_hash = ");
        sql.bind(token_hash);
        let ended = sql.run(&mut tx).await? > 0;
        tx.commit().await?;
        Ok(ended)
    }
}

/// What an agent's work may look like, in words.
pub const WORK_RULE: &str = "at most 32 skills with a level from 1 to 9, at most 64 queues, names of 1 to 32 characters, and a \
                             mobile of 3 to 20 digits";

pub fn is_work(work: &Work) -> bool {
    let name =
        |name: &String| (1..=32).contains(&name.chars().count()) && !name.contains(char::is_whitespace);
    work.skills.len() <= 32
        && work.skills.iter().all(|(skill, level)| name(skill) && (1..=9).contains(level))
        && work.queues.as_ref().is_none_or(|queues| queues.len() <= 64 && queues.iter().all(name))
        && work.mobile.as_ref().is_none_or(|mobile| {
            let digits = mobile.strip_prefix('+').unwrap_or(mobile);
            (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        })
}

/// What a user's name may look like, in words.
pub const USER_NAME_RULE: &str = "a user's name has 1 to 32 characters: a-z, 0-9, - _ .";

/// Names are typed, spoken and written into logs: plain characters only.
pub fn is_user_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}
