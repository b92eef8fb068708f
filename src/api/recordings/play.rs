use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::auth::{Action, Resource};
use crate::store::Access;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::path::{Path as FilePath, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// A recording or voice message as WAV (left: caller, right: the service), whole or by ranges of bytes.
///
/// Each play is in the access log before the first byte goes out; ranges after the first of a file are not noted again.
#[utoipa::path(get, path = "/api/v1/recordings/{id}", tag = "recordings", params(
    ("id" = String, Path, description = "32 hex digits"),
    ("range" = Option<String>, Header, description = "`bytes=from-to`, one range"),
), responses(
    (status = 200, content_type = "audio/wav"),
    (status = 206, content_type = "audio/wav"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 416),
))]
pub async fn play(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::PlayRecording.label().to_owned(),
        subject: if is_id(&id) { id.clone() } else { "malformed".to_owned() },
        outcome: "refused".to_owned(),
    };
    if let Err(refused) = person.may(Action::PlayRecording, Resource::default()) {
        api.db().log_access(&access).await?;
        return Err(refused);
    }
    // Nobody listens to what was said about him.
    let there = match api.db().call_of_recording(&id).await? {
        Some(call) if is_id(&id) => api.db().call_exists_for(&call.record.id, &scope(&api, &person)).await?,
        _ => false,
    };
    if !there {
        access.outcome = "not_found".to_owned();
        api.db().log_access(&access).await?;
        return Err(Problem::not_found());
    }
    let path = find(&api.parts.recordings, &id).await.ok_or_else(Problem::not_found)?;
    let mut file = tokio::fs::File::open(&path).await.map_err(|_| Problem::not_found())?;
    let length = file.metadata().await.map_err(|_| Problem::internal())?.len();

    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let range = match asked.map(|text| range(text, length)) {
        None | Some(Asked::Whole) => None,
        Some(Asked::Part(from, to)) => Some((from, to)),
        Some(Asked::Outside) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(&mut response, header::CONTENT_RANGE, &["bytes */", &length.to_string()].concat());
            return Ok(response);
        }
    };
    if range.is_none_or(|(from, _)| from == 0) {
        access.outcome = "allowed".to_owned();
        api.db().log_access(&access).await?;
    }
    let (status, from, to) = match range {
        Some((from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        None => (StatusCode::OK, 0, length.saturating_sub(1)),
    };
    let size = if length == 0 { 0 } else { to - from + 1 };
    file.seek(std::io::SeekFrom::Start(from)).await.map_err(|_| Problem::internal())?;
    // The file may grow while a call runs: what was announced is what is sent.
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(size), 64 * 1024));
    let mut response = (status, body).into_response();
    set(&mut response, header::CONTENT_TYPE, "audio/wav");
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CONTENT_LENGTH, &size.to_string());
    set(&mut response, header::CONTENT_DISPOSITION, "inline; filename=\"recording.wav\"");
    if status == StatusCode::PARTIAL_CONTENT {
        let text = ["bytes ", &from.to_string(), "-", &to.to_string(), "/", &length.to_string()].concat();
        set(&mut response, header::CONTENT_RANGE, &text);
    }
    Ok(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Ids have no character that means something in a path.
fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The file of an id, in the folder or one of its folders (a day each).
async fn find(folder: &FilePath, id: &str) -> Option<PathBuf> {
    let name = [id, ".wav"].concat();
    let direct = folder.join(&name);
    if tokio::fs::try_exists(&direct).await.unwrap_or(false) {
        return Some(direct);
    }
    let mut entries = tokio::fs::read_dir(folder).await.ok()?;
    while let Ok(Some(entry)) = entries.next_entry().await {
        let inside = entry.path().join(&name);
        if tokio::fs::try_exists(&inside).await.unwrap_or(false) {
            return Some(inside);
        }
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// No range we serve: the whole file, as RFC 9110 (14.2) allows.
    Whole,
    /// First and last byte.
    Part(u64, u64),
    Outside,
}

/// Reads `bytes=from-to`, `bytes=from-`, `bytes=-last` (RFC 9110, section 14.1.2).
fn range(text: &str, length: u64) -> Asked {
    let Some(spec) = text.strip_prefix("bytes=") else { return Asked::Whole };
    let Some((from, to)) = spec.split_once('-') else { return Asked::Whole };
    if spec.contains(',') {
        return Asked::Whole;
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (from.trim().is_empty(), number(from), to.trim().is_empty(), number(to)) {
        (true, _, false, Some(0)) => Asked::Outside,
        (true, _, false, Some(_)) if length == 0 => Asked::Outside,
        (true, _, false, Some(last)) => Asked::Part(length.saturating_sub(last), length - 1),
        (false, Some(from), _, _) if from >= length => Asked::Outside,
        (false, Some(from), true, _) => Asked::Part(from, length - 1),
        (false, Some(from), false, Some(to)) if to >= from => Asked::Part(from, to.min(length - 1)),
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        use Asked::{Outside, Part, Whole};
        for (text, length, want) in [
            ("bytes=0-99", 1000, Part(0, 99)),
            ("bytes=900-", 1000, Part(900, 999)),
            ("bytes=-100", 1000, Part(900, 999)),
            ("bytes=-5000", 1000, Part(0, 999)),
            ("bytes=0-5000", 1000, Part(0, 999)),
            ("bytes=1000-", 1000, Outside),
            ("bytes=-0", 1000, Outside),
            ("bytes=0-0", 0, Outside),
            ("bytes=-1", 0, Outside),
            ("bytes=5-4", 1000, Whole),
            ("bytes=a-b", 1000, Whole),
            ("bytes=0-1,3-4", 1000, Whole),
            ("bytes=-", 1000, Whole),
            ("lines=0-1", 1000, Whole),
            ("bytes=99999999999999999999-", 1000, Whole),
        ] {
            assert_eq!(range(text, length), want, "{text} of {length}");
        }
    }

    #[test]
    fn only_32_hex_digits_are_an_id() {
        assert!(is_id("0123456789abcdef0123456789abcdef"));
        for bad in ["", "..", "0123456789abcdef0123456789abcde/", "0123456789ABCDEF0123456789abcdef"] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
