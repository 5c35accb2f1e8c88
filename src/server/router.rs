//! Every route of the server, and the layers around them.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::desk::Desk;
use super::guard::{self, Hosts};
use super::{Server, choices, download, metrics, qr, share, socket};
use crate::app::{App, shell};
use crate::protocol::id::FileId;

/// Everything a server answers: pages and server functions, the socket, downloads,
/// signs of life and metrics.
pub fn router(server: Arc<Server>, options: LeptosOptions, hosts: Hosts) -> Router {
    let desk = Arc::new(Desk::new(
        server.registry.clone(),
        server.storage.clone(),
        server.hub.clone(),
        server.limits.clone(),
    ));
    let downloads = download::routes(desk.clone()).merge(qr::routes(desk.clone()));
    let pages = {
        let desk = desk.clone();
        let shell_options = options.clone();
        Router::new()
            .leptos_routes_with_context(
                &options,
                generate_route_list(App),
                move || provide_context(desk.clone()),
                move || shell(shell_options.clone()),
            )
            .fallback(leptos_axum::file_and_error_handler::<LeptosOptions, _>(
                shell,
            ))
            .layer(CompressionLayer::new())
            .with_state(options)
    };
    let plain = Router::new()
        .route("/ws", get(socket::session))
        .route("/ws/lane", get(socket::lane))
        .route("/choices", post(choices::remember))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::scrape))
        .with_state(server);
    pages
        .merge(plain)
        .merge(downloads)
        .layer(set("x-content-type-options", "nosniff"))
        .layer(set("referrer-policy", "same-origin"))
        .layer(set("x-frame-options", "DENY"))
        .layer(set("cross-origin-opener-policy", "same-origin"))
        .layer(axum::middleware::from_fn_with_state(hosts, guard::check))
        .route("/share", share::route())
}

/// A header that every response has, unless it set its own.
fn set(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Whether the server can take uploads: its registry answers, and it does not stop.
async fn ready(
    axum::extract::State(server): axum::extract::State<Arc<Server>>,
) -> impl IntoResponse {
    if server.shutdown.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
            "stopping\n",
        );
    }
    match server.registry.file(FileId::from_bytes([0; 16])).await {
        Ok(_) => (StatusCode::OK, [(header::RETRY_AFTER, "0")], "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::RETRY_AFTER, "5")],
                "not ready\n",
            )
        }
    }
}
