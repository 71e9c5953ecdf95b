//! `ntfy`: push notifications by <https://ntfy.sh> or a server of one's own, published as JSON.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use watchbell_common::{
    alert::{Severity, Status},
    config::OpenChannel,
};

use crate::{
    Beyond, Body, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Markup, Message, Pace,
    Receipt, SendError, Tools, Unit, draw,
    hook::{self, Hook},
    http::{self, Answer, Verdict},
    render,
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "ntfy",
    title: "ntfy",
    bot: &[],
    fields: &[
        Field {
            name: "target",
            label: "Topic URL",
            secret: false,
            required: true,
            input: Input::Line,
            help: "Server and topic, for example https://ntfy.example.org/alerts. Who knows a topic of ntfy.sh can \
                   read it, unless it is reserved.",
        },
        Field {
            name: "token",
            label: "Access token",
            secret: true,
            required: false,
            input: Input::Line,
            help: "`tk_…`, when the topic is protected; or a user name and password.",
        },
        Field {
            name: "username",
            label: "User name",
            secret: false,
            required: false,
            input: Input::Line,
            help: "With a password.",
        },
        Field {
            name: "password",
            label: "Password",
            secret: true,
            required: false,
            input: Input::Line,
            help: "With a user name.",
        },
        Field {
            name: "click",
            label: "Page to open",
            secret: false,
            required: false,
            input: Input::Line,
            help: "The URL that a tap on the notification opens.",
        },
    ],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "https://docs.ntfy.sh/publish/#limitations (longer messages become attachments)",
    },
    paces,
    remembers: false,
    setup: "\
channels:
  - name: ntfy-ops
    platform: ntfy
    target: https://ntfy.example.org/alerts
    options:
      token: ${NTFY_TOKEN}   # tk_…; leave it out for an open topic
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX_BYTES: usize = 4_096;

/// The longest title, in bytes: ours. Phones show a line or two.
const TITLE_MAX_BYTES: usize = 250;

/// <https://docs.ntfy.sh/publish/#list-of-all-parameters>: letters, digits, `_` and `-`.
const TOPIC_MAX_BYTES: usize = 64;

/// How long to wait when a quota of the day is used up, which no header says.
const QUOTA_WAIT: Duration = Duration::from_mins(15);

/// Errors of ntfy (its `server/errors.go`) and what to do.
const REFUSALS: [(u64, &str); 6] = [
    (40_009, "the topic's name is not allowed: choose another one"),
    (40_010, "the topic is reserved for the server's own use: choose another one"),
    (40_014, "the message is too long for this server: ask its operator to raise `message-size-limit`"),
    (40_101, "the token or the password is wrong, or has expired: make a new token"),
    (40_301, "this user may not publish to the topic: let the server's access list allow it"),
    (41_301, "the message is too long for this server: ask its operator to raise `message-size-limit`"),
];

/// `limit reached`: for bandwidth, messages a day and failed logins.
const QUOTAS: [u64; 3] = [42_905, 42_908, 42_909];

/// ntfy.sh takes 60 requests at once and then one in 5 s (<https://docs.ntfy.sh/publish/#limitations>), of each account,
/// and of an address without one; the operator of another server knows best.
fn paces(channel: &OpenChannel) -> Vec<Pace> {
    let target = Url::parse(&channel.channel.target).ok();
    let public = target.is_some_and(|url| url.host_str() == Some("ntfy.sh"));
    let account = authorization(channel).ok().flatten();
    let key = || account.map_or_else(|| "ntfy:ntfy.sh".to_owned(), |account| format!("ntfy:{}", hook::name(&account)));
    public.then(|| Pace { key: key(), per_minute: 12, burst: 60 }).into_iter().collect()
}

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    Ok(Arc::new(Ntfy::of(channel, tools)?))
}

/// The server, to which messages are posted, and the topic, which is the last part of the path.
fn target(text: &str) -> Result<(Url, String), ConfigureError> {
    let bad = |why: &str| ConfigureError::new("target", why);
    let mut url = http::url("target", text)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(bad("must be the server and the topic only: put a user name or a token into its own field"));
    }
    let (path, topic) = url
        .path()
        .rsplit_once('/')
        .map(|(path, topic)| (format!("{path}/"), topic.to_owned()))
        .expect("the path of an http URL starts with a slash");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(1..=TOPIC_MAX_BYTES).contains(&topic.len()) || !topic.bytes().all(allowed) {
        return Err(bad("must end in a topic of 1 to 64 letters, digits, `_` and `-`"));
    }
    url.set_path(&path);
    Ok((url, topic))
}

fn option(channel: &OpenChannel, name: &str) -> Result<Option<String>, ConfigureError> {
    let text =
        |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| ConfigureError::new(name, "must be a text"));
    channel.channel.options.get(name).map(text).transpose()
}

fn authorization(channel: &OpenChannel) -> Result<Option<String>, ConfigureError> {
    let secret = |name: &str| channel.secrets.get(name).map(ExposeSecret::expose_secret);
    match (secret("token"), option(channel, "username")?, secret("password")) {
        (None, None, None) => Ok(None),
        (Some(token), None, None) => Ok(Some(format!("Bearer {token}"))),
        (None, Some(user), Some(password)) => {
            Ok(Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))))
        }
        (Some(_), ..) => Err(ConfigureError::new("token", "cannot stand beside a user name and password")),
        (_, None, _) => Err(ConfigureError::new("username", "is missing beside the password")),
        (_, _, None) => Err(ConfigureError::new("password", "is missing beside the user name")),
    }
}

#[derive(Debug)]
struct Ntfy {
    hook: Hook,
    topic: String,
    click: Option<String>,
    /// Marked as sensitive, so that its `Debug` does not show it.
    authorization: Option<HeaderValue>,
}

#[async_trait]
impl Channel for Ntfy {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let mut request = self.hook.request(Method::POST, self.hook.url.clone(), &self.publication(message));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let answer = self.hook.caller.call_reading(request, read).await?;
        let id = answer.json()["id"].as_str().map(http::provider_id);
        Ok(Receipt { provider_id: id, detail: answer.status.to_string(), keep: None })
    }
}

impl Ntfy {
    fn of(channel: &OpenChannel, tools: &Tools) -> Result<Self, ConfigureError> {
        let (server, topic) = target(&channel.channel.target)?;
        let click = option(channel, "click")?;
        if let Some(click) = &click {
            http::url("click", click)?;
        }
        let mut secrets: Vec<SecretString> = channel.secrets.values().cloned().collect();
        let authorization = authorization(channel)?;
        if let Some(authorization) = &authorization {
            // What stands behind `Basic` or `Bearer` is what a server would repeat.
            secrets.extend(authorization.split(' ').next_back().map(SecretString::from));
        }
        let authorization = authorization.map(|value| http::credential("token", &value)).transpose()?;
        Ok(Self { hook: Hook::new(server, tools, secrets), topic, click, authorization })
    }

    fn publication(&self, message: &Message) -> Value {
        let (title, text, markdown) = match &message.body {
            Body::Layout(layout) => (layout.heading.clone(), draw::lines(layout, message.update).join("\n"), false),
            Body::Written(markup) => (draw::notice(message), message.text.clone(), *markup == Markup::Markdown),
        };
        let mut publication = json!({
            "topic": self.topic,
            "title": render::cut(&title, TITLE_MAX_BYTES),
            "message": render::cut(&text, TEXT_MAX_BYTES),
            "priority": priority(message),
            "tags": [emoji(message), message.severity.as_str()],
        });
        if markdown {
            publication["markdown"] = true.into();
        }
        if let Some(click) = self.click.as_ref().or(message.link.as_ref()) {
            publication["click"] = click.as_str().into();
        }
        publication
    }
}

/// 5 vibrates for very long, 4 for long, both pop up; 3 is the usual, 2 makes no sound.
/// <https://docs.ntfy.sh/publish/#message-priority>
fn priority(message: &Message) -> u8 {
    match (message.status, message.severity) {
        (Status::Firing, Severity::Critical) => 5,
        (Status::Firing, Severity::Error) => 4,
        (Status::Firing, Severity::Warning) | (Status::Resolved, Severity::Critical | Severity::Error) => 3,
        _ => 2,
    }
}

/// The name of the layout's symbol, which ntfy puts before the title. <https://docs.ntfy.sh/emojis/>
const fn emoji(message: &Message) -> &'static str {
    match draw::Tone::of(message) {
        draw::Tone::Critical => "rotating_light",
        draw::Tone::Error => "x",
        draw::Tone::Warning => "warning",
        draw::Tone::Info => "information_source",
        draw::Tone::Acknowledged => "eyes",
        draw::Tone::Resolved => "white_check_mark",
    }
}

fn read(answer: &Answer) -> Option<Verdict> {
    let code = answer.json()["code"].as_u64()?;
    if answer.status == StatusCode::TOO_MANY_REQUESTS && QUOTAS.contains(&code) {
        return Some(Verdict::RateLimited(Some(QUOTA_WAIT), "a quota of this server is used up"));
    }
    Verdict::listed(&REFUSALS, &code)
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
        contract::HttpExample { channel: example, success: ntfy, provider_id: Some("hwQ2YpKdmg"), form_refused: None };

    fn example(base: &str) -> OpenChannel {
        let mut channel = contract::channel("ntfy", &format!("{base}/alerts"));
        channel.channel.options.insert("click".into(), "https://watchbell.example.org/".into());
        channel.secrets.insert("token".into(), "tk_hunter2".into());
        channel
    }

    fn error(code: u64, error: &str) -> Response {
        let http = u16::try_from(code / 100).unwrap();
        let body = json!({ "code": code, "http": http, "error": error });
        (StatusCode::from_u16(http).unwrap(), Json(body)).into_response()
    }

    /// Refuses what ntfy refuses, with a protected topic.
    fn ntfy(request: &str) -> Response {
        if !request.starts_with("POST / ") && !request.starts_with("POST /\n") {
            return error(40_401, "page not found");
        }
        if contract::header(request, "authorization") != Some("Bearer tk_hunter2") {
            return error(40_101, "unauthorized");
        }
        let Some(body) = contract::json_body(request) else {
            return error(40_017, "invalid request: request body must be message JSON");
        };
        if body["topic"] != "alerts" {
            return error(40_009, "invalid request: topic invalid");
        }
        if !(1..=5).contains(&body["priority"].as_u64().unwrap()) {
            return error(40_007, "invalid request: priority invalid");
        }
        if body["message"].as_str().unwrap().len() > 4_096 {
            return error(41_301, "attachment too large, or bandwidth limit reached");
        }
        Json(json!({ "id": "hwQ2YpKdmg", "time": 1_795_168_800, "event": "message", "topic": "alerts" }))
            .into_response()
    }

    fn publication(change: impl FnOnce(&mut Message)) -> Value {
        let (hook, topic) = target("http://127.0.0.1:9/alerts").unwrap();
        let mut message = contract::message();
        change(&mut message);
        let hook = Hook::new(hook, &contract::tools(), Vec::new());
        Ntfy { hook, topic, click: None, authorization: None }.publication(&message)
    }

    #[test]
    fn severity_and_status_decide_how_loud_it_is() {
        let loudness = Severity::ALL.map(|severity| {
            [Status::Firing, Status::Acknowledged, Status::Resolved].map(|status| {
                publication(|message| (message.severity, message.status) = (severity, status))["priority"].clone()
            })
        });
        assert_eq!(json!(loudness), json!([[2, 2, 2], [3, 2, 2], [4, 2, 3], [5, 2, 3]]));
    }

    #[test]
    fn a_tap_opens_the_alert_unless_the_option_says_another_place() {
        let (linked, link) = contract::message_at(contract::BARE_HOST);
        assert_eq!(publication(|message| *message = linked.clone())["click"], link);
        let mut channel = example("https://ntfy.sh");
        channel.channel.options.insert("click".into(), "https://graphs.example.org/".into());
        let ntfy = Ntfy::of(&channel, &contract::tools()).unwrap();
        assert_eq!(ntfy.publication(&linked)["click"], "https://graphs.example.org/");
    }

    #[test]
    fn only_a_template_writes_markdown() {
        assert_eq!(publication(|_| ())["markdown"], Value::Null);
        let written = |markup| publication(|message| message.body = Body::Written(markup))["markdown"].clone();
        assert_eq!(
            [Markup::Plain, Markup::Html, Markup::Markdown].map(written),
            [Value::Null, Value::Null, true.into()]
        );
    }

    #[test]
    fn a_wrong_field_is_named_and_no_secret_is_shown() {
        let refused = |change: fn(&mut OpenChannel)| {
            let mut channel = example("https://ntfy.sh");
            change(&mut channel);
            configured(&channel, &contract::tools()).unwrap_err().to_string()
        };
        let texts = [
            refused(|channel| channel.channel.target = "https://ntfy.sh".into()),
            refused(|channel| channel.channel.target = "https://ntfy.sh/a.b".into()),
            refused(|channel| channel.channel.target = "https://u:hunter2@ntfy.sh/alerts".into()),
            refused(|channel| channel.channel.target = "https://ntfy.sh/alerts?auth=hunter2".into()),
            refused(|channel| drop(channel.channel.options.insert("click".into(), "dashboard".into()))),
            refused(|channel| drop(channel.channel.options.insert("username".into(), "u".into()))),
            refused(|channel| {
                channel.secrets.clear();
                channel.channel.options.insert("username".into(), "u".into());
            }),
            refused(|channel| channel.secrets = [("password".into(), "hunter2".into())].into()),
            refused(|channel| drop(channel.secrets.insert("password".into(), "hunter2".into()))),
            refused(|channel| drop(channel.secrets.insert("token".into(), "hunter2\n".into()))),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        `target`: must end in a topic of 1 to 64 letters, digits, `_` and `-`
        `target`: must end in a topic of 1 to 64 letters, digits, `_` and `-`
        `target`: must be the server and the topic only: put a user name or a token into its own field
        `target`: must be the server and the topic only: put a user name or a token into its own field
        `click`: is not a URL: relative URL without a base
        `token`: cannot stand beside a user name and password
        `password`: is missing beside the user name
        `username`: is missing beside the password
        `token`: cannot stand beside a user name and password
        `token`: is not a header value
        ");
    }

    #[tokio::test]
    async fn a_user_name_and_password_become_basic_authentication() {
        let server = contract::Server::answering(|_| "{}".into_response()).await;
        let mut channel = contract::channel("ntfy", &format!("{}/push/alerts", server.base));
        channel.channel.options.insert("username".into(), "user".into());
        channel.secrets.insert("password".into(), "hunter2".into());
        configured(&channel, &contract::tools()).unwrap().send(&contract::message(), None).await.unwrap();
        let request = server.requests().remove(0);
        assert!(request.starts_with("POST /push/\n"), "{request}");
        assert_eq!(contract::header(&request, "authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_a_limit_how_long_to_wait() {
        let refusals = [
            refusal(example, |_| error(40_101, "unauthorized")).await,
            refusal(example, |_| error(40_301, "forbidden")).await,
            refusal(example, |_| error(42_901, "limit reached: too many requests")).await,
            refusal(example, |_| error(42_908, "limit reached: daily message quota reached")).await,
            refusal(example, |_| error(50_701, "cannot publish to UnifiedPush topic")).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rejected: 401 Unauthorized: {"code":40101,"error":"unauthorized","http":401}; the token or the password is wrong, or has expired: make a new token
        rejected: 403 Forbidden: {"code":40301,"error":"forbidden","http":403}; this user may not publish to the topic: let the server's access list allow it
        rate_limited 5s: 429 Too Many Requests: {"code":42901,"error":"limit reached: too many requests","http":429}
        rate_limited 900s: 429 Too Many Requests: {"code":42908,"error":"limit reached: daily message quota reached","http":429}; a quota of this server is used up
        transient: 507 Insufficient Storage: {"code":50701,"error":"cannot publish to UnifiedPush topic","http":507}
        "#);
    }

    #[test]
    fn only_the_public_server_has_a_pace() {
        let paces = |base| paces(&example(base)).len();
        assert_eq!((paces("https://ntfy.sh"), paces("https://ntfy.example.org")), (1, 0));
    }

    #[test]
    fn an_account_has_a_pace_of_its_own_and_what_has_none_shares_that_of_our_address() {
        let key = |token: Option<&str>| {
            let mut channel = contract::channel("ntfy", "https://ntfy.sh/alerts");
            channel.secrets.extend(token.map(|token| ("token".to_owned(), token.into())));
            paces(&channel).remove(0).key
        };
        let [ours, one, other] = [key(None), key(Some("tk_a")), key(Some("tk_b"))];
        assert_eq!(ours, "ntfy:ntfy.sh");
        assert!(one != other && one != ours && !one.contains("tk_a"), "{one} {other}");
    }
}
