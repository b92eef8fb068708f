use super::signed::{Signed, refused};
use super::wire::{CityOrder, CityOrderReceipt};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::channels::Order;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// A ticket from the city. Signed by the shared secret; sent again, it is answered with the same number. 201 when it is new.
#[utoipa::path(post, path = "/api/v1/city/orders", tag = "city", params(
    ("Hotline-Signature" = String, Header, description = "`t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`"),
), request_body = CityOrder, responses(
    (status = 200, body = CityOrderReceipt, description = "it had come before"),
    (status = 201, body = CityOrderReceipt),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "not signed, or not now"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn order(
    State(api): State<Api>,
    Signed(body): Signed<CityOrder>,
) -> Result<(StatusCode, Json<CityOrderReceipt>), Problem> {
    let (now, tables) = (api.now(), api.tables());
    let visits = tables.rules.on(api.today()).is_none_or(|rules| rules.city_visits);
    let order = Order::read(body.given()?, &api.district, visits, now).map_err(refused)?;
    let receipt = match api.db().city_ticket(&order).await? {
        Some(known) => known,
        None => {
            // A number that somebody else turns out to have needed first is a gap, and gaps are allowed.
            let (no, code) = api.parts.engine.draw_number().await.map_err(|_| Problem::away("the engine"))?;
            api.db().add_city_order(&order, &no, &code, now, &tables).await?
        }
    };
    if receipt.differs {
        tracing::warn!(no = %receipt.no, "the city sent another order under a number that is known");
    }
    let status = if receipt.fresh { StatusCode::CREATED } else { StatusCode::OK };
    let (no, fresh, differs) = (receipt.no, receipt.fresh, receipt.differs);
    Ok((status, Json(CityOrderReceipt { city_no: order.city.no, no, fresh, differs })))
}
