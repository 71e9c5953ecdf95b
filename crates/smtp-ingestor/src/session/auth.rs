//! AUTH PLAIN (RFC 4954, RFC 4616) and LOGIN.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use tokio::time::Instant;
use watchbell_common::{
    binding::{
        doors::Entry,
        keeper::{Denied, Purpose},
    },
    ids::TenantId,
};

use super::{Flow, Session};
use crate::{
    command::Mechanism,
    publish::Publish,
    reply::{self, Reply},
    users::Users,
    wire::{Ended, Line, OnStop},
};

/// Wrong passwords after which a connection is closed. Guessing then costs a connection per few guesses.
const FAILED_LOGINS_MAX: usize = 3;

/// What came of a login.
enum Checked {
    Right,
    Wrong,
    /// The password was not looked at.
    LockedOut,
}

/// A user name and a password, as the client claims.
type Credentials = (String, SecretString);

impl<P: Publish> Session<P> {
    pub(super) async fn auth(&mut self, mechanism: Mechanism, initial: Option<String>) -> Result<Flow, Ended> {
        let Some(users) = self.server.users.clone() else {
            self.say(&reply::NOT_IMPLEMENTED);
            return Ok(Flow::Next);
        };
        let credentials = match self.may_log_in() {
            Ok(()) => match mechanism {
                Mechanism::Plain => self.plain(initial).await?,
                Mechanism::Login => self.login(initial).await?,
                Mechanism::Unknown => Err(reply::UNKNOWN_MECHANISM),
            },
            Err(objection) => Err(objection),
        };
        let (name, password) = match credentials {
            Ok(credentials) => credentials,
            Err(objection) => {
                self.say(&objection);
                return Ok(Flow::Next);
            }
        };
        match self.check(&users, &name, password).await {
            Ok(Checked::Right) => return Ok(self.admit(name).await),
            Ok(Checked::Wrong) => return Ok(self.wrong(&name, &reply::LOGIN_WRONG)),
            Ok(Checked::LockedOut) => {
                self.refuse("locked_out", &format!("a login as {name:?} came too soon after too many that failed"));
                self.say(&reply::TOO_MANY_LOGINS);
                return Ok(Flow::Close);
            }
            Err(busy) => {
                tracing::warn!(smtp.peer = %self.peer, "a login could not be checked: {busy}");
                self.say(&reply::LOGIN_BUSY);
            }
        }
        Ok(Flow::Next)
    }

    /// Looks at a password unless user or address are locked out, and counts the attempt. Without the queue
    /// nobody logs in: it would take no mail either.
    async fn check(&self, users: &Users, name: &str, password: SecretString) -> anyhow::Result<Checked> {
        let (lockout, peer) = (&self.server.lockout, self.peer);
        let Some(attempt) = lockout.begin(name, peer).await? else { return Ok(Checked::LockedOut) };
        match users.authorize(name, password).await {
            Ok(true) => {
                lockout.succeeded(attempt).await?;
                return Ok(Checked::Right);
            }
            Ok(false) => {}
            Err(error) => {
                lockout.take_back(attempt).await?;
                return Err(error.into());
            }
        }
        if let Some(pause) = attempt.pause {
            let pause_s = pause.as_secs();
            tracing::warn!(smtp.peer = %peer, lockout.s = pause_s, "locked out after too many failed logins");
            metrics::counter!("watchbell_lockouts_total").increment(1);
        }
        Ok(Checked::Wrong)
    }

    fn may_log_in(&self) -> Result<(), Reply> {
        if self.helo.is_none() {
            Err(reply::HELLO_FIRST)
        } else if self.user.is_some() {
            Err(reply::ALREADY_AUTHENTICATED)
        } else if self.mail.is_some() {
            Err(reply::NOT_DURING_MAIL)
        } else if !self.may_send_passwords() {
            Err(reply::TLS_FIRST)
        } else {
            Ok(())
        }
    }

    /// The password was right. Where users are bound to addresses, this one must be one of the user's.
    async fn admit(&mut self, name: String) -> Flow {
        let admitted = match &self.server.guarded {
            None => Ok(()),
            Some(guarded) => {
                let masked = || name.clone();
                let purpose = Purpose { method: "AUTH", path: "" };
                // Users are of the installation, and so is their mail.
                let entry = Entry { tenant: TenantId::DEFAULT, secret: &name, masked: &masked, purpose };
                guarded.check(&entry, self.peer).await
            }
        };
        match admitted {
            Ok(()) => {
                self.user = Some(name);
                self.say(&reply::AUTHENTICATED);
            }
            Err(Denied::Elsewhere | Denied::Blocked) => return self.wrong(&name, &reply::LOGIN_ELSEWHERE),
            Err(Denied::TooManyNew | Denied::TooManyBindings | Denied::Unavailable) => {
                tracing::warn!(smtp.peer = %self.peer, "it could not be checked from where {name:?} may log in");
                self.say(&reply::LOGIN_BUSY);
            }
        }
        Flow::Next
    }

    fn wrong(&mut self, name: &str, why: &Reply) -> Flow {
        self.refuse("login", &format!("a login as {name:?} failed"));
        self.failed_logins += 1;
        if self.failed_logins < FAILED_LOGINS_MAX {
            self.say(why);
            return Flow::Next;
        }
        self.say(&reply::TOO_MANY_LOGINS);
        Flow::Close
    }

    /// One message: `[who to act as] NUL user NUL password`. Nobody may act as another.
    async fn plain(&mut self, initial: Option<String>) -> Result<Result<Credentials, Reply>, Ended> {
        let answer = match initial {
            Some(initial) => decode(initial.as_bytes()),
            None => self.ask(&reply::ASK_PLAIN).await?,
        };
        Ok(answer.and_then(|text| {
            let parts: Vec<&str> = text.split('\0').collect();
            match parts[..] {
                [acts_as, name, password] if acts_as.is_empty() || acts_as == name => {
                    Ok((name.to_owned(), password.into()))
                }
                [_, _, _] => Err(reply::LOGIN_WRONG),
                _ => Err(Reply::syntax("base64 of NUL user NUL password")),
            }
        }))
    }

    /// Two questions; some clients send the first answer along.
    async fn login(&mut self, initial: Option<String>) -> Result<Result<Credentials, Reply>, Ended> {
        let name = match initial {
            Some(initial) => decode(initial.as_bytes()),
            None => self.ask(&reply::ASK_LOGIN_NAME).await?,
        };
        match name {
            Ok(name) => Ok(self.ask(&reply::ASK_LOGIN_PASSWORD).await?.map(|password| (name, password.into()))),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn ask(&mut self, question: &Reply) -> Result<Result<String, Reply>, Ended> {
        self.say(question);
        let by = Instant::now() + self.server.settings.idle_timeout;
        Ok(match self.wire.line(by, OnStop::End).await? {
            Line::Ready(line) => match self.wire.text(line).trim_ascii_end() {
                b"*" => Err(reply::LOGIN_CANCELLED),
                answer => decode(answer),
            },
            Line::TooLong => Err(reply::LINE_TOO_LONG),
        })
    }
}

/// Reads base64 of UTF-8; `=` alone is an empty answer (RFC 4954 §4).
fn decode(answer: &[u8]) -> Result<String, Reply> {
    if answer == b"=" {
        return Ok(String::new());
    }
    STANDARD.decode(answer).ok().and_then(|text| String::from_utf8(text).ok()).ok_or(reply::BAD_BASE64)
}
