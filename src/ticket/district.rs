//! The codes a ticket may carry: matters, streets, units and what is below them. From the files in `district/`.

use serde::Deserialize;
use std::collections::BTreeMap;

const CATEGORIES: &str = include_str!("../../district/categories.json");
const STREETS: &str = include_str!("../../district/streets.json");
const DEPARTMENTS: &str = include_str!("../../district/departments.json");
const SUBUNITS: &str = include_str!("../../district/subunits.json");

/// A unit: of the first level, or below one that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub short: String,
    pub kind: String,
    /// The unit it belongs to; `None` on the first level.
    pub parent: Option<String>,
    /// 1 answers for the clock; 2 and 3 are its sections, teams, communities, grids.
    pub level: u8,
    /// How it may be pressed: `order`, `letter` (through the district office), `refer` (told, never pressed).
    pub supervise: String,
    /// What its unit keeps of the time when it passes a ticket down: percent, and minutes at least.
    pub reserve_pct: u32,
    pub reserve_min: u32,
}

/// What a ticket can be about, and who usually sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    pub names: [String; 3],
    /// A unit, or `street`: the office of the address.
    pub lead: String,
    pub assist: Vec<String>,
    pub urgency: String,
    /// 正在发生 alone makes it urgent.
    pub happening: bool,
}

/// What a ticket is about is known by these codes only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct District {
    categories: BTreeMap<String, Category>,
    /// The unit whose street it is, by the street's code.
    streets: BTreeMap<String, Option<String>>,
    units: BTreeMap<String, Unit>,
}

/// The word in the catalogue for the street's own office.
const STREET: &str = "street";

#[derive(Deserialize)]
struct RawCategory {
    code: String,
    l1: String,
    l2: String,
    l3: String,
    #[serde(default)]
    lead: Option<String>,
    #[serde(default)]
    assist: Vec<String>,
    urgency: String,
    raised: Option<RawRaised>,
}

#[derive(Deserialize)]
struct RawRaised {
    ticks: Vec<String>,
}

#[derive(Deserialize)]
struct RawStreet {
    code: String,
    office: String,
}

#[derive(Deserialize)]
struct RawDepartment {
    key: String,
    name: String,
    short: String,
    kind: String,
    supervise: String,
}

#[derive(Deserialize)]
struct RawSubunit {
    key: String,
    parent: String,
    level: u8,
    kind: String,
    name: String,
    short: String,
    reserve_pct: u32,
    reserve_min_minutes: u32,
}

impl District {
    /// From the four files' texts.
    pub fn read(
        categories: &str,
        streets: &str,
        departments: &str,
        subunits: &str,
    ) -> Result<Self, serde_json::Error> {
        let categories: Vec<RawCategory> = serde_json::from_str(categories)?;
        let streets: Vec<RawStreet> = serde_json::from_str(streets)?;
        let departments: Vec<RawDepartment> = serde_json::from_str(departments)?;
        let subunits: Vec<RawSubunit> = serde_json::from_str(subunits)?;
        let office =
            |name: &str| departments.iter().find(|unit| unit.name == name).map(|unit| unit.key.clone());
        let streets = streets.into_iter().map(|street| (street.code, office(&street.office))).collect();
        let mut units: BTreeMap<String, Unit> = BTreeMap::new();
        for raw in departments {
            let unit = Unit {
                name: raw.name,
                short: raw.short,
                kind: raw.kind,
                parent: None,
                level: 1,
                supervise: raw.supervise,
                reserve_pct: 0,
                reserve_min: 0,
            };
            units.insert(raw.key, unit);
        }
        for raw in subunits {
            let unit = Unit {
                name: raw.name,
                short: raw.short,
                kind: raw.kind,
                parent: Some(raw.parent),
                level: raw.level,
                supervise: "order".to_owned(),
                reserve_pct: raw.reserve_pct,
                reserve_min: raw.reserve_min_minutes,
            };
            units.insert(raw.key, unit);
        }
        let category = |raw: RawCategory| {
            let names = [raw.l1, raw.l2, raw.l3];
            let lead = raw.lead.unwrap_or_default();
            let happening =
                raw.raised.is_some_and(|raised| raised.ticks.iter().any(|tick| tick == "正在发生"));
            (raw.code, Category { names, lead, assist: raw.assist, urgency: raw.urgency, happening })
        };
        Ok(Self { categories: categories.into_iter().map(category).collect(), streets, units })
    }

    /// The one the program carries. It reads: a test looks at these very texts.
    pub fn shipped() -> Self {
        Self::read(CATEGORIES, STREETS, DEPARTMENTS, SUBUNITS).unwrap_or_default()
    }

    pub fn has_category(&self, code: &str) -> bool {
        self.categories.contains_key(code)
    }
    /// How urgent the matter is unless somebody says otherwise.
    pub fn urgency(&self, category: &str) -> Option<&str> {
        self.categories.get(category).map(|category| category.urgency.as_str())
    }
    /// Codes of the streets with their offices.
    pub fn streets(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.streets.iter().map(|(code, office)| (code.as_str(), office.as_deref()))
    }
    pub fn has_street(&self, code: &str) -> bool {
        self.streets.contains_key(code)
    }
    /// A unit that may lead: of the first level, since only that one answers for the clock.
    pub fn has_unit(&self, key: &str) -> bool {
        self.units.get(key).is_some_and(|unit| unit.level == 1)
    }

    pub fn units(&self) -> impl Iterator<Item = (&str, &Unit)> {
        self.units.iter().map(|(key, unit)| (key.as_str(), unit))
    }
    pub fn unit(&self, key: &str) -> Option<&Unit> {
        self.units.get(key)
    }
    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories.get(code)
    }
    pub fn categories(&self) -> impl Iterator<Item = (&str, &Category)> {
        self.categories.iter().map(|(code, category)| (code.as_str(), category))
    }

    /// The unit itself and those above it, nearest first.
    pub fn line<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        // Three levels; a circle in a file ends here too.
        std::iter::successors(Some(key), |key| self.units.get(*key)?.parent.as_deref()).take(4)
    }

    /// The unit of the street's office.
    pub fn street_office(&self, street: &str) -> Option<&str> {
        self.streets.get(street)?.as_deref()
    }

    /// Who leads by the catalogue of powers and duties; nobody when the street decides and is not known.
    pub fn catalogue_lead<'a>(&'a self, category: &str, street: Option<&str>) -> Option<&'a str> {
        self.resolve(&self.categories.get(category)?.lead, street)
    }

    /// A unit's key as the catalogue writes it; `street` is the office of the address.
    pub fn resolve<'a>(&'a self, key: &'a str, street: Option<&str>) -> Option<&'a str> {
        if key == STREET { self.street_office(street?) } else { self.has_unit(key).then_some(key) }
    }

    /// Matters that nobody would lead.
    pub fn without_lead(&self) -> impl Iterator<Item = &str> {
        let led = |category: &Category| category.lead == STREET || self.has_unit(&category.lead);
        self.categories().filter(move |(_, category)| !led(category)).map(|(code, _)| code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::life::URGENCIES;
    use serde_json::Value as Json;
    use std::collections::BTreeSet;

    #[test]
    fn the_shipped_files_read_and_every_matter_has_an_urgency() {
        let district = District::read(CATEGORIES, STREETS, DEPARTMENTS, SUBUNITS).unwrap();
        assert_eq!(district, District::shipped());
        let first = district.units.values().filter(|unit| unit.level == 1).count();
        assert_eq!((district.categories.len(), district.streets.len(), first), (68, 15, 63));
        assert_eq!(district.units.len(), 75, "twelve below the first level");
        assert!(district.categories.values().all(|c| URGENCIES.contains(&c.urgency.as_str())));
        assert_eq!(district.urgency("010201"), Some("U"));
        assert!(district.has_unit("rl") && !district.has_unit("rl-bzf") && !district.has_street("st019"));
    }

    #[test]
    fn streets_have_their_offices_and_units_their_line() {
        let district = District::shipped();
        assert!(district.streets.values().all(Option::is_some), "a street without its office");
        assert_eq!(district.street_office("110102019"), Some("st019"));
        assert_eq!(district.line("st019-sq-w1").collect::<Vec<_>>(), ["st019-sq-w1", "st019-sq", "st019"]);
        for (key, unit) in district.units() {
            assert!(unit.parent.as_deref().is_none_or(|parent| district.unit(parent).is_some()), "{key}");
        }
        assert_eq!(district.without_lead().count(), 0);
        assert_eq!(district.catalogue_lead("040104", Some("110102007")), Some("st007"), "its street");
        assert_eq!(district.catalogue_lead("040104", None), None);
        assert_eq!(district.catalogue_lead("030101", None), Some("rl"));
    }

    /// The panel proposes codes by its own copy; one it has and we have not would be refused at the end of a call.
    #[test]
    fn the_panel_offers_the_same_codes() {
        let district = District::shipped();
        let names: Json = serde_json::from_str(include_str!("../../panel/src/i18n/district.json")).unwrap();
        let keys =
            |kind: &str| -> BTreeSet<String> { names[kind].as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys("category"), district.categories.keys().cloned().collect());
        assert_eq!(keys("street"), district.streets.keys().cloned().collect());
        // Units below the first level have a hyphen in their code.
        let first: BTreeSet<_> = keys("unit").into_iter().filter(|key| !key.contains('-')).collect();
        assert_eq!(first, first_level(&district));
        let rows: Vec<Vec<String>> =
            serde_json::from_str(include_str!("../../panel/src/data/categories.json")).unwrap();
        let theirs: BTreeMap<_, _> = rows.into_iter().map(|row| (row[0].clone(), row[5].clone())).collect();
        let ours: BTreeMap<_, _> =
            district.categories().map(|(code, c)| (code.to_owned(), c.urgency.clone())).collect();
        assert_eq!(theirs, ours);
    }

    fn first_level(district: &District) -> BTreeSet<String> {
        district.units().filter(|(_, unit)| unit.level == 1).map(|(key, _)| key.to_owned()).collect()
    }
}
