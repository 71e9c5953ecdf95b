//! Twilio: the Messages resource of its 2010 API.
//!
//! Errors carry a `code` of Twilio's own beside the HTTP status (<https://www.twilio.com/docs/api/errors>). The
//! status decides, except for the codes below.

use std::time::Duration;

use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use watchbell_common::outbound::Http;

use super::{Provider, Sms, bot::Bot, fill};
use crate::{
    ConfigureError, SendError,
    error::RATE_LIMIT_DEFAULT,
    http::{Answer, Caller},
};

const API: &str = "https://api.twilio.com";

/// Codes that mean "too fast" whatever the status, with the time to wait: between two numbers (14107) Twilio holds
/// everything for 30 s, too many requests (20429) and a full queue of the sender (21611) name no time.
const TOO_FAST: [(u32, Duration); 3] =
    [(14107, Duration::from_secs(30)), (20429, RATE_LIMIT_DEFAULT), (21611, RATE_LIMIT_DEFAULT)];

/// Codes that mean more than Twilio's own text says.
const HINTS: [(u32, &str); 7] = [
    (20003, "`account_sid` or `auth_token` is wrong"),
    (21211, "the number does not exist"),
    (21408, "allow the number's country in Twilio's console, under geographic permissions"),
    (21606, "`from` is not a number of this account that can send texts"),
    (21608, "a trial account only sends to numbers that were verified in Twilio's console"),
    (21610, "the receiver has unsubscribed by answering STOP"),
    (21614, "the number cannot receive texts"),
];

#[derive(Debug)]
pub(super) struct Twilio {
    url: String,
    account_sid: String,
    auth_token: SecretString,
    /// The form field that names the sender, and its value.
    sender: (&'static str, String),
}

/// A message or an error: the `status` of one is a word, of the other a number.
#[derive(Deserialize)]
struct Reply {
    sid: Option<String>,
    #[serde(default)]
    status: Value,
    code: Option<u32>,
    message: Option<String>,
    error_message: Option<String>,
}

impl Twilio {
    pub(super) fn new(bot: &Bot<'_>) -> Result<Self, ConfigureError> {
        let account_sid = bot.needed("account_sid")?.to_owned();
        let sender = match (bot.text("messaging_service_sid"), bot.text("from")) {
            (Some(service), None) => ("MessagingServiceSid", service.to_owned()),
            (None, Some(from)) => ("From", from.to_owned()),
            _ => return Err(ConfigureError::new("from", "twilio needs it or `messaging_service_sid`, and not both")),
        };
        let sid = fill::percent(&account_sid);
        let url = format!("{}/2010-04-01/Accounts/{sid}/Messages.json", bot.base(API)?);
        Ok(Self { url, account_sid, auth_token: bot.needed("auth_token")?.into(), sender })
    }
}

impl Provider for Twilio {
    fn request(&self, client: &Http, sms: &Sms<'_>) -> RequestBuilder {
        let (name, sender) = &self.sender;
        let form = fill::form(&[("To", sms.to), (name, sender), ("Body", sms.text)]);
        let request = client.post(&self.url).basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()));
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
    }

    fn judge(&self, caller: &Caller, answer: &Answer) -> Result<Option<String>, SendError> {
        let reply: Option<Reply> = serde_json::from_str(&answer.body).ok();
        match (caller.check(answer), reply) {
            (Ok(()), Some(reply)) if reply.status == "failed" => {
                let said = caller.blot(&reply.error_message.unwrap_or_default());
                Err(SendError::Rejected { detail: format!("failed: {said}") })
            }
            (Ok(()), reply) => Ok(reply.and_then(|reply| reply.sid)),
            (Err(error), Some(Reply { code: Some(code), message, .. })) => {
                let said = caller.blot(&message.unwrap_or_default());
                let hint = HINTS.iter().find(|(known, _)| *known == code).map(|(_, hint)| format!(" ({hint})"));
                let detail = format!("{code}: {said}{}", hint.unwrap_or_default());
                let wait = TOO_FAST.iter().find(|(known, _)| *known == code).map(|(_, wait)| *wait);
                Err(match (error, wait) {
                    // A status that says the same may also say how long; so it comes first.
                    (SendError::RateLimited { retry_after, .. }, _) | (_, Some(retry_after)) => {
                        SendError::RateLimited { detail, retry_after }
                    }
                    (error, None) => error.reworded(|_| detail),
                })
            }
            (Err(error), _) => Err(error),
        }
    }
}
