//! First stage: from what was received to an [`Event`] with decoded, clean text.

mod charset;
mod header;
mod html;
mod item;
mod mail;
mod mime;
mod text;

use watchbell_common::{
    alert::{Event, Severity, Status},
    payload::{AlertPayload, Content},
};

pub use header::Headers;
pub(crate) use text::{cut, one_line};

/// The longest subject that is carried along; RFC 5322 §2.1.1 allows 998 bytes a line.
const SUBJECT_MAX_BYTES: usize = 4 * 1024;

/// The longest label name or value.
const LABEL_MAX_BYTES: usize = 1_024;

/// A decoded event, and what the next stages need beside it.
#[derive(Debug)]
pub struct Decoded<'a> {
    pub event: Event,
    pub clues: Clues<'a>,
    /// What a webhook item said about itself; `None` for mails.
    pub claims: Option<Claims>,
}

/// What the rules look at in a mail beside its event. Empty for webhook items.
#[derive(Debug, Default)]
pub struct Clues<'a> {
    pub headers: Headers<'a>,
    /// `MAIL FROM:<>`: sent by a mail system, about a mail.
    pub null_sender: bool,
    /// The machine-readable part of a delivery report (RFC 3464).
    pub delivery_status: String,
    /// The header of the mail that a report is about, where the report brings it.
    pub returned: Headers<'a>,
}

/// What a webhook item said about itself. It is taken at its word.
#[derive(Debug)]
pub struct Claims {
    pub severity: Option<Severity>,
    pub status: Option<Status>,
    pub system: Option<String>,
    pub category: Option<String>,
    pub fingerprint: String,
}

/// Decodes a payload. There is nothing that it refuses.
pub fn decode(payload: &AlertPayload) -> Decoded<'_> {
    match &payload.head.content {
        Content::Mail(envelope) => mail::decode(&payload.head, envelope, &payload.raw),
        Content::Item(item) => item::decode(&payload.head, item),
    }
}
