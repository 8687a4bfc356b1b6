//! A few connections that only read, used on threads that may block; a slow query never holds up the writer.

use super::errors::{Fault, port_error};
use super::open;
use crate::ports::PortError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many queries run at a time.
const CONNECTIONS: usize = 4;

/// The pool. Connections are opened when first needed.
#[derive(Clone)]
pub(super) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    places: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let shared = Shared { path, places: Semaphore::new(CONNECTIONS), idle: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `query` on a thread that may block. `doing` begins the text of an error.
    pub(super) async fn read<T, F>(&self, doing: &'static str, query: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let stopped = || PortError::transient(format!("{doing}: the store is closing"));
        let _place = self.shared.places.acquire().await.map_err(|_| stopped())?;
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let connection = match shared.pop() {
                Some(connection) => connection,
                None => open::connect(&shared.path, open::Use::Read)?,
            };
            let answer = query(&connection);
            if answer.is_ok() {
                shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            answer
        };
        let answer = tokio::task::spawn_blocking(work).await.map_err(|error| stopped().because(error))?;
        answer.map_err(|fault| port_error(doing, fault))
    }
}

impl Shared {
    fn pop(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
