//! A connection as the session sees it: one read buffer, replies that are collected until the client waits for
//! them (RFC 2920), and deadlines on everything.

use std::{io, ops::Range, pin::Pin, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, Sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::reply::Reply;

/// The read buffer, unless a longer command line must fit: a few reads per megabyte of mail.
const INPUT_BYTES: usize = 16 * 1024;

/// Replies are written at the latest when this much has gathered, so that a long pipeline stays bounded.
const OUTPUT_BYTES: usize = 4 * 1024;

/// How much of one overlong command line is swallowed before the connection is closed.
const OVERLONG_MAX_BYTES: usize = 1024 * 1024;

/// How long, and how much, is read after the last reply, so that the client can read it: a close with unread
/// input resets the connection and may destroy replies on their way.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_MAX_BYTES: usize = 256 * 1024;

/// Why there is nothing more to read or write.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The client closed the connection.
    Left,
    Broken(io::Error),
    /// The deadline passed.
    Silent,
    /// The server is stopping.
    Stopping,
    /// A command line went on and on.
    Endless,
}

/// A command line.
#[derive(Debug)]
pub(crate) enum Line {
    /// For [`Wire::text`]; valid until the next read.
    Ready(Range<usize>),
    TooLong,
}

/// What a read does when the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnStop {
    End,
    /// Something was begun that is worth its end.
    ReadOn,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A failed TLS handshake left nothing.
    Lost,
}

/// A connection. Reading writes the pending replies first.
pub(crate) struct Wire {
    stream: Stream,
    input: Box<[u8]>,
    /// What was read and not yet used.
    unread: Range<usize>,
    output: Vec<u8>,
    timer: Pin<Box<Sleep>>,
    /// One for the whole connection: to get into the token's line and out of it takes longer than most reads.
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    line_max: usize,
    write_timeout: Duration,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, line_max: usize, write_timeout: Duration, stop: CancellationToken) -> Self {
        Self {
            stream: Stream::Plain(stream),
            input: vec![0; INPUT_BYTES.max(line_max + 1)].into(),
            unread: 0..0,
            output: Vec::with_capacity(512),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            stopping: Box::pin(stop.cancelled_owned()),
            line_max,
            write_timeout,
        }
    }

    /// Whether the client is the only one who can read what is said.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Adds a reply to what is written next.
    pub(crate) fn reply(&mut self, reply: &Reply) {
        self.output.extend_from_slice(reply.as_bytes());
    }

    /// The next command line, with its line feed.
    pub(crate) async fn line(&mut self, by: Instant, on_stop: OnStop) -> Result<Line, Ended> {
        let (mut scanned, mut swallowed) = (0, 0);
        loop {
            let unread = &self.input[self.unread.clone()];
            if let Some(end) = unread[scanned..].iter().position(|&byte| byte == b'\n') {
                let line = self.unread.start..self.unread.start + scanned + end + 1;
                self.unread.start = line.end;
                if self.output.len() > OUTPUT_BYTES {
                    self.flush().await?;
                }
                let fits = swallowed == 0 && line.len() <= self.line_max;
                return Ok(if fits { Line::Ready(line) } else { Line::TooLong });
            }
            scanned = unread.len();
            if scanned > self.line_max {
                swallowed += scanned;
                scanned = 0;
                self.unread = 0..0;
            }
            if swallowed > OVERLONG_MAX_BYTES {
                return Err(Ended::Endless);
            }
            self.fill(by, on_stop).await?;
        }
    }

    /// The bytes of a line.
    pub(crate) fn text(&self, line: Range<usize>) -> &[u8] {
        &self.input[line]
    }

    /// What was read and not yet used.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.input[self.unread.clone()]
    }

    /// Marks bytes of [`Self::unread`] as used.
    pub(crate) fn used(&mut self, bytes: usize) {
        self.unread.start += bytes;
    }

    /// Writes what is pending, then reads more, until `by` at the latest.
    pub(crate) async fn fill(&mut self, by: Instant, on_stop: OnStop) -> Result<(), Ended> {
        self.flush().await?;
        if self.unread.is_empty() {
            self.unread = 0..0;
        } else if self.unread.end == self.input.len() {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        // Deadlines mostly move forward, with each read. Moving the timer each time would cost more than the read, so
        // it is left where it is, and moved when it rings too early.
        if self.timer.is_elapsed() || by < self.timer.deadline() {
            self.timer.as_mut().reset(by);
        }
        let read = loop {
            // The deadline comes first: a client that always has another byte ready must not outrun it.
            tokio::select! {
                biased;
                () = &mut self.timer => {
                    if Instant::now() >= by {
                        return Err(Ended::Silent);
                    }
                    self.timer.as_mut().reset(by);
                }
                () = &mut self.stopping, if on_stop == OnStop::End => return Err(Ended::Stopping),
                read = self.stream.read(&mut self.input[self.unread.end..]) => break read,
            }
        };
        match read {
            Ok(0) => Err(Ended::Left),
            Ok(bytes) => {
                self.unread.end += bytes;
                Ok(())
            }
            Err(error) => Err(Ended::Broken(error)),
        }
    }

    /// Writes what is pending. A client that does not read its replies is given up after the write timeout.
    pub(crate) async fn flush(&mut self) -> Result<(), Ended> {
        if self.output.is_empty() {
            return Ok(());
        }
        let written = timeout(self.write_timeout, self.stream.write_all(&self.output)).await;
        self.output.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ended::Broken(error)),
            Err(_) => Err(Ended::Silent),
        }
    }

    /// Turns TLS on. Whatever the client sent ahead in clear text is forgotten: it may be another's words.
    pub(crate) async fn upgrade(&mut self, acceptor: &TlsAcceptor, within: Duration) -> Result<(), Ended> {
        self.flush().await?;
        self.unread = 0..0;
        let Stream::Plain(tcp) = std::mem::replace(&mut self.stream, Stream::Lost) else {
            return Err(Ended::Broken(io::Error::other("TLS is already on")));
        };
        let tls = timeout(within, acceptor.accept(tcp)).await.map_err(|_| Ended::Silent)?.map_err(Ended::Broken)?;
        self.stream = Stream::Tls(Box::new(tls));
        Ok(())
    }

    /// Writes what is pending and closes the connection so that the client can still read it.
    pub(crate) async fn close(mut self) {
        let closing = async {
            self.flush().await.ok()?;
            self.stream.shutdown().await.ok()?;
            let mut read = 0;
            while read < LINGER_MAX_BYTES {
                match self.stream.read(&mut self.input).await {
                    Ok(0) | Err(_) => break,
                    Ok(bytes) => read += bytes,
                }
            }
            Some(())
        };
        let _ = timeout(LINGER, closing).await;
    }
}

impl Stream {
    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into).await,
            Self::Tls(tls) => tls.read(into).await,
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).await,
            Self::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown().await,
            Self::Tls(tls) => tls.shutdown().await,
            Self::Lost => Ok(()),
        }
    }
}
