//! `email`: mail through the operator's own relay, as text and HTML, with the mails about one alert in one thread.
//!
//! Each mail has a connection of its own: one that is kept may have been closed at the other end, and every mail that
//! finds it so would be one that is possibly duplicated.

mod html;
mod letter;
mod session;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{authentication::Credentials, extension::ClientId},
};
use secrecy::SecretString;
use serde_json::json;
use watchbell_common::{clock::Clock, config::OpenChannel};

use self::session::{Relay, Security};
use crate::{
    Beyond, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Message, Receipt, SendError,
    Tools, Unit,
    reached::{Outcome, Reached},
    render,
    secrets::{self, Secrets},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "email",
    title: "E-mail",
    bot: BOT,
    fields: &[
        Field {
            name: "target",
            label: "Addresses",
            secret: false,
            required: true,
            input: Input::Line,
            help: "One or several, separated by commas. They see each other.",
        },
        Field {
            name: "subject_prefix",
            label: "Subject prefix",
            secret: false,
            required: false,
            input: Input::Line,
            help: "Stands before everything else in the subject, for example `[ops]`.",
        },
    ],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "ours: Gmail shows the first 102 kB of a mail and hides the rest",
    },
    // Every relay has limits of its own; `rate_per_min` of the channel is for them.
    paces: |_| Vec::new(),
    // The first subject of a thread: some mail programs make a new thread of every other subject.
    remembers: true,
    setup: "\
bots:
  - name: relay
    platform: email
    host: smtp.example.org
    tls: starttls
    username: watchbell
    password: ${RELAY_PASSWORD}
    from: Watchbell <watchbell@example.org>
channels:
  - name: on-call mail
    bot: relay
    target: oncall@example.org, lead@example.org
    options: { subject_prefix: \"[ops]\" }
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Local,
};

const BOT: &[Field] = &[
    Field {
        name: "host",
        label: "Relay",
        secret: false,
        required: true,
        input: Input::Line,
        help: "Name or address of the SMTP server.",
    },
    Field {
        name: "port",
        label: "Port",
        secret: false,
        required: false,
        input: Input::Number,
        help: "In quotation marks. Without it 587 with `starttls`, 465 with `implicit` and 25 with `none`.",
    },
    Field {
        name: "tls",
        label: "Encryption",
        secret: false,
        required: false,
        input: Input::Choice(&["starttls", "implicit", "none"]),
        help: "`starttls` (the default), `implicit` or `none`. What is asked for is insisted on.",
    },
    Field {
        name: "ca",
        label: "Certificate authority",
        secret: false,
        required: false,
        input: Input::Lines,
        help: "A private authority's certificate as PEM; then only that one is trusted.",
    },
    Field {
        name: "username",
        label: "User name",
        secret: false,
        required: false,
        input: Input::Line,
        help: "Where the relay wants a login. Without encryption only on this machine.",
    },
    Field {
        name: "password",
        label: "Password",
        secret: true,
        required: false,
        input: Input::Line,
        help: "Belongs to the user name.",
    },
    Field {
        name: "from",
        label: "Sender",
        secret: false,
        required: true,
        input: Input::Line,
        help: "`watchbell@example.org` or `Watchbell <watchbell@example.org>`. Refusals of other servers return there.",
    },
];

const TEXT_MAX_BYTES: usize = 64 * 1024;

/// What a server must take in one transaction (RFC 5321 §4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;

/// A longer prefix leaves no room for the subject on a telephone, in bytes.
const PREFIX_MAX_BYTES: usize = 40;

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let bot = Bot(channel);
    let from = bot.from()?;
    let security = bot.security()?;
    let port = match bot.text("port") {
        None => security.port(),
        Some(port) => port.parse().map_err(|_| ConfigureError::new("port", "must be a number up to 65535"))?,
    };
    let relay = Relay {
        host: bot.text("host").unwrap_or_default().to_owned(),
        http: tools.http.clone(),
        port,
        // The only name of ours that is sure to exist.
        hello: ClientId::Domain(from.email.domain().to_owned()),
        credentials: bot.credentials(&security)?,
        security,
        timeout: tools.timeout,
        secrets: Secrets::new(bot.secrets()),
    };
    let prefix = channel.channel.options.get("subject_prefix").map(|prefix| {
        let prefix = prefix.as_str().ok_or_else(|| ConfigureError::new("subject_prefix", "must be a text"))?;
        Ok(render::line(&letter::line(prefix), PREFIX_MAX_BYTES))
    });
    Ok(Arc::new(Email {
        relay,
        from,
        to: recipients(&channel.channel.target)?,
        subject_prefix: prefix.transpose()?.unwrap_or_default(),
        clock: tools.clock.clone(),
        reached: Reached::default(),
    }))
}

/// Reads the bot's fields; never shows a value.
struct Bot<'c>(&'c OpenChannel);

impl<'c> Bot<'c> {
    fn text(&self, name: &str) -> Option<&'c str> {
        secrets::of_bot(self.0, name)
    }

    fn from(&self) -> Result<Mailbox, ConfigureError> {
        let bad = || ConfigureError::new("from", "is not a mail address in ASCII, with or without a name before it");
        let mailbox: Mailbox = self.text("from").unwrap_or_default().parse().map_err(|_| bad())?;
        if is_ascii(&mailbox.email) { Ok(mailbox) } else { Err(bad()) }
    }

    fn security(&self) -> Result<Security, ConfigureError> {
        let host = self.text("host").ok_or_else(|| ConfigureError::new("host", "is empty"))?;
        let ca = self.text("ca");
        match self.text("tls").unwrap_or("starttls") {
            "starttls" => Ok(Security::StartTls(session::tls(host, ca)?)),
            "implicit" => Ok(Security::Implicit(session::tls(host, ca)?)),
            "none" => Ok(Security::None),
            _ => Err(ConfigureError::new("tls", "must be starttls, implicit or none")),
        }
    }

    fn credentials(&self, security: &Security) -> Result<Option<Credentials>, ConfigureError> {
        let (user, password) = match (self.text("username"), self.text("password")) {
            (None, None) => return Ok(None),
            (Some(user), Some(password)) => (user, password),
            (None, Some(_)) => return Err(ConfigureError::new("username", "is missing beside the password")),
            (Some(_), None) => return Err(ConfigureError::new("password", "is missing beside the user name")),
        };
        let local = matches!(self.text("host"), Some("localhost" | "127.0.0.1" | "::1"));
        if matches!(security, Security::None) && !local {
            return Err(ConfigureError::new("tls", "must not be none where a password is sent to another machine"));
        }
        Ok(Some(Credentials::new(user.to_owned(), password.to_owned())))
    }

    /// The password in each form in which it is sent.
    fn secrets(&self) -> Vec<SecretString> {
        let Some(password) = self.text("password") else { return Vec::new() };
        let user = self.text("username").unwrap_or_default();
        let plain = STANDARD.encode(format!("\0{user}\0{password}"));
        [password.to_owned(), STANDARD.encode(password), plain].map(SecretString::from).into()
    }
}

fn recipients(target: &str) -> Result<Vec<Address>, ConfigureError> {
    let mut recipients = Vec::new();
    for (position, text) in target.split(',').enumerate() {
        let address = text.trim().parse().ok().filter(is_ascii);
        let why = || format!("entry {} is not a mail address in ASCII (an international domain: xn--…)", position + 1);
        let address = address.ok_or_else(|| ConfigureError::new("target", why()))?;
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    if recipients.len() > RECIPIENTS_MAX {
        return Err(ConfigureError::new("target", format!("has more than {RECIPIENTS_MAX} addresses")));
    }
    Ok(recipients)
}

/// Addresses beyond ASCII need SMTPUTF8 all the way to the reader; hardly any server there has it.
fn is_ascii(address: &Address) -> bool {
    let text: &str = address.as_ref();
    text.is_ascii()
}

struct Email {
    relay: Relay,
    from: Mailbox,
    to: Vec<Address>,
    subject_prefix: String,
    clock: Arc<dyn Clock>,
    reached: Reached,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({}:{}, {} recipients)", self.relay.host, self.relay.port, self.to.len())
    }
}

#[async_trait]
impl Channel for Email {
    async fn send(&self, message: &Message, last: Option<&Kept>) -> Result<Receipt, SendError> {
        let topic = last.and_then(|last| last["topic"].as_str()).map_or_else(|| letter::topic(message), letter::line);
        let letter = letter::Letter {
            message,
            from: &self.from,
            to: &self.to,
            subject_prefix: &self.subject_prefix,
            topic: &topic,
            now_ms: self.clock.now_ms(),
        };
        let before = self.reached.before(message);
        let open: Vec<_> = self.to.iter().enumerate().filter(|(position, _)| !before.contains(position)).collect();
        let to: Vec<_> = open.iter().map(|(_, address)| *address).collect();
        let results = self.relay.send(&self.from.email, &to, &letter.bytes()).await;
        let outcomes = open.into_iter().zip(results).map(|((position, address), result)| Outcome {
            position,
            name: address.as_ref(),
            result: result.map(|said| (said, None)),
        });
        let receipt = self.reached.conclude(message, outcomes.collect())?;
        Ok(Receipt { keep: Some(json!({ "topic": topic })), ..receipt })
    }
}

#[cfg(test)]
mod tests;
