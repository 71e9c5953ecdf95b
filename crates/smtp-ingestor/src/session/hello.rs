//! HELO, EHLO and STARTTLS (RFC 3207).

use std::time::Duration;

use super::{Flow, Session};
use crate::{
    publish::Publish,
    reply::{self, Reply},
    wire::Ended,
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

impl<P: Publish> Session<P> {
    pub(super) fn hello(&mut self, extended: bool, name: String) {
        self.mail = None;
        self.helo = Some(name);
        let server = &self.server;
        let tls = self.wire.is_tls();
        let reply = if extended {
            let starttls = server.tls.is_some() && !tls;
            let auth = server.users.is_some() && self.may_send_passwords();
            Reply::ehlo(&server.hostname, server.settings.message_max_bytes, starttls, auth)
        } else {
            Reply::helo(&server.hostname)
        };
        self.say(&reply);
    }

    pub(super) async fn starttls(&mut self) -> Result<Flow, Ended> {
        if self.server.tls.is_none() {
            self.say(&reply::NOT_IMPLEMENTED);
        } else if self.wire.is_tls() {
            self.say(&reply::ALREADY_TLS);
        } else {
            self.say(&reply::START_TLS);
            self.start_tls().await?;
        }
        Ok(Flow::Next)
    }

    /// Shakes hands, and forgets what was said in clear text (RFC 3207 §4.2).
    pub(super) async fn start_tls(&mut self) -> Result<(), Ended> {
        let Some(acceptor) = self.server.tls.clone() else { return Ok(()) };
        (self.helo, self.user, self.mail) = (None, None, None);
        self.wire.upgrade(&acceptor, HANDSHAKE_TIMEOUT).await.inspect_err(|error| {
            tracing::info!(smtp.peer = %self.peer, "a TLS handshake failed: {error:?}");
        })
    }

    /// Whether a password would travel safely, or the operator said that it need not.
    pub(super) fn may_send_passwords(&self) -> bool {
        self.wire.is_tls() || self.server.settings.auth_without_tls
    }
}
