//! 单位值班电话表: the number that somebody answers at any hour, and the deputy head's, for each unit of the first level. The table of duty
//! numbers by hour and day, which administrators keep and leads test, goes before it.

use super::district::District;
use serde::Deserialize;
use std::collections::BTreeMap;

const SHIPPED: &str = include_str!("../../district/duty.json");
/// The office that manages the hotline: the last rung of every ladder.
pub const OFFICE: &str = "rexianban";

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Duty {
    #[serde(rename = "duty_phone")]
    pub duty: String,
    #[serde(rename = "deputy_phone")]
    pub deputy: String,
}

#[derive(Deserialize)]
struct Raw {
    unit: String,
    #[serde(flatten)]
    duty: Duty,
}

/// By unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DutyBook(BTreeMap<String, Duty>);

impl DutyBook {
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let rows: Vec<Raw> = serde_json::from_str(text)?;
        Ok(Self(rows.into_iter().map(|row| (row.unit, row.duty)).collect()))
    }

    /// The one the program carries. It reads: a test looks at this very text.
    pub fn shipped() -> Self {
        Self::read(SHIPPED).unwrap_or_default()
    }

    /// Whom a rung of the ladder reaches: the unit, and its number. `manned` are a unit's numbers of the table that somebody answers at
    /// this hour, the first to be asked first. `None`: nobody is known.
    pub fn reach(
        &self,
        rung: &str,
        unit: &str,
        manned: impl Fn(&str) -> Vec<String>,
    ) -> Option<(String, String)> {
        let unit = if rung == "office" { OFFICE } else { unit };
        let mut table = manned(unit).into_iter();
        let (first, second) = (table.next(), table.next());
        let known = self.0.get(unit);
        let duty = first.clone().or_else(|| known.map(|known| known.duty.clone()));
        let number = match rung {
            "deputy" => second.or_else(|| known.map(|known| known.deputy.clone())),
            _ => duty.clone(),
        };
        // The same telephone a second time reaches nobody else.
        let number =
            number.filter(|number| !number.is_empty() && (rung != "deputy" || Some(number) != duty.as_ref()));
        number.map(|number| (unit.to_owned(), number))
    }

    /// Units that may have to be told at night, and cannot be: each is a line.
    pub fn missing(&self, district: &District) -> Vec<String> {
        let lacks = |unit: &str| match self.0.get(unit) {
            None => Some("is not there"),
            Some(duty) if duty.duty.is_empty() => Some("has no duty number"),
            Some(duty) if duty.deputy.is_empty() => Some("has no deputy"),
            Some(duty) if duty.duty == duty.deputy => Some("has one number for both"),
            Some(_) => None,
        };
        // Courts and the like are only written to: nobody telephones them.
        let first = district.units().filter(|(_, unit)| unit.level == 1 && unit.supervise != "refer");
        first.filter_map(|(key, _)| lacks(key).map(|what| format!("duty.json: {key} {what}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_the_first_level_can_be_told() {
        let book = DutyBook::read(SHIPPED).expect("it reads");
        assert_eq!(book.missing(&District::shipped()), Vec::<String>::new());
        let lame = DutyBook::read(r#"[{"unit": "rl", "duty_phone": "1", "deputy_phone": "1"}]"#).unwrap();
        let missing = lame.missing(&District::shipped());
        assert!(missing.contains(&"duty.json: rl has one number for both".to_owned()), "{missing:?}");
        assert!(missing.contains(&"duty.json: zls is not there".to_owned()), "{missing:?}");
    }

    #[test]
    fn the_table_goes_before_the_book_and_nobody_is_asked_twice() {
        let text = r#"[{"unit": "rl", "duty_phone": "11", "deputy_phone": "12"},
            {"unit": "rexianban", "duty_phone": "91", "deputy_phone": "92"}]"#;
        let book = DutyBook::read(text).unwrap();
        let reach = |rung: &str, table: &[&str]| {
            let of = |unit: &str| match unit {
                "rl" => table.iter().map(|number| (*number).to_owned()).collect(),
                _ => Vec::new(),
            };
            book.reach(rung, "rl", of).map(|(unit, number)| format!("{unit} {number}"))
        };
        let told = |text: &str| Some(text.to_owned());
        assert_eq!([reach("duty", &[]), reach("deputy", &[])], [told("rl 11"), told("rl 12")]);
        assert_eq!([reach("duty", &["21"]), reach("deputy", &["21"])], [told("rl 21"), told("rl 12")]);
        assert_eq!(reach("deputy", &["21", "22"]), told("rl 22"));
        assert_eq!(reach("deputy", &["12"]), None, "the deputy has the duty");
        assert_eq!(reach("office", &["21", "22"]), told("rexianban 91"));
        assert_eq!(book.reach("duty", "xx", |_| Vec::new()), None);
    }
}
