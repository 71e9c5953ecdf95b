//! One delivery as a mail: headers and parts.
//!
//! All mails about an alert name the same root in `References`, and have the same subject but for the word in
//! brackets, so that mail programs keep them in one thread. The `Message-ID` is that of the delivery: a server or a
//! reader that gets a repeated attempt can tell. Nothing of an alert reaches a header before it is one clean line,
//! and lettre encodes (RFC 2047) and folds what remains.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use watchbell_common::{alert::Status, clock::UnixMillis, payload::DELIVERY_HEADER};

use super::{TEXT_MAX_BYTES, html};
use crate::{Body, Markup, Message, markup, render};

/// The longest subject but for its prefix, in bytes: what a list of mails shows, and some.
const TOPIC_MAX_BYTES: usize = 160;

/// Keeps other machines from answering: vacation notices (RFC 3834 §5) and what Exchange sends by itself. There is
/// no `Precedence`: RFC 2076 §3.9 discourages it, and filters take `bulk` for advertising.
const NO_REPLIES: [(HeaderName, &str); 2] = [
    (HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"),
    (HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All"),
];

const DELIVERY: HeaderName = HeaderName::new_from_ascii_str(DELIVERY_HEADER);

/// What a mail is made of.
pub(super) struct Letter<'l> {
    pub(super) message: &'l Message,
    pub(super) from: &'l Mailbox,
    pub(super) to: &'l [Address],
    pub(super) subject_prefix: &'l str,
    /// What all mails of the thread have in their subject.
    pub(super) topic: &'l str,
    pub(super) now_ms: UnixMillis,
}

/// What the thread about this alert is called when this is its first mail.
pub(super) fn topic(message: &Message) -> String {
    let (system, summary) = (line(&message.system), line(&message.summary));
    let summary = if summary.is_empty() { line(&message.subject) } else { summary };
    if system.is_empty() || summary.contains(&system) { summary } else { line(&format!("{system}: {summary}")) }
}

/// One clean line of at most a subject's length. What looks encoded (RFC 2047) is spoilt: a reader would decode it.
pub(super) fn line(text: &str) -> String {
    render::line(&text.replace("=?", "= ?"), TOPIC_MAX_BYTES)
}

impl Letter<'_> {
    /// The whole mail. Always ASCII, so every server can carry it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let domain = self.from.email.domain();
        let root = format!("<{}@{domain}>", self.message.alert_id);
        let mut builder = lettre::Message::builder()
            .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now_ms).unwrap_or_default()))
            .from(self.from.clone())
            .subject(self.subject())
            .message_id(Some(self.message_id(domain)))
            .in_reply_to(root.clone())
            .references(root)
            .raw_header(HeaderValue::new(DELIVERY, self.message.delivery_id.to_string()));
        for (name, value) in NO_REPLIES {
            builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
        }
        for address in self.to {
            builder = builder.to(Mailbox::new(None, address.clone()));
        }
        let mail = match self.parts() {
            (text, Some(html)) => builder.multipart(
                // Not a random one, so that each attempt is the same mail.
                MultiPart::alternative()
                    .boundary(self.message.delivery_id.to_string())
                    .singlepart(SinglePart::plain(text))
                    .singlepart(SinglePart::html(html)),
            ),
            (text, None) => builder.singlepart(SinglePart::plain(text)),
        };
        mail.expect("it has a sender and recipients").formatted()
    }

    /// The id of this mail. A better answer to what was already sent has the delivery's id and is another mail.
    fn message_id(&self, domain: &str) -> String {
        let update = if self.message.update { ".update" } else { "" };
        format!("<{}{update}@{domain}>", self.message.delivery_id)
    }

    /// The word in brackets changes within a thread; threading leaves such a word out (RFC 5256 §2.1, `subj-blob`).
    /// It is the same in every language: mail filters look for it.
    fn subject(&self) -> String {
        let word = match self.message.status {
            Status::Firing => self.message.severity.as_str(),
            Status::Acknowledged | Status::Resolved => self.message.status.as_str(),
        };
        let subject = format!("{} [{}] {}", self.subject_prefix, word.to_ascii_uppercase(), self.topic);
        subject.trim().to_owned()
    }

    /// The text, and HTML where there is more to show than text.
    fn parts(&self) -> (String, Option<String>) {
        let message = self.message;
        match &message.body {
            Body::Layout(layout) => (message.text.clone(), Some(html::layout(message, layout))),
            Body::Written(Markup::Html) => {
                let text = markup::html_to_text(&message.text);
                // Cut HTML is broken HTML.
                let html = (message.text.len() <= TEXT_MAX_BYTES).then(|| html::written(&message.text));
                (render::cut(&text, TEXT_MAX_BYTES).into_owned(), html)
            }
            Body::Written(Markup::Plain | Markup::Markdown) => (message.text_within(TEXT_MAX_BYTES).into_owned(), None),
        }
    }
}
