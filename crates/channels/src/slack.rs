//! `slack`: incoming webhooks. Texts of the alert go into `plain_text` objects, which Slack shows as they are: there
//! is no way to escape `*`, `_` and the like in its mrkdwn.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use watchbell_common::config::OpenChannel;

use crate::{
    Beyond, Body, Channel, ChannelKind, Configured, Kept, Layout, Limits, Markup, Message, Receipt, SendError, Tools,
    Unit,
    draw::{self, Tone},
    hook::{self, Hook},
    http::{Answer, Verdict},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "slack",
    title: "Slack",
    bot: &[],
    fields: &[hook::url_field("From the app's page “Incoming Webhooks”: https://hooks.slack.com/services/…")],
    limits: Limits {
        text_max: TEXT_MAX,
        unit: Unit::Characters,
        beyond: Beyond::Cut,
        source: "https://docs.slack.dev/reference/block-kit/blocks/section-block",
    },
    // “Posting messages: 1 per second”, https://docs.slack.dev/apis/web-api/rate-limits
    paces: |channel| vec![hook::pace(channel, 60, 1)],
    remembers: false,
    setup: "\
channels:
  - name: slack-ops
    platform: slack
    options:
      webhook_url: ${SLACK_WEBHOOK_URL}   # https://hooks.slack.com/services/…
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX: usize = 3_000;

/// <https://docs.slack.dev/reference/block-kit/blocks/header-block>
const HEADER_MAX: usize = 150;

/// Slack's words for why it refuses, and what to do.
/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks> “Handling errors”
const REFUSALS: [(&str, &str); 11] = [
    ("action_prohibited", "an administrator restricts who may post there: ask for the webhook to be allowed"),
    ("channel_is_archived", "the channel is archived: restore it, or make a webhook for another channel"),
    ("channel_not_found", "the channel is gone: make a webhook for another channel"),
    ("invalid_token", "the webhook URL is incomplete or was withdrawn: copy it again from Slack"),
    ("no_active_hooks", "the webhook is switched off: switch it on in Slack, or make a new one"),
    ("no_service", "the webhook was removed or switched off: make a new one in Slack"),
    ("no_service_id", "the webhook URL is incomplete: copy it again from Slack"),
    ("no_team", "the workspace is gone: make a webhook in another one"),
    ("posting_to_general_channel_denied", "only some may post to this channel: make a webhook for another one"),
    ("team_disabled", "the workspace is switched off: make a webhook in another one"),
    ("user_not_found", "the person it posts to is gone: make a webhook for somebody else"),
];

/// Those for a form that it does not accept.
const FORM_REFUSED: [&str; 6] = [
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_payload",
    "no_text",
    "too_many_attachments",
];

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    Ok(Arc::new(Slack { hook: Hook::of(channel, tools, |_| Ok(()))? }))
}

#[derive(Debug)]
struct Slack {
    hook: Hook,
}

#[async_trait]
impl Channel for Slack {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let (_, detail) = self.hook.post_or_plain(&request(message), || plain(message), read).await?;
        Ok(Receipt { detail, ..Receipt::default() })
    }
}

fn read(answer: &Answer) -> Option<Verdict> {
    let word = answer.body.trim();
    if FORM_REFUSED.contains(&word) {
        return Some(Verdict::Form("Slack does not accept the message's form: please report it with this line"));
    }
    Verdict::listed(&REFUSALS, &word)
}

fn plain(message: &Message) -> Value {
    json!({ "text": draw::escaped(&draw::bare(message), TEXT_MAX, Unit::Characters, escape) })
}

/// An attachment, because only those have a colour. `fallback` is what a notification shows.
fn request(message: &Message) -> Value {
    let fit = |text| draw::fit(text, TEXT_MAX, Unit::Characters);
    let (fallback, blocks) = match &message.body {
        Body::Layout(layout) => (draw::headline(layout), blocks(message, layout)),
        Body::Written(Markup::Markdown) => {
            let text = json!({ "type": "mrkdwn", "text": fit(&message.text) });
            (draw::notice(message), vec![json!({ "type": "section", "text": text })])
        }
        Body::Written(Markup::Plain | Markup::Html) => {
            (draw::notice(message), vec![json!({ "type": "section", "text": literal(&fit(&message.text)) })])
        }
    };
    let fallback = draw::escaped(&fallback, TEXT_MAX, Unit::Characters, escape);
    json!({ "attachments": [{ "color": Tone::of(message).hex(), "fallback": fallback, "blocks": blocks }] })
}

fn blocks(message: &Message, layout: &Layout) -> Vec<Value> {
    let (facts, excerpt) = draw::details(layout, message.update);
    let heading = draw::title(layout);
    let mut blocks = vec![
        json!({ "type": "header", "text": literal(&draw::fit(&heading, HEADER_MAX, Unit::Characters)) }),
        json!({ "type": "section", "text": literal(&layout.summary) }),
    ];
    blocks.extend(facts.iter().map(|(label, value)| {
        json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": format!("*{label}*") }, literal(value)] })
    }));
    if !excerpt.is_empty() {
        blocks.push(json!({ "type": "section", "text": literal(&excerpt.join("\n")) }));
    }
    // Not a button: Slack reports each press of one to the app, and warns people when the app takes no reports.
    blocks.extend(draw::link(layout).map(|url| {
        let url = draw::escaped(url.as_str(), TEXT_MAX, Unit::Characters, escape);
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("<{url}|{}>", layout.link_label) } })
    }));
    blocks
}

/// A text that is shown as it is: no markup, no mention, no link, no emoji name.
fn literal(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// What could be a mention or a link elsewhere.
/// <https://docs.slack.dev/messaging/formatting-message-text> “Escaping text”
fn escape(_before: Option<char>, c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        _ => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        http::StatusCode,
        response::{IntoResponse as _, Response},
    };

    use super::*;
    use crate::contract::{self, Server, refusal};

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: slack,
        provider_id: None,
        form_refused: Some(|| (StatusCode::BAD_REQUEST, "invalid_blocks").into_response()),
    };

    fn example(base: &str) -> OpenChannel {
        contract::hook("slack", &format!("{base}/services/T0001/B0002/hunter2hunter2hunter2hu"))
    }

    /// Refuses what Slack refuses.
    fn slack(request: &str) -> Response {
        let no = |word: &'static str| (StatusCode::BAD_REQUEST, word).into_response();
        let Some(body) = contract::json_body(request) else { return no("invalid_payload") };
        let Some(blocks) = body["attachments"][0]["blocks"].as_array() else {
            return if body["text"].as_str().is_some_and(|text| !text.is_empty()) {
                "ok".into_response()
            } else {
                no("no_text")
            };
        };
        let fits = |text: &Value, max: usize| {
            text["text"].as_str().is_some_and(|text| (1..=max).contains(&text.chars().count()))
                && matches!(text["type"].as_str(), Some("plain_text" | "mrkdwn"))
        };
        let valid = |block: &Value| match block["type"].as_str() {
            Some("header") => fits(&block["text"], 150) && block["text"]["type"] == "plain_text",
            Some("section") => fits(&block["text"], 3_000),
            Some("context") => {
                let elements = block["elements"].as_array().unwrap();
                (1..=10).contains(&elements.len()) && elements.iter().all(|text| fits(text, 3_000))
            }
            _ => false,
        };
        if blocks.len() > 50 || !blocks.iter().all(valid) { no("invalid_blocks") } else { "ok".into_response() }
    }

    #[test]
    fn nothing_in_an_alert_is_a_mention_a_link_or_markup() {
        let hostile = "<!channel> <@U1> <https://evil.example|bank> *b* & @here :fire:";
        let request = request(&contract::message_saying(hostile));
        let attachment = &request["attachments"][0];
        let fallback = attachment["fallback"].as_str().unwrap();
        assert!(fallback.contains("&lt;!channel&gt;") && !fallback.contains('<'), "{fallback}");
        assert_eq!(attachment["blocks"][1]["text"], literal(hostile));
        let labels = ["*Action*", "*Subject*", "*From*", "*Since*", "*Received*"]
            .map(|label| json!({ "type": "mrkdwn", "text": label }));
        let marked_up = attachment["blocks"].as_array().unwrap().iter().filter_map(|block| block["elements"].get(0));
        assert_eq!(marked_up.cloned().collect::<Vec<_>>(), labels);
    }

    #[tokio::test]
    async fn the_last_line_leads_to_the_alert() {
        let server = Server::answering(slack).await;
        let channel = crate::configure(&example(&server.base), &contract::tools()).unwrap();
        let (linked, link) = contract::message_at(contract::HOST);
        channel.send(&linked, None).await.unwrap();
        let request = request(&linked);
        let last = request["attachments"][0]["blocks"].as_array().unwrap().last().unwrap();
        assert_eq!(last["text"], json!({ "type": "mrkdwn", "text": format!("<{link}|Details>") }));
    }

    #[test]
    fn a_template_writes_mrkdwn_and_plain_text_stays_plain() {
        let written = |markup| {
            let message = Message { text: "*b* <!here>".into(), body: Body::Written(markup), ..contract::message() };
            request(&message)["attachments"][0]["blocks"][0]["text"].clone()
        };
        assert_eq!(written(Markup::Markdown), json!({ "type": "mrkdwn", "text": "*b* <!here>" }));
        assert_eq!(written(Markup::Plain), literal("*b* <!here>"));
        assert_eq!(written(Markup::Html), literal("*b* <!here>"));
    }

    #[tokio::test]
    async fn the_longest_layout_is_accepted() {
        let server = Server::answering(slack).await;
        let channel = crate::configure(&example(&server.base), &contract::tools()).unwrap();
        channel.send(&contract::message_saying(&"<&>".repeat(3_000)), None).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_another_status_keeps_its_class() {
        let refusals = [
            refusal(example, |_| (StatusCode::NOT_FOUND, "no_service").into_response()).await,
            refusal(example, |_| (StatusCode::GONE, "channel_is_archived\n").into_response()).await,
            refusal(example, |_| (StatusCode::INTERNAL_SERVER_ERROR, "rollup_error").into_response()).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r"
        rejected: 404 Not Found: no_service; the webhook was removed or switched off: make a new one in Slack
        rejected: 410 Gone: channel_is_archived; the channel is archived: restore it, or make a webhook for another channel
        transient: 500 Internal Server Error: rollup_error
        ");
    }
}
