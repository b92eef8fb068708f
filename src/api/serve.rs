//! The accept loop: limits on connections, time-outs on headers, an orderly stop.

use super::count::{Counts, Open};
use super::guard::Source;
use axum::Router;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Connections at once from one address; more are closed. An office of hundreds may sit behind one, and comes back all at once.
    pub per_source: u32,
    /// A request's head must be complete after this, also the next one on a kept connection.
    pub head: Duration,
    /// How long requests in progress may take after the stop.
    pub drain: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            per_source: 768,
            head: Duration::from_secs(10),
            drain: Duration::from_secs(5),
        }
    }
}

/// Serves until `stop` turns true. The socket is bound already, and given by `app`.
pub async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    counts: Arc<Counts>,
    limits: ServeLimits,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(limits.connections));
    let sources: Arc<Mutex<BTreeMap<IpAddr, u32>>> = Arc::default();
    let mut connections = JoinSet::new();
    while !*stop.borrow() {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            _ = stop.changed() => continue,
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or the peer went away: the others go on.
                    tracing::warn!(%error, "http: accept");
                    counts.accept_failed.fetch_add(1, Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stop.changed() => continue,
        };
        while connections.try_join_next().is_some() {}
        let Some(place) = Place::take(&sources, peer.ip(), limits.per_source) else {
            counts.turned_away.fetch_add(1, Relaxed);
            continue;
        };
        let open = Open::begin(&counts);
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let mut stop = stop.clone();
        connections.spawn(async move {
            let (_permit, _place, _open) = (permit, place, open);
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Source(peer.ip()));
                service.call(request)
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .max_buf_size(64 * 1024)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                // A client that breaks off is not our error.
                _ = connection.as_mut() => return,
                _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            }
            let _ = tokio::time::timeout(limits.drain, connection).await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// One connection of a source, given back when it ends.
struct Place {
    sources: Arc<Mutex<BTreeMap<IpAddr, u32>>>,
    source: IpAddr,
}

impl Place {
    fn take(sources: &Arc<Mutex<BTreeMap<IpAddr, u32>>>, source: IpAddr, most: u32) -> Option<Self> {
        let mut map = sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = map.entry(source).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self { sources: Arc::clone(sources), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut map = self.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = map.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                map.remove(&self.source);
            }
        }
    }
}
