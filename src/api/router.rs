//! Every route, once, and what stands before all of them.

use super::count::count;
use super::problem::Problem;
use super::state::Api;
use super::{
    callbacks, calls, city, cti, district, engine, floor, flows, indicators, input, kb, leader, numbers,
    openapi, ops, outbox, panel, paper, phone, public, recordings, roster, session, tickets, users, works,
};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use axum::{Router, http};
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// An answer's head must be there after this; with the database hanging the desk says so instead of hanging too.
const ANSWER: Duration = Duration::from_secs(2);
/// Hashing a password behind others takes longer, and so does checking all flows and prompts.
const ANSWER_HASH: Duration = Duration::from_secs(10);
const ANSWER_RELOAD: Duration = Duration::from_secs(25);
/// Photos come over a telephone's network.
const ANSWER_PHOTOS: Duration = Duration::from_secs(120);
/// A message with its photos, bytes.
const PUBLIC_BODY_MAX: usize = 64 << 20;

/// A router that remembers what was put into it.
struct Table {
    router: Router<Api>,
    routes: Vec<(Method, &'static str)>,
}

impl Table {
    fn add<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        // Methods come from the lines below; each of them has a filter.
        if let Ok(filter) = MethodFilter::try_from(method.clone()) {
            self.router = self.router.route(path, on(filter, handler));
            self.routes.push((method, path));
        }
        self
    }
}

fn table() -> Table {
    Table { router: Router::new(), routes: Vec::new() }
        .add(Method::POST, "/api/v1/session", session::sign_in)
        .add(Method::GET, "/api/v1/session", session::show)
        .add(Method::DELETE, "/api/v1/session", session::sign_out)
        .add(Method::GET, "/api/v1/calls", calls::list)
        .add(Method::GET, "/api/v1/calls/live", calls::live)
        .add(Method::GET, "/api/v1/calls/{id}", calls::show)
        .add(Method::GET, "/api/v1/calls/{id}/events", calls::events)
        .add(Method::POST, "/api/v1/calls/{id}/hangup", calls::hang_up)
        .add(Method::GET, "/api/v1/calls/{id}/why", floor::why)
        .add(Method::GET, "/api/v1/callbacks", callbacks::list)
        .add(Method::GET, "/api/v1/queues", floor::queues)
        .add(Method::GET, "/api/v1/agents", floor::agents)
        .add(Method::GET, "/api/v1/floor", floor::day)
        .add(Method::GET, "/api/v1/recordings/{id}", recordings::play)
        .add(Method::GET, "/api/v1/tickets", tickets::list)
        .add(Method::GET, "/api/v1/tickets/export", tickets::export)
        .add(Method::GET, "/api/v1/exports/{id}", tickets::exported)
        .add(Method::GET, "/api/v1/tickets/boxes", tickets::boxes)
        .add(Method::GET, "/api/v1/tickets/visits", tickets::visits)
        .add(Method::GET, "/api/v1/tickets/similar", tickets::similar)
        .add(Method::GET, "/api/v1/tickets/promises", tickets::promises)
        .add(Method::POST, "/api/v1/tickets/{no}/split", tickets::split)
        .add(Method::POST, "/api/v1/tickets/{no}/link", tickets::link)
        .add(Method::GET, "/api/v1/tickets/{no}", tickets::show)
        .add(Method::PATCH, "/api/v1/tickets/{no}", tickets::change)
        .add(Method::GET, "/api/v1/tickets/{no}/events", tickets::events)
        .add(Method::POST, "/api/v1/tickets/{no}/actions", tickets::act)
        .add(Method::POST, "/api/v1/tickets/{no}/reveal", tickets::reveal)
        .add(Method::GET, "/api/v1/tickets/{no}/looks", tickets::looks)
        .add(Method::GET, "/api/v1/paper", paper::list)
        .add(Method::POST, "/api/v1/paper", paper::enter)
        .add(Method::GET, "/api/v1/indicators", indicators::list)
        .add(Method::GET, "/api/v1/indicators/periods", indicators::periods)
        .add(Method::POST, "/api/v1/indicators/periods", indicators::publish)
        .add(Method::GET, "/api/v1/indicators/periods/{id}/corrections", indicators::corrections)
        .add(Method::GET, "/api/v1/indicators/{name}/tickets", indicators::tickets)
        .add(Method::GET, "/api/v1/units", district::units)
        .add(Method::GET, "/api/v1/categories", district::categories)
        .add(Method::GET, "/api/v1/roster", roster::show)
        .add(Method::GET, "/api/v1/roster/plan", roster::plan)
        .add(Method::GET, "/api/v1/roster/handover", roster::handover)
        .add(Method::GET, "/api/v1/roster/handovers", roster::handovers)
        .add(Method::POST, "/api/v1/roster/handovers/{turn}/signatures", roster::sign)
        .add(Method::GET, "/api/v1/roster/handovers/{turn}/sheet", roster::signed_sheet)
        .add(Method::GET, "/api/v1/roster/requests", roster::requests)
        .add(Method::POST, "/api/v1/roster/requests", roster::ask)
        .add(Method::PATCH, "/api/v1/roster/requests/{id}", roster::decide)
        .add(Method::POST, "/api/v1/roster/notices", roster::add_notice)
        .add(Method::POST, "/api/v1/roster/notices/{id}/read", roster::read_notice)
        .add(Method::GET, "/api/v1/leader-sessions", leader::list)
        .add(Method::POST, "/api/v1/leader-sessions", leader::add)
        .add(Method::PATCH, "/api/v1/leader-sessions/{id}", leader::change)
        .add(Method::GET, "/api/v1/leader-sessions/{id}/report", leader::report)
        .add(Method::GET, "/api/v1/outbox", outbox::list)
        .add(Method::POST, "/api/v1/outbox/{id}/retry", outbox::retry)
        .add(Method::POST, "/api/v1/outbox/{id}/discard", outbox::discard)
        .add(Method::POST, "/api/v1/city/orders", city::order)
        .add(Method::POST, "/api/v1/city/messages", city::take)
        .add(Method::GET, "/api/v1/city/messages", city::list)
        .add(Method::GET, "/api/v1/tickets/{no}/city", city::exchange)
        .add(Method::GET, "/api/v1/users", users::list)
        .add(Method::POST, "/api/v1/users", users::add)
        .add(Method::PATCH, "/api/v1/users/{name}", users::change)
        .add(Method::GET, "/api/v1/numbers/services", numbers::list_services)
        .add(Method::POST, "/api/v1/numbers/services", numbers::add_service)
        .add(Method::PATCH, "/api/v1/numbers/services/{key}", numbers::change_service)
        .add(Method::DELETE, "/api/v1/numbers/services/{key}", numbers::remove_service)
        .add(Method::GET, "/api/v1/numbers/duty", numbers::list_duty)
        .add(Method::POST, "/api/v1/numbers/duty", numbers::add_duty)
        .add(Method::PATCH, "/api/v1/numbers/duty/{id}", numbers::change_duty)
        .add(Method::DELETE, "/api/v1/numbers/duty/{id}", numbers::remove_duty)
        .add(Method::POST, "/api/v1/numbers/duty/{id}/test", numbers::test)
        .add(Method::GET, "/api/v1/numbers/duty/{id}/tests", numbers::tests)
        .add(Method::GET, "/api/v1/numbers/legacy", numbers::list_legacy)
        .add(Method::POST, "/api/v1/numbers/legacy", numbers::add_legacy)
        .add(Method::PATCH, "/api/v1/numbers/legacy/{number}", numbers::change_legacy)
        .add(Method::DELETE, "/api/v1/numbers/legacy/{number}", numbers::remove_legacy)
        .add(Method::GET, "/api/v1/transfer-targets", numbers::targets)
        .add(Method::GET, "/api/v1/kb", kb::list)
        .add(Method::POST, "/api/v1/kb", kb::draft)
        .add(Method::GET, "/api/v1/kb/search", kb::search)
        .add(Method::POST, "/api/v1/kb/searches", kb::note_search)
        .add(Method::GET, "/api/v1/kb/gaps", kb::gaps)
        .add(Method::GET, "/api/v1/kb/today", kb::today)
        .add(Method::GET, "/api/v1/kb/units", kb::units)
        .add(Method::GET, "/api/v1/kb/quotes", kb::quotes)
        .add(Method::POST, "/api/v1/kb/quotes", kb::quote)
        .add(Method::GET, "/api/v1/kb/corrections", kb::corrections)
        .add(Method::PATCH, "/api/v1/kb/corrections/{id}", kb::answer_correction)
        .add(Method::GET, "/api/v1/kb/notices", kb::notices)
        .add(Method::POST, "/api/v1/kb/notices", kb::tell)
        .add(Method::POST, "/api/v1/kb/notices/{id}/close", kb::close_notice)
        .add(Method::GET, "/api/v1/kb/wordings", kb::wordings)
        .add(Method::POST, "/api/v1/kb/wordings", kb::add_wording)
        .add(Method::DELETE, "/api/v1/kb/wordings/{id}", kb::withdraw_wording)
        .add(Method::GET, "/api/v1/kb/{id}", kb::show)
        .add(Method::PATCH, "/api/v1/kb/{id}", kb::change)
        .add(Method::POST, "/api/v1/kb/{id}/actions", kb::act)
        .add(Method::GET, "/api/v1/kb/{id}/versions", kb::versions)
        .add(Method::GET, "/api/v1/kb/{id}/events", kb::events)
        .add(Method::POST, "/api/v1/kb/{id}/corrections", kb::report)
        .add(Method::GET, "/api/v1/flows", flows::list)
        .add(Method::GET, "/api/v1/flow-files", works::flow_files)
        .add(Method::POST, "/api/v1/flows/check", works::check_flow)
        .add(Method::GET, "/api/v1/flows/{name}", works::flow)
        .add(Method::PUT, "/api/v1/flows/{name}", works::put_flow)
        .add(Method::GET, "/api/v1/prompts", works::prompts)
        .add(Method::GET, "/api/v1/prompts/{name}", works::prompt)
        .add(Method::PUT, "/api/v1/prompts/{name}", works::put_prompt)
        .add(Method::GET, "/api/v1/trunks", works::trunks)
        .add(Method::GET, "/api/v1/phones", works::phones)
        .add(Method::GET, "/api/v1/queue-settings", works::queue_settings)
        .add(Method::GET, "/api/v1/engine", engine::status)
        .add(Method::POST, "/api/v1/engine/reload", engine::reload)
        .add(Method::GET, "/api/v1/openapi.json", openapi::openapi)
        .add(Method::GET, "/api/v1/cti.schema.json", cti::schema)
        .add(Method::GET, "/cti/v1", cti::open)
        .add(Method::GET, "/api/v1/about", ops::about)
        .add(Method::GET, "/public", public::folder)
        .add(Method::GET, "/public/", public::home)
        .add(Method::GET, "/public/style.css", public::style)
        .add(Method::GET, "/public/message", public::form)
        .add(Method::POST, "/public/message", public::leave.layer(DefaultBodyLimit::max(PUBLIC_BODY_MAX)))
        .add(Method::GET, "/public/ticket", public::look)
        .add(Method::POST, "/public/ticket", public::act)
        .add(Method::GET, "/api/v1/tickets/{no}/files", tickets::files)
        .add(Method::GET, "/api/v1/tickets/{no}/files/{id}", tickets::file)
        .add(Method::GET, "/healthz", ops::healthz)
        .add(Method::GET, "/readyz", ops::readyz)
        .add(Method::GET, "/metrics", ops::metrics)
}

/// Methods and paths of all routes but the panel's files.
pub fn routes() -> Vec<(Method, &'static str)> {
    table().routes
}

/// The whole interface.
pub fn router(api: Api) -> Router {
    let mut router = table().router;
    if !api.limits.public.enabled {
        router = router.layer(middleware::from_fn(without_public));
    }
    if let Some(phone) = &api.parts.phone {
        router = router.merge(phone::routes(Arc::clone(phone)));
    }
    router
        // The panel's files hold no secret: only they are compressed (an answer with a secret in it would tell its length).
        .fallback_service(Router::new().fallback(panel::file).layer(CompressionLayer::new()))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn(small_enough))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("desk: a handler panicked");
            Problem::internal().into_response()
        }))
        .layer(middleware::from_fn_with_state(api.parts.https, headers))
        .layer(middleware::from_fn_with_state(Arc::clone(&api.counts), count))
        .with_state(api)
}

/// The citizens' page is switched off.
async fn without_public(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == "/public" || path.starts_with("/public/") {
        return Problem::not_found().into_response();
    }
    next.run(request).await
}

/// What announces itself as too large is refused before it is read; the rest is counted while it is read.
async fn small_enough(request: Request, next: Next) -> Response {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let most = if request.uri().path() == "/public/message" { PUBLIC_BODY_MAX } else { input::BODY_MAX };
    if announced.is_some_and(|bytes| bytes > most as u64) {
        return Problem::too_large().into_response();
    }
    next.run(request).await
}

async fn in_time(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let limit = match request.method().is_safe() {
        // Days are played the first time it is asked for.
        true if path == "/api/v1/roster/plan" => ANSWER_HASH,
        true => ANSWER,
        false if path == "/api/v1/engine/reload" => ANSWER_RELOAD,
        // A reload at its end, or a large file at its beginning.
        false if path.starts_with("/api/v1/flows/") || path.starts_with("/api/v1/prompts/") => ANSWER_RELOAD,
        false if path == "/public/message" => ANSWER_PHOTOS,
        false if path == "/api/v1/session" || path.starts_with("/api/v1/users") => ANSWER_HASH,
        false => ANSWER,
    };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::away("an answer did not come in time").into_response(),
    }
}

/// On every answer: nothing is sniffed, framed, scripted from elsewhere or kept by caches.
async fn headers(State(https): State<bool>, request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
        connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
        form-action 'self'; frame-ancestors 'none'";
    let is_file = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(self)"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        // A browser that has been here by TLS never asks in the clear again.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // Files under /assets/ carry their content's hash in their names.
    let fine = response.status() == http::StatusCode::OK;
    let keep = if is_file && fine { "public, max-age=31536000, immutable" } else { "no-store" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
