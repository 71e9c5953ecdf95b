//! One client's conversation. It needs the users who may log in and a place to publish mail to; everything else
//! is limits. The verbs are in the files beside this one.

mod auth;
mod data;
mod hello;
mod mail;

use std::{net::IpAddr, sync::Arc};

use tokio::time::Instant;

use self::mail::Transaction;
use crate::{
    command::Command,
    meters,
    publish::Publish,
    reply::{self, Reply},
    server::Server,
    wire::{Ended, Line, OnStop, Wire},
};

/// The state of a conversation.
pub(crate) struct Session<P> {
    server: Arc<Server<P>>,
    peer: IpAddr,
    wire: Wire,
    /// What the client called itself; `None` before HELO or EHLO.
    helo: Option<String>,
    user: Option<String>,
    mail: Option<Transaction>,
    /// 5xx answers since the last mail that was taken.
    errors: usize,
    failed_logins: usize,
}

/// What happens after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Close,
}

impl<P: Publish> Session<P> {
    pub(crate) fn new(server: Arc<Server<P>>, peer: IpAddr, wire: Wire) -> Self {
        Self { server, peer, wire, helo: None, user: None, mail: None, errors: 0, failed_logins: 0 }
    }

    /// Talks until either side ends it.
    pub(crate) async fn run(mut self, implicit_tls: bool) {
        match self.converse(implicit_tls).await {
            Ok(()) => {}
            Err(Ended::Left) => tracing::debug!(smtp.peer = %self.peer, "a client closed the connection"),
            Err(Ended::Broken(error)) => {
                tracing::debug!(smtp.peer = %self.peer, "the connection to a client broke: {error}");
            }
            Err(Ended::Stopping) => self.say(&reply::STOPPING),
            Err(Ended::Silent) => {
                self.refuse("idle", "a client was silent for too long");
                self.say(&reply::IDLE);
            }
            Err(Ended::Endless) => {
                self.refuse("syntax", "a client sent a line without end");
                self.say(&reply::LINE_TOO_LONG);
            }
        }
        self.wire.close().await;
    }

    async fn converse(&mut self, implicit_tls: bool) -> Result<(), Ended> {
        if implicit_tls {
            self.start_tls().await?;
        }
        self.say(&Reply::greeting(&self.server.hostname));
        loop {
            let idle_until = Instant::now() + self.server.settings.idle_timeout;
            // A message whose first chunks are here is finished before the server stops, like one in DATA.
            let (by, on_stop) = match self.mail.as_ref().and_then(Transaction::chunks) {
                Some(body) => (idle_until.min(body.by), OnStop::ReadOn),
                None => (idle_until, OnStop::End),
            };
            let command = match self.wire.line(by, on_stop).await? {
                Line::Ready(line) => Command::parse(self.wire.text(line)),
                Line::TooLong => Err(reply::LINE_TOO_LONG),
            };
            let flow = match command {
                Ok(command) => self.obey(command).await?,
                Err(fault) => self.object(&fault),
            };
            if flow == Flow::Close {
                return Ok(());
            }
            if self.errors >= self.server.settings.errors_max {
                self.refuse("errors", "a client made too many errors");
                self.say(&reply::TOO_MANY_ERRORS);
                return Ok(());
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<Flow, Ended> {
        match command {
            Command::Hello { extended, name } => self.hello(extended, name),
            Command::Mail { from, size } => self.mail_from(from, size),
            Command::Rcpt { to } => self.rcpt_to(to),
            Command::Data => return self.data().await,
            Command::Chunk { size, last } => return self.chunk(size, last).await,
            Command::Auth { mechanism, initial } => return self.auth(mechanism, initial).await,
            Command::StartTls => return self.starttls().await,
            Command::Reset => {
                self.mail = None;
                self.say(&reply::OK);
            }
            Command::Noop => self.say(&reply::OK),
            Command::Help => self.say(&reply::HELP),
            Command::Verify => self.say(&reply::CANNOT_VERIFY),
            Command::Quit => {
                self.say(&reply::BYE);
                return Ok(Flow::Close);
            }
            Command::Http => {
                self.refuse("syntax", "a client speaks HTTP to the mail server");
                self.say(&reply::NOT_SMTP);
                return Ok(Flow::Close);
            }
        }
        Ok(Flow::Next)
    }

    /// Answers a line that is no command.
    fn object(&mut self, fault: &Reply) -> Flow {
        // What follows is content, and must not be taken for commands.
        let flow = if *fault == reply::BAD_CHUNK_SIZE { Flow::Close } else { Flow::Next };
        tracing::debug!(smtp.peer = %self.peer, smtp.reply = fault.text(), "a client's command was refused");
        self.say(fault);
        flow
    }

    /// Answers, and keeps count of the client's errors.
    fn say(&mut self, reply: &Reply) {
        self.errors += usize::from(reply.is_client_error());
        self.wire.reply(reply);
    }

    /// Notes for the operator whom we refuse and why.
    fn refuse(&self, reason: &'static str, what: &str) {
        meters::refused(reason);
        let from = self.mail.as_ref().map(|mail| mail.from.as_str());
        let helo = self.helo.as_deref();
        tracing::info!(smtp.peer = %self.peer, smtp.helo = helo, smtp.from = from, smtp.reason = reason, "{what}");
    }
}
