//! Mails of which only the text is left: somebody pasted one, or it lies in a folder.

use bytes::Bytes;
use watchbell_common::{
    clock::UnixMillis,
    ids::{EventId, TenantId},
    payload::{AlertPayload, Content, Envelope, IntakeHead},
};

use crate::decode::{self, Decoded};

/// A mail as intake would have put it on the queue. Its lost envelope is made from its header: the sender is that of
/// `Return-Path`, else of `From`.
pub fn mail(event: EventId, tenant: TenantId, received_at: UnixMillis, raw: impl Into<Bytes>) -> AlertPayload {
    let content = Content::Mail(Envelope::default());
    let head = IntakeHead { event, tenant, received_at, peer: None, channel: None, content };
    let mut payload = AlertPayload { head, raw: raw.into() };
    let envelope = envelope(decode::decode(&payload));
    payload.head.content = Content::Mail(envelope);
    payload
}

fn envelope(Decoded { event, clues, .. }: Decoded<'_>) -> Envelope {
    let mail_from = match clues.headers.text("return-path") {
        // `Return-Path: <>` is the null sender, and stays it.
        Some(path) => path.trim_matches(['<', '>']).to_owned(),
        None => event.from.into_iter().next().unwrap_or_default(),
    };
    Envelope { mail_from, rcpt_to: event.to, ..Envelope::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_envelope_is_made_from_the_header() {
        let of = |raw: &'static str| match mail(EventId::at(0), TenantId::DEFAULT, 0, raw).head.content {
            Content::Mail(envelope) => (envelope.mail_from, envelope.rcpt_to.join(" ")),
            Content::Item(_) => unreachable!("it is a mail"),
        };
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(of("Return-Path: <bounces@vm>\nFrom: Root <root@vm>\n\nx"), pair("bounces@vm", ""));
        assert_eq!(of("Return-Path: <>\nFrom: mailer-daemon@vm\n\nx"), pair("", ""));
        assert_eq!(of("From: Root <root@vm>\nTo: ops@vm\nCc: Boss <boss@vm>\n\nx"), pair("root@vm", "ops@vm boss@vm"));
        assert_eq!(of("no header"), pair("", ""));
    }
}
