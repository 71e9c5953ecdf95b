//! The figures of this service, with handles that the hot path need not look up.

use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram};

/// What is counted.
#[derive(Clone)]
pub(crate) struct Meters {
    pub(crate) connections: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) messages: Counter,
    pub(crate) bytes: Counter,
    pub(crate) push_seconds: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe_gauge!("watchbell_smtp_connections", "SMTP connections that are open");
        describe_counter!("watchbell_smtp_connections_total", "SMTP connections that got a greeting");
        describe_counter!("watchbell_smtp_messages_total", "Mails that were queued and answered with 250");
        describe_counter!("watchbell_smtp_bytes_total", "Bytes of the mails that were queued");
        describe_counter!("watchbell_smtp_refusals_total", "Connections, recipients and mails refused, by reason");
        describe_histogram!("watchbell_smtp_push_seconds", "How long a mail took from its last byte to durable");
        Self {
            connections: metrics::gauge!("watchbell_smtp_connections"),
            accepted: counter!("watchbell_smtp_connections_total"),
            messages: counter!("watchbell_smtp_messages_total"),
            bytes: counter!("watchbell_smtp_bytes_total"),
            push_seconds: metrics::histogram!("watchbell_smtp_push_seconds"),
        }
    }
}

/// Counts a refusal. Not on the path of accepted mail, so it may look its counter up.
pub(crate) fn refused(reason: &'static str) {
    counter!("watchbell_smtp_refusals_total", "reason" => reason).increment(1);
}
