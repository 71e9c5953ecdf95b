//! `teams`: Microsoft Teams, by the webhook of a workflow. Texts of the alert go into text runs, which have no markup.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Value, json};
use watchbell_common::config::OpenChannel;

use crate::{
    Beyond, Body, Channel, ChannelKind, Configured, Kept, Layout, Limits, Markup, Message, Receipt, SendError, Tools,
    Unit,
    draw::{self, Tone},
    hook::{self, Hook},
    http::{self, Answer, Verdict},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "teams",
    title: "Microsoft Teams",
    bot: &[],
    fields: &[hook::url_field(
        "From the workflow “Send webhook alerts to a channel”: https://….api.powerplatform.com/… or \
         https://….logic.azure.com/…",
    )],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using \
                 (28 KB for the request, counted in UTF-16)",
    },
    // 4 a second and 60 in 30 s, from the same source: 2 at once and then 112 a minute (1.9 a second) keep both.
    paces: |channel| vec![hook::pace(channel, 112, 2)],
    remembers: false,
    setup: "\
channels:
  - name: teams-ops
    platform: teams
    options:
      webhook_url: ${TEAMS_WEBHOOK_URL}   # the workflow's
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

/// Leaves 1.7 kB of the request for the envelope and what JSON escapes.
const TEXT_MAX_BYTES: usize = 12 * 1024;

/// Half of 28 KB: a byte of UTF-8 becomes at most two of UTF-16.
const REQUEST_MAX_BYTES: usize = 14_000;

/// Codes of workflows, and what to do.
/// <https://learn.microsoft.com/power-automate/error-reference>
const REFUSALS: [(&str, &str); 5] = [
    ("AuthorizationFailed", "the webhook URL is incomplete or was withdrawn: copy it again from the workflow"),
    (
        "DirectApiAuthorizationRequired",
        "the workflow only lets certain people start it: set its trigger to “Anyone” and copy the URL again",
    ),
    (
        "TriggerInputSchemaMismatch",
        "the workflow expects another kind of message: make it from the template for alerts",
    ),
    ("WorkflowNotFound", "the workflow was deleted: make a new one"),
    ("WorkflowTriggerIsNotEnabled", "the workflow is switched off: switch it on"),
];

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    Ok(Arc::new(Teams { hook: Hook::of(channel, tools, |_| Ok(()))? }))
}

#[derive(Debug)]
struct Teams {
    hook: Hook,
}

#[async_trait]
impl Channel for Teams {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let answer = self.hook.post(&request(message), read).await?;
        // The workflow's history shows what became of this run.
        let run = answer.headers.get("x-ms-workflow-run-id").and_then(|run| run.to_str().ok());
        Ok(Receipt { provider_id: run.map(http::provider_id), detail: answer.status.to_string(), keep: None })
    }
}

fn read(answer: &Answer) -> Option<Verdict> {
    let failed = answer.body.strip_prefix("Webhook message delivery failed with error:");
    failed.map(read_connector).or_else(|| read_workflow(&answer.json()))
}

/// Connectors, the predecessors of workflows, answer 200 and repeat in words what Teams answered to them.
fn read_connector(error: &str) -> Verdict {
    let status = error.split_once("HTTP error ").and_then(|(_, rest)| rest.get(..3)?.parse::<u16>().ok());
    match status {
        Some(429) => Verdict::RateLimited(None, "Teams limits this webhook"),
        Some(413) => Verdict::Rejected("the message is too long for Teams: shorten the template"),
        Some(404 | 410) => Verdict::Rejected("the channel or the webhook is gone: make a new webhook"),
        Some(500..=599) => Verdict::Transient { advice: "Teams itself failed", ambiguous: false },
        _ => Verdict::Rejected("Teams does not accept the message: please report it with this line"),
    }
}

fn read_workflow(answer: &Value) -> Option<Verdict> {
    Verdict::listed(&REFUSALS, &answer["error"]["code"].as_str()?)
}

/// The envelope that the templates for alerts expect, with one Adaptive Card (<https://adaptivecards.io/explorer/>).
fn request(message: &Message) -> Value {
    match &message.body {
        Body::Layout(layout) => envelope(&body(message, layout), draw::link(layout).map(|url| open(layout, &url))),
        Body::Written(markup) => {
            let written = |text: &str| match markup {
                Markup::Markdown => json!([{ "type": "TextBlock", "text": text, "wrap": true }]),
                // A run has no line breaks, and must not be empty.
                Markup::Plain | Markup::Html => {
                    text.lines().map(|line| paragraph(&[run(if line.is_empty() { " " } else { line })])).collect()
                }
            };
            let text = message.text_within(TEXT_MAX_BYTES);
            hook::within(REQUEST_MAX_BYTES, &text, |text| envelope(&written(text), None))
        }
    }
}

fn envelope(body: &Value, action: Option<Value>) -> Value {
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body,
    });
    if let Some(action) = action {
        card["actions"] = json!([action]);
    }
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

fn open(layout: &Layout, url: &Url) -> Value {
    json!({ "type": "Action.OpenUrl", "title": layout.link_label, "url": url.as_str() })
}

fn body(message: &Message, layout: &Layout) -> Value {
    let (facts, excerpt) = draw::details(layout, message.update);
    let mut heading = run(&draw::title(layout));
    (heading["weight"], heading["size"]) = ("Bolder".into(), "Large".into());
    let head = json!({
        "type": "Container",
        "style": style(Tone::of(message)),
        "bleed": true,
        "items": [paragraph(&[heading]), paragraph(&[run(&layout.summary)])],
    });
    let fact = |(label, value): &(&str, String)| {
        let (label, rest) = layout.label(label);
        let mut label = run(&format!("{label}{rest}"));
        label["weight"] = "Bolder".into();
        paragraph(&[label, run(value)])
    };
    let mut body = vec![head];
    body.extend(facts.into_iter().map(fact));
    body.extend(excerpt.iter().map(|line| {
        let mut line = run(line);
        (line["fontType"], line["isSubtle"]) = ("Monospace".into(), true.into());
        paragraph(&[line])
    }));
    body.into()
}

/// What a card can be coloured with.
const fn style(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical | Tone::Error => "attention",
        Tone::Warning => "warning",
        Tone::Info => "accent",
        Tone::Acknowledged => "emphasis",
        Tone::Resolved => "good",
    }
}

fn paragraph(runs: &[Value]) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs })
}

/// A text that is shown as it is.
fn run(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text })
}

#[cfg(test)]
mod tests {
    use axum::{
        Json,
        http::StatusCode,
        response::{IntoResponse as _, Response},
    };

    use super::*;
    use crate::{
        configure as configured,
        contract::{self, Server, refusal},
    };

    pub(super) const EXAMPLE: contract::HttpExample =
        contract::HttpExample { channel: example, success: teams, provider_id: Some("08584"), form_refused: None };

    fn example(base: &str) -> OpenChannel {
        let url = format!("{base}/workflows/0a1b/triggers/manual/paths/invoke?api-version=1&sig=hunter2%2Dhunter2");
        contract::hook("teams", &url)
    }

    fn error(status: StatusCode, code: &str) -> Response {
        (status, Json(json!({ "error": { "code": code, "message": "…" } }))).into_response()
    }

    /// Refuses what a workflow and Teams refuse.
    fn teams(request: &str) -> Response {
        let mismatch = || error(StatusCode::BAD_REQUEST, "TriggerInputSchemaMismatch");
        let Some(body) = contract::json_body(request) else { return mismatch() };
        if request.split_once("\n\n").unwrap().1.encode_utf16().count() > 14_336 {
            return (StatusCode::PAYLOAD_TOO_LARGE, "too large").into_response();
        }
        let attachment = &body["attachments"][0];
        let card = &attachment["content"];
        let known = |element: &Value| match element["type"].as_str() {
            Some("TextBlock") => element["text"].is_string(),
            Some("RichTextBlock") => element["inlines"].as_array().unwrap().iter().all(|run| run["type"] == "TextRun"),
            Some("Container") => element["items"].is_array(),
            _ => false,
        };
        let valid = body["type"] == "message"
            && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
            && (&card["type"], &card["version"]) == (&json!("AdaptiveCard"), &json!("1.4"))
            && card["body"].as_array().is_some_and(|body| !body.is_empty() && body.iter().all(known));
        if valid { (StatusCode::ACCEPTED, [("x-ms-workflow-run-id", "08584")]).into_response() } else { mismatch() }
    }

    #[tokio::test]
    async fn the_longest_texts_are_accepted() {
        let server = Server::answering(teams).await;
        let channel = configured(&example(&server.base), &contract::tools()).unwrap();
        channel.send(&contract::message_saying(&"\"\\".repeat(3_000)), None).await.unwrap();
        for markup in [Markup::Plain, Markup::Html, Markup::Markdown] {
            let text = "\"\\".repeat(10_000);
            let message = Message { text, body: Body::Written(markup), ..contract::message() };
            channel.send(&message, None).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_button_opens_the_alert() {
        let server = Server::answering(teams).await;
        let channel = configured(&example(&server.base), &contract::tools()).unwrap();
        let (linked, link) = contract::message_at(contract::HOST);
        channel.send(&linked, None).await.unwrap();
        assert_eq!(
            request(&linked)["attachments"][0]["content"]["actions"],
            json!([{ "type": "Action.OpenUrl", "title": "Details", "url": link }])
        );
    }

    #[test]
    fn an_alert_has_no_markup_and_a_template_has() {
        let hostile = "**b** [bank](https://evil.example) <at>everyone</at>";
        let drawn = request(&contract::message_saying(hostile)).to_string();
        assert!(
            drawn.contains(hostile) && !drawn.contains("\"TextBlock\"") && !drawn.contains("\"entities\""),
            "{drawn}"
        );
        let written = |markup| {
            let message = Message { text: "**b**".into(), body: Body::Written(markup), ..contract::message() };
            request(&message)["attachments"][0]["content"]["body"][0].clone()
        };
        assert_eq!(written(Markup::Markdown), json!({ "type": "TextBlock", "text": "**b**", "wrap": true }));
        assert_eq!(written(Markup::Plain), paragraph(&[run("**b**")]));
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_even_when_it_comes_as_a_success() {
        const FAILED: &str = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error";
        let refusals = [
            refusal(example, |_| format!("{FAILED} 429 with ContextId tcid=1").into_response()).await,
            refusal(example, |_| format!("{FAILED} 413 with ContextId tcid=1").into_response()).await,
            refusal(example, |_| format!("{FAILED} 502 with ContextId tcid=1").into_response()).await,
            refusal(example, |_| format!("{FAILED} 400 with ContextId tcid=1").into_response()).await,
            refusal(example, |_| error(StatusCode::BAD_REQUEST, "WorkflowTriggerIsNotEnabled")).await,
            refusal(example, |_| error(StatusCode::UNAUTHORIZED, "AuthorizationFailed")).await,
            refusal(example, |_| error(StatusCode::BAD_GATEWAY, "NoResponse")).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rate_limited 5s: 200 OK: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=1; Teams limits this webhook
        rejected: 200 OK: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId tcid=1; the message is too long for Teams: shorten the template
        transient: 200 OK: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 502 with ContextId tcid=1; Teams itself failed
        rejected: 200 OK: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400 with ContextId tcid=1; Teams does not accept the message: please report it with this line
        rejected: 400 Bad Request: {"error":{"code":"WorkflowTriggerIsNotEnabled","message":"…"}}; the workflow is switched off: switch it on
        rejected: 401 Unauthorized: {"error":{"code":"AuthorizationFailed","message":"…"}}; the webhook URL is incomplete or was withdrawn: copy it again from the workflow
        transient: 502 Bad Gateway: {"error":{"code":"NoResponse","message":"…"}}
        "#);
    }
}
