//! What a bot is sent: a card, rich text or plain text.

use reqwest::Url;
use serde_json::{Value, json};

use super::TEXT_MAX_BYTES;
use crate::{
    Body, Layout, Markup, Message, Unit,
    draw::{self, Tone},
    hook,
};

/// Without the signature, and with “20 KB” read as the smaller of the two things that it may mean.
const REQUEST_MAX_BYTES: usize = 19_900;

/// The text that a template wrote, as a request of these.
fn written(message: &Message, make: impl Fn(&str) -> Value) -> Value {
    hook::within(REQUEST_MAX_BYTES, &message.text_within(TEXT_MAX_BYTES), make)
}

/// A card. Texts of the alert are `plain_text`, which Lark shows as they are.
pub(super) fn interactive(message: &Message) -> Value {
    let card = |card: Value| json!({ "msg_type": "interactive", "card": card });
    match &message.body {
        Body::Layout(layout) => card(json!({
            "config": { "wide_screen_mode": true },
            "header": { "template": colour(Tone::of(message)), "title": literal(&draw::title(layout)) },
            "elements": elements(layout, message.update),
        })),
        Body::Written(Markup::Markdown) => {
            written(message, |text| card(json!({ "elements": [{ "tag": "markdown", "content": text }] })))
        }
        Body::Written(Markup::Plain | Markup::Html) => {
            written(message, |text| card(json!({ "elements": [{ "tag": "div", "text": literal(text) }] })))
        }
    }
}

fn elements(layout: &Layout, short: bool) -> Vec<Value> {
    let (facts, excerpt) = draw::details(layout, short);
    let mut elements = vec![json!({ "tag": "div", "text": literal(&layout.summary) })];
    if !facts.is_empty() {
        let fact = |(label, value): &(&str, String)| json!({ "is_short": false, "text": literal(&layout.labelled(label, value)) });
        elements.push(json!({ "tag": "div", "fields": facts.into_iter().map(fact).collect::<Vec<_>>() }));
    }
    if !excerpt.is_empty() {
        elements.extend([json!({ "tag": "hr" }), json!({ "tag": "div", "text": literal(&excerpt.join("\n")) })]);
    }
    elements.extend(draw::link(layout).map(|url| {
        let button =
            json!({ "tag": "button", "type": "default", "text": literal(layout.link_label), "url": url.as_str() });
        json!({ "tag": "action", "actions": [button] })
    }));
    elements
}

pub(super) fn literal(text: &str) -> Value {
    json!({ "tag": "plain_text", "content": text })
}

/// <https://open.feishu.cn/document/feishu-cards/card-components/content-components/title> `template`
const fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical => "red",
        Tone::Error => "orange",
        Tone::Warning => "yellow",
        Tone::Info => "blue",
        Tone::Acknowledged => "grey",
        Tone::Resolved => "green",
    }
}

/// Rich text: a title and paragraphs, of which none has any markup.
pub(super) fn post(message: &Message, locale: &str) -> Value {
    let post = |title: &str, content: Vec<Value>| json!({ "msg_type": "post", "content": { "post": { locale: { "title": title, "content": content } } } });
    let paragraph = |line: &str| json!([{ "tag": "text", "text": line }]);
    match &message.body {
        Body::Layout(layout) => {
            let lines = draw::lines(layout, message.update);
            let link = |url: Url| json!([{ "tag": "a", "text": layout.link_label, "href": url.as_str() }]);
            let content = lines.iter().map(|line| paragraph(line)).chain(draw::link(layout).map(link)).collect();
            post(&draw::title(layout), content)
        }
        Body::Written(_) => written(message, |text| post("", text.lines().map(paragraph).collect())),
    }
}

/// In a text, `<at …>` mentions people: a template may.
pub(super) fn text(message: &Message) -> Value {
    match &message.body {
        Body::Layout(_) => plain(message),
        Body::Written(_) => written(message, as_text),
    }
}

pub(super) fn plain(message: &Message) -> Value {
    let text = draw::escaped(&draw::bare(message), TEXT_MAX_BYTES, Unit::Bytes, escape);
    hook::within(REQUEST_MAX_BYTES, &text, as_text)
}

fn as_text(text: &str) -> Value {
    json!({ "msg_type": "text", "content": { "text": text } })
}

/// Parts `<` from the name of a tag. Lark knows no way to escape it.
fn escape(before: Option<char>, c: char, out: &mut String) {
    if before == Some('<') && (c == '/' || c.is_alphabetic()) {
        out.push('\u{200b}');
    }
    out.push(c);
}
