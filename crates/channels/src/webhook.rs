//! `webhook`: one JSON object per delivery, or what a template makes of it, posted to a URL; signed as
//! <https://www.standardwebhooks.com> describes when the channel has a signing secret.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{clock::UnixMillis, config::OpenChannel, outbound::Http};

use crate::{
    Beyond, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Message, Receipt, SendError,
    Tools, Unit,
    http::{self, Answer, Caller, Verdict},
    render::{self, Manner},
    template::{Data, Template, TemplateError},
    voice::count_failure,
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "webhook",
    title: "Webhook",
    bot: &[],
    fields: &[
        Field {
            name: "target",
            label: "URL",
            secret: false,
            required: true,
            input: Input::Line,
            help: "Where to post. http:// or https://; user:password@ becomes basic authentication.",
        },
        Field {
            name: "headers",
            label: "Extra headers",
            secret: false,
            required: false,
            input: Input::Headers,
            help: "Header name → value, which may be a template. Everybody who may see the channel sees them.",
        },
        Field {
            name: "body",
            label: "Body",
            secret: false,
            required: false,
            input: Input::Lines,
            help: "A template of the whole body, for receivers that want another shape; toJson writes JSON values.",
        },
        Field {
            name: "content_type",
            label: "Content type",
            secret: false,
            required: false,
            input: Input::Line,
            help: "Of a body that a template writes; application/json when absent.",
        },
        Field {
            name: "authorization",
            label: "Authorization header",
            secret: true,
            required: false,
            input: Input::Line,
            help: "The whole value, for example `Bearer …`.",
        },
        Field {
            name: "signing_secret",
            label: "Signing secret",
            secret: true,
            required: false,
            input: Input::Line,
            help: "`whsec_` and 24 to 64 bytes in base64; the receiver checks `webhook-signature` with it.",
        },
    ],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "ours: receivers commonly cap a body at 100 kB",
    },
    paces: |_| Vec::new(),
    remembers: false,
    setup: "\
channels:
  - name: sink
    platform: webhook
    target: https://alerts.example.org/hook
    options:
      headers: { X-Team: storage }
      signing_secret: ${SINK_SIGNING_SECRET}   # whsec_…
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const TEXT_MAX_BYTES: usize = 32 * 1024;

/// The longest header that a template may write: servers commonly take 8 kB for all of them.
const HEADER_MAX_BYTES: usize = 1_024;

const JSON: &str = "application/json";

/// Headers that are ours or the connection's.
const RESERVED_HEADERS: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "upgrade",
];

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let url = http::url("target", &channel.channel.target)?;
    let (mut headers, templates) = extra_headers(channel)?;
    let shape =
        Shape { manner: Manner::of(channel, tools.public_url.clone())?, body: own_body(channel)?, headers: templates };
    if let Some(secret) = channel.secrets.get("authorization") {
        headers.insert(AUTHORIZATION, http::credential("authorization", secret.expose_secret())?);
    }
    let signing = channel.secrets.get("signing_secret").map(signing_key).transpose()?;
    let mut secrets: Vec<SecretString> = channel.secrets.values().cloned().collect();
    // What follows `Bearer ` is what a receiver would repeat.
    secrets.extend(secrets.clone().iter().flat_map(|secret| secret.expose_secret().split(' ').map(SecretString::from)));
    secrets.extend(url.password().map(SecretString::from));
    secrets.extend(basic_credentials(&url, tools).map(SecretString::from));
    secrets.extend(url.query_pairs().map(|(_, value)| SecretString::from(value.into_owned())));
    Ok(Arc::new(Webhook {
        client: tools.http.clone(),
        caller: Caller::new(tools, secrets),
        url,
        headers,
        shape,
        signing,
    }))
}

/// The form in which a user and password in the URL are sent.
fn basic_credentials(url: &Url, tools: &Tools) -> Option<String> {
    let request = tools.http.post(url.clone()).build().ok()?;
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Basic ").map(str::to_owned)
}

/// The body that a template writes, and its content type.
fn own_body(channel: &OpenChannel) -> Result<Option<OwnBody>, ConfigureError> {
    let option = |name: &'static str| match channel.channel.options.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| ConfigureError::new(name, "must be a text")),
    };
    let content_type = option("content_type")?;
    let Some(body) = option("body")? else {
        return match content_type {
            None => Ok(None),
            Some(_) => Err(ConfigureError::new("content_type", "is that of a `body`, which is missing")),
        };
    };
    let content_type = HeaderValue::from_str(content_type.unwrap_or(JSON))
        .map_err(|_| ConfigureError::new("content_type", "is not a header value"))?;
    let template = Template::parse(body).map_err(|error| ConfigureError::new("body", error.to_string()))?;
    Ok(Some(OwnBody {
        template,
        is_json: content_type.as_bytes().windows(4).any(|word| word == b"json"),
        content_type,
    }))
}

type TemplatedHeaders = Vec<(HeaderName, Template)>;

/// Headers that are always the same, and those that a template writes.
fn extra_headers(channel: &OpenChannel) -> Result<(HeaderMap, TemplatedHeaders), ConfigureError> {
    let bad = |why: String| ConfigureError::new("headers", why);
    let Some(option) = channel.channel.options.get("headers") else {
        return Ok((HeaderMap::new(), Vec::new()));
    };
    let pairs = option.as_object().ok_or_else(|| bad("must be a table of names and values".to_owned()))?;
    let (mut headers, mut templates) = (HeaderMap::with_capacity(pairs.len()), Vec::new());
    for (name, value) in pairs {
        let parsed: HeaderName = name.parse().map_err(|_| bad(format!("`{name}` is not a header name")))?;
        if RESERVED_HEADERS.contains(&parsed.as_str()) || parsed.as_str().starts_with("webhook-") {
            return Err(bad(format!("`{name}` cannot be set here")));
        }
        if let Some(source) = value.as_str().filter(|value| value.contains("{{")) {
            let template = Template::parse(source).map_err(|error| bad(format!("`{name}`: {error}")))?;
            templates.push((parsed, template));
            continue;
        }
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        headers.insert(parsed, value.ok_or_else(|| bad(format!("the value of `{name}` is not a header value")))?);
    }
    Ok((headers, templates))
}

/// Reads `whsec_<base64>`; the prefix may be absent (Standard Webhooks, "Signature scheme").
fn signing_key(secret: &SecretString) -> Result<hmac::Key, ConfigureError> {
    let bad = || ConfigureError::new("signing_secret", "must be `whsec_` and at least 24 bytes in base64");
    let text = secret.expose_secret();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| bad())?;
    if bytes.len() < 24 { Err(bad()) } else { Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)) }
}

struct Webhook {
    client: Http,
    caller: Caller,
    url: Url,
    headers: HeaderMap,
    shape: Shape,
    signing: Option<hmac::Key>,
}

/// What templates make of the request.
struct Shape {
    manner: Manner,
    body: Option<OwnBody>,
    headers: TemplatedHeaders,
}

struct OwnBody {
    template: Template,
    content_type: HeaderValue,
    is_json: bool,
}

/// What is sent, and which templates failed.
struct Filled {
    headers: HeaderMap,
    body: String,
    failures: Vec<String>,
}

impl fmt::Debug for Webhook {
    /// Path, query and user are left out: each may be the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({}://{})", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

impl Shape {
    /// A body whose template fails is the usual JSON, whose text says so; a header is then left out.
    fn fill(&self, message: &Message, now: UnixMillis) -> Filled {
        let mut filled = Filled { headers: HeaderMap::new(), body: String::new(), failures: Vec::new() };
        filled.headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        if self.body.is_none() && self.headers.is_empty() {
            filled.body = usual_body(message);
            return filled;
        }
        let mut templates =
            self.body.iter().map(|own| &own.template).chain(self.headers.iter().map(|(_, template)| template));
        let data = Data::new(message, templates.any(Template::wants_lists)).context();
        let around = self.manner.around(now);
        for (name, template) in &self.headers {
            let value = template.render(&data, &around).and_then(|value| header_value(&value));
            match value {
                Ok(value) => drop(filled.headers.insert(name.clone(), value)),
                Err(error) => filled.failed("header", name.as_str(), &error),
            }
        }
        filled.body = match &self.body {
            None => usual_body(message),
            Some(own) => match own.template.render(&data, &around).and_then(|body| own.sound(body)) {
                Ok(body) => {
                    filled.headers.insert(CONTENT_TYPE, own.content_type.clone());
                    body
                }
                Err(error) => {
                    filled.failed("body", "body", &error);
                    let mut message = message.clone();
                    message.say_that_a_template_failed("body", &error, &self.manner);
                    usual_body(&message)
                }
            },
        };
        filled
    }
}

impl OwnBody {
    /// What calls itself JSON and is none would be refused for ever.
    fn sound(&self, body: String) -> Result<String, TemplateError> {
        match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
            Err(error) if self.is_json => Err(TemplateError::new(format_args!("it wrote no JSON: {error}"))),
            _ => Ok(body),
        }
    }
}

impl Filled {
    fn failed(&mut self, of: &'static str, name: &str, error: &TemplateError) {
        count_failure(of);
        self.failures.push(format!("; the template of `{name}` failed: {error}"));
    }
}

fn header_value(text: &str) -> Result<HeaderValue, TemplateError> {
    HeaderValue::from_str(&render::line(text, HEADER_MAX_BYTES)).map_err(TemplateError::new)
}

/// The message as JSON.
fn usual_body(message: &Message) -> String {
    let json = |message: &Message| serde_json::to_string(message).expect("keys are strings, numbers finite");
    if message.text.len() <= TEXT_MAX_BYTES {
        return json(message);
    }
    json(&Message { text: message.text_within(TEXT_MAX_BYTES).into_owned(), ..message.clone() })
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let id = message.delivery_id.to_string();
        let now = self.caller.clock.now_ms();
        let timestamp = (now / 1_000).to_string();
        let Filled { headers, body, failures } = self.shape.fill(message, now);
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone()).headers(headers);
        if let Some(key) = &self.signing {
            let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
            request = request.header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)));
        }
        let request = request.header("webhook-id", &id).header("webhook-timestamp", timestamp);
        let answer = self.caller.call_reading(request.header("idempotency-key", id).body(body), read).await?;
        let provider_id = answer.headers.get("x-request-id").and_then(|id| id.to_str().ok());
        let detail = format!("{}{}", answer.status, failures.concat());
        Ok(Receipt { provider_id: provider_id.map(http::provider_id), detail, keep: None })
    }
}

/// What whoever set the channel up can do about a status.
fn read(answer: &Answer) -> Option<Verdict> {
    let advice = match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "the receiver does not let us in: check `authorization`, the headers and the signing secret"
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => "nothing takes messages at this address: check the target",
        StatusCode::METHOD_NOT_ALLOWED => "the receiver takes no POST at this address: check the target",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the receiver wants another `content_type`, and a `body` of that kind",
        _ => return None,
    };
    Some(Verdict::Rejected(advice))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use serde_json::json;

    use super::*;
    use crate::{configure, contract};

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: |_| (StatusCode::ACCEPTED, [("x-request-id", "r-1")], "ok").into_response(),
        provider_id: Some("r-1"),
        form_refused: None,
    };

    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        let mut refusals = Vec::new();
        let answers: [fn(&str) -> axum::response::Response; 4] = [
            |_| StatusCode::UNAUTHORIZED.into_response(),
            |_| StatusCode::NOT_FOUND.into_response(),
            |_| StatusCode::METHOD_NOT_ALLOWED.into_response(),
            |_| StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        ];
        for answer in answers {
            refusals.push(contract::refusal(example, answer).await);
        }
        insta::assert_snapshot!(refusals.join("\n"), @r"
        rejected: 401 Unauthorized; the receiver does not let us in: check `authorization`, the headers and the signing secret
        rejected: 404 Not Found; nothing takes messages at this address: check the target
        rejected: 405 Method Not Allowed; the receiver takes no POST at this address: check the target
        rejected: 422 Unprocessable Entity
        ");
    }

    /// Every secret says `hunter`.
    fn example(base: &str) -> OpenChannel {
        let (scheme, rest) = base.split_once("://").unwrap();
        let mut channel = contract::channel("webhook", &format!("{scheme}://user:hunter21@{rest}/hook?token=hunter22"));
        channel.channel.options.insert("headers".into(), json!({ "X-Team": "storage" }));
        let key = format!("whsec_{}", STANDARD.encode("hunter23 hunter23 hunter23 hunter23"));
        channel.secrets.insert("signing_secret".into(), key.into());
        channel
    }

    fn refused(change: impl FnOnce(&mut OpenChannel)) -> String {
        let mut channel = example("http://127.0.0.1:9");
        change(&mut channel);
        configure(&channel, &contract::tools()).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_shown() {
        let options =
            |value| move |channel: &mut OpenChannel| drop(channel.channel.options.insert("headers".into(), value));
        let option = |name: &'static str, value| {
            move |channel: &mut OpenChannel| drop(channel.channel.options.insert(name.into(), value))
        };
        let secret = |name: &'static str, value: &'static str| {
            move |channel: &mut OpenChannel| drop(channel.secrets.insert(name.into(), value.into()))
        };
        let texts = [
            refused(|channel| channel.channel.target.clear()),
            refused(|channel| channel.channel.target = "hunter2".into()),
            refused(|channel| channel.channel.target = "ftp://hunter2/".into()),
            refused(|channel| channel.channel.platform = "pager".into()),
            refused(|channel| drop(channel.channel.options.insert("heders".into(), json!({})))),
            refused(options(json!("X-Team: hunter2"))),
            refused(options(json!({ "Webhook-Id": "hunter2" }))),
            refused(options(json!({ "bad name": "hunter2" }))),
            refused(options(json!({ "X-Team": "hunter2\n" }))),
            refused(options(json!({ "X-Team": "{{ frobnicate" }))),
            refused(option("body", json!("{{ if }}"))),
            refused(option("body", json!(7))),
            refused(option("content_type", json!("text/plain"))),
            refused(option("language", json!("tlh"))),
            refused(option("timezone", json!("Mars/Olympus"))),
            refused(secret("signing_secret", "whsec_hunter2")),
            refused(secret("signing_secret", "whsec_aHVudGVyMg==")),
            refused(secret("authorization", "hunter2\n")),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        `target`: is missing
        `target`: is not a URL: relative URL without a base
        `target`: must start with http:// or https://, not ftp:
        `platform`: `pager` is none of console, discord, email, gotify, lark, mattermost, ntfy, slack, sms, teams, telegram, webhook
        `heders`: Webhook has no such option
        `headers`: must be a table of names and values
        `headers`: `Webhook-Id` cannot be set here
        `headers`: `bad name` is not a header name
        `headers`: the value of `X-Team` is not a header value
        `headers`: `X-Team`: line 1 column 4: function frobnicate not defined
        `body`: line 1 column 7: missing value for if
        `body`: must be a text
        `content_type`: is that of a `body`, which is missing
        `language`: must be en, zh or fa
        `timezone`: must be an IANA time zone such as Europe/Berlin
        `signing_secret`: must be `whsec_` and at least 24 bytes in base64
        `signing_secret`: must be `whsec_` and at least 24 bytes in base64
        `authorization`: is not a header value
        ");
    }

    fn filled(options: serde_json::Value) -> Filled {
        let mut channel = contract::channel("webhook", "http://127.0.0.1:9/");
        let serde_json::Value::Object(options) = options else { panic!("{options}") };
        channel.channel.options = options.into_iter().collect();
        let (_, headers) = extra_headers(&channel).unwrap();
        let manner = Manner::of(&channel, None).unwrap();
        let shape = Shape { manner, body: own_body(&channel).unwrap(), headers };
        let mut message = contract::message();
        message.subject = "a \"quoted\"\nsubject".to_owned();
        shape.fill(&message, contract::NOW)
    }

    #[test]
    fn templates_write_the_body_and_headers() {
        let filled = filled(json!({
            "body": "{\"title\": {{ toJson .subject }}, \"at\": \"{{ now | date \"15:04\" }}\"}",
            "content_type": "application/vnd.example+json",
            "headers": { "X-Severity": "{{ .severity }} {{ .subject }}", "X-Team": "storage" },
            "timezone": "Asia/Tehran",
        }));
        assert_eq!(filled.body, r#"{"title": "a \"quoted\"\nsubject", "at": "13:30"}"#);
        assert_eq!(filled.headers["content-type"], "application/vnd.example+json");
        assert_eq!(filled.headers["x-severity"], "critical a \"quoted\" subject", "one clean line");
        assert!(filled.failures.is_empty());
    }

    #[test]
    fn a_failing_template_of_the_body_leaves_the_usual_json_which_says_so() {
        let filled = filled(json!({
            "body": "{\"title\": \"{{ .subject }}\"}",
            "headers": { "X-Bad": "{{ date \"15\" .severity }}" },
        }));
        let body: serde_json::Value = serde_json::from_str(&filled.body).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(text.contains("\nTemplate failed: body: it wrote no JSON: "), "{text}");
        assert_eq!(filled.headers["content-type"], JSON);
        assert!(!filled.headers.contains_key("x-bad"));
        let failures = filled.failures.concat();
        assert!(failures.contains("`x-bad` failed: line 1 column 4: `critical` is not a time"), "{failures}");
        assert!(failures.contains("`body` failed: it wrote no JSON"), "{failures}");
    }

    #[test]
    fn a_body_that_is_no_json_by_its_type_may_say_anything() {
        let filled = filled(json!({ "body": "{{ .severity }}: {{ .summary }}", "content_type": "text/plain" }));
        assert_eq!(filled.body, "critical: /var on db1 is full");
    }

    #[test]
    fn a_signature_is_the_one_of_the_standard() {
        // The example of the Standard Webhooks reference libraries.
        let key = signing_key(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(STANDARD.encode(hmac::sign(&key, content)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
