//! A client's connection as hyper reads it: followed by [`Framing`], and watched for standstill.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};
use watchbell_common::http::Lingering;

use crate::framing::{Doubt, Framing};

/// How long a connection may stand still, by what it is doing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Between requests.
    pub(crate) keep_alive: Duration,
    /// From the first to the last byte of a request head.
    pub(crate) head: Duration,
    /// In the middle of a request or an answer.
    pub(crate) busy: Duration,
}

/// What is known of a connection. Shared by the stream, the requests on it and the task that serves it.
#[derive(Debug)]
pub(crate) struct Watch {
    begun: Instant,
    /// Milliseconds from `begun` until the last byte moved, in either direction.
    moved: AtomicU64,
    /// Until the present head began; `u64::MAX` between heads.
    head_began: AtomicU64,
    heads: AtomicU64,
    answered: AtomicU64,
    /// The first request to refuse, and why.
    doubt: Mutex<Option<(u64, Doubt)>>,
    doubtful: AtomicBool,
    /// The connection became something else than HTTP.
    upgraded: AtomicBool,
    /// How the body of the present request stands.
    upload: AtomicU8,
}

const NO_HEAD: u64 = u64::MAX;

const UPLOADED: u8 = 0;
const UPLOADING: u8 = 1;
const UPLOAD_FAILED: u8 = 2;

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            moved: AtomicU64::new(0),
            head_began: AtomicU64::new(NO_HEAD),
            heads: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            doubt: Mutex::new(None),
            doubtful: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            upload: AtomicU8::new(UPLOADED),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A byte moved.
    pub(crate) fn moved(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// A request was answered to its end, or given up.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    /// The body of the next request is about to be passed on, or is empty.
    pub(crate) fn upload_begins(&self, empty: bool) {
        self.upload.store(if empty { UPLOADED } else { UPLOADING }, Relaxed);
    }

    pub(crate) fn upload_ended(&self, whole: bool) {
        self.upload.store(if whole { UPLOADED } else { UPLOAD_FAILED }, Relaxed);
    }

    pub(crate) fn uploading(&self) -> bool {
        self.upload.load(Relaxed) == UPLOADING
    }

    pub(crate) fn upload_failed(&self) -> bool {
        self.upload.load(Relaxed) == UPLOAD_FAILED
    }

    /// From now on, the bytes are not HTTP.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Relaxed);
    }

    /// Why the request of this number is refused, if it is.
    pub(crate) fn doubt(&self, number: u64) -> Option<Doubt> {
        if !self.doubtful.load(Relaxed) {
            return None;
        }
        let doubt = *self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        doubt.filter(|(first, _)| number >= *first).map(|(_, doubt)| doubt)
    }

    /// Ends when nothing has moved for this long.
    pub(crate) async fn quiet(&self, limit: impl Fn() -> Duration) {
        loop {
            let until = self.begun + Duration::from_millis(self.moved.load(Relaxed)) + limit();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// Ends when the connection has stood still for too long.
    pub(crate) async fn stalled(&self, patience: Patience) {
        loop {
            let busy = self.upgraded.load(Relaxed) || self.answered.load(Relaxed) < self.heads.load(Relaxed);
            let (since, limit) = match self.head_began.load(Relaxed) {
                _ if busy => (self.moved.load(Relaxed), patience.busy),
                NO_HEAD => (self.moved.load(Relaxed), patience.keep_alive),
                began => (began, patience.head),
            };
            let until = self.begun + Duration::from_millis(since) + limit;
            if until <= Instant::now() {
                return;
            }
            // What it is doing may change meanwhile, so look again before the shortest limit is over.
            let shortest = patience.head.min(patience.keep_alive).min(patience.busy);
            sleep_until(until.min(Instant::now() + shortest)).await;
        }
    }

    fn followed(&self, framing: &Framing) {
        self.heads.store(framing.heads(), Relaxed);
        match (framing.in_head(), self.head_began.load(Relaxed)) {
            (true, NO_HEAD) => self.head_began.store(self.now(), Relaxed),
            (true, _) => {}
            (false, _) => self.head_began.store(NO_HEAD, Relaxed),
        }
        if let Some(doubt) = framing.doubt()
            && !self.doubtful.load(Relaxed)
        {
            *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = Some(doubt);
            self.doubtful.store(true, Relaxed);
        }
    }
}

/// The stream between the client and hyper.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Lingering,
    /// What was read from the stream before it came here.
    begun: Bytes,
    framing: Framing,
    watch: Arc<Watch>,
}

impl Wire {
    pub(crate) fn new(stream: Lingering, begun: Bytes, watch: Arc<Watch>) -> Self {
        Self { stream, begun, framing: Framing::default(), watch }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.begun.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let here = this.begun.len().min(buf.remaining());
            buf.put_slice(&this.begun[..here]);
            this.begun.advance(here);
        }
        let new = &buf.filled()[before..];
        if !new.is_empty() {
            this.watch.moved();
            if !this.watch.upgraded.load(Relaxed) {
                this.framing.feed(new);
                this.watch.followed(&this.framing);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.watch.moved();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.watch.moved();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
