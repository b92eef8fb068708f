//! The codes a ticket may carry: matters, streets, units of the first level. From the files in `district/`.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const CATEGORIES: &str = include_str!("../../district/categories.json");
const STREETS: &str = include_str!("../../district/streets.json");
const DEPARTMENTS: &str = include_str!("../../district/departments.json");

/// What a ticket is about is known by these codes only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct District {
    /// Urgency (`U L N C`) by the code of the matter.
    categories: BTreeMap<String, String>,
    streets: BTreeSet<String>,
    units: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Category {
    code: String,
    urgency: String,
}

#[derive(Deserialize)]
struct Street {
    code: String,
}

#[derive(Deserialize)]
struct Department {
    key: String,
}

impl District {
    /// From the three files' texts.
    pub fn read(categories: &str, streets: &str, departments: &str) -> Result<Self, serde_json::Error> {
        let categories: Vec<Category> = serde_json::from_str(categories)?;
        let streets: Vec<Street> = serde_json::from_str(streets)?;
        let departments: Vec<Department> = serde_json::from_str(departments)?;
        Ok(Self {
            categories: categories.into_iter().map(|c| (c.code, c.urgency)).collect(),
            streets: streets.into_iter().map(|s| s.code).collect(),
            units: departments.into_iter().map(|d| d.key).collect(),
        })
    }

    /// The one the program carries. It reads: a test looks at these very texts.
    pub fn shipped() -> Self {
        Self::read(CATEGORIES, STREETS, DEPARTMENTS).unwrap_or_default()
    }

    pub fn has_category(&self, code: &str) -> bool {
        self.categories.contains_key(code)
    }
    /// How urgent the matter is unless somebody says otherwise.
    pub fn urgency(&self, category: &str) -> Option<&str> {
        self.categories.get(category).map(String::as_str)
    }
    pub fn has_street(&self, code: &str) -> bool {
        self.streets.contains(code)
    }
    /// A unit that may lead: of the first level, since only that one answers for the clock.
    pub fn has_unit(&self, key: &str) -> bool {
        self.units.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::life::URGENCIES;
    use serde_json::Value as Json;

    #[test]
    fn the_shipped_files_read_and_every_matter_has_an_urgency() {
        let district = District::read(CATEGORIES, STREETS, DEPARTMENTS).unwrap();
        assert_eq!(district, District::shipped());
        assert_eq!((district.categories.len(), district.streets.len(), district.units.len()), (68, 15, 63));
        assert!(district.categories.values().all(|u| URGENCIES.contains(&u.as_str())));
        assert_eq!(district.urgency("010201"), Some("U"));
        assert!(district.has_unit("rl") && !district.has_unit("rl-bzf") && !district.has_street("st019"));
    }

    /// The panel proposes codes by its own copy; one it has and we have not would be refused at the end of a call.
    #[test]
    fn the_panel_offers_the_same_codes() {
        let district = District::shipped();
        let names: Json = serde_json::from_str(include_str!("../../panel/src/i18n/district.json")).unwrap();
        let keys =
            |kind: &str| -> BTreeSet<String> { names[kind].as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys("category"), district.categories.keys().cloned().collect());
        assert_eq!(keys("street"), district.streets);
        // Units below the first level have a hyphen in their code.
        assert_eq!(
            keys("unit").into_iter().filter(|key| !key.contains('-')).collect::<BTreeSet<_>>(),
            district.units
        );
        let rows: Vec<Vec<String>> =
            serde_json::from_str(include_str!("../../panel/src/data/categories.json")).unwrap();
        let theirs: BTreeMap<_, _> = rows.into_iter().map(|row| (row[0].clone(), row[5].clone())).collect();
        assert_eq!(theirs, district.categories);
    }
}
