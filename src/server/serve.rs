//! A server's run: up, serving, and down again without losing anything.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use super::config::Config;
use super::metrics::End;
use super::recover::{expire, purge, recover};
use super::{Server, StartError, router};
use crate::api::KEPT;
use crate::registry::Sqlite;
use crate::storage::disk::Disk;

/// How often abandoned uploads are looked for.
const EXPIRY: Duration = Duration::from_secs(600);

/// How often deleted files that can be taken back no longer are looked for.
const PURGE: Duration = Duration::from_secs(30);

/// Runs the server that `config` describes until `stop` is done, then finishes what is
/// in flight. Prints the address once it is listening.
pub async fn serve(
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let registry = Arc::new(Sqlite::open(&config.data)?);
    let storage = Arc::new(Disk::open(&config.data)?);
    recover(&*registry, &*storage, config.expire_after).await?;
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
        config.allowed_hosts(),
    );
    tracing::info!(%address, data = %config.data.display(), "listening");
    println!("Longhaul is at http://{address}");

    let shutdown = server.shutdown.clone();
    // A client waits for credit: no small message waits for the answer to an earlier one.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let http = axum::serve(listener, app)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let http = tokio::spawn(http);
    let expiry = tokio::spawn(expire_forever(server.clone(), config.expire_after));
    let purging = tokio::spawn(purge_forever(server.clone()));
    stop.await;
    tracing::info!("stopping: no new uploads, and what is in flight is finished");
    shutdown.cancel();
    expiry.abort();
    purging.abort();
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

/// Ends what nobody continues, now and then.
async fn expire_forever(server: Arc<Server>, expire_after: Option<Duration>) {
    let mut hours = tokio::time::interval(EXPIRY);
    // The start has done it just now.
    hours.tick().await;
    loop {
        hours.tick().await;
        let held = |id| server.hub.is_held(id);
        match expire(&*server.registry, &*server.storage, expire_after, held).await {
            Ok(ended) => {
                for id in ended {
                    server.hub.ended(id, End::Expired);
                }
            }
            Err(error) => tracing::error!(%error, "expired uploads could not be ended"),
        }
    }
}

/// Destroys what was deleted and not taken back.
async fn purge_forever(server: Arc<Server>) {
    let mut times = tokio::time::interval(PURGE);
    // The start has done it just now.
    times.tick().await;
    loop {
        times.tick().await;
        if let Err(error) = purge(&*server.registry, &*server.storage, KEPT).await {
            tracing::error!(%error, "deleted files could not be destroyed");
        }
    }
}

/// Done when the process is asked to end, by Ctrl-C or SIGTERM; from this call on, which
/// belongs in a runtime, neither ends it by itself.
pub fn asked_to_stop() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            // Without a handler the signal ends the process: every crash is survived.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
