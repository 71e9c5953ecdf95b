//! Real SMTP over a real socket: as little as a sender needs.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long a sender waits for an answer before it gives up on the connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that can carry many messages.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects and greets.
    pub async fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(to)).await??;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufReader::new(stream) };
        client.expect("220").await?;
        client.command("EHLO sender.example", "250").await?;
        Ok(client)
    }

    /// Sends a message with CRLF line ends and returns the answer to it: a 250 means that it is kept.
    pub async fn send(&mut self, from: &str, to: &str, message: &str) -> io::Result<String> {
        self.command(&format!("MAIL FROM:<{from}>"), "250").await?;
        self.command(&format!("RCPT TO:<{to}>"), "250").await?;
        self.command("DATA", "354").await?;
        let stuffed = message.replace("\r\n.", "\r\n..");
        self.command(&format!("{}\r\n.", stuffed.trim_end_matches("\r\n")), "250").await
    }

    async fn command(&mut self, line: &str, want: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
        self.expect(want).await
    }

    async fn expect(&mut self, want: &str) -> io::Result<String> {
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await??;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            let line = line.trim_end().to_owned();
            return if line.starts_with(want) { Ok(line) } else { Err(io::Error::other(line)) };
        }
    }
}

/// Sends one message on a connection of its own.
pub async fn send(to: SocketAddr, from: &str, recipient: &str, message: &str) -> io::Result<String> {
    Client::connect(to).await?.send(from, recipient, message).await
}
