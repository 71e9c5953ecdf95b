//! Connections to the upstream. Each is driven by the task of the client that uses it.
//!
//! So no message passes between tasks for a request or a chunk, and nothing has to be told to end: a client that goes
//! away ends its task, and the upstream's connection with it.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use hyper::{
    Request, Response, Uri,
    body::{Body as _, Incoming},
    client::conn::{TrySendError, http1},
};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::bodies::Upload;

/// How long an unused connection is kept. Shorter than the 60 to 75 s after which common servers drop it.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A connection to the upstream, which carries one request at a time.
struct Line {
    sender: http1::SendRequest<Upload>,
    /// Reads and writes when it is polled; absent when the connection has ended.
    driver: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    unused_since: Instant,
}

impl Line {
    /// Reads and writes what there is to read and write.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(ended) = driver.as_mut().poll(cx)
        {
            self.driver = None;
            if let Err(error) = ended {
                tracing::debug!("a connection to the upstream ended: {error}");
            }
        }
    }

    /// Whether it can carry a request: the last one is over in both directions, and the upstream has not hung up.
    fn is_unused(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }
}

/// Connections that nobody uses at the moment, the oldest first.
pub(crate) struct Lines {
    connector: HttpsConnector<HttpConnector>,
    upstream: Uri,
    unused: Mutex<VecDeque<Line>>,
    unused_max: usize,
}

impl Lines {
    pub(crate) fn new(connector: HttpsConnector<HttpConnector>, upstream: Uri, unused_max: usize) -> Self {
        Self { connector, upstream, unused: Mutex::default(), unused_max }
    }

    fn unused(&self) -> MutexGuard<'_, VecDeque<Line>> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last: so those that are not needed grow old.
    fn take(&self) -> Option<Line> {
        loop {
            let mut line = self.unused().pop_back()?;
            if line.is_unused() {
                return Some(line);
            }
        }
    }

    fn give_back(&self, mut line: Line) {
        if line.is_unused() {
            line.unused_since = Instant::now();
            let mut unused = self.unused();
            if unused.len() < self.unused_max {
                unused.push_back(line);
            }
        }
    }

    async fn connect(&self) -> Result<Line, BoxError> {
        let stream = self.connector.clone().oneshot(self.upstream.clone()).await?;
        let (sender, connection) = http1::handshake(stream).await?;
        let driver = Some(Box::pin(connection.with_upgrades()) as _);
        Ok(Line { sender, driver, unused_since: Instant::now() })
    }

    /// Closes those that nobody used for a while, until `stop`.
    pub(crate) async fn keep(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(sleep(IDLE / 2)).await.is_some() {
            let mut unused = self.unused();
            let old = unused.partition_point(|line| line.unused_since.elapsed() > IDLE);
            unused.drain(..old);
        }
    }
}

/// The connection to the upstream that a client's connection uses for its present request.
pub(crate) struct Slot {
    lines: Arc<Lines>,
    line: Mutex<Option<Line>>,
}

impl Slot {
    pub(crate) fn new(lines: Arc<Lines>) -> Self {
        Self { lines, line: Mutex::default() }
    }

    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the upstream and writes to it. Whoever waits for the upstream has to call this.
    pub(crate) fn drive(&self, cx: &mut Context<'_>) {
        if let Some(line) = &mut *self.line() {
            line.drive(cx);
        }
    }

    /// Breaks off the present request.
    pub(crate) fn hang_up(&self) {
        drop(self.line().take());
    }

    /// The present request is over: somebody else may use the connection.
    pub(crate) fn release(&self) {
        let line = self.line().take();
        if let Some(line) = line {
            self.lines.give_back(line);
        }
    }

    /// Sends a request and waits until its answer begins. A connection that the upstream closed before it got anything
    /// of the request is replaced.
    pub(crate) async fn send(&self, mut request: Request<Upload>) -> Result<Response<Incoming>, BoxError> {
        while let Some(line) = self.lines.take() {
            match self.send_on(line, request).await {
                Ok(answer) => return Ok(answer),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let line = self.lines.connect().await?;
        self.send_on(line, request).await.map_err(|error| error.into_error().into())
    }

    async fn send_on(
        &self,
        mut line: Line,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        let uploads = !request.body().is_end_stream();
        let mut answer = pin!(unconstrained(line.sender.try_send_request(request)));
        *self.line() = Some(line);
        poll_fn(|cx| {
            self.drive(cx);
            // An upload is driven from elsewhere as well, which has to wake us. Otherwise the answer comes here or not at
            // all, and a wake-up would only poll everything once more.
            if uploads {
                answer.as_mut().poll(cx)
            } else {
                answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            }
        })
        .await
    }
}
