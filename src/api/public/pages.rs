//! The pages themselves: what is put into them is escaped, all of it.

use super::limits::PublicLimits;
use super::texts::Language;
use crate::ticket::life::TYPES;
use maud::{DOCTYPE, Markup, html};

/// The four questions that make a matter urgent.
pub const TICKS: [&str; 4] = ["happening", "trapped", "smoke", "crowd"];
pub const SECRECIES: [&str; 3] = ["normal", "secret", "anonymous"];

pub fn frame(l: Language, body: Markup) -> Markup {
    let (other, word, tag) = match l {
        Language::Chinese => ("en", "English", "en"),
        Language::English => ("zh", "中文", "zh-CN"),
    };
    html! {
        (DOCTYPE)
        html lang=(l.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (l.say("title")) }
                link rel="stylesheet" href="/public/style.css";
            }
            body {
                a.skip href="#main" { (l.say("skip")) }
                header.top {
                    b { "12341" }
                    span { (l.say("service")) }
                    a href={ "/public/?lang=" (other) } lang=(tag) { (word) }
                }
                main #main { (body) }
                footer { p { (l.say("foot")) } }
            }
        }
    }
}

fn back(l: Language) -> Markup {
    html! { p { a.back href="/public/" { "‹ " (l.say("back")) } } }
}

pub fn sorry(l: Language, word: &str) -> Markup {
    html! { (back(l)) div.err role="alert" { p { (l.say(word)) } } }
}

/// `wrong`: nothing was found with what was given.
pub fn home(l: Language, no: &str, wrong: Option<&str>) -> Markup {
    html! {
        h1 { (l.say("home")) }
        p.lead { (l.say("home_lead")) }
        a.call href="tel:12341" { b { (l.say("dial")) } span { (l.say("dial_hint")) } }
        form.box action="/public/ticket" method="post" {
            h2 { (l.say("look")) }
            @if let Some(word) = wrong { p.bad #e-look role="alert" { (l.say(word)) } }
            div.f {
                label for="no" { (l.say("no")) }
                p.hint #h-no { (l.say("no_hint")) }
                input #no name="no" type="text" inputmode="numeric" autocomplete="off" maxlength="20" required
                    aria-describedby="h-no" value=(no);
            }
            div.f {
                label for="code" { (l.say("code")) }
                p.hint #h-code { (l.say("code_hint")) }
                input #code name="code" type="text" inputmode="numeric" autocomplete="off" maxlength="12" required
                    aria-describedby="h-code";
            }
            button.go type="submit" { (l.say("look_go")) }
        }
        nav.nav aria-label=(l.say("leave")) {
            a href="/public/message" { b { (l.say("leave")) } span { (l.say("leave_hint")) } }
        }
        div.em { b { (l.say("urgent")) } " " (l.say("urgent_numbers")) }
    }
}

/// What was filled in, to be shown again.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    pub token: String,
    pub kind: String,
    pub content: String,
    pub street: String,
    pub address: String,
    pub ticks: Vec<String>,
    pub secrecy: String,
    pub name: String,
    pub number: String,
    pub hide: String,
}

/// `errors`: fields and keys of what is wrong with them. `streets`: codes and names.
pub fn message(
    l: Language,
    filled: &Filled,
    errors: &[(&'static str, &'static str)],
    streets: &[(&str, &str)],
    limits: &PublicLimits,
) -> Markup {
    let wrong = |field: &str| errors.iter().find(|(at, _)| *at == field).map(|(_, word)| l.say(word));
    let bad = |field: &str| {
        html! { @if let Some(text) = wrong(field) { p.bad id={ "e-" (field) } { (text) } } }
    };
    let hint = l.say("photos_hint").replace("{n}", &limits.photos.to_string());
    let hint = hint.replace("{m}", &(limits.photo_bytes >> 20).to_string());
    html! {
        (back(l))
        h1 { (l.say("leave")) }
        p.lead { (l.say("urgent")) " " (l.say("urgent_numbers")) }
        @if !errors.is_empty() {
            div.err role="alert" tabindex="-1" {
                h2 { (l.say("errors")) }
                ul { @for (field, word) in errors { li { a href={ "#" (field) } { (l.say(word)) } } } }
            }
        }
        form.box action="/public/message" method="post" enctype="multipart/form-data" {
            input type="hidden" name="token" value=(filled.token);
            fieldset.f {
                legend #type { (l.say("type")) }
                (bad("type"))
                div.opt.two {
                    @for kind in TYPES {
                        label { input type="radio" name="type" value=(kind) checked[filled.kind == kind]; (l.say(&["type.", kind].concat())) }
                    }
                }
            }
            div.f {
                label for="content" { (l.say("content")) }
                p.hint #h-content { (l.say("content_hint")) }
                (bad("content"))
                textarea #content name="content" maxlength="2000" aria-describedby="h-content" { (filled.content) }
            }
            div.f {
                label for="street" { (l.say("street")) }
                (bad("street"))
                select #street name="street" {
                    option value="" { (l.say("street_unknown")) }
                    @for (code, name) in streets { option value=(code) selected[filled.street == *code] { (name) } }
                }
            }
            div.f {
                label for="address" { (l.say("address")) }
                p.hint #h-address { (l.say("address_hint")) }
                input #address name="address" type="text" maxlength="200" aria-describedby="h-address" value=(filled.address);
            }
            fieldset.f {
                legend { (l.say("ticks")) }
                div.opt {
                    @for tick in TICKS {
                        label { input type="checkbox" name="tick" value=(tick) checked[filled.ticks.iter().any(|one| one == tick)]; (l.say(&["tick.", tick].concat())) }
                    }
                }
            }
            fieldset.f {
                legend #secrecy { (l.say("secrecy")) }
                (bad("secrecy"))
                div.opt {
                    @for one in SECRECIES {
                        label {
                            input type="radio" name="secrecy" value=(one) checked[filled.secrecy == one];
                            span { (l.say(&["secrecy.", one].concat())) small { (l.say(&["secrecy.", one, "_hint"].concat())) } }
                        }
                    }
                }
            }
            div.f {
                label for="name" { (l.say("name")) }
                input #name name="name" type="text" maxlength="40" autocomplete="name" value=(filled.name);
            }
            div.f {
                label for="number" { (l.say("number")) }
                p.hint #h-number { (l.say("number_hint")) }
                (bad("number"))
                input #number name="number" type="tel" maxlength="32" autocomplete="tel" aria-describedby="h-number" value=(filled.number);
            }
            div.f {
                label for="hide" { (l.say("hide")) }
                p.hint #h-hide { (l.say("hide_hint")) }
                input #hide name="hide" type="text" maxlength="500" aria-describedby="h-hide" value=(filled.hide);
            }
            div.f {
                label for="photos" { (l.say("photos")) }
                p.hint #h-photos { (hint) }
                (bad("photos"))
                input #photos name="photos" type="file" accept="image/jpeg,image/png,image/webp" multiple aria-describedby="h-photos";
            }
            // People leave it empty, and do not see it.
            div.hp aria-hidden="true" {
                label for="website" { (l.say("trap")) }
                input #website name="website" type="text" tabindex="-1" autocomplete="off";
            }
            button.go type="submit" { (l.say("send")) }
        }
    }
}

/// A number as it is read out: four digits, a gap.
pub fn grouped(no: &str) -> String {
    let digits: Vec<char> = no.chars().collect();
    digits.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

pub fn receipt(l: Language, no: &str, code: &str) -> Markup {
    html! {
        (back(l))
        h1 { (l.say("received")) }
        div.st role="status" {
            p { (l.say("no")) } p.big data-no=(no) { (grouped(no)) }
            p { (l.say("code")) } p.big data-code=(code) { (code) }
        }
        p { (l.say("received_lead")) }
        div.box {
            h2 { (l.say("next")) }
            ol { li { "1. " (l.say("next_1")) } li { "2. " (l.say("next_2")) } li { "3. " (l.say("next_3")) } }
        }
    }
}

/// How a ticket stands, as its citizen may know it.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub no: String,
    pub code: String,
    /// Key of the state's words.
    pub state: String,
    pub unit: Option<String>,
    pub accepted: String,
    pub due: Option<String>,
    pub reply: Option<String>,
    pub open: bool,
    pub asks: bool,
    /// What was just done, or why it was not.
    pub done: Option<&'static str>,
    pub wrong: Option<&'static str>,
}

pub fn ticket(l: Language, of: &Standing) -> Markup {
    let both = html! { input type="hidden" name="no" value=(of.no); input type="hidden" name="code" value=(of.code); };
    let deed = |action: &str, hint: Option<&str>, least: u32, most: u32| {
        html! {
            details {
                summary { (l.say(action)) }
                form action="/public/ticket" method="post" {
                    (both)
                    input type="hidden" name="do" value=(action);
                    div.f {
                        label for={ "t-" (action) } { (l.say(&[action, "_text"].concat())) }
                        @if let Some(hint) = hint { p.hint { (l.say(hint)) } }
                        textarea id={ "t-" (action) } name="text" minlength=(least) maxlength=(most) required {}
                    }
                    button.go.o type="submit" { (l.say("go")) }
                }
            }
        }
    };
    let choice = |name: &str, options: &[(&str, &str)]| {
        html! {
            fieldset.f {
                legend { (l.say(&["q.", name].concat())) }
                div.opt.(if options.len() == 3 { "three" } else { "two" }) {
                    @for (value, word) in options {
                        label { input type="radio" name=(name) value=(value); (l.say(word)) }
                    }
                }
            }
        }
    };
    html! {
        (back(l))
        @if let Some(word) = of.done { p.done role="status" { (l.say(word)) } }
        @if let Some(word) = of.wrong { div.err role="alert" { p { (l.say(word)) } } }
        h1 { (l.say("look")) }
        div.st data-state=(of.state) { b { (l.say(&["state.", &*of.state].concat())) } }
        dl {
            dt { (l.say("no")) } dd { (grouped(&of.no)) }
            dt { (l.say("accepted_at")) } dd { (of.accepted) }
            @if let Some(unit) = &of.unit { dt { (l.say("unit")) } dd { (unit) } }
            @if let Some(due) = &of.due { dt { (l.say("due")) } dd { (due) } }
        }
        @if let Some(reply) = &of.reply { h2 { (l.say("reply")) } div.rep { (reply) } }
        @if of.asks {
            form.box action="/public/ticket" method="post" {
                h2 { (l.say("rate")) }
                (both)
                input type="hidden" name="do" value="visit";
                (choice("contacted", &[("yes", "yes"), ("no", "no_")]))
                (choice("solved", &[("yes", "solved.yes"), ("partial", "solved.partial"), ("no", "solved.no")]))
                (choice("satisfied", &[("satisfied", "satisfied.satisfied"), ("basic", "satisfied.basic"), ("not", "satisfied.not")]))
                (choice("accurate", &[("yes", "yes"), ("no", "no_")]))
                div.f { label for="opinion" { (l.say("rate_text")) } textarea #opinion name="text" maxlength="1000" {} }
                button.go type="submit" { (l.say("go")) }
            }
        }
        @if of.open {
            (deed("urge", None, 2, 1000))
            (deed("supplement", None, 2, 1000))
            (deed("withdraw", Some("withdraw_hint"), 2, 500))
        }
    }
}
