//! The description of the interface, at `/api/v1/openapi.json`.

use super::{
    callbacks, calls, city, cti, district, engine, floor, flows, indicators, kb, leader, numbers, ops,
    outbox, paper, recordings, roster, session, tickets, users, works,
};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "12341 hotline",
        description = "Calls, tickets and recordings of the district's hotline. Sign in at `/api/v1/session`; programs send the token as bearer. Lists are newest first and paged by cursor; errors are problem documents (RFC 9457).",
    ),
    paths(
        session::sign_in,
        session::show,
        session::sign_out,
        calls::list,
        calls::live,
        calls::show,
        calls::events,
        calls::hang_up,
        callbacks::list,
        floor::why,
        floor::queues,
        floor::agents,
        floor::day,
        recordings::play,
        tickets::list,
        tickets::show,
        tickets::change,
        tickets::events,
        tickets::act,
        tickets::reveal,
        tickets::looks,
        tickets::export,
        tickets::exported,
        tickets::boxes,
        tickets::visits,
        tickets::files,
        tickets::file,
        tickets::split,
        tickets::link,
        tickets::similar,
        tickets::promises,
        paper::list,
        paper::enter,
        indicators::list,
        indicators::periods,
        indicators::publish,
        indicators::corrections,
        indicators::tickets,
        district::units,
        district::categories,
        roster::show,
        roster::plan,
        roster::handover,
        roster::handovers,
        roster::sign,
        roster::signed_sheet,
        roster::requests,
        roster::ask,
        roster::decide,
        roster::add_notice,
        roster::read_notice,
        leader::list,
        leader::add,
        leader::change,
        leader::report,
        city::order,
        city::take,
        city::list,
        city::exchange,
        outbox::list,
        outbox::retry,
        outbox::discard,
        users::list,
        users::add,
        users::change,
        numbers::list_services,
        numbers::add_service,
        numbers::change_service,
        numbers::remove_service,
        numbers::list_duty,
        numbers::add_duty,
        numbers::change_duty,
        numbers::remove_duty,
        numbers::test,
        numbers::tests,
        numbers::list_legacy,
        numbers::add_legacy,
        numbers::change_legacy,
        numbers::remove_legacy,
        numbers::targets,
        kb::list,
        kb::draft,
        kb::search,
        kb::note_search,
        kb::gaps,
        kb::today,
        kb::units,
        kb::quotes,
        kb::quote,
        kb::corrections,
        kb::answer_correction,
        kb::notices,
        kb::tell,
        kb::close_notice,
        kb::wordings,
        kb::add_wording,
        kb::withdraw_wording,
        kb::show,
        kb::change,
        kb::act,
        kb::versions,
        kb::events,
        kb::report,
        flows::list,
        works::flow_files,
        works::check_flow,
        works::flow,
        works::put_flow,
        works::prompts,
        works::prompt,
        works::put_prompt,
        works::trunks,
        works::phones,
        works::queue_settings,
        engine::status,
        engine::reload,
        ops::about,
        ops::healthz,
        ops::readyz,
        ops::metrics,
        cti::schema,
        cti::open,
        openapi,
    )
)]
struct Document;

/// The document itself.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operations", responses((status = 200, content_type = "application/json")))]
pub async fn openapi() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_document_and_the_document_has_no_other() {
        let document = serde_json::to_value(document()).unwrap();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                    described.insert((method.to_uppercase(), path.clone()));
                }
            }
        }
        // The citizens' pages are read by people.
        let routed: BTreeSet<_> = super::super::routes()
            .into_iter()
            .filter(|(_, path)| !path.starts_with("/public"))
            .map(|(method, path)| (method.to_string(), path.to_owned()))
            .collect();
        assert_eq!(routed, described);
        assert!(routed.len() >= 20);
    }
}
