//! A mail as an event: subject, readable text, addresses, attachments' names.

use std::collections::BTreeMap;

use watchbell_common::{
    alert::{Event, TEXT_MAX_BYTES},
    payload::{Envelope, IntakeHead},
};

use super::{
    Clues, Decoded, LABEL_MAX_BYTES, SUBJECT_MAX_BYTES, charset,
    header::{self, Headers},
    html,
    mime::{self, Encoding, Kind, Mail, Part},
    text,
};

/// How much of a part's encoded body is read: enough for [`TEXT_MAX_BYTES`] of text in the most wordy HTML.
const BODY_MAX_BYTES: usize = 2 * 1024 * 1024;

/// How much of a text is looked through for a mail that it returns: reports say first what they are about.
const REPORT_MAX_BYTES: usize = 16 * 1024;

/// Attachments that are named.
const ATTACHMENTS_MAX: usize = 100;

/// The longest name of an attachment; file systems take 255 bytes.
const NAME_MAX_BYTES: usize = 255;

/// Addresses that are kept, senders and recipients each.
const ADDRESSES_MAX: usize = 1_000;

/// The longest address (RFC 5321 §4.5.3.1.3, with its brackets).
const ADDRESS_MAX_BYTES: usize = 256;

/// Headers that become labels.
const LABELS: [(&str, &str); 8] = [
    ("message_id", "message-id"),
    ("in_reply_to", "in-reply-to"),
    ("mailer", "x-mailer"),
    ("mailer", "user-agent"),
    ("list_id", "list-id"),
    ("auto_submitted", "auto-submitted"),
    ("precedence", "precedence"),
    ("importance", "importance"),
];

/// Reads a mail. There is nothing that it refuses.
pub(super) fn decode<'a>(head: &IntakeHead, envelope: &Envelope, raw: &'a [u8]) -> Decoded<'a> {
    let mail = mime::parse(raw);
    let event = Event {
        id: head.event,
        tenant: head.tenant,
        received_at: head.received_at,
        source: "mail".to_owned(),
        channel: head.channel,
        peer: head.peer,
        from: addresses(std::slice::from_ref(&envelope.mail_from), &mail.headers, &["from", "sender", "reply-to"]),
        to: addresses(&envelope.rcpt_to, &mail.headers, &["to", "cc"]),
        subject: text::cut(mail.headers.text("subject").unwrap_or_default(), SUBJECT_MAX_BYTES),
        text: readable(&mail),
        labels: labels(envelope, &mail.headers),
        attachments: attachments(&mail),
    };
    let status = mail.parts.iter().find(|part| part.kind == Kind::DeliveryStatus);
    let clues = Clues {
        null_sender: envelope.mail_from.trim_matches(['<', '>']).is_empty(),
        delivery_status: status.map(|part| text::clean(&shown(part))).unwrap_or_default(),
        returned: mail.inside.or_else(|| quoted_header(&mail.parts)).unwrap_or_default(),
        headers: mail.headers,
    };
    Decoded { event, clues, claims: None }
}

/// The header of a mail that stands in a text behind a line like qmail's "--- Below this line is a copy of the message."
/// or exim's "------ This is a copy of the message, including all the headers. ------".
fn quoted_header<'a>(parts: &[Part<'a>]) -> Option<Headers<'a>> {
    let text = parts.iter().find(|part| part.kind == Kind::Plain)?.body;
    let mut rest = &text[..text.len().min(REPORT_MAX_BYTES)];
    while let Some((line, after)) = header::next_line(rest) {
        let announces = |words: &[u8]| line.windows(words.len()).any(|part| part == words);
        if line.starts_with(b"---") && (announces(b"copy of the message") || announces(b"copy of your message")) {
            let blank = after.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            return Some(header::split(&after[blank..]).0);
        }
        rest = after;
    }
    None
}

/// Envelope first, then the header's; lower case, each once.
fn addresses(envelope: &[String], headers: &Headers<'_>, names: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let in_header = names.iter().flat_map(|name| headers.addresses(name));
    for address in envelope.iter().cloned().chain(in_header) {
        let address = text::one_line(&address).trim_matches(['<', '>']).to_lowercase();
        if !address.is_empty() && address.len() <= ADDRESS_MAX_BYTES && !all.contains(&address) {
            all.push(address);
            if all.len() == ADDRESSES_MAX {
                break;
            }
        }
    }
    all
}

fn labels(envelope: &Envelope, headers: &Headers<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (label, field) in LABELS {
        if let Some(value) = headers.text(field) {
            labels.entry(label.to_owned()).or_insert_with(|| text::cut(value, LABEL_MAX_BYTES));
        }
    }
    if let Some(user) = &envelope.user {
        labels.insert("smtp_user".to_owned(), text::cut(text::one_line(user), LABEL_MAX_BYTES));
    }
    labels
}

/// The text that a person would read: of alternatives the plain one, unless it is empty; of the rest all that
/// is not meant to be saved, in order; messages inside under their subjects.
fn readable(mail: &Mail<'_>) -> String {
    let mut out = String::new();
    let mut message = 0;
    let mut more = mail.more;
    let mut plain_of = None;
    for part in mail.parts.iter().filter(|part| !part.attachment) {
        if out.len() > TEXT_MAX_BYTES {
            more = true;
            break;
        }
        let wanted = match part.kind {
            Kind::Plain => true,
            Kind::Html => part.alternative.is_none() || plain_of != part.alternative,
            Kind::DeliveryStatus | Kind::Other => false,
        };
        if !wanted {
            continue;
        }
        let shown = text::clean(&shown(part));
        if shown.is_empty() {
            continue;
        }
        if part.kind == Kind::Plain {
            plain_of = part.alternative;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        if part.message != message {
            message = part.message;
            let subject = mail.messages.get(message.wrapping_sub(1)).map_or("", String::as_str);
            out.push_str("--- ");
            out.push_str(subject);
            out.push_str(" ---\n");
        }
        more |= part.body.len() > BODY_MAX_BYTES;
        out.push_str(&shown);
    }
    text::cut_with_note(out, TEXT_MAX_BYTES, more)
}

/// A part's text.
fn shown(part: &Part<'_>) -> String {
    let body = &part.body[..part.body.len().min(BODY_MAX_BYTES)];
    let text = match part.encoding {
        Encoding::Identity => charset::decode(body, part.charset.as_deref()),
        Encoding::Base64 => charset::decode(&header::base64(body), part.charset.as_deref()),
        Encoding::QuotedPrintable => charset::decode(&header::quoted_printable(body), part.charset.as_deref()),
    };
    match (part.kind, part.flowed) {
        (Kind::Html, _) => html::to_text(&text, 2 * TEXT_MAX_BYTES),
        (_, Some(delete_space)) => text::unflowed(&text, delete_space),
        _ => text,
    }
}

fn attachments(mail: &Mail<'_>) -> Vec<String> {
    let left_behind = |part: &&Part<'_>| part.attachment || part.kind == Kind::Other;
    let name = |part: &Part<'_>| part.name.clone().unwrap_or_else(|| text::one_line(&part.content_type));
    let named = mail.parts.iter().filter(left_behind).map(|part| text::cut(name(part), NAME_MAX_BYTES));
    named.take(ATTACHMENTS_MAX).collect()
}
