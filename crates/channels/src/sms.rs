//! `sms`: a short text to telephones, through Twilio, Kavenegar or any provider with an HTTP API.
//!
//! Every message costs money. So the text holds only what matters and is made to fit (`length.rs`), an enrichment
//! of what was already sent is not sent, and who got a text does not get it again because another number failed.

mod bot;
mod fill;
mod generic;
mod kavenegar;
mod length;
mod twilio;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::RequestBuilder;
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};
use watchbell_common::{config::OpenChannel, outbound::Http};

use self::{bot::Bot, generic::Generic, kavenegar::Kavenegar, twilio::Twilio};
use crate::{
    Beyond, Body, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Markup, Message,
    Receipt, SendError, Tools, Unit,
    http::{Answer, Caller},
    markup,
    reached::{Outcome, Reached},
    render,
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "sms",
    title: "SMS",
    bot: BOT,
    fields: FIELDS,
    limits: Limits {
        text_max: 134,
        unit: Unit::Utf16,
        beyond: Beyond::Cut,
        source: "3GPP TS 23.040 §9.2.3.24.1: two messages of 67 units each, or of 153 GSM-7 characters",
    },
    // Twilio queues what comes too fast, Kavenegar names no limit, and of others nothing is known.
    paces: |_| Vec::new(),
    remembers: false,
    setup: "\
bots:
  - name: twilio
    platform: sms
    provider: twilio
    account_sid: ${TWILIO_ACCOUNT_SID}
    auth_token: ${TWILIO_AUTH_TOKEN}
    from: \"+15005550006\"
channels:
  - name: on-call phones
    bot: twilio
    target: \"+4915112345678, +4915187654321\"
    rate_per_min: 6
    dedup_window_s: 600
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const BOT: &[Field] = &[
    Field {
        name: "provider",
        label: "Provider",
        secret: false,
        required: true,
        input: Input::Choice(&["twilio", "kavenegar", "generic"]),
        help: "`twilio`, `kavenegar`, or `generic` for any other with an HTTP API.",
    },
    Field {
        name: "from",
        label: "Sender",
        secret: false,
        required: false,
        input: Input::Line,
        help: "The number or line that sends. Kavenegar takes the account's default line without it.",
    },
    Field {
        name: "account_sid",
        label: "Twilio account SID",
        secret: false,
        required: false,
        input: Input::Line,
        help: "`AC…`, from the Twilio console.",
    },
    Field {
        name: "auth_token",
        label: "Twilio auth token",
        secret: true,
        required: false,
        input: Input::Line,
        help: "From the Twilio console.",
    },
    Field {
        name: "messaging_service_sid",
        label: "Twilio messaging service",
        secret: false,
        required: false,
        input: Input::Line,
        help: "`MG…`; in place of a sender.",
    },
    Field {
        name: "api_key",
        label: "API key",
        secret: true,
        required: false,
        input: Input::Line,
        help: "Kavenegar's; for generic providers what `{api_key}` stands for.",
    },
    Field {
        name: "username",
        label: "User name",
        secret: false,
        required: false,
        input: Input::Line,
        help: "For generic providers: what `{username}` stands for.",
    },
    Field {
        name: "password",
        label: "Password",
        secret: true,
        required: false,
        input: Input::Line,
        help: "For generic providers: what `{password}` stands for.",
    },
    Field {
        name: "base_url",
        label: "API address",
        secret: false,
        required: false,
        input: Input::Line,
        help: "Where the API of Twilio or Kavenegar is, when not at its public address.",
    },
];

const FIELDS: &[Field] = &[
    Field {
        name: "target",
        label: "Telephone numbers",
        secret: false,
        required: true,
        input: Input::Line,
        help: "One or several, separated by commas, in the international form +4915112345678.",
    },
    Field {
        name: "parts_max",
        label: "Messages per text",
        secret: false,
        required: false,
        input: Input::Number,
        help: "How many messages one text may take: 2 unless set, at most 5. Each is paid for.",
    },
    Field {
        name: "url",
        label: "URL",
        secret: false,
        required: false,
        input: Input::Line,
        help: "Generic: where the request goes. Placeholders are escaped for a URL.",
    },
    Field {
        name: "method",
        label: "Method",
        secret: false,
        required: false,
        input: Input::Choice(&["POST", "GET", "PUT"]),
        help: "Generic: GET, POST (default) or PUT.",
    },
    Field {
        name: "headers",
        label: "Headers",
        secret: false,
        required: false,
        input: Input::Headers,
        help: "Generic: header name → value, with placeholders of the account such as `Bearer {api_key}`.",
    },
    Field {
        name: "content_type",
        label: "Content type",
        secret: false,
        required: false,
        input: Input::Line,
        help: "Generic: a form (default), JSON, XML or text/plain. Placeholders in the body are escaped for it.",
    },
    Field {
        name: "body",
        label: "Body",
        secret: false,
        required: false,
        input: Input::Lines,
        help: "Generic: for example `to={to}&text={text}`.",
    },
    Field {
        name: "success",
        label: "Success",
        secret: false,
        required: false,
        input: Input::Json,
        help: "Generic: `status` (a list), `json` (`pointer` and `equals`), `contains`; all that are given must hold.",
    },
];

/// Two messages hold what is needed to decide whether to get up.
const PARTS_DEFAULT: usize = 2;

/// Kavenegar takes 900 characters, which hold 5 messages of 153; Twilio takes 1,600.
const PARTS_MAX: usize = 5;

/// Numbers are served one after the other within the time of one attempt.
const NUMBERS_MAX: usize = 10;

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let bot = Bot(channel);
    let provider: Box<dyn Provider> = match bot.text("provider").unwrap_or_default() {
        "generic" => Box::new(Generic::new(channel, &bot)?),
        preset => {
            let theirs = FIELDS.iter().filter(|field| !matches!(field.name, "target" | "parts_max"));
            let given = |field: &&Field| channel.channel.options.contains_key(field.name);
            if let Some(field) = theirs.into_iter().find(given) {
                return Err(ConfigureError::new(field.name, "is for the provider `generic` only"));
            }
            match preset {
                "twilio" => Box::new(Twilio::new(&bot)?),
                "kavenegar" => Box::new(Kavenegar::new(&bot)?),
                _ => return Err(ConfigureError::new("provider", "must be twilio, kavenegar or generic")),
            }
        }
    };
    Ok(Arc::new(SmsChannel {
        client: tools.http.clone(),
        caller: Caller::new(tools, secrets(&bot)),
        timeout: tools.timeout,
        provider,
        numbers: numbers(&channel.channel.target)?,
        parts_max: parts_max(channel)?,
        reached: Reached::default(),
    }))
}

/// In each form in which they are sent.
fn secrets(bot: &Bot<'_>) -> Vec<SecretString> {
    let secret = |field: &&Field| field.secret;
    let values: Vec<_> = BOT.iter().filter(secret).filter_map(|field| bot.text(field.name)).collect();
    let forms = values.iter().flat_map(|value| [(*value).to_owned(), fill::percent(value)]);
    forms.chain(bot.basic()).chain(bot.basic_of_twilio()).map(SecretString::from).collect()
}

fn numbers(target: &str) -> Result<Vec<String>, ConfigureError> {
    let bad = |why: String| ConfigureError::new("target", why);
    let mut numbers: Vec<String> = Vec::new();
    for (position, number) in target.split(',').enumerate() {
        let number: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        // E.164 §6: at most 15 digits, of which the first is that of a country.
        let digits = number.strip_prefix('+').filter(|digits| digits.chars().all(|c| c.is_ascii_digit()));
        if !digits.is_some_and(|digits| (7..=15).contains(&digits.len()) && !digits.starts_with('0')) {
            return Err(bad(format!("number {} is not in the international form, +4915112345678", position + 1)));
        }
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    if numbers.len() > NUMBERS_MAX {
        return Err(bad(format!("has more than {NUMBERS_MAX} numbers; make another channel")));
    }
    Ok(numbers)
}

fn parts_max(channel: &OpenChannel) -> Result<usize, ConfigureError> {
    let Some(option) = channel.channel.options.get("parts_max") else { return Ok(PARTS_DEFAULT) };
    let parts = option.as_u64().and_then(|parts| usize::try_from(parts).ok());
    parts
        .filter(|parts| (1..=PARTS_MAX).contains(parts))
        .ok_or_else(|| ConfigureError::new("parts_max", format!("must be a number from 1 to {PARTS_MAX}")))
}

/// One text to one number.
struct Sms<'m> {
    to: &'m str,
    text: &'m str,
    message: &'m Message,
}

/// An SMS service: how it is asked and what its answers mean.
trait Provider: fmt::Debug + Send + Sync {
    fn request(&self, client: &Http, sms: &Sms<'_>) -> RequestBuilder;

    /// The provider's name for the message, if it took it.
    fn judge(&self, caller: &Caller, answer: &Answer) -> Result<Option<String>, SendError>;
}

#[derive(Debug)]
struct SmsChannel {
    client: Http,
    caller: Caller,
    timeout: Duration,
    provider: Box<dyn Provider>,
    numbers: Vec<String>,
    parts_max: usize,
    reached: Reached,
}

impl SmsChannel {
    async fn one(&self, sms: &Sms<'_>) -> Result<(String, Option<String>), SendError> {
        let answer = self.caller.exchange(self.provider.request(&self.client, sms)).await?;
        let id = self.provider.judge(&self.caller, &answer)?;
        let (messages, coding) = (length::messages(sms.text), length::Coding::of(sms.text).name());
        let plural = if messages == 1 { "" } else { "s" };
        Ok((format!("{}, {messages} message{plural} in {coding}", answer.status), id))
    }
}

#[async_trait]
impl Channel for SmsChannel {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        if message.update {
            let detail = "not sent: an SMS for better words about the same alert would cost as much as the first";
            return Ok(Receipt { detail: detail.to_owned(), ..Receipt::default() });
        }
        let text = length::fit(&text(message), self.parts_max);
        let deadline = Instant::now() + self.timeout;
        let late = |ambiguous| SendError::Transient {
            detail: format!("no answer within {:?}", self.timeout),
            retry_after: None,
            ambiguous,
        };
        let before = self.reached.before(message);
        let mut outcomes = Vec::new();
        for (position, to) in self.numbers.iter().enumerate().filter(|(position, _)| !before.contains(position)) {
            let sms = Sms { to, text: &text, message };
            let result = if Instant::now() < deadline {
                timeout_at(deadline, self.one(&sms)).await.unwrap_or_else(|_| Err(late(true)))
            } else {
                Err(late(false))
            };
            outcomes.push(Outcome { position, name: to, result });
        }
        self.reached.conclude(message, outcomes)
    }
}

/// What matters: severity, status, system and summary; or what the template says, without its markup.
fn text(message: &Message) -> String {
    let written = match &message.body {
        Body::Layout(layout) => {
            // Each character is paid for, so the system is said once.
            let heading = if layout.summary.contains(&message.system) { &layout.state } else { &layout.heading };
            let text = format!("{}: {}", heading.replace(render::SEPARATOR, " "), layout.summary);
            // The layout isolates what may read the other way; here each mark would be paid for.
            return text.chars().filter(|&c| !render::steers(c)).collect();
        }
        Body::Written(Markup::Html) => &markup::html_to_text(&message.text),
        Body::Written(Markup::Plain | Markup::Markdown) => &message.text,
    };
    // Each line is cleaned by itself: what steers a terminal steers a telephone.
    let lines = written.lines().map(|line| render::line(line, written.len())).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
