//! Any provider with an HTTP API: the request is a template, and what counts as success is said beside it.

use std::collections::BTreeMap;

use reqwest::{
    Method, RequestBuilder, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use watchbell_common::{config::OpenChannel, outbound::Http};

use super::{
    Provider, Sms,
    bot::Bot,
    fill::{Fill, Syntax},
};
use crate::{
    ConfigureError, SendError,
    http::{Answer, Caller},
};

/// What a request can say about the message.
const OF_MESSAGE: [&str; 8] = ["to", "to_digits", "text", "severity", "status", "system", "summary", "delivery_id"];

/// What it can say about the account, if the bot has it.
const OF_BOT: [&str; 4] = ["api_key", "username", "password", "from"];

/// `username:password` in base64, for `Authorization: Basic {basic}`.
const BASIC: &str = "basic";

/// Headers that are the connection's.
const RESERVED_HEADERS: [&str; 6] = ["connection", "content-length", "content-type", "host", "te", "transfer-encoding"];

pub(super) struct Generic {
    method: Method,
    url: Fill,
    headers: HeaderMap,
    content_type: HeaderValue,
    syntax: Syntax,
    body: Option<Fill>,
    success: Success,
    account: BTreeMap<&'static str, SecretString>,
}

/// All that is given must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    /// Any 2xx when empty.
    #[serde(default)]
    status: Vec<u16>,
    json: Option<Equal>,
    contains: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Equal {
    /// RFC 6901.
    pointer: String,
    equals: Value,
}

impl std::fmt::Debug for Generic {
    /// Whatever is in URL, headers and body may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generic({})", self.method)
    }
}

impl Generic {
    pub(super) fn new(channel: &OpenChannel, bot: &Bot<'_>) -> Result<Self, ConfigureError> {
        let mut account: BTreeMap<_, SecretString> =
            OF_BOT.iter().filter_map(|&name| Some((name, bot.text(name)?.into()))).collect();
        account.extend(bot.basic().map(|basic| (BASIC, basic.into())));
        let options = Options { channel, account: &account };
        let method = match options.text("method")?.unwrap_or("POST") {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => return Err(ConfigureError::new("method", "must be GET, POST or PUT")),
        };
        let content_type = options.text("content_type")?.unwrap_or("application/x-www-form-urlencoded");
        let syntax = Syntax::of(content_type).ok_or_else(|| {
            ConfigureError::new("content_type", "must be a form, JSON, XML or text/plain: values are escaped for it")
        })?;
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| ConfigureError::new("content_type", "is not a media type"))?;
        let url = options.url()?;
        let body = options.fill("body")?;
        if body.is_none() && method != Method::GET {
            return Err(ConfigureError::new("body", format!("is missing; {method} needs one")));
        }
        if let Some(body) = body.as_ref().filter(|_| syntax == Syntax::Json) {
            let sample = body.fill(syntax, |_| "1");
            serde_json::from_str::<Value>(&sample).map_err(|error| {
                ConfigureError::new("body", format!("is not JSON: line {}, column {}", error.line(), error.column()))
            })?;
        }
        let headers = options.headers()?;
        let success = options.success()?;
        Ok(Self { method, url, headers, content_type, syntax, body, success, account })
    }

    fn fill(&self, fill: &Fill, syntax: Syntax, sms: &Sms<'_>) -> String {
        let delivery = sms.message.delivery_id.to_string();
        fill.fill(syntax, |name| match name {
            "to" => sms.to,
            "to_digits" => sms.to.trim_start_matches('+'),
            "text" => sms.text,
            "severity" => sms.message.severity.as_str(),
            "status" => sms.message.status.as_str(),
            "system" => &sms.message.system,
            "summary" => &sms.message.summary,
            "delivery_id" => &delivery,
            of_bot => self.account.get(of_bot).map(SecretString::expose_secret).unwrap_or_default(),
        })
    }
}

impl Provider for Generic {
    fn request(&self, client: &Http, sms: &Sms<'_>) -> RequestBuilder {
        let url = self.fill(&self.url, Syntax::Form, sms);
        let request = client.request(self.method.clone(), url).headers(self.headers.clone());
        match &self.body {
            Some(body) => {
                let body = self.fill(body, self.syntax, sms);
                request.header(CONTENT_TYPE, self.content_type.clone()).body(body)
            }
            None => request,
        }
    }

    fn judge(&self, caller: &Caller, answer: &Answer) -> Result<Option<String>, SendError> {
        let Success { status, json, contains } = &self.success;
        if !status.contains(&answer.status.as_u16()) {
            caller.check(answer)?;
        }
        let missed = if !status.is_empty() && !status.contains(&answer.status.as_u16()) {
            Some("the status is none of `success.status`")
        } else if json.as_ref().is_some_and(|json| !json.holds(&answer.body)) {
            Some("`success.json` does not hold")
        } else if contains.as_ref().is_some_and(|text| !answer.body.contains(text.as_str())) {
            Some("the answer does not contain `success.contains`")
        } else {
            None
        };
        match missed {
            None => Ok(None),
            // Not tried again: were the condition wrong, every attempt would be one more paid message.
            Some(missed) => {
                let detail = format!("{}, but {missed}: {}", answer.status, caller.blot(&answer.body));
                Err(SendError::Rejected { detail })
            }
        }
    }
}

impl Equal {
    fn holds(&self, body: &str) -> bool {
        let body: Option<Value> = serde_json::from_str(body).ok();
        body.as_ref().and_then(|body| body.pointer(&self.pointer)) == Some(&self.equals)
    }
}

/// Reads the options and names the one that is wrong.
struct Options<'c> {
    channel: &'c OpenChannel,
    account: &'c BTreeMap<&'static str, SecretString>,
}

impl Options<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.channel.channel.options.get(name)
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ConfigureError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| ConfigureError::new(name, "must be a text"))
    }

    fn fill(&self, name: &str) -> Result<Option<Fill>, ConfigureError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let fill = Fill::parse(text);
        self.known(name, &fill, &OF_MESSAGE)?;
        Ok(Some(fill))
    }

    /// Whether each placeholder is one of `names` or something that the bot has.
    fn known(&self, field: &str, fill: &Fill, names: &[&str]) -> Result<(), ConfigureError> {
        let known = |name: &&str| names.contains(name) || self.account.contains_key(*name);
        match fill.names().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) if name == BASIC || OF_BOT.contains(&name) => {
                Err(ConfigureError::new(field, format!("`{{{name}}}` is missing in the bot")))
            }
            Some(name) => {
                let all = [names, &OF_BOT, &[BASIC]].concat().join(", ");
                Err(ConfigureError::new(field, format!("`{{{name}}}` is none of {all}")))
            }
        }
    }

    fn url(&self) -> Result<Fill, ConfigureError> {
        let bad = |why: &str| ConfigureError::new("url", why);
        let url = self.fill("url")?.ok_or_else(|| bad("is missing; a generic provider needs it"))?;
        let sample = url.fill(Syntax::Form, |_| "{");
        let parsed = Url::parse(&sample).map_err(|_| bad("is not a URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad("must start with http:// or https://"));
        }
        // Before the path a value would say to whom the request goes.
        let (_, rest) = sample.split_once("//").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('%') {
            return Err(bad("must have no placeholder before its path"));
        }
        Ok(url)
    }

    /// Headers can name the account, not the message: what strangers wrote has no place in them.
    fn headers(&self) -> Result<HeaderMap, ConfigureError> {
        let bad = |why: String| ConfigureError::new("headers", why);
        let Some(option) = self.value("headers") else { return Ok(HeaderMap::new()) };
        let pairs = option.as_object().ok_or_else(|| bad("must be a table of names and values".to_owned()))?;
        let mut headers = HeaderMap::with_capacity(pairs.len());
        for (name, value) in pairs {
            let parsed: HeaderName = name.parse().map_err(|_| bad(format!("`{name}` is not a header name")))?;
            if RESERVED_HEADERS.contains(&parsed.as_str()) {
                return Err(bad(format!("`{name}` cannot be set here")));
            }
            let fill = Fill::parse(value.as_str().ok_or_else(|| bad(format!("the value of `{name}` is not a text")))?);
            self.known("headers", &fill, &[])?;
            let value = fill.fill(Syntax::Plain, |name| self.account[name].expose_secret());
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| bad(format!("the value of `{name}` is not a header value")))?;
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        Ok(headers)
    }

    fn success(&self) -> Result<Success, ConfigureError> {
        let bad = || ConfigureError::new("success", "must be a table of `status`, `json` and `contains`");
        let success: Success =
            self.value("success").map(Success::deserialize).transpose().map_err(|_| bad())?.unwrap_or_default();
        let pointer = success.json.as_ref().map_or("", |json| json.pointer.as_str());
        if pointer.is_empty() || pointer.starts_with('/') {
            Ok(success)
        } else {
            Err(ConfigureError::new("success", "`pointer` must start with `/`, as RFC 6901 says"))
        }
    }
}
