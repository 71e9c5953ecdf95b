//! What a channel is given: everything there is to say about one delivery, and the rendered text.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde::Serialize;
use watchbell_common::{
    alert::{Origin, Severity, Status},
    ids::{AlertId, DeliveryId, EventId},
    payload::DeliverPayload,
};

use crate::{
    markup,
    render::{self, Layout, Manner},
    template::TemplateError,
};

/// The longest single field in bytes. A subject of a megabyte is an attack or an accident; a receiver that
/// wants it whole finds the raw event in the history.
const FIELD_MAX_BYTES: usize = 8 * 1024;

/// What a message looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// The built-in layout: each channel draws its parts in its own markup. `text` is its plain form.
    Layout(Box<Layout>),
    /// A template wrote `text`, in this markup.
    Written(Markup),
}

/// The markup of a text that a template wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    Plain,
    Html,
    /// Telegram's `MarkdownV2`; elsewhere the platform's own Markdown.
    Markdown,
}

/// One delivery. Its JSON form is what the `webhook` channel posts; fields are only ever added to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    pub event_id: EventId,
    pub alert_id: AlertId,
    /// The same for every attempt of this delivery.
    pub delivery_id: DeliveryId,
    pub fingerprint: String,
    pub status: Status,
    pub severity: Severity,
    pub category: String,
    pub system: String,
    pub summary: String,
    pub action: String,
    pub origin: Origin,
    /// As it was sent.
    pub subject: String,
    /// Envelope first, then headers.
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub source: String,
    pub labels: BTreeMap<String, String>,
    /// How many events of this alert have been seen, this one included.
    pub count: u64,
    pub received_at: Timestamp,
    /// The rendered message. Plain text, several lines, no control characters, unless `body` says otherwise.
    pub text: String,
    /// How the message is drawn where the platform can do more than plain text.
    #[serde(skip)]
    pub body: Body,
    /// The readable text of the event itself, for templates.
    #[serde(skip)]
    pub details: String,
    /// When the first event of this episode arrived, if that is known.
    #[serde(skip)]
    pub since: Option<Timestamp>,
    /// The alert in the dashboard.
    #[serde(skip)]
    pub link: Option<String>,
    /// A later and better answer to a message that already went out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub update: bool,
}

impl Message {
    /// Renders a delivery with the built-in layout, in English and UTC.
    pub fn new(payload: DeliverPayload) -> Self {
        Self::in_manner(payload, &Manner::default())
    }

    /// Renders a delivery with the built-in layout.
    pub(crate) fn in_manner(payload: DeliverPayload, manner: &Manner) -> Self {
        let layout = Box::new(Layout::new(&payload, manner));
        let DeliverPayload { delivery, alert, count, update, since, channel: _ } = payload;
        let (event, analysis) = (alert.event, alert.analysis);
        Self {
            event_id: event.id,
            alert_id: alert.id,
            delivery_id: delivery,
            fingerprint: alert.fingerprint,
            status: analysis.status,
            severity: analysis.severity,
            category: analysis.category,
            system: bounded(analysis.system),
            summary: bounded(analysis.summary),
            action: bounded(analysis.action),
            origin: analysis.origin,
            subject: bounded(event.subject),
            from: event.from,
            to: event.to,
            source: event.source,
            labels: event.labels,
            count,
            received_at: Timestamp::from_millisecond(event.received_at).unwrap_or_default(),
            text: layout.plain(),
            details: event.text,
            since: since.and_then(|since| Timestamp::from_millisecond(since).ok()),
            link: layout.link.clone(),
            body: Body::Layout(layout),
            update,
        }
    }

    /// Says that a template failed: the built-in layout where it is shown, else the end of the text.
    pub(crate) fn say_that_a_template_failed(&mut self, name: &str, reason: &TemplateError, manner: &Manner) {
        let reason = reason.to_string();
        if let Body::Layout(layout) = &mut self.body {
            layout.say_that_a_template_failed(name, &reason, manner);
            self.text = layout.plain();
        } else {
            let line = render::failure_line(name, &reason, manner);
            self.text.push('\n');
            self.text.push_str(&match self.body {
                Body::Written(Markup::Html) => markup::escape_html(&line),
                Body::Written(Markup::Markdown) => markup::escape_markdown(&line),
                Body::Written(Markup::Plain) | Body::Layout(_) => line,
            });
        }
    }

    /// The text within a platform's limit, in bytes.
    pub fn text_within(&self, max_bytes: usize) -> Cow<'_, str> {
        render::cut(&self.text, max_bytes)
    }
}

fn bounded(field: String) -> String {
    if field.len() <= FIELD_MAX_BYTES { field } else { render::cut(&field, FIELD_MAX_BYTES).into_owned() }
}
