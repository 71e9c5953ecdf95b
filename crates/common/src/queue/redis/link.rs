//! One connection to Redis that many callers share, and that is opened anew after it broke.
//!
//! Written here because the client's own manager never recovers when a reconnect is refused by the server
//! itself (too many clients, a password being changed): it only dials again after I/O errors.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, Script, ServerErrorKind,
    aio::MultiplexedConnection,
};
use tokio::{sync::Mutex, time::Instant};

use crate::queue::QueueError;

/// How long a call may take: then the sender gets 451 or 503 instead of waiting. Redis answers in
/// milliseconds unless its disk stalls.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long opening a connection may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Between two attempts to connect, calls fail at once. Doubles from the first to the second.
const REDIAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Commands that may wait in line for the socket before callers have to.
const PIPELINE_BUFFER: usize = 1024;

pub(super) struct Link {
    client: Client,
    live: ArcSwapOption<MultiplexedConnection>,
    dialling: Mutex<Dialling>,
}

/// What is known about attempts to connect since the last one that worked.
struct Dialling {
    not_before: Instant,
    pause: Duration,
    last_error: String,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        let dialling = Dialling { not_before: Instant::now(), pause: REDIAL.0, last_error: String::new() };
        Self { client, live: ArcSwapOption::empty(), dialling: Mutex::new(dialling) }
    }

    /// Runs one command.
    pub(super) async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, QueueError> {
        let connection = self.connection().await?;
        let answer = cmd.query_async(&mut (*connection).clone()).await;
        answer.map_err(|error| self.failed(&connection, &error))
    }

    /// Runs commands in one go, not as one atomic step.
    pub(super) async fn query_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, QueueError> {
        let connection = self.connection().await?;
        let answer = commands.query_async(&mut (*connection).clone()).await;
        answer.map_err(|error| self.failed(&connection, &error))
    }

    /// Runs a script that `cmd` calls by its hash; loads it first when Redis does not know it.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &Script, cmd: &Cmd) -> Result<T, QueueError> {
        let connection = self.connection().await?;
        let mut answer = cmd.query_async(&mut (*connection).clone()).await;
        if let Err(error) = &answer
            && error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
        {
            answer = match script.load_async(&mut (*connection).clone()).await {
                Ok(_) => cmd.query_async(&mut (*connection).clone()).await,
                Err(error) => Err(error),
            };
        }
        answer.map_err(|error| self.failed(&connection, &error))
    }

    async fn connection(&self) -> Result<Arc<MultiplexedConnection>, QueueError> {
        if let Some(connection) = self.live.load_full() {
            return Ok(connection);
        }
        let mut dialling = self.dialling.lock().await;
        if let Some(connection) = self.live.load_full() {
            return Ok(connection);
        }
        if Instant::now() < dialling.not_before {
            return Err(QueueError::Unavailable(dialling.last_error.clone()));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(PIPELINE_BUFFER);
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                dialling.pause = REDIAL.0;
                let connection = Arc::new(connection);
                self.live.store(Some(connection.clone()));
                Ok(connection)
            }
            Err(error) => {
                dialling.not_before = Instant::now() + dialling.pause;
                dialling.pause = (dialling.pause * 2).min(REDIAL.1);
                dialling.last_error = format!("connecting to Redis at {}: {error}", self.address());
                Err(QueueError::Unavailable(dialling.last_error.clone()))
            }
        }
    }

    /// Where Redis is, without user or password.
    pub(super) fn address(&self) -> impl fmt::Display {
        self.client.get_connection_info().addr()
    }

    fn failed(&self, connection: &Arc<MultiplexedConnection>, error: &RedisError) -> QueueError {
        // After a timeout the connection may be dead without knowing it; a server that became a replica stays one.
        let useless = error.is_unrecoverable_error()
            || error.is_timeout()
            || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
        if useless {
            self.live.compare_and_swap(connection, None);
        }
        QueueError::Unavailable(format!("Redis at {}: {error}", self.address()))
    }
}
