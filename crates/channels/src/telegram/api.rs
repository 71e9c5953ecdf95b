//! One call of the Bot API, and what Telegram's refusals mean.
//!
//! The requests are teloxide's; they go out through our own client, and what comes back is classified where all
//! channels' answers are. `docs/decisions/0007-outbound.md` says why.

use std::{fmt, time::Duration};

use reqwest::{RequestBuilder, StatusCode, Url, multipart::Form};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use teloxide::{requests::Payload, types::ChatId};
use watchbell_common::outbound::Http;

use crate::{
    SendError,
    http::{ANSWER_MAX_BYTES, Caller},
};

/// A bot.
pub(super) struct Api {
    client: Http,
    caller: Caller,
    /// Up to the token, included.
    base: SecretString,
    host: String,
    proxied: bool,
}

impl fmt::Debug for Api {
    /// The address of every method holds the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.host)
    }
}

/// What Telegram calls a message that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Sent {
    pub(super) message_id: i32,
    pub(super) chat: Chat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Chat {
    pub(super) id: ChatId,
}

/// Why Telegram did not do it, by what can be done about it.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The text's markup, or the length that it leads to: send it without.
    Markup(String),
    /// There is nothing to change.
    NotModified,
    /// The link buttons: send it without.
    Buttons(String),
    /// The group has become a supergroup with this id.
    Moved(ChatId),
    /// The topic is closed or gone: send to the group itself.
    NoTopic(String),
    /// Something about the request that is not known: send as little as possible.
    Unknown(String),
    Other(SendError),
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        Self::Other(error)
    }
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        let detail = match refusal {
            Refusal::Other(error) => return error,
            Refusal::Markup(detail)
            | Refusal::Buttons(detail)
            | Refusal::NoTopic(detail)
            | Refusal::Unknown(detail) => detail,
            Refusal::NotModified => "the message says this already".to_owned(),
            Refusal::Moved(chat) => format!("the group is now {chat}: make this the target"),
        };
        Self::Rejected { detail }
    }
}

/// The envelope of every answer: <https://core.telegram.org/bots/api#making-requests>.
#[derive(Debug, Deserialize)]
struct Reply<T> {
    ok: bool,
    result: Option<T>,
    description: Option<String>,
    #[serde(default)]
    parameters: Parameters,
}

/// <https://core.telegram.org/bots/api#responseparameters>
#[derive(Debug, Default, Deserialize)]
struct Parameters {
    migrate_to_chat_id: Option<ChatId>,
    retry_after: Option<u64>,
}

impl Api {
    pub(super) fn new(client: Http, caller: Caller, base: &Url, token: &SecretString, proxied: bool) -> Self {
        let token = token.expose_secret();
        let host = base.host_str().unwrap_or_default().to_owned();
        let base = format!("{}/bot{token}", base.as_str().trim_end_matches('/')).into();
        Self { client, caller, base, host, proxied }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.caller.clock.now_ms()
    }

    pub(super) async fn call<P: Payload + Serialize + Sync>(&self, payload: &P) -> Result<Sent, Refusal> {
        self.finish(self.post(P::NAME).json(payload), ANSWER_MAX_BYTES).await
    }

    /// Calls a method that takes nothing and whose answer can be that long.
    pub(super) async fn ask<T: DeserializeOwned>(&self, method: &str, answer_max: usize) -> Result<T, Refusal> {
        self.finish(self.post(method).json(&serde_json::json!({})), answer_max).await
    }

    /// Calls a method that takes a file.
    pub(super) async fn upload(&self, method: &str, form: Form) -> Result<Sent, Refusal> {
        self.finish(self.post(method).multipart(form), ANSWER_MAX_BYTES).await
    }

    fn post(&self, method: &str) -> RequestBuilder {
        self.client.post(format!("{}/{method}", self.base.expose_secret()))
    }

    async fn finish<T: DeserializeOwned>(&self, request: RequestBuilder, answer_max: usize) -> Result<T, Refusal> {
        let answer = self.caller.exchange_up_to(request, answer_max).await.map_err(|error| self.on_the_way(error))?;
        match serde_json::from_str(&answer.body) {
            Ok(Reply { ok: true, result: Some(result), .. }) if answer.status.is_success() => Ok(result),
            Ok(Reply { ok: false, description: Some(description), parameters, .. })
                if parameters.retry_after.is_some() || !by_status_alone(answer.status) =>
            {
                Err(self.refused(answer.status, &description, &parameters))
            }
            _ => {
                self.caller.check(&answer)?;
                let detail = format!("{}: this is not how the Bot API answers", answer.status);
                Err(SendError::Transient { detail, retry_after: None, ambiguous: true }.into())
            }
        }
    }

    /// Where no connection came about, nobody can tell a proxy from what is behind it but by being told.
    fn on_the_way(&self, error: SendError) -> SendError {
        match error {
            SendError::Transient { detail, retry_after, ambiguous: false } if self.proxied => {
                let detail = format!("by the bot's `proxy`: {detail}");
                SendError::Transient { detail, retry_after, ambiguous: false }
            }
            error => error,
        }
    }

    fn refused(&self, status: StatusCode, description: &str, parameters: &Parameters) -> Refusal {
        let detail = self.caller.blot(description);
        if let Some(chat) = parameters.migrate_to_chat_id {
            return Refusal::Moved(chat);
        }
        if let Some(seconds) = parameters.retry_after {
            return SendError::RateLimited { detail, retry_after: Duration::from_secs(seconds) }.into();
        }
        let text = description.to_ascii_lowercase();
        if let Some((_, refusal)) = KNOWN.iter().find(|(known, _)| text.contains(known)) {
            return refusal(detail);
        }
        match ADVICE.iter().find(|(known, _)| text.contains(known)) {
            Some((_, advice)) => SendError::Rejected { detail: format!("{detail} ({advice})") }.into(),
            None if status == StatusCode::BAD_REQUEST => Refusal::Unknown(detail),
            None => SendError::Rejected { detail }.into(),
        }
    }
}

/// Whether the status says all there is to know.
fn by_status_alone(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Makes a refusal of what Telegram said.
type Meaning = fn(String) -> Refusal;

/// What a refusal is about, by a part of its text in lower case, the first that fits. There is nothing else to go by: the
/// Bot API has no codes but those of HTTP. The texts are those of <https://github.com/tdlib/telegram-bot-api>
/// (`telegram-bot-api/Client.cpp`), of the library beneath it (`td/telegram/MessageEntity.cpp`) and, in capitals there, of
/// Telegram's servers. Nothing is lost by one that is missing here: see [`Refusal::Unknown`].
const KNOWN: [(&str, Meaning); 10] = [
    ("message is not modified", |_| Refusal::NotModified),
    ("inline keyboard button", Refusal::Buttons),
    ("button_", Refusal::Buttons),
    ("reply_markup", Refusal::Buttons),
    ("can't parse entities", Refusal::Markup),
    ("message text is empty", Refusal::Markup),
    ("too long", Refusal::Markup),
    ("too_long", Refusal::Markup),
    ("message thread not found", Refusal::NoTopic),
    ("topic_", Refusal::NoTopic),
];

/// What people can do about a refusal, by a part of its text in lower case; from the same sources.
const ADVICE: [(&str, &str); 13] = [
    ("unauthorized", "Telegram does not know this bot token; copy it again from @BotFather"),
    ("bot was blocked", "the person blocked the bot; they have to unblock it and send it /start"),
    ("can't initiate conversation", "the person has to send the bot /start first"),
    ("user is deactivated", "this account is gone; choose another target"),
    ("bot was kicked", "the bot was removed from the chat; add it again"),
    ("bot is not a member", "add the bot to the chat"),
    ("chat not found", "check the target, and that the bot was added to the chat or sent /start"),
    ("group is deactivated", "this group is gone; choose another target"),
    ("need administrator rights", "make the bot an administrator that may post messages"),
    ("not enough rights", "let the bot send messages in this chat"),
    ("have no rights", "let the bot send messages in this chat"),
    ("chat_write_forbidden", "let the bot send messages in this chat"),
    // The whole text: Telegram does not find the method because the token does not even look like one.
    ("not found", "check the bot token, and api_base if the bot has one"),
];
