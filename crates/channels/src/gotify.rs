//! `gotify`: push notifications by a server of one's own.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Method, StatusCode, header::HeaderValue};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use watchbell_common::{
    alert::{Severity, Status},
    config::OpenChannel,
};

use crate::{
    Beyond, Body, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Markup, Message,
    Receipt, SendError, Tools, Unit, draw,
    hook::Hook,
    http::{self, Answer, Verdict},
    render,
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "gotify",
    title: "Gotify",
    bot: &[],
    fields: &[
        Field {
            name: "target",
            label: "Server",
            secret: false,
            required: true,
            input: Input::Line,
            help: "Its address, for example https://gotify.example.org.",
        },
        Field {
            name: "token",
            label: "Application token",
            secret: true,
            required: true,
            input: Input::Line,
            help: "From the page “Apps” of Gotify. A client's token does not do.",
        },
    ],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "ours: Gotify has none; what a person scrolls through on a phone",
    },
    // A server of one's own, which limits nothing.
    paces: |_| Vec::new(),
    remembers: false,
    setup: "\
channels:
  - name: gotify-ops
    platform: gotify
    target: https://gotify.example.org
    options:
      token: ${GOTIFY_TOKEN}   # of an application
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX_BYTES: usize = 16 * 1024;

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let mut url = http::url("target", &channel.channel.target)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(ConfigureError::new(
            "target",
            "must be the server's address only: the token has a field of its own",
        ));
    }
    let path = format!("{}/message", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let token = &channel.secrets["token"];
    let key = http::credential("token", token.expose_secret())?;
    Ok(Arc::new(Gotify { hook: Hook::new(url, tools, vec![token.clone()]), key }))
}

#[derive(Debug)]
struct Gotify {
    hook: Hook,
    /// Marked as sensitive, so that its `Debug` does not show it.
    key: HeaderValue,
}

#[async_trait]
impl Channel for Gotify {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let request = self.hook.request(Method::POST, self.hook.url.clone(), &request(message));
        let answer = self.hook.caller.call_reading(request.header("x-gotify-key", &self.key), read).await?;
        let id = answer.json()["id"].as_u64().map(|id| id.to_string());
        Ok(Receipt { provider_id: id, detail: answer.status.to_string(), keep: None })
    }
}

fn read(answer: &Answer) -> Option<Verdict> {
    let advice = match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "the token is not that of an application: make one in Gotify"
        }
        StatusCode::NOT_FOUND => "there is no Gotify at this address: check the target",
        _ => return None,
    };
    Some(Verdict::Rejected(advice))
}

fn request(message: &Message) -> Value {
    let (title, text, markup) = match &message.body {
        Body::Layout(layout) => (draw::title(layout), draw::lines(layout, message.update).join("\n"), Markup::Plain),
        Body::Written(markup) => (draw::notice(message), message.text.clone(), *markup),
    };
    let kind = if markup == Markup::Markdown { "text/markdown" } else { "text/plain" };
    let mut extras = json!({ "client::display": { "contentType": kind } });
    if let Some(link) = &message.link {
        extras["client::notification"] = json!({ "click": { "url": link } });
    }
    json!({
        "title": title,
        "message": render::cut(&text, TEXT_MAX_BYTES),
        "priority": priority(message),
        "extras": extras,
    })
}

/// From 8 on Gotify's app vibrates and rings, from 4 on it rings, from 1 on it only shows an icon.
/// <https://github.com/gotify/android#message-priorities>
fn priority(message: &Message) -> u8 {
    match (message.status, message.severity) {
        (Status::Firing, Severity::Critical) => 10,
        (Status::Firing, Severity::Error) => 8,
        (Status::Firing, Severity::Warning) => 5,
        (Status::Resolved, Severity::Critical | Severity::Error) => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Json,
        response::{IntoResponse as _, Response},
    };

    use super::*;
    use crate::{
        configure as configured,
        contract::{self, refusal},
    };

    pub(super) const EXAMPLE: contract::HttpExample =
        contract::HttpExample { channel: example, success: gotify, provider_id: Some("25"), form_refused: None };

    fn example(base: &str) -> OpenChannel {
        let mut channel = contract::channel("gotify", &format!("{base}/push/"));
        channel.secrets.insert("token".into(), "Ahunter2".into());
        channel
    }

    fn error(status: StatusCode, description: &str) -> Response {
        let body = json!({ "error": status.canonical_reason(), "errorCode": status.as_u16(), "errorDescription": description });
        (status, Json(body)).into_response()
    }

    /// Refuses what Gotify refuses.
    fn gotify(request: &str) -> Response {
        if !request.starts_with("POST /push/message\n") {
            return error(StatusCode::NOT_FOUND, "page not found");
        }
        if contract::header(request, "x-gotify-key") != Some("Ahunter2") {
            return error(StatusCode::UNAUTHORIZED, "you need to provide a valid access token or user credentials");
        }
        match contract::json_body(request) {
            Some(body) if body["message"].as_str().is_some_and(|text| !text.is_empty()) => {
                Json(json!({ "id": 25, "appid": 5, "message": body["message"], "priority": body["priority"] }))
                    .into_response()
            }
            _ => error(StatusCode::BAD_REQUEST, "Field 'message' is required"),
        }
    }

    #[test]
    fn severity_and_status_decide_how_loud_it_is() {
        let loudness = Severity::ALL.map(|severity| {
            [Status::Firing, Status::Acknowledged, Status::Resolved]
                .map(|status| priority(&Message { status, severity, ..contract::message() }))
        });
        assert_eq!(loudness, [[2, 2, 2], [5, 2, 2], [8, 2, 4], [10, 2, 4]]);
    }

    #[test]
    fn only_a_template_writes_markdown() {
        let kind = |body| {
            request(&Message { body, ..contract::message() })["extras"]["client::display"]["contentType"].clone()
        };
        assert_eq!(kind(contract::message().body), "text/plain");
        assert_eq!(kind(Body::Written(Markup::Html)), "text/plain");
        assert_eq!(kind(Body::Written(Markup::Markdown)), "text/markdown");
    }

    #[test]
    fn a_tap_opens_the_alert() {
        let (linked, link) = contract::message_at(contract::BARE_HOST);
        assert_eq!(request(&linked)["extras"]["client::notification"], json!({ "click": { "url": link } }));
    }

    #[test]
    fn a_token_does_not_belong_into_the_target() {
        let refused = |target: &str| {
            let mut channel = example("https://gotify.example.org");
            channel.channel.target = target.into();
            configured(&channel, &contract::tools()).unwrap_err().to_string()
        };
        let texts = [
            refused("https://gotify.example.org/message?token=hunter2"),
            refused("https://hunter2@gotify.example.org"),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        `target`: must be the server's address only: the token has a field of its own
        `target`: must be the server's address only: the token has a field of its own
        ");
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        let refusals = [
            refusal(example, |_| error(StatusCode::UNAUTHORIZED, "you need to provide a valid access token")).await,
            refusal(example, |_| error(StatusCode::NOT_FOUND, "page not found")).await,
            refusal(example, |_| error(StatusCode::BAD_REQUEST, "Field 'message' is required")).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rejected: 401 Unauthorized: {"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}; the token is not that of an application: make one in Gotify
        rejected: 404 Not Found: {"error":"Not Found","errorCode":404,"errorDescription":"page not found"}; there is no Gotify at this address: check the target
        rejected: 400 Bad Request: {"error":"Bad Request","errorCode":400,"errorDescription":"Field 'message' is required"}
        "#);
    }
}
