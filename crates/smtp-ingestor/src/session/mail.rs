//! MAIL and RCPT: the envelope.

use super::Session;
use crate::{
    content::Body,
    limits::Reservation,
    meters,
    publish::Publish,
    reply::{self, Reply},
};

/// A message that was begun.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Empty for the null sender.
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// Memory for the recipients.
    hold: Reservation,
    pub(super) chunks: Chunks,
}

/// How far BDAT (RFC 3030) has got.
#[derive(Debug)]
pub(super) enum Chunks {
    None,
    Some(Body),
    /// One was refused; only RSET helps.
    Spoilt,
}

impl Transaction {
    /// The chunks that arrived so far.
    pub(super) fn chunks(&self) -> Option<&Body> {
        match &self.chunks {
            Chunks::Some(body) => Some(body),
            Chunks::None | Chunks::Spoilt => None,
        }
    }
}

impl<P: Publish> Session<P> {
    pub(super) fn mail_from(&mut self, from: String, size: usize) {
        let settings = &self.server.settings;
        let size_max = settings.message_max_bytes;
        if self.helo.is_none() {
            self.say(&reply::HELLO_FIRST);
        } else if self.mail.is_some() {
            self.say(&reply::NESTED_MAIL);
        } else if settings.auth_required && self.user.is_none() {
            self.refuse("auth", "a client that did not log in wants to send mail");
            self.say(&reply::LOGIN_FIRST);
        } else if size > size_max {
            meters::refused("size");
            tracing::warn!(
                smtp.peer = %self.peer, smtp.from = from, smtp.declared_bytes = size, smtp.limit_bytes = size_max,
                "a mail is declared larger than the limit; smtp.message_max_bytes raises it"
            );
            self.say(&Reply::too_large(size_max));
        } else {
            let hold = self.server.budget.reserve();
            self.mail = Some(Transaction { from, to: Vec::new(), hold, chunks: Chunks::None });
            self.say(&reply::SENDER_OK);
        }
    }

    pub(super) fn rcpt_to(&mut self, to: String) {
        let reply = match &mut self.mail {
            None => reply::MAIL_FIRST,
            Some(mail) if !matches!(mail.chunks, Chunks::None) => reply::CHUNKS_BEGUN,
            Some(mail) if mail.to.len() >= self.server.settings.recipients_max => {
                self.refuse("recipients", "a mail has too many recipients");
                reply::TOO_MANY_RECIPIENTS
            }
            Some(mail) if !self.server.recipients.accept(&to) => {
                meters::refused("recipient");
                tracing::info!(
                    smtp.peer = %self.peer, smtp.from = mail.from, smtp.to = to,
                    "a recipient is not in smtp.recipients"
                );
                reply::UNKNOWN_RECIPIENT
            }
            Some(mail) => {
                if mail.hold.grow(to.len() + size_of::<String>()) {
                    mail.to.push(to);
                    reply::RECIPIENT_OK
                } else {
                    self.refuse("memory", "too much mail is arriving; smtp.memory_max_bytes is used up");
                    reply::NO_MEMORY
                }
            }
        };
        self.say(&reply);
    }
}
