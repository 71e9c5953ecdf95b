//! A stream that closes gently.
//!
//! Closing a TCP socket that still has unread bytes sends a reset, and the reset can overtake the answer: the
//! client of a 20 MB upload would see "connection reset" instead of 413. So the sending half is closed first,
//! and what the client still sends is thrown away for a bounded time (RFC 9112 §9.6).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// How long what the client still sends is thrown away, and how much of it.
const LINGER_MAX: Duration = Duration::from_secs(3);
const LINGER_MAX_BYTES: usize = 32 * 1024 * 1024;

/// A TCP stream whose shutdown waits for the other end, within limits.
#[derive(Debug)]
pub struct Lingering {
    stream: TcpStream,
    deadline: Option<Pin<Box<Sleep>>>,
    thrown_away: usize,
}

impl Lingering {
    /// Wraps a connection that was accepted.
    pub const fn new(stream: TcpStream) -> Self {
        Self { stream, deadline: None, thrown_away: 0 }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.deadline.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(LINGER_MAX)));
        let mut scratch = [0; 8 * 1024];
        loop {
            if deadline.as_mut().poll(cx).is_ready() || this.thrown_away > LINGER_MAX_BYTES {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => this.thrown_away += buf.filled().len(),
                // The other end has closed, too, or is gone.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
