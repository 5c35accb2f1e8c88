//! A server's run: up, serving, and down again without losing anything.

use std::future::{Future, IntoFuture};
use std::sync::Arc;

use tokio::net::TcpListener;

use super::config::Config;
use super::{Server, StartError, router};
use crate::registry::Sqlite;
use crate::storage::disk::Disk;

/// Runs the server that `config` describes until `stop` is done, then finishes what is
/// in flight. Prints the address once it is listening.
pub async fn serve(
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let registry = Arc::new(Sqlite::open(&config.data)?);
    let storage = Arc::new(Disk::open(&config.data)?);
    let server = Server::new(registry, storage, config.limits.clone(), config.memory).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| StartError::Listen {
            address: config.listen,
            source,
        })?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let app = router::router(
        server.clone(),
        config.leptos_options(),
        config.hosts.clone(),
    );
    tracing::info!(%address, data = %config.data.display(), "listening");
    println!("Longhaul is at http://{address}");

    let shutdown = server.shutdown.clone();
    let http = axum::serve(listener, app)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let http = tokio::spawn(http);
    stop.await;
    tracing::info!("stopping: no new uploads, and what is in flight is finished");
    shutdown.cancel();
    server.tasks.close();
    let finished = async {
        server.tasks.wait().await;
        http.await
    };
    match tokio::time::timeout(config.shutdown, finished).await {
        Ok(_) => tracing::info!("stopped"),
        Err(_) => tracing::warn!("stopped before everything was finished; clients will resume"),
    }
    Ok(())
}

/// Done when the process is asked to end, by Ctrl-C or SIGTERM.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without a handler the signal ends the process: every crash is survived.
        Err(_) => std::future::pending().await,
    }
}
