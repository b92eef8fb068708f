//! An order of the city's: read and checked as a whole.

use super::{Wrong, is_no};
use crate::ticket::cycle::{CityOrder, ClockName};
use crate::ticket::district::District;
use crate::ticket::life::{Refusal, SECRECIES, TYPES, URGENCIES, Why};

/// Characters of what happened, of its title and of an address.
const CONTENT_MAX: usize = 4_000;
const TITLE_MAX: usize = 80;
const ADDRESS_MAX: usize = 200;
const NAME_MAX: usize = 40;
/// The line of a list that stands for a matter without a title.
const TITLE: usize = 40;
/// A deadline further away is a slip: three years.
const FAR_MS: i64 = 3 * 366 * 86_400_000;

/// What was given, not yet looked at. Times in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct GivenOrder {
    pub city_no: String,
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    pub content: Option<String>,
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
    pub secrecy: Option<String>,
    pub due: Vec<(ClockName, i64)>,
    /// `city district`: who calls the citizen back; by the rules when absent.
    pub callback: Option<String>,
}

/// An order that can become a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub city: CityOrder,
    pub kind: String,
    pub category: Option<String>,
    pub street: Option<String>,
    pub urgency: Option<String>,
    pub title: String,
    pub content: String,
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
    pub secrecy: String,
}

impl Order {
    /// The order, or all that is wrong with it. `visits`: the city calls back where it does not say who does.
    pub fn read(
        given: GivenOrder,
        district: &District,
        visits: bool,
        now: i64,
    ) -> Result<Self, Vec<Refusal>> {
        let mut wrong = Wrong::default();
        let no = given.city_no.trim().to_owned();
        if !is_no(&no) {
            wrong.tell("city_no", Why::Needed, "city_no: letters, digits and dashes, 40 at most");
        }
        let kind = wrong.code("type", given.kind, &|code| TYPES.contains(&code));
        if kind.is_none() {
            wrong.tell("type", Why::Needed, "type: needed");
        }
        let category = wrong.code("category", given.category, &|code| district.has_category(code));
        let street = wrong.code("street", given.street, &|code| district.has_street(code));
        let urgency = wrong.code("urgency", given.urgency, &|code| URGENCIES.contains(&code));
        let secrecy = wrong
            .code("secrecy", given.secrecy, &|code| SECRECIES.contains(&code))
            .unwrap_or_else(|| "normal".to_owned());
        let content = wrong.text("content", given.content, CONTENT_MAX);
        if content.is_none() {
            wrong.tell("content", Why::Needed, "content: what happened");
        }
        let content = content.unwrap_or_default();
        let title = wrong.text("title", given.title, TITLE_MAX).unwrap_or_else(|| title(&content));
        let (name, address) =
            (wrong.text("name", given.name, NAME_MAX), wrong.text("address", given.address, ADDRESS_MAX));
        let number = wrong.text("number", given.number, 24);
        if number.as_deref().is_some_and(|number| !is_number(number)) {
            wrong.tell("number", Why::UnknownCode, "number: 5 to 20 digits");
        }
        let callback = wrong.code("callback", given.callback, &|code| ["city", "district"].contains(&code));
        let visits = callback.as_deref().map_or(visits, |callback| callback == "city");
        let mut due = given.due;
        due.sort_by_key(|(name, _)| *name);
        if !due.iter().any(|(name, _)| *name == ClockName::Close) {
            wrong.tell("deadlines", Why::Needed, "deadlines: close is needed");
        }
        if due.windows(2).any(|pair| pair[0].0 == pair[1].0 || pair[0].1 > pair[1].1) {
            wrong.tell(
                "deadlines",
                Why::Limit,
                "deadlines: in the order dispatch, sign, contact, feedback, close",
            );
        }
        if due.iter().any(|(_, at)| (at - now).abs() > FAR_MS) {
            wrong.tell("deadlines", Why::Limit, "deadlines: within three years");
        }
        // Where it waits for nobody to be known, nobody is known.
        let anonymous = secrecy == "anonymous";
        if !wrong.0.is_empty() {
            return Err(wrong.0);
        }
        Ok(Self {
            // A leaf says how urgent its matter is, where the city does not.
            urgency: urgency
                .or_else(|| category.as_deref().and_then(|code| district.urgency(code)).map(str::to_owned)),
            city: CityOrder { no, due, visits },
            kind: kind.unwrap_or_default(),
            category,
            street,
            title,
            content,
            name: name.filter(|_| !anonymous),
            number: number.filter(|_| !anonymous),
            address,
            secrecy,
        })
    }
}

fn is_number(text: &str) -> bool {
    let plain = text.strip_prefix('+').unwrap_or(text);
    (5..=20).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_digit())
}

/// The first sentence, short enough for a line of a list.
fn title(content: &str) -> String {
    let first = content.split(['。', '！', '？', '!', '?', '\n']).next().unwrap_or_default().trim();
    first.chars().take(TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_764_725_100_000;
    const DAY: i64 = 86_400_000;

    fn given() -> GivenOrder {
        GivenOrder {
            city_no: " 12345TEST2612030001 ".into(),
            kind: Some("help".into()),
            category: Some("010202".into()),
            content: Some("增光路连着三盏路灯不亮。经核实位置在海淀区。".into()),
            number: Some("12000000020".into()),
            due: vec![(ClockName::Close, NOW + 5 * DAY), (ClockName::Sign, NOW + DAY)],
            ..GivenOrder::default()
        }
    }

    #[test]
    fn an_order_is_read_whole() {
        let order = Order::read(given(), &District::shipped(), true, NOW).unwrap();
        assert_eq!((&*order.city.no, order.city.visits), ("12345TEST2612030001", true));
        assert_eq!(order.city.due, [(ClockName::Sign, NOW + DAY), (ClockName::Close, NOW + 5 * DAY)]);
        assert_eq!((&*order.title, order.urgency.as_deref()), ("增光路连着三盏路灯不亮", Some("N")));
        let own = GivenOrder { callback: Some("district".into()), ..given() };
        assert!(!Order::read(own, &District::shipped(), true, NOW).unwrap().city.visits);
        let nobody = GivenOrder { secrecy: Some("anonymous".into()), name: Some("王".into()), ..given() };
        let nobody = Order::read(nobody, &District::shipped(), true, NOW).unwrap();
        assert_eq!((nobody.number, nobody.name), (None, None));
    }

    #[test]
    fn what_is_wrong_is_told_by_field() {
        let close = |at| vec![(ClockName::Close, at)];
        let slips: Vec<(GivenOrder, &str)> = vec![
            (GivenOrder { city_no: "12/3".into(), ..given() }, "city_no"),
            (GivenOrder { city_no: "1".repeat(41), ..given() }, "city_no"),
            (GivenOrder { kind: None, ..given() }, "type"),
            (GivenOrder { kind: Some("wish".into()), ..given() }, "type"),
            (GivenOrder { category: Some("999999".into()), ..given() }, "category"),
            (GivenOrder { street: Some("1".into()), ..given() }, "street"),
            (GivenOrder { urgency: Some("X".into()), ..given() }, "urgency"),
            (GivenOrder { content: Some("  ".into()), ..given() }, "content"),
            (GivenOrder { content: Some("长".repeat(4_001)), ..given() }, "content"),
            (GivenOrder { number: Some("1200x".into()), ..given() }, "number"),
            (GivenOrder { callback: Some("both".into()), ..given() }, "callback"),
            (GivenOrder { due: Vec::new(), ..given() }, "deadlines"),
            (GivenOrder { due: close(NOW + 2_000 * DAY), ..given() }, "deadlines"),
            (
                GivenOrder {
                    due: vec![(ClockName::Close, NOW + DAY), (ClockName::Sign, NOW + 2 * DAY)],
                    ..given()
                },
                "deadlines",
            ),
        ];
        for (slip, field) in slips {
            let told = Order::read(slip, &District::shipped(), true, NOW).unwrap_err();
            assert_eq!(told.iter().map(|one| one.field).collect::<Vec<_>>(), [field], "{told:?}");
        }
    }
}
