//! `webhook`: one JSON object per delivery, posted to a URL; signed as <https://www.standardwebhooks.com>
//! describes when the channel has a signing secret.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::config::OpenChannel;

use crate::{
    Beyond, Channel, ChannelKind, ConfigureError, Configured, Field, Kept, Limits, Message, Receipt, SendError, Tools,
    Unit,
    http::{self, Caller},
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
            help: "Where to post. http:// or https://; user:password@ becomes basic authentication.",
        },
        Field {
            name: "headers",
            label: "Extra headers",
            secret: false,
            required: false,
            help: "Header name → value. They are shown to everybody who may see the channel.",
        },
        Field {
            name: "authorization",
            label: "Authorization header",
            secret: true,
            required: false,
            help: "The whole value, for example `Bearer …`.",
        },
        Field {
            name: "signing_secret",
            label: "Signing secret",
            secret: true,
            required: false,
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
    let mut headers = extra_headers(channel)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
    Ok(Arc::new(Webhook { client: tools.http.clone(), caller: Caller::new(tools, secrets), url, headers, signing }))
}

/// The form in which a user and password in the URL are sent.
fn basic_credentials(url: &Url, tools: &Tools) -> Option<String> {
    let request = tools.http.post(url.clone()).build().ok()?;
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Basic ").map(str::to_owned)
}

fn extra_headers(channel: &OpenChannel) -> Result<HeaderMap, ConfigureError> {
    let bad = |why: String| ConfigureError::new("headers", why);
    let Some(option) = channel.channel.options.get("headers") else {
        return Ok(HeaderMap::new());
    };
    let pairs = option.as_object().ok_or_else(|| bad("must be a table of names and values".to_owned()))?;
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let parsed: HeaderName = name.parse().map_err(|_| bad(format!("`{name}` is not a header name")))?;
        if RESERVED_HEADERS.contains(&parsed.as_str()) || parsed.as_str().starts_with("webhook-") {
            return Err(bad(format!("`{name}` cannot be set here")));
        }
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        headers.insert(parsed, value.ok_or_else(|| bad(format!("the value of `{name}` is not a header value")))?);
    }
    Ok(headers)
}

/// Reads `whsec_<base64>`; the prefix may be absent (Standard Webhooks, "Signature scheme").
fn signing_key(secret: &SecretString) -> Result<hmac::Key, ConfigureError> {
    let bad = || ConfigureError::new("signing_secret", "must be `whsec_` and at least 24 bytes in base64");
    let text = secret.expose_secret();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| bad())?;
    if bytes.len() < 24 { Err(bad()) } else { Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)) }
}

struct Webhook {
    client: Client,
    caller: Caller,
    url: Url,
    headers: HeaderMap,
    signing: Option<hmac::Key>,
}

impl fmt::Debug for Webhook {
    /// Path, query and user are left out: each may be the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({}://{})", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

impl Webhook {
    fn body(message: &Message) -> String {
        let json = |message: &Message| serde_json::to_string(message).expect("keys are strings, numbers finite");
        if message.text.len() <= TEXT_MAX_BYTES {
            return json(message);
        }
        json(&Message { text: message.text_within(TEXT_MAX_BYTES).into_owned(), ..message.clone() })
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let id = message.delivery_id.to_string();
        let timestamp = (self.caller.clock.now_ms() / 1_000).to_string();
        let body = Self::body(message);
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        if let Some(key) = &self.signing {
            let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
            request = request.header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)));
        }
        let request = request.header("webhook-id", &id).header("webhook-timestamp", timestamp);
        let answer = self.caller.call(request.header("idempotency-key", id).body(body)).await?;
        let provider_id = answer.headers.get("x-request-id").and_then(|id| id.to_str().ok());
        Ok(Receipt { provider_id: provider_id.map(http::provider_id), detail: answer.status.to_string(), keep: None })
    }
}

#[cfg(test)]
mod tests {
    use axum::{http::StatusCode, response::IntoResponse as _};
    use serde_json::json;

    use super::*;
    use crate::{configure, contract};

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: |_| (StatusCode::ACCEPTED, [("x-request-id", "r-1")], "ok").into_response(),
        provider_id: Some("r-1"),
    };

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
        `signing_secret`: must be `whsec_` and at least 24 bytes in base64
        `signing_secret`: must be `whsec_` and at least 24 bytes in base64
        `authorization`: is not a header value
        ");
    }

    #[test]
    fn a_signature_is_the_one_of_the_standard() {
        // The example of the Standard Webhooks reference libraries.
        let key = signing_key(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(STANDARD.encode(hmac::sign(&key, content)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
