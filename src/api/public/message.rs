//! A message: the form, and what becomes of it.

use super::pages::{self, Filled, SECRECIES, TICKS};
use super::photo::{self, NoPhoto, Photo};
use super::texts::Language;
use super::{Visitor, page, sorry};
use crate::api::state::Api;
use crate::store::{Attachment, NewTicket, WebMessage};
use crate::ticket::life::TYPES;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt as _;
use std::path::Path;

/// Characters of what happened.
const CONTENT: std::ops::RangeInclusive<usize> = 10..=2_000;
/// Bytes of all that is not a photo.
const TEXT_MAX: usize = 64 * 1024;
/// Parts of a form.
const PARTS_MAX: usize = 40;
const TITLE: usize = 40;

/// An empty form, with a token that makes it one message.
pub async fn form(State(api): State<Api>, visitor: Visitor) -> Response {
    match fresh() {
        Some(token) => shown(&api, &visitor, &Filled { token, ..Filled::default() }, &[]),
        None => sorry(&visitor, StatusCode::SERVICE_UNAVAILABLE, "error.away"),
    }
}

fn shown(api: &Api, visitor: &Visitor, filled: &Filled, errors: &[(&'static str, &'static str)]) -> Response {
    let name = |office: &str| api.district.unit(office).map_or("", |unit| unit.short.as_str());
    let streets = api.district.streets().filter_map(|(code, office)| Some((code, name(office?))));
    let streets: Vec<(&str, &str)> = streets.collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(visitor, status, pages::message(visitor.language, filled, errors, &streets, &api.limits.public))
}

/// 128 bits by chance, hexadecimal.
fn fresh() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

/// A form as it came.
#[derive(Default)]
struct Sent {
    filled: Filled,
    trapped: bool,
    photos: Vec<Vec<u8>>,
    wrong: Vec<(&'static str, &'static str)>,
}

/// A message, once for each form.
pub async fn leave(State(api): State<Api>, visitor: Visitor, request: Request) -> Response {
    if visitor.foreign {
        drain(request).await;
        return sorry(&visitor, StatusCode::FORBIDDEN, "error.form");
    }
    // Large bodies wait for nobody's memory: so many at once.
    let Ok(_permit) = api.public_bodies.try_acquire() else {
        drain(request).await;
        return sorry(&visitor, StatusCode::SERVICE_UNAVAILABLE, "error.busy");
    };
    let Ok(parts) = Multipart::from_request(request, &api).await else {
        return sorry(&visitor, StatusCode::BAD_REQUEST, "error.form");
    };
    let Some(mut sent) = received(&api, parts).await else {
        return sorry(&visitor, StatusCode::BAD_REQUEST, "error.form");
    };
    // Only a machine fills in what nobody sees; it learns nothing.
    if sent.trapped || !is_token(&sent.filled.token) {
        api.counts.public("refused");
        return sorry(&visitor, StatusCode::BAD_REQUEST, "error.form");
    }
    check(&api, &mut sent);
    let mut photos = Vec::new();
    if sent.wrong.is_empty() {
        let given = std::mem::take(&mut sent.photos);
        let read = tokio::task::spawn_blocking(move || -> Result<Vec<Photo>, NoPhoto> {
            given.iter().map(|bytes| photo::read(bytes)).collect()
        });
        match read.await {
            Ok(Ok(read)) => photos = read,
            Ok(Err(why)) => sent.wrong.push(("photos", why.word())),
            Err(_) => sent.wrong.push(("photos", NoPhoto::Broken.word())),
        }
    }
    if !sent.wrong.is_empty() {
        api.counts.public("wrong");
        return shown(&api, &visitor, &sent.filled, &sent.wrong);
    }
    let most = api.limits.public.messages;
    if !api.public_limits().take("message", &visitor.source, most, api.now()) {
        api.counts.public("limited");
        return sorry(&visitor, StatusCode::TOO_MANY_REQUESTS, "error.often");
    }
    match kept(&api, &sent.filled, photos).await {
        Some((no, code)) => {
            api.counts.public("received");
            page(&visitor, StatusCode::OK, pages::receipt(visitor.language, &no, &code))
        }
        None => sorry(&visitor, StatusCode::SERVICE_UNAVAILABLE, "error.away"),
    }
}

/// A browser that still sends does not read: what is not wanted is let go by, so that it sees why.
async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// `None`: no form of ours.
async fn received(api: &Api, mut parts: Multipart) -> Option<Sent> {
    let limits = &api.limits.public;
    let (mut sent, mut texts) = (Sent::default(), 0);
    for _ in 0..PARTS_MAX {
        let Some(field) = parts.next_field().await.ok()? else { return Some(sent) };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "photos" {
            match bytes(field, limits.photo_bytes).await? {
                // The browser's word for no file.
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) if sent.photos.len() < limits.photos => sent.photos.push(bytes),
                Some(_) => sent.wrong.push(("photos", "error.photos_many")),
                None => sent.wrong.push(("photos", NoPhoto::Large.word())),
            }
            // One word for one field, and no more of its bytes.
            if sent.wrong.len() > 1 {
                return None;
            }
            continue;
        }
        let text = String::from_utf8(bytes(field, TEXT_MAX - texts).await??).ok()?;
        texts += text.len();
        let text = text.trim().to_owned();
        let filled = &mut sent.filled;
        match name.as_str() {
            "token" => filled.token = text,
            "type" => filled.kind = text,
            "content" => filled.content = text,
            "street" => filled.street = text,
            "address" => filled.address = text,
            "tick" if TICKS.contains(&text.as_str()) => filled.ticks.push(text),
            "secrecy" => filled.secrecy = text,
            "name" => filled.name = text,
            "number" => filled.number = text,
            "hide" => filled.hide = text,
            "website" => sent.trapped |= !text.is_empty(),
            _ => {}
        }
    }
    None
}

/// Outer `None`: the body broke off. Inner: more than so many bytes.
async fn bytes(mut field: Field<'_>, most: usize) -> Option<Option<Vec<u8>>> {
    let mut all = Vec::new();
    while let Some(part) = field.chunk().await.ok()? {
        if all.len() + part.len() > most {
            return Some(None);
        }
        all.extend_from_slice(&part);
    }
    Some(Some(all))
}

fn check(api: &Api, sent: &mut Sent) {
    let (filled, wrong) = (&sent.filled, &mut sent.wrong);
    let long = |text: &str| text.chars().count();
    if !TYPES.contains(&filled.kind.as_str()) {
        wrong.push(("type", "error.type"));
    }
    if !CONTENT.contains(&long(&filled.content)) {
        wrong.push(("content", "error.content"));
    }
    if !filled.street.is_empty() && !api.district.has_street(&filled.street) {
        wrong.push(("street", "error.street"));
    }
    if !SECRECIES.contains(&filled.secrecy.as_str()) {
        wrong.push(("secrecy", "error.secrecy"));
    }
    if filled.secrecy != "anonymous" && number(&filled.number).is_none() {
        wrong.push(("number", "error.number"));
    }
    for (field, text, most) in
        [("address", &filled.address, 200), ("name", &filled.name, 40), ("hide", &filled.hide, 500)]
    {
        if long(text) > most {
            wrong.push((field, "error.too_long"));
        }
    }
}

/// Without the gaps people write.
fn number(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let plain = digits.strip_prefix('+').unwrap_or(&digits);
    ((7..=20).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// The first sentence, short enough for a line of a list.
fn title(content: &str) -> String {
    let first = content.split(['。', '！', '？', '!', '?', '\n']).next().unwrap_or_default().trim();
    let mut title: String = first.chars().take(TITLE).collect();
    if first.chars().count() > TITLE {
        title.pop();
        title.push('…');
    }
    title
}

/// Number and code; `None`: it cannot be written now.
async fn kept(api: &Api, filled: &Filled, photos: Vec<Photo>) -> Option<(String, String)> {
    let (no, _) = api.parts.engine.draw_number().await.ok()?;
    let mut rows = Vec::new();
    for photo in photos {
        let id = fresh()?;
        let path = api.parts.pictures.join(format!("{id}.jpg"));
        rows.push(Attachment {
            id,
            bytes: photo.bytes.len() as i64,
            width: photo.width.into(),
            height: photo.height.into(),
        });
        if let Err(error) = written(&path, &photo.bytes).await {
            tracing::warn!(%error, "a picture cannot be kept");
            forget(api, &rows).await;
            return None;
        }
    }
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let anonymous = filled.secrecy == "anonymous";
    // What the other side must not learn belongs to what only the hotline reads.
    let content = match filled.hide.as_str() {
        "" => filled.content.clone(),
        hide => format!("{}\n（{}：{hide}）", filled.content, Language::Chinese.say("hide_label")),
    };
    let urgent = filled.ticks.iter().any(|tick| tick != "happening");
    let new = NewTicket {
        id: format!("t-{no}"),
        no,
        state: "accepted".into(),
        channel: "web".into(),
        kind: filled.kind.clone(),
        street: some(&filled.street),
        // Else as urgent as its leaf, once it has one.
        urgency: if urgent { "U" } else { "" }.into(),
        title: title(&filled.content),
        content,
        caller: number(&filled.number).filter(|_| !anonymous),
        secrecy: filled.secrecy.clone(),
        created_at: api.now(),
        actor: crate::store::CITIZEN.into(),
        ..NewTicket::default()
    };
    let (name, address, hide) = (some(&filled.name), some(&filled.address), some(&filled.hide));
    let message = WebMessage {
        token: &filled.token,
        ticket: &new,
        name: name.as_deref().filter(|_| !anonymous),
        address: address.as_deref(),
        hide: hide.as_deref(),
        photos: &rows,
    };
    match api.db().add_web_message(&message).await {
        Ok(receipt) => {
            if !receipt.fresh {
                forget(api, &rows).await;
            }
            Some((receipt.no, receipt.code))
        }
        Err(error) => {
            tracing::warn!(%error, "a message cannot be written");
            forget(api, &rows).await;
            None
        }
    }
}

/// Whole or not at all.
async fn written(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let part = path.with_extension("part");
    tokio::fs::write(&part, bytes).await?;
    tokio::fs::File::open(&part).await?.sync_all().await?;
    tokio::fs::rename(&part, path).await
}

async fn forget(api: &Api, rows: &[Attachment]) {
    for row in rows {
        // It may never have been written.
        let _ = tokio::fs::remove_file(api.parts.pictures.join(format!("{}.jpg", row.id))).await;
    }
}
