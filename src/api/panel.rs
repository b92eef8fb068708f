//! The panel's pages, from the list that was built into the binary. No path of the file system is ever asked for.

use super::problem::Problem;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "panel/dist"]
#[allow_missing = true]
struct Files;

/// Shown where the binary was built without the panel.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>12341</title>\
    <h1>12341</h1><p>This binary was built without the panel. The interface is described at \
    <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></html>";

/// A file of the panel, or a problem document.
pub async fn file(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    if method != Method::GET && method != Method::HEAD {
        return Problem::not_found().into_response();
    }
    let name = path.trim_start_matches('/');
    // Folders are their index page. Names are compared with the list as they are: nothing is decoded or resolved.
    let listed = |name: &str| Files::iter().any(|known| known == name);
    let name =
        if name.is_empty() || name.ends_with('/') { [name, "index.html"].concat() } else { name.to_owned() };
    if !listed(&name) {
        return if path == "/" {
            Html(NOT_BUILT).into_response()
        } else {
            Problem::not_found().into_response()
        };
    }
    let Some(file) = Files::get(&name) else { return Problem::not_found().into_response() };
    let mut response = file.data.into_owned().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(&name)));
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wav" => "audio/wav",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
