//! Pages of a list, newest first: a cursor is the time and id of the last item given.

use super::sql::Sql;

/// Items on a page when nothing is said, and at most.
pub const LIMIT: u32 = 50;
pub const LIMIT_MAX: u32 = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub at: i64,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct NotACursor;

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.at, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (at, id) = text.split_once('~').ok_or(NotACursor)?;
        let fine =
            !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !fine {
            return Err(NotACursor);
        }
        Ok(Self { at: at.parse().map_err(|_| NotACursor)?, id: id.to_owned() })
    }
}

/// Which stretch of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: u32,
    pub after: Option<Cursor>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: LIMIT, after: None }
    }
}

impl Page {
    pub(super) fn size(&self) -> usize {
        self.limit.clamp(1, LIMIT_MAX) as usize
    }

    /// ` AND (time, id) < (…) ORDER BY … LIMIT one more than asked`.
    pub(super) fn close(&self, sql: &mut Sql, compare: &'static str, order: &'static str) {
        if let Some(after) = &self.after {
            sql.push(compare).tuple([after.at.into(), after.id.clone().into()]);
        }
        sql.push(order).push(" LIMIT ").bind(self.size() as i64 + 1);
    }

    /// Cuts the extra row off; it only says that there is more.
    pub(super) fn cut<T>(&self, mut items: Vec<T>, place: impl Fn(&T) -> Cursor) -> Paged<T> {
        let more = items.len() > self.size();
        items.truncate(self.size());
        let next = if more { items.last().map(place) } else { None };
        Paged { items, next }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    /// Where the next page begins, when there is one.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_nothing_else_does() {
        let cursor = Cursor { at: -5, id: "c-01-00001-0000000009".into() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "~", "1~", "x~a", "1~a'b", "1~a;b", "1"] {
            assert_eq!(bad.parse::<Cursor>(), Err(NotACursor), "{bad}");
        }
    }
}
