//! `hotline serve`: from a configuration to a running server, and back down in order.

use super::build::{self, Assets, Bound};
use super::clock::Clock;
use super::desk::{Door, PhaseCell, ReloadRequest, answer_lookups};
use super::engine_thread::{Driver, JournalNews, Order, Orders, Parts};
use super::lock::{self, DataDirError};
use super::metrics::{Board, Sample};
use super::sockets::{self, BindError};
use super::voice::Voice;
use super::reload;
use crate::api::{self, Api, ApiParts, Phase, ServeLimits};
use crate::base::CallId;
use crate::call::Engine;
use crate::config::Config;
use crate::journal;
use crate::net::{Net, TcpLimits};
use crate::store::{Db, projector::Projector};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};

pub struct Options {
    pub config: Config,
    /// Reads the configuration again for a reload.
    pub again: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
    pub demo: bool,
    /// `--now`: how far the wall clock is moved, milliseconds.
    pub wall_shift_ms: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Bind(#[from] BindError),
    /// One problem a line, each with its place.
    #[error("{0}")]
    Assets(String),
    #[error("journal: {0}")]
    Journal(String),
    #[error("database: {0}")]
    Database(String),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
}

impl ServeError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
