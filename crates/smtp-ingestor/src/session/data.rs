//! DATA and BDAT (RFC 3030): the content, and the moment at which it becomes ours.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use watchbell_common::{
    ids::{EventId, TenantId},
    payload::{AlertPayload, Content, Envelope, IntakeHead},
    queue::QueueError,
};

use super::{
    Flow, Session,
    mail::{Chunks, Transaction},
};
use crate::{
    content::{Body, Fault, Unstuffer},
    limits::Reservation,
    meters,
    publish::Publish,
    reply::{self, Reply},
    wire::{Ended, OnStop},
};

/// How long a push may take. A sender waits 10 minutes for our answer (RFC 5321 §4.5.3.2.6); after this it is
/// asked to come back, which at worst queues the mail twice.
const PUSH_TIMEOUT: Duration = Duration::from_mins(1);

impl<P: Publish> Session<P> {
    pub(super) async fn data(&mut self) -> Result<Flow, Ended> {
        let objection = match &self.mail {
            None => Some(reply::MAIL_FIRST),
            Some(mail) if !matches!(mail.chunks, Chunks::None) => Some(reply::CHUNKS_BEGUN),
            Some(mail) if mail.to.is_empty() => Some(reply::NO_RECIPIENTS),
            Some(_) => None,
        };
        if let Some(objection) = objection {
            self.say(&objection);
            return Ok(Flow::Next);
        }
        self.say(&reply::SEND_DATA);
        let mut body = self.new_body();
        let mut unstuffer = Unstuffer::new();
        loop {
            let unread = self.wire.unread();
            let end = unstuffer.feed(unread, |part| body.keep(part));
            let used = end.unwrap_or(unread.len());
            self.wire.used(used);
            if end.is_some() {
                break;
            }
            if body.is_hopeless(0) {
                return Ok(self.give_up());
            }
            if let Err(ended) = self.more(body.by).await {
                return self.broken_off(ended, &reply::DATA_TIMED_OUT);
            }
        }
        self.finish(body).await;
        Ok(Flow::Next)
    }

    /// Reads a chunk, always to its end, whatever is wrong: content must never be taken for commands.
    pub(super) async fn chunk(&mut self, size: u64, last: bool) -> Result<Flow, Ended> {
        let (mut body, objection) = self.begin_chunk();
        if body.is_hopeless(size) {
            return Ok(self.give_up());
        }
        let mut left = size;
        loop {
            let unread = self.wire.unread();
            let part = usize::try_from(left).map_or(unread.len(), |left| unread.len().min(left));
            if objection.is_none() {
                body.keep(&unread[..part]);
            }
            self.wire.used(part);
            left -= part as u64;
            if left == 0 {
                break;
            }
            if let Err(ended) = self.more(body.by).await {
                return self.broken_off(ended, &reply::CHUNK_TIMED_OUT);
            }
        }
        if let Some(objection) = objection {
            self.say(&objection);
        } else if last {
            self.finish(body).await;
        } else if let Some(fault) = body.fault() {
            let reply = self.too_much(fault, body.seen());
            self.say(&reply);
            self.set_chunks(Chunks::Spoilt);
        } else {
            self.say(&Reply::chunk(size));
            self.set_chunks(Chunks::Some(body));
        }
        Ok(Flow::Next)
    }

    /// The body that the next chunk goes to, and why it may not.
    fn begin_chunk(&mut self) -> (Body, Option<Reply>) {
        let fresh = self.new_body();
        let Some(mail) = &mut self.mail else { return (fresh, Some(reply::MAIL_FIRST)) };
        if mail.to.is_empty() {
            return (fresh, Some(reply::NO_RECIPIENTS));
        }
        match std::mem::replace(&mut mail.chunks, Chunks::None) {
            Chunks::None => (fresh, None),
            Chunks::Some(body) => (body, None),
            Chunks::Spoilt => {
                mail.chunks = Chunks::Spoilt;
                (fresh, Some(reply::CHUNKS_SPOILT))
            }
        }
    }

    fn set_chunks(&mut self, chunks: Chunks) {
        if let Some(mail) = &mut self.mail {
            mail.chunks = chunks;
        }
    }

    fn new_body(&self) -> Body {
        let settings = &self.server.settings;
        Body::new(settings.message_max_bytes, Instant::now() + settings.data_timeout, &self.server.budget)
    }

    /// Reads on. A message that is arriving is finished even if the server stops.
    async fn more(&mut self, by: Instant) -> Result<(), Ended> {
        self.wire.fill(by.min(Instant::now() + self.server.settings.idle_timeout), OnStop::ReadOn).await
    }

    /// The message ends unfinished. Nothing of it was queued, and the client got no 250.
    fn broken_off(&mut self, ended: Ended, timed_out: &Reply) -> Result<Flow, Ended> {
        self.refuse("unfinished", "a client broke off in the middle of a message; nothing was queued");
        if matches!(ended, Ended::Silent) {
            self.say(timed_out);
            return Ok(Flow::Close);
        }
        Err(ended)
    }

    /// The client sends, or announces, far more than we would ever read to its end.
    fn give_up(&mut self) -> Flow {
        self.refuse("size", "a mail is so much larger than the limit that its end is not awaited");
        self.say(&Reply::too_large(self.server.settings.message_max_bytes));
        Flow::Close
    }

    /// Queues the message or says why not. Either way the transaction is over.
    async fn finish(&mut self, body: Body) {
        let seen = body.seen();
        let reply = match body.finish() {
            Ok((content, hold)) => {
                let mail = self.mail.take().expect("DATA and BDAT are refused without MAIL");
                self.queue(mail, content, hold).await
            }
            Err(fault) => self.too_much(fault, seen),
        };
        self.mail = None;
        self.say(&reply);
    }

    fn too_much(&self, fault: Fault, seen: u64) -> Reply {
        match fault {
            Fault::TooLarge => {
                let limit = self.server.settings.message_max_bytes;
                self.refuse("size", &format!("a mail of {seen} bytes is larger than the limit of {limit} bytes"));
                Reply::too_large(limit)
            }
            Fault::NoMemory => {
                self.refuse("memory", "too much mail is arriving; smtp.memory_max_bytes is used up");
                reply::NO_MEMORY
            }
        }
    }

    async fn queue(&mut self, mail: Transaction, content: Vec<u8>, hold: Reservation) -> Reply {
        let bytes = content.len();
        let now = self.server.clock.now_ms();
        let event = EventId::at(now);
        let from = mail.from.clone();
        let envelope = Envelope {
            helo: self.helo.clone().unwrap_or_default(),
            mail_from: mail.from,
            rcpt_to: mail.to,
            user: self.user.clone(),
        };
        let head = IntakeHead {
            event,
            tenant: TenantId::DEFAULT,
            received_at: now,
            peer: Some(self.peer),
            channel: None,
            content: Content::Mail(envelope),
        };
        let began = Instant::now();
        let push = self.server.publish.publish(AlertPayload { head, raw: content.into() });
        let pushed = timeout(PUSH_TIMEOUT, push)
            .await
            .unwrap_or_else(|_| Err(QueueError::Unavailable(format!("no answer within {PUSH_TIMEOUT:?}"))));
        drop(hold);
        match pushed {
            Ok(()) => {
                let meters = &self.server.meters;
                meters.push_seconds.record(began.elapsed());
                meters.messages.increment(1);
                meters.bytes.increment(bytes as u64);
                tracing::debug!(
                    event.id = %event, smtp.peer = %self.peer, smtp.from = from, smtp.bytes = bytes,
                    "a mail was queued"
                );
                self.errors = 0;
                Reply::queued(event)
            }
            Err(error) => {
                meters::refused("queue");
                tracing::warn!(
                    smtp.peer = %self.peer, smtp.from = from, smtp.bytes = bytes,
                    "a mail could not be queued, its sender will try again: {error}"
                );
                reply::QUEUE_UNAVAILABLE
            }
        }
    }
}
