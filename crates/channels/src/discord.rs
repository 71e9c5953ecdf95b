//! `discord`: webhooks. Repeats and later states of an alert edit its message; a graver one, a new one and one after a
//! quiet time are posted afresh, because an edit notifies nobody.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Method, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use watchbell_common::{
    alert::{Severity, Status},
    clock::UnixMillis,
    config::OpenChannel,
};

use crate::{
    Beyond, Body, Channel, ChannelKind, Configured, Kept, Limits, Markup, Message, Receipt, SendError, Tools, Unit,
    draw::{self, Page, Tone},
    hook::{self, Hook},
    http::{Answer, Verdict},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "discord",
    title: "Discord",
    bot: &[],
    fields: &[hook::url_field(
        "From the channel's settings, Integrations → Webhooks: https://discord.com/api/webhooks/…; add ?thread_id=… \
         to post to a thread.",
    )],
    limits: Limits {
        text_max: TEXT_MAX,
        unit: Unit::Characters,
        beyond: Beyond::Cut,
        source: "https://docs.discord.com/developers/resources/message#embed-object-embed-limits (description)",
    },
    // 5 in 2 s for each webhook, as its `X-RateLimit-*` headers say, and 30 a minute in its channel, which no header
    // says (<https://github.com/discord/discord-api-docs/issues/367>) and which costs a wait of most of a minute: 5 at
    // once and then 26 a minute keep both.
    paces: |channel| vec![hook::pace(channel, 26, 5)],
    remembers: true,
    setup: "\
channels:
  - name: discord-ops
    platform: discord
    options:
      webhook_url: ${DISCORD_WEBHOOK_URL}   # https://discord.com/api/webhooks/…
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX: usize = 4_096;

/// Of an embed's title; from the same source.
const TITLE_MAX: usize = 256;

/// Of a message's text beside its embeds: <https://docs.discord.com/developers/resources/webhook#execute-webhook>
const CONTENT_MAX: usize = 2_000;

/// The version of the API of which the errors and limits here are documented.
const API: &str = "/api/v10/webhooks";

/// Discord's error codes (<https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>), and what to do.
const REFUSALS: [(u64, &str); 5] = [
    (10_003, "the channel is gone: make a webhook in another one"),
    (10_015, "the webhook was deleted: make a new one"),
    (50_027, "the webhook URL is incomplete or was withdrawn: copy it again from Discord"),
    (50_083, "the thread is archived: open it again, or post to another one"),
    (220_001, "the channel is a forum: add ?thread_id=… of a post in it to the webhook URL"),
];

/// Those for a form that it does not accept: nothing in it to show, or something invalid.
const FORM_REFUSED: [u64; 2] = [50_006, 50_035];

/// The message is gone.
const UNKNOWN_MESSAGE: u64 = 10_008;
/// A message older than an hour was edited as often as Discord allows.
const EDITED_TOO_OFTEN: u64 = 30_046;

/// A repeat after a longer silence is a message of its own: the last one has scrolled away. After an hour Discord also
/// begins to limit edits.
const QUIET_MS: UnixMillis = 60 * 60 * 1_000;

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let mut hook = Hook::of(channel, tools, fits)?;
    pin_version(&mut hook.url);
    let name = hook::name(hook.url.as_str());
    Ok(Arc::new(Discord { hook, name }))
}

/// `/api/webhooks/{id}/{token}`, with or without a version.
fn fits(url: &Url) -> Result<(), &'static str> {
    let mut parts = url.path().trim_end_matches('/').split('/').skip_while(|part| *part != "webhooks").skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), None) => Ok(()),
        (Some(_), Some(_), Some(_)) => Err("must end after the token: leave out /slack, /github and the like"),
        _ => Err("is not that of a Discord webhook: https://discord.com/api/webhooks/…/…"),
    }
}

/// Webhooks are given out without a version, which stands for the oldest one: it counts waits in milliseconds. What is
/// not Discord's own (a relay) has paths of its own.
/// <https://docs.discord.com/developers/reference#api-versioning>
fn pin_version(url: &mut Url) {
    let ours = |domain: &str| url.domain().is_some_and(|host| host == domain || host.ends_with(&format!(".{domain}")));
    if let Some((_, rest)) =
        url.path().split_once("/webhooks").filter(|_| ours("discord.com") || ours("discordapp.com"))
    {
        let path = format!("{API}{rest}");
        url.set_path(&path);
    }
}

#[derive(Debug)]
struct Discord {
    hook: Hook,
    /// Of the webhook: only it can edit what it posted.
    name: String,
}

/// What is kept of an alert's message.
#[derive(Serialize, Deserialize)]
struct Posted {
    webhook: String,
    message: String,
    severity: Severity,
    status: Status,
    /// When it was posted or last edited.
    at: UnixMillis,
}

impl Posted {
    /// Whether an edit is enough to say this: somebody who saw what was posted needs no notification.
    fn covers(&self, message: &Message, now: UnixMillis) -> bool {
        let graver = message.severity > self.severity;
        let new = self.status == Status::Resolved || now - self.at > QUIET_MS;
        message.status != Status::Firing || !(graver || new)
    }
}

#[async_trait]
impl Channel for Discord {
    async fn send(&self, message: &Message, last: Option<&Kept>) -> Result<Receipt, SendError> {
        let last = last.and_then(|kept| Posted::deserialize(kept).ok());
        let now = self.hook.caller.clock.now_ms();
        let editable = last.filter(|posted| posted.webhook == self.name && posted.covers(message, now));
        if let Some(posted) = editable
            && let Some(receipt) = self.edit(message, &posted.message).await?
        {
            return Ok(receipt);
        }
        let mut url = self.hook.url.clone();
        url.query_pairs_mut().append_pair("wait", "true");
        let post = |body: &Value| self.hook.request(Method::POST, url.clone(), body);
        let drawn = post(&request(message, message.update));
        let (answer, detail) = self.hook.caller.call_or_plain(drawn, || post(&plain(message)), read).await?;
        let id = answer.json()["id"].as_str().map(str::to_owned);
        Ok(self.receipt(message, detail, id))
    }
}

impl Discord {
    /// Edits a message; `None` when it cannot be edited any more.
    async fn edit(&self, message: &Message, id: &str) -> Result<Option<Receipt>, SendError> {
        let mut url = self.hook.url.clone();
        let path = format!("{}/messages/{id}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let caller = &self.hook.caller;
        let answer = caller.exchange(self.hook.request(Method::PATCH, url, &request(message, false))).await?;
        if matches!(code(&answer), Some(UNKNOWN_MESSAGE | EDITED_TOO_OFTEN))
            || matches!(read(&answer), Some(Verdict::Form(_)))
        {
            return Ok(None);
        }
        caller.judge(&answer, read)?;
        Ok(Some(self.receipt(message, format!("{}, edited", answer.status), Some(id.to_owned()))))
    }

    fn receipt(&self, message: &Message, detail: String, id: Option<String>) -> Receipt {
        let id = id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        let keep = id.clone().map(|id| {
            let (webhook, at) = (self.name.clone(), self.hook.caller.clock.now_ms());
            let Message { severity, status, .. } = *message;
            json!(Posted { webhook, message: id, severity, status, at })
        });
        Receipt { provider_id: id, detail, keep }
    }
}

fn code(answer: &Answer) -> Option<u64> {
    answer.json()["code"].as_u64()
}

fn read(answer: &Answer) -> Option<Verdict> {
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        // In seconds with fractions; the header's are whole.
        let wait = Duration::try_from_secs_f64(answer.json()["retry_after"].as_f64()?).ok()?;
        return Some(Verdict::RateLimited(Some(wait), "Discord limits this webhook"));
    }
    let code = code(answer)?;
    if FORM_REFUSED.contains(&code) {
        return Some(Verdict::Form("Discord does not accept the message's form: please report it with this line"));
    }
    Verdict::listed(&REFUSALS, &code)
}

fn plain(message: &Message) -> Value {
    let content = draw::escaped(&draw::bare(message), CONTENT_MAX, Unit::Characters, escape);
    json!({ "content": content, "allowed_mentions": { "parse": [] } })
}

/// One embed, because only those have a colour and room for 4096 characters. Nobody is ever mentioned.
fn request(message: &Message, short: bool) -> Value {
    let tone = Tone::of(message).rgb();
    let embed = match &message.body {
        Body::Layout(layout) => {
            let page = Page::new(TEXT_MAX, Unit::Characters);
            let mut embed = json!({
                "color": tone,
                "title": draw::escaped(&draw::title(layout), TITLE_MAX, Unit::Characters, escape),
                "description": draw::markdown(layout, short, page, escape),
            });
            if let Some(url) = draw::link(layout) {
                embed["url"] = url.as_str().into();
            }
            embed
        }
        Body::Written(Markup::Markdown) => {
            json!({ "color": tone, "description": draw::fit(&message.text, TEXT_MAX, Unit::Characters) })
        }
        Body::Written(Markup::Plain | Markup::Html) => {
            json!({ "color": tone, "description": draw::escaped(&message.text, TEXT_MAX, Unit::Characters, escape) })
        }
    };
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// Takes markup, links, emoji names, times and mentions their meaning: before any of these a backslash is not shown.
fn escape(_before: Option<char>, c: char, out: &mut String) {
    if matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '<' | '>' | '[' | ']' | '(' | ')' | '#' | '-' | ':' | '@') {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{
        Json,
        response::{IntoResponse as _, Response},
    };

    use super::*;
    use crate::{
        configure as configured,
        contract::{self, Server, refusal},
    };

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: |request| discord(request, &["71"]),
        provider_id: Some("71"),
        form_refused: Some(|| error(StatusCode::BAD_REQUEST, 50_035, "Invalid Form Body")),
    };

    const WEBHOOK: &str = "/api/webhooks/1234567890/hunter2hunter2hunter2hunter2";

    fn example(base: &str) -> OpenChannel {
        contract::hook("discord", &format!("{base}{WEBHOOK}?thread_id=5"))
    }

    fn error(status: StatusCode, code: u64, message: &str) -> Response {
        (status, Json(json!({ "message": message, "code": code }))).into_response()
    }

    /// Answers as Discord does when these messages exist, of which the last is the one that is posted.
    fn discord(request: &str, messages: &[&str]) -> Response {
        let invalid = || error(StatusCode::BAD_REQUEST, 50_035, "Invalid Form Body");
        let (method, uri) = request.lines().next().unwrap().split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap();
        let Some(rest) = path.strip_prefix(WEBHOOK) else {
            return error(StatusCode::NOT_FOUND, 10_015, "Unknown Webhook");
        };
        let Some(body) = contract::json_body(request) else { return invalid() };
        let embed = &body["embeds"][0];
        let length = |text: &Value| text.as_str().unwrap_or_default().chars().count();
        let [description, title, content] = [&embed["description"], &embed["title"], &body["content"]].map(length);
        if description + content == 0 || description > 4_096 || title > 256 || content > 2_000 {
            return invalid();
        }
        match (method, rest.strip_prefix("/messages/")) {
            ("POST", None) if query == "thread_id=5&wait=true" => {
                Json(json!({ "id": messages.last().unwrap(), "type": 0 })).into_response()
            }
            ("PATCH", Some(id)) if query == "thread_id=5" && messages.contains(&id) => {
                Json(json!({ "id": id, "type": 0 })).into_response()
            }
            ("PATCH", Some(_)) => error(StatusCode::NOT_FOUND, UNKNOWN_MESSAGE, "Unknown Message"),
            _ => (StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed").into_response(),
        }
    }

    /// A server on which only the last posted message still exists, unless `deleted`.
    struct Chat {
        server: Server,
        channel: Arc<dyn Channel>,
        deleted: Arc<Mutex<bool>>,
    }

    impl Chat {
        async fn open() -> Self {
            let deleted = Arc::new(Mutex::new(false));
            let gone = deleted.clone();
            let answer = move |request: &str| discord(request, if *gone.lock().unwrap() { &["72"] } else { &["71"] });
            let server = Server::answering_with(Arc::new(answer)).await;
            let channel = configured(&example(&server.base), &contract::tools()).unwrap();
            Self { server, channel, deleted }
        }

        /// Sends, and says which requests were made of it.
        async fn send(&self, message: &Message, last: Option<&Kept>) -> (Receipt, String) {
            let receipt = self.channel.send(message, last).await.unwrap();
            let lines = self.server.requests().into_iter().map(|request| request.lines().next().unwrap().to_owned());
            (receipt, lines.collect::<Vec<_>>().join(", ").replace(WEBHOOK, ""))
        }
    }

    fn message(change: impl FnOnce(&mut Message)) -> Message {
        let mut message = contract::message();
        change(&mut message);
        message
    }

    #[tokio::test]
    async fn repeats_updates_and_the_end_of_an_alert_edit_its_message() {
        let chat = Chat::open().await;
        let (first, requests) = chat.send(&message(|_| ()), None).await;
        assert_eq!(requests, "POST ?thread_id=5&wait=true");
        let mut kept = first.keep.unwrap();
        assert!(!kept.to_string().contains("hunter"), "{kept}");
        let later = [
            message(|message| message.count = 4),
            message(|message| message.update = true),
            message(|message| message.severity = Severity::Warning),
            message(|message| message.status = Status::Resolved),
        ];
        for message in later {
            let (receipt, requests) = chat.send(&message, Some(&kept)).await;
            assert_eq!(requests, "PATCH /messages/71?thread_id=5");
            assert_eq!((receipt.provider_id.as_deref(), &*receipt.detail), (Some("71"), "200 OK, edited"));
            kept = receipt.keep.unwrap();
        }
    }

    #[tokio::test]
    async fn a_graver_or_a_new_alert_is_posted_afresh_so_that_people_are_notified() {
        let chat = Chat::open().await;
        for before in [
            message(|message| message.severity = Severity::Warning),
            message(|message| message.status = Status::Resolved),
        ] {
            let kept = chat.send(&before, None).await.0.keep;
            let (_, requests) = chat.send(&message(|_| ()), kept.as_ref()).await;
            assert_eq!(requests, "POST ?thread_id=5&wait=true");
        }
    }

    #[tokio::test]
    async fn a_repeat_after_a_quiet_time_is_posted_afresh_but_the_end_of_an_alert_is_not() {
        let chat = Chat::open().await;
        let mut kept = chat.send(&message(|_| ()), None).await.0.keep.unwrap();
        kept["at"] = (kept["at"].as_i64().unwrap() - QUIET_MS - 1).into();
        let resolved = message(|message| message.status = Status::Resolved);
        assert_eq!(chat.send(&resolved, Some(&kept)).await.1, "PATCH /messages/71?thread_id=5");
        assert_eq!(chat.send(&message(|_| ()), Some(&kept)).await.1, "POST ?thread_id=5&wait=true");
    }

    #[tokio::test]
    async fn a_deleted_message_and_another_webhook_mean_a_fresh_one() {
        let chat = Chat::open().await;
        let kept = chat.send(&message(|_| ()), None).await.0.keep.unwrap();
        *chat.deleted.lock().unwrap() = true;
        let (receipt, requests) = chat.send(&message(|_| ()), Some(&kept)).await;
        assert_eq!(requests, "PATCH /messages/71?thread_id=5, POST ?thread_id=5&wait=true");
        assert_eq!(receipt.provider_id.as_deref(), Some("72"));
        let mut other = kept.clone();
        other["webhook"] = "another".into();
        for kept in [other, json!("nonsense")] {
            let (_, requests) = chat.send(&message(|_| ()), Some(&kept)).await;
            assert_eq!(requests, "POST ?thread_id=5&wait=true");
        }
    }

    #[tokio::test]
    async fn a_message_that_may_not_be_edited_any_more_is_followed_by_a_fresh_one() {
        let answer = |request: &str| {
            if request.starts_with("PATCH ") {
                let why = "Maximum number of edits to messages older than 1 hour reached. Try again later";
                return error(StatusCode::TOO_MANY_REQUESTS, EDITED_TOO_OFTEN, why);
            }
            discord(request, &["73"])
        };
        let server = Server::answering(answer).await;
        let channel = configured(&example(&server.base), &contract::tools()).unwrap();
        let kept = channel.send(&message(|_| ()), None).await.unwrap().keep;
        let receipt = channel.send(&message(|message| message.count = 4), kept.as_ref()).await.unwrap();
        assert_eq!((receipt.provider_id.as_deref(), server.requests().len()), (Some("73"), 3));
        assert_eq!(receipt.keep.unwrap()["message"], "73", "the next one edits that");
    }

    #[test]
    fn nothing_in_an_alert_is_a_mention_a_link_or_markup() {
        let hostile = "@everyone <@1> [bank](https://evil.example) **b** `c` :fire: # ||s||";
        let request = request(&contract::message_saying(hostile), false);
        assert_eq!(request["allowed_mentions"], json!({ "parse": [] }));
        insta::assert_snapshot!(request["embeds"][0]["description"].as_str().unwrap().lines().next().unwrap(), @r"**\@everyone \<\@1\> \[bank\]\(https\://evil.example\) \*\*b\*\* \`c\` \:fire\: \# \|\|s\|\|**");
    }

    #[tokio::test]
    async fn the_title_leads_to_the_alert_unless_discord_would_refuse_the_address() {
        let chat = Chat::open().await;
        let (linked, link) = contract::message_at(contract::HOST);
        chat.send(&linked, None).await;
        assert_eq!(request(&linked, false)["embeds"][0]["url"], link);
        assert_eq!(request(&contract::message_at(contract::BARE_HOST).0, false), request(&contract::message(), false));
    }

    #[tokio::test]
    async fn the_longest_layout_is_accepted() {
        let chat = Chat::open().await;
        chat.send(&contract::message_saying(&"[*]".repeat(3_000)), None).await;
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_a_limit_how_long_to_wait() {
        let limited = |_: &str| {
            let body = json!({ "message": "You are being rate limited.", "retry_after": 0.65, "global": false });
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], Json(body)).into_response()
        };
        let refusals = [
            refusal(example, limited).await,
            refusal(example, |_| error(StatusCode::NOT_FOUND, 10_015, "Unknown Webhook")).await,
            refusal(example, |_| error(StatusCode::UNAUTHORIZED, 50_027, "Invalid Webhook Token")).await,
            refusal(example, |_| error(StatusCode::BAD_REQUEST, 220_001, "Webhooks posted to forum …")).await,
            refusal(example, |_| error(StatusCode::FORBIDDEN, 50_013, "Missing Permissions")).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rate_limited 650ms: 429 Too Many Requests: {"global":false,"message":"You are being rate limited.","retry_after":0.65}; Discord limits this webhook
        rejected: 404 Not Found: {"code":10015,"message":"Unknown Webhook"}; the webhook was deleted: make a new one
        rejected: 401 Unauthorized: {"code":50027,"message":"Invalid Webhook Token"}; the webhook URL is incomplete or was withdrawn: copy it again from Discord
        rejected: 400 Bad Request: {"code":220001,"message":"Webhooks posted to forum …"}; the channel is a forum: add ?thread_id=… of a post in it to the webhook URL
        rejected: 403 Forbidden: {"code":50013,"message":"Missing Permissions"}
        "#);
    }

    #[test]
    fn webhooks_of_discords_own_are_called_by_the_documented_version_of_its_api() {
        let pinned = |url: &str| {
            let mut url = url.parse().unwrap();
            pin_version(&mut url);
            url.to_string()
        };
        for url in [
            "https://discord.com/api/webhooks/1/x?thread_id=2",
            "https://ptb.discord.com/api/v6/webhooks/1/x?thread_id=2",
        ] {
            let host = url.split('/').nth(2).unwrap();
            assert_eq!(pinned(url), format!("https://{host}/api/v10/webhooks/1/x?thread_id=2"));
        }
        for url in ["https://relay.example/api/webhooks/1/x", "https://notdiscord.com/api/webhooks/1/x"] {
            assert_eq!(pinned(url), url);
        }
    }

    #[test]
    fn a_url_of_another_kind_is_refused() {
        let refused =
            |url: &str| configured(&contract::hook("discord", url), &contract::tools()).unwrap_err().to_string();
        let texts = [
            refused("https://discord.com/api/webhooks/1/hunter2/slack"),
            refused("https://discord.com/channels/1/hunter2"),
            refused("hunter2"),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        `webhook_url`: must end after the token: leave out /slack, /github and the like
        `webhook_url`: is not that of a Discord webhook: https://discord.com/api/webhooks/…/…
        `webhook_url`: is not a URL: relative URL without a base
        ");
    }
}
