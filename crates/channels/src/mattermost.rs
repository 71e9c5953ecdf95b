//! `mattermost`: incoming webhooks.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use watchbell_common::config::OpenChannel;

use crate::{
    Beyond, Body, Channel, ChannelKind, Configured, Kept, Limits, Markup, Message, Receipt, SendError, Tools, Unit,
    draw::{self, Page, Tone},
    hook::{self, Hook},
    http::{Answer, Verdict},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "mattermost",
    title: "Mattermost",
    bot: &[],
    fields: &[hook::url_field("From Integrations → Incoming Webhooks: https://chat.example.org/hooks/…")],
    limits: Limits {
        text_max: TEXT_MAX,
        unit: Unit::Characters,
        beyond: Beyond::Cut,
        source: "https://developers.mattermost.com/integrate/webhooks/incoming (the longest post)",
    },
    // A server of one's own; its limits are off unless its operator sets some, and then it says how long to wait.
    paces: |_| Vec::new(),
    remembers: false,
    setup: "\
channels:
  - name: mattermost-ops
    platform: mattermost
    options:
      webhook_url: ${MATTERMOST_WEBHOOK_URL}   # https://chat.example.org/hooks/…
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX: usize = 16_383;

/// Older servers refuse a post whose attachments take more than 7,600 characters as JSON (`POST_PROPS_MAX_USER_RUNES`),
/// which doubles each backslash.
const ATTACHMENT_MAX: usize = 3_300;
const FALLBACK_MAX: usize = 300;

/// The ids of Mattermost's errors (its `server/channels/web/webhook.go` and `app/webhook.go`), and what to do.
const REFUSALS: [(&str, &str); 6] = [
    ("channel.app_error", "the channel is gone, or the webhook's owner is not in it: make a new webhook"),
    ("channel_locked.app_error", "the webhook may only post to its own channel: take the other one out of the text"),
    ("disabled.app_error", "incoming webhooks are switched off: an administrator can allow them under Integrations"),
    ("invalid.app_error", "there is no such webhook: copy its URL again, or make a new one"),
    ("permissions.app_error", "the webhook's owner may not post there: give the right, or make a new webhook"),
    ("user.app_error", "the webhook's owner is gone: make a new webhook"),
];

/// Those for a form that it does not accept.
const FORM_REFUSED: [&str; 4] =
    ["decode.app_error", "parse.app_error", "split_props_length.app_error", "text.app_error"];

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    Ok(Arc::new(Mattermost { hook: Hook::of(channel, tools, |_| Ok(()))? }))
}

#[derive(Debug)]
struct Mattermost {
    hook: Hook,
}

#[async_trait]
impl Channel for Mattermost {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let (_, detail) = self.hook.post_or_plain(&request(message), || plain(message), read).await?;
        Ok(Receipt { detail, ..Receipt::default() })
    }
}

fn read(answer: &Answer) -> Option<Verdict> {
    let answer = answer.json();
    let id = answer["id"].as_str()?.strip_prefix("web.incoming_webhook.")?;
    if FORM_REFUSED.contains(&id) {
        return Some(Verdict::Form("Mattermost does not accept the message's form: please report it with this line"));
    }
    Verdict::listed(&REFUSALS, &id)
}

fn plain(message: &Message) -> Value {
    json!({ "text": draw::escaped(&draw::bare(message), TEXT_MAX, Unit::Characters, escape) })
}

/// The layout is an attachment, because only those have a colour; its `fallback` is what a notification shows.
fn request(message: &Message) -> Value {
    match &message.body {
        Body::Layout(layout) => {
            let mut page = Page::new(ATTACHMENT_MAX, Unit::Characters);
            page.markup("##### ").escaped(&draw::title(layout), escape).markup("\n");
            let text = draw::markdown(layout, message.update, page, escape);
            let link = layout.link.as_ref().map(|url| format!("\n\n[{}]({url})", layout.link_label));
            let attachment = json!({
                "color": Tone::of(message).hex(),
                "fallback": draw::fit(&draw::headline(layout), FALLBACK_MAX, Unit::Characters),
                "text": text + &link.unwrap_or_default(),
            });
            json!({ "attachments": [attachment] })
        }
        Body::Written(Markup::Markdown) => json!({ "text": draw::fit(&message.text, TEXT_MAX, Unit::Characters) }),
        Body::Written(Markup::Plain | Markup::Html) => {
            json!({ "text": draw::escaped(&message.text, TEXT_MAX, Unit::Characters, escape) })
        }
    }
}

/// Takes markup, links, emoji names and mentions their meaning. A mention is found before Markdown is read, whatever
/// is escaped, so the `@` of one is parted from its name; addresses stay as they are.
fn escape(before: Option<char>, c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        ':' => out.push_str("&#58;"),
        '@' if !before.is_some_and(char::is_alphanumeric) => out.push_str("@\u{200b}"),
        '\\' | '`' | '*' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '.' | '!' | '_' | '>' | '~' | '|' => {
            out.extend(['\\', c]);
        }
        _ => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Json,
        http::StatusCode,
        response::{IntoResponse as _, Response},
    };

    use super::*;
    use crate::contract::{self, Server, refusal};

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: mattermost,
        provider_id: None,
        form_refused: Some(|| error(StatusCode::BAD_REQUEST, "split_props_length.app_error")),
    };

    fn example(base: &str) -> OpenChannel {
        contract::hook("mattermost", &format!("{base}/hooks/hunter2hunter2hunter2hunte"))
    }

    fn error(status: StatusCode, id: &str) -> Response {
        let id = format!("web.incoming_webhook.{id}");
        (status, Json(json!({ "id": id, "message": "…", "status_code": status.as_u16() }))).into_response()
    }

    /// Refuses what Mattermost refuses.
    fn mattermost(request: &str) -> Response {
        let Some(body) = contract::json_body(request) else {
            return error(StatusCode::BAD_REQUEST, "decode.app_error");
        };
        let text = body["text"].as_str().unwrap_or_default();
        if text.is_empty() && body["attachments"][0].is_null() {
            return error(StatusCode::BAD_REQUEST, "text.app_error");
        }
        if body["attachments"].to_string().chars().count() > 7_600 {
            return error(StatusCode::BAD_REQUEST, "split_props_length.app_error");
        }
        "ok".into_response()
    }

    fn text_of(message: &Message) -> String {
        let request = request(message);
        request["text"].as_str().or(request["attachments"][0]["text"].as_str()).unwrap().to_owned()
    }

    #[test]
    fn nothing_in_an_alert_is_a_mention_a_link_or_markup() {
        let message = Message {
            text: "@all **b** [x](https://evil.example) :fire: `c` root@db1 ~town <b> &lt;".into(),
            body: Body::Written(Markup::Plain),
            ..contract::message()
        };
        insta::assert_snapshot!(
            text_of(&message).replace('\u{200b}', "¦"),
            @r"@¦all \*\*b\*\* \[x\]\(https&#58;//evil\.example\) &#58;fire&#58; \`c\` root@db1 \~town &lt;b\> &amp;lt;"
        );
        let message = contract::message_saying("@channel https://evil.example");
        let text = text_of(&message);
        assert!(!text.contains("@channel") && !text.contains("https:"), "{text}");
    }

    #[test]
    fn the_last_line_leads_to_the_alert() {
        let (linked, link) = contract::message_at(contract::BARE_HOST);
        assert_eq!(text_of(&linked), format!("{}\n\n[Details]({link})", text_of(&contract::message())));
    }

    #[test]
    fn a_label_is_bold_in_every_language() {
        let text = text_of(&contract::message_in_chinese());
        assert!(text.contains("\n**处理建议**：free some space"), "{text}");
    }

    #[tokio::test]
    async fn the_longest_layout_is_accepted() {
        let server = Server::answering(mattermost).await;
        let channel = crate::configure(&example(&server.base), &contract::tools()).unwrap();
        for text in ["\\", "[*]", "я"] {
            channel.send(&contract::message_saying(&text.repeat(3_000)), None).await.unwrap();
        }
    }

    #[test]
    fn a_template_writes_markdown() {
        let message =
            Message { text: "**b** @all".into(), body: Body::Written(Markup::Markdown), ..contract::message() };
        assert_eq!(text_of(&message), "**b** @all");
    }

    #[test]
    fn a_late_answer_is_short_and_says_that_it_is_an_update() {
        let mut payload = contract::payload();
        payload.update = true;
        insta::assert_snapshot!(text_of(&Message::new(payload)), @r"
        ##### 🚨 CRITICAL · firing · db1 · update
        **/var on db1 is full**
        **Action:** free some space on /var
        **Subject:** Disk FULL on db1
        ");
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_another_status_keeps_its_class() {
        let refusals = [
            refusal(example, |_| error(StatusCode::BAD_REQUEST, "invalid.app_error")).await,
            refusal(example, |_| error(StatusCode::NOT_IMPLEMENTED, "disabled.app_error")).await,
            refusal(example, |_| error(StatusCode::FORBIDDEN, "permissions.app_error")).await,
            refusal(example, |_| error(StatusCode::INTERNAL_SERVER_ERROR, "general.app_error")).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rejected: 400 Bad Request: {"id":"web.incoming_webhook.invalid.app_error","message":"…","status_code":400}; there is no such webhook: copy its URL again, or make a new one
        rejected: 501 Not Implemented: {"id":"web.incoming_webhook.disabled.app_error","message":"…","status_code":501}; incoming webhooks are switched off: an administrator can allow them under Integrations
        rejected: 403 Forbidden: {"id":"web.incoming_webhook.permissions.app_error","message":"…","status_code":403}; the webhook's owner may not post there: give the right, or make a new webhook
        transient: 500 Internal Server Error: {"id":"web.incoming_webhook.general.app_error","message":"…","status_code":500}
        "#);
    }
}
