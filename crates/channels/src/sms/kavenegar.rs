//! Kavenegar: `sms/send` of its REST API (<https://kavenegar.com/rest.html>).
//!
//! The status of an answer stands in its body, as `return.status`; HTTP may say 200 whatever happened.

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use watchbell_common::outbound::Http;

use super::{Provider, Sms, bot::Bot, fill};
use crate::{
    ConfigureError, SendError,
    error::RATE_LIMIT_DEFAULT,
    http::{Answer, Caller},
};

const API: &str = "https://api.kavenegar.com";

const OK: u32 = 200;

/// Its servers cannot answer at the moment, or were asked too often by our address; every other status needs a person.
const BUSY: u32 = 409;
const TOO_OFTEN: u32 = 451;

/// What the statuses mean, in the language of the other errors: Kavenegar's own texts are Persian.
const MEANINGS: [(u32, &str); 17] = [
    (400, "a parameter is missing"),
    (401, "the account is disabled or the API key is wrong"),
    (402, "the operation failed"),
    (403, "the API key is not valid"),
    (407, "this address may not use the API; allow it in the panel"),
    (BUSY, "the server cannot answer"),
    (411, "the receiver's number is not valid"),
    (412, "`from` is not a line of this account"),
    (413, "the text is empty or too long"),
    (414, "too many messages in one request"),
    (416, "this address may not use the API; allow it in the panel"),
    (418, "the account's credit is used up"),
    (420, "the account may not send links; shorten the template"),
    (427, "the account may not send from this line; choose another `from` or ask Kavenegar"),
    (429, "this address is limited; ask Kavenegar"),
    (TOO_OFTEN, "too many calls from this address"),
    (501, "a test account only sends to its owner's number"),
];

#[derive(Debug)]
pub(super) struct Kavenegar {
    base: String,
    api_key: SecretString,
    /// A line of the account; its default line when absent.
    from: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    r#return: Return,
    #[serde(default)]
    entries: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Return {
    status: u32,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Entry {
    messageid: i64,
}

impl Kavenegar {
    pub(super) fn new(bot: &Bot<'_>) -> Result<Self, ConfigureError> {
        let api_key = bot.needed("api_key")?.into();
        Ok(Self { base: bot.base(API)?, api_key, from: bot.text("from").map(str::to_owned) })
    }
}

/// The number as Kavenegar reads it: national in Iran, with 00 elsewhere.
fn receptor(to: &str) -> String {
    match to.strip_prefix("+98") {
        Some(national) => format!("0{national}"),
        None => format!("00{}", to.trim_start_matches('+')),
    }
}

/// The same positive number for every attempt: Kavenegar does not send what it has already sent under it.
fn local_id(sms: &Sms<'_>) -> String {
    let hash = digest(&SHA256, format!("{}{}", sms.message.delivery_id, sms.to).as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_ref()[..8]);
    (u64::from_be_bytes(bytes) >> 1).to_string()
}

impl Provider for Kavenegar {
    fn request(&self, client: &Http, sms: &Sms<'_>) -> RequestBuilder {
        let url = format!("{}/v1/{}/sms/send.json", self.base, fill::percent(self.api_key.expose_secret()));
        let (receptor, local_id) = (receptor(sms.to), local_id(sms));
        let mut pairs = vec![("receptor", receptor.as_str()), ("message", sms.text), ("localid", local_id.as_str())];
        pairs.extend(self.from.as_deref().map(|from| ("sender", from)));
        client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(fill::form(&pairs))
    }

    fn judge(&self, caller: &Caller, answer: &Answer) -> Result<Option<String>, SendError> {
        let Ok(reply) = serde_json::from_str::<Reply>(&answer.body) else {
            caller.check(answer)?;
            let detail = format!("an answer that is not Kavenegar's: {}", caller.blot(&answer.body));
            return Err(SendError::Transient { detail, retry_after: None, ambiguous: true });
        };
        let status = reply.r#return.status;
        if status == OK {
            return Ok(reply.entries.and_then(|entries| Some(entries.first()?.messageid.to_string())));
        }
        let meaning = MEANINGS.iter().find(|(known, _)| *known == status).map_or("", |(_, meaning)| meaning);
        let said = caller.blot(&reply.r#return.message);
        let detail = [meaning, &said].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
        let detail = format!("{status} {detail}").trim_end().to_owned();
        Err(match caller.check(answer) {
            Err(error @ (SendError::Transient { .. } | SendError::RateLimited { .. })) => error.reworded(|_| detail),
            _ if status == TOO_OFTEN => SendError::RateLimited { detail, retry_after: RATE_LIMIT_DEFAULT },
            _ if status == BUSY => SendError::Transient { detail, retry_after: None, ambiguous: false },
            _ => SendError::Rejected { detail },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_kavenegar_reads_them() {
        assert_eq!(receptor("+989123456789"), "09123456789");
        assert_eq!(receptor("+4930123456"), "004930123456");
    }
}
