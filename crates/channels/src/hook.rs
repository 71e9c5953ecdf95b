//! Incoming webhooks: what the channels have in common that post JSON to a URL which is itself the secret.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use watchbell_common::{config::OpenChannel, outbound::Http};

use crate::{
    ConfigureError, Field, Input, Pace, SendError, Tools,
    http::{self, Answer, Caller, Reader},
    render,
};

/// The name of the field that holds the URL.
const URL_FIELD: &str = "webhook_url";

/// Shorter parts of a URL's path are words such as `services` and ids; tokens have at least 24 characters.
const TOKEN_MIN_BYTES: usize = 16;

/// The URL that the platform gave out.
pub(crate) const fn url_field(help: &'static str) -> Field {
    Field { name: URL_FIELD, label: "Webhook URL", secret: true, required: true, input: Input::Line, help }
}

/// A place to post to. Its `Debug` shows the host only.
pub(crate) struct Hook {
    client: Http,
    pub(crate) caller: Caller,
    pub(crate) url: Url,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

impl Hook {
    /// The hook of a channel that has an [`url_field`]. `fits` looks at the URL and says what is wrong with it.
    pub(crate) fn of(
        channel: &OpenChannel,
        tools: &Tools,
        fits: fn(&Url) -> Result<(), &'static str>,
    ) -> Result<Self, ConfigureError> {
        let url = http::url(URL_FIELD, secret_url(channel))?;
        fits(&url).map_err(|why| ConfigureError::new(URL_FIELD, why))?;
        let mut secrets = parts(&url);
        secrets.extend(channel.secrets.values().cloned());
        Ok(Self::new(url, tools, secrets))
    }

    /// A hook at a URL that is no secret; `secrets` are what no error may show.
    pub(crate) fn new(url: Url, tools: &Tools, secrets: Vec<SecretString>) -> Self {
        Self { client: tools.http.clone(), caller: Caller::new(tools, secrets), url }
    }

    /// A request that sends JSON to the hook, or to an address below it.
    pub(crate) fn request(&self, method: Method, url: Url, body: &Value) -> RequestBuilder {
        self.client.request(method, url).json(body)
    }

    /// Posts JSON and classifies what comes back.
    pub(crate) async fn post(&self, body: &Value, read: Reader) -> Result<Answer, SendError> {
        self.caller.call_reading(self.to_url(body), read).await
    }

    /// Posts JSON, and in the same attempt a plain text where the platform does not accept the form of it
    /// ([`Caller::call_or_plain`]).
    pub(crate) async fn post_or_plain(
        &self,
        drawn: &Value,
        plain: impl FnOnce() -> Value,
        read: Reader,
    ) -> Result<(Answer, String), SendError> {
        self.caller.call_or_plain(self.to_url(drawn), || self.to_url(&plain()), read).await
    }

    fn to_url(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, self.url.clone(), body)
    }
}

/// The request made of a text that is cut until the whole is no longer than `max` bytes of JSON.
pub(crate) fn within(max: usize, text: &str, make: impl Fn(&str) -> Value) -> Value {
    let mut room = text.len();
    loop {
        let request = make(&render::cut(text, room));
        // Each byte less of the text is at least one less of the JSON.
        match request.to_string().len().saturating_sub(max).min(room) {
            0 => return request,
            excess => room -= excess,
        }
    }
}

/// A pace that everything shares which posts to the same URL.
pub(crate) fn pace(channel: &OpenChannel, per_minute: u32, burst: u32) -> Pace {
    Pace { key: format!("{}:{}", channel.channel.platform, name(secret_url(channel))), per_minute, burst }
}

/// A name for a secret that does not betray it: 22 letters, digits, `-` and `_`.
pub(crate) fn name(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, secret.as_bytes()).as_ref()[..16])
}

fn secret_url(channel: &OpenChannel) -> &str {
    channel.secrets.get(URL_FIELD).map(ExposeSecret::expose_secret).unwrap_or_default()
}

/// What a careless server may repeat of a URL: its path and query, and the tokens among their parts.
fn parts(url: &Url) -> Vec<SecretString> {
    let query = url.query().unwrap_or_default();
    let tokens = url.path().split('/').filter(|part| part.len() >= TOKEN_MIN_BYTES);
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    let user = [Some(url.username()), url.password()].into_iter().flatten();
    let parts = tokens.chain(values).chain(user).chain([url.path(), query]).map(SecretString::from);
    parts.chain(url.query_pairs().map(|(_, value)| SecretString::from(value.into_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn whatever_a_server_repeats_of_the_url_is_known_as_secret() {
        let url =
            Url::parse("https://u5er:pa55@example.org/services/T1/abcdefghijklmnopqrstuvwx?sig=a%2Fb%2Bc").unwrap();
        let parts = parts(&url);
        for secret in ["u5er", "pa55", "abcdefghijklmnopqrstuvwx", "a%2Fb%2Bc", "a/b+c", "sig=a%2Fb%2Bc", url.path()] {
            assert!(parts.iter().any(|part| part.expose_secret() == secret), "{secret}");
        }
        assert!(!parts.iter().any(|part| part.expose_secret() == "services"));
    }

    #[test]
    fn only_the_host_is_shown() {
        let channel = contract::hook("slack", "https://u5er:pa55@example.org/services/T1?sig=2");
        let hook = Hook::of(&channel, &contract::tools(), |_| Ok(())).unwrap();
        assert_eq!(format!("{hook:?}"), "https://example.org");
    }

    #[test]
    fn a_text_is_cut_until_the_request_fits_however_much_json_escapes() {
        let make = |text: &str| Value::from(text);
        for text in ["", "short", &"я".repeat(100), &"\u{1}".repeat(100), &"\"".repeat(100)] {
            let length = within(50, text, make).to_string().len();
            assert!(length <= 50, "{text}: {length}");
        }
        assert_eq!(within(50, "short", make), "short");
        assert_eq!(within(5, "a text", |_| Value::from("an envelope that is too long")).to_string().len(), 30);
    }
}
