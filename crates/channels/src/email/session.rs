//! The conversation with the relay, and what its answers mean.
//!
//! | what happens | class |
//! |---|---|
//! | no connection, no answer in time, any 4xx | transient |
//! | TLS fails, or STARTTLS is asked for and not offered | transient: certificates are renewed and attackers leave; nothing was sent |
//! | any 5xx, a login that is refused or not offered | rejected |
//! | the connection ends between the end of the mail and the answer to it | transient, and possibly duplicated |
//!
//! Recipients are refused one by one, so there is a result for each.

use std::{error::Error as _, fmt, future::Future, iter, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
        response::{Response, Severity},
    },
};
use tokio::time::{Instant, timeout, timeout_at};

use watchbell_common::outbound::{Http, LookupError};

use crate::{ConfigureError, SendError, error::of_connection, secrets::Secrets};

/// How long a relay that has the mail may take over its farewell: it is good manners, not worth waiting for.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// The code with which a server announces that it closes the connection (RFC 5321 §3.8).
const CLOSING: u16 = 421;

/// A server that takes mail and carries it on.
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    /// Says which addresses of the host may be connected to.
    pub(super) http: Http,
    pub(super) hello: ClientId,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    /// For the whole conversation.
    pub(super) timeout: Duration,
    pub(super) secrets: Secrets,
}

pub(super) enum Security {
    StartTls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

impl Security {
    /// Where it usually is: RFC 6409 §3.1, RFC 8314 §3.3, RFC 5321 §4.5.4.2.
    pub(super) const fn port(&self) -> u16 {
        match self {
            Self::StartTls(_) => 587,
            Self::Implicit(_) => 465,
            Self::None => 25,
        }
    }
}

/// What is checked of the relay's certificate: by the public authorities, or by this one (PEM) alone.
pub(super) fn tls(host: &str, ca: Option<&str>) -> Result<TlsParameters, ConfigureError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca {
        let certificate = Certificate::from_pem(pem.as_bytes()).ok();
        // A text that holds no certificate at all is read as none, without an error.
        let certificate = certificate.filter(|_| pem.contains("-----BEGIN CERTIFICATE-----"));
        let certificate = certificate.ok_or_else(|| ConfigureError::new("ca", "is not a certificate in PEM"))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|_| ConfigureError::new("ca", "cannot be used to check certificates"))
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Connect,
    StartTls,
    Login,
    Sender,
    Recipient,
    /// The command; nothing of the mail was sent yet.
    Data,
    /// The mail itself, up to the answer to it.
    Mail,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connection",
            Self::StartTls => "TLS",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Data | Self::Mail => "mail",
        })
    }
}

impl Step {
    /// What people can do where a relay refuses it for good.
    const fn advice(self) -> &'static str {
        match self {
            Self::Login => "; check the bot's `username` and `password`",
            Self::Sender => "; check the bot's `from`, and whether the relay wants a login",
            _ => "",
        }
    }
}

/// What became of a recipient: what the relay said when it took the mail, or why it did not.
type Taken = Result<String, SendError>;

impl Relay {
    /// Tries once to send the mail to all of them; the results are in their order.
    pub(super) async fn send(&self, from: &Address, to: &[&Address], mail: &[u8]) -> Vec<Taken> {
        let deadline = Instant::now() + self.timeout;
        match self.offer(deadline, from, to).await {
            Ok((connection, mut results)) => {
                let taken = self.hand_over(deadline, connection, mail, &results).await;
                for result in results.iter_mut().filter(|result| result.is_ok()) {
                    result.clone_from(&taken);
                }
                results
            }
            // It happened before the mail was handed over, so it happened to all of them.
            Err(error) => vec![Err(error); to.len()],
        }
    }

    /// Everything up to the mail: who of the recipients is refused, and who is accepted (so far).
    async fn offer(
        &self,
        deadline: Instant,
        from: &Address,
        to: &[&Address],
    ) -> Result<(AsyncSmtpConnection, Vec<Taken>), SendError> {
        let mut connection = self.connect(deadline).await?;
        let mail = connection.command(Mail::new(Some(from.clone()), Vec::new()));
        self.within(deadline, Step::Sender, mail).await?;
        let mut results = Vec::with_capacity(to.len());
        for &recipient in to {
            let rcpt = connection.command(Rcpt::new(recipient.clone(), Vec::new()));
            match timeout_at(deadline, rcpt).await {
                Ok(Err(error)) if error.status().is_some_and(|code| u16::from(code) != CLOSING) => {
                    results.push(Err(self.means(Step::Recipient, &error)));
                }
                Ok(Err(error)) => return Err(self.means(Step::Recipient, &error)),
                Ok(Ok(_)) => results.push(Ok(String::new())),
                Err(_) => return Err(self.late(Step::Recipient)),
            }
        }
        Ok((connection, results))
    }

    async fn connect(&self, deadline: Instant) -> Result<AsyncSmtpConnection, SendError> {
        let implicit = match &self.security {
            Security::Implicit(parameters) => Some(parameters.clone()),
            Security::StartTls(_) | Security::None => None,
        };
        let mut connection = self.open(deadline, implicit).await?;
        if let Security::StartTls(parameters) = &self.security {
            let upgrade = connection.starttls(parameters.clone(), &self.hello);
            self.within(deadline, Step::StartTls, upgrade).await?;
        }
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(DEFAULT_MECHANISMS, credentials);
            self.within(deadline, Step::Login, login).await?;
        }
        Ok(connection)
    }

    /// Connects to the first of the relay's addresses that answers.
    async fn open(&self, deadline: Instant, tls: Option<TlsParameters>) -> Result<AsyncSmtpConnection, SendError> {
        let hosts = timeout_at(deadline, self.http.hosts(&self.host)).await.map_err(|_| self.late(Step::Connect))?;
        let hosts = hosts.map_err(|error| {
            let detail = self.secrets.blot(&format!("{}: {error}", Step::Connect));
            match error {
                LookupError::Refused(_) => SendError::Rejected { detail },
                LookupError::Unknown { .. } => {
                    SendError::Transient { detail: of_connection(detail), retry_after: None, ambiguous: false }
                }
            }
        })?;
        let mut result = Err(self.late(Step::Connect));
        for host in hosts {
            let server = (host.as_str(), self.port);
            let timeout = Some(self.timeout);
            let opening = AsyncSmtpConnection::connect_tokio1(server, timeout, &self.hello, tls.clone(), None);
            result = self.within(deadline, Step::Connect, opening).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Sends the mail to the recipients that were accepted, if there are any, and takes leave.
    async fn hand_over(
        &self,
        deadline: Instant,
        mut connection: AsyncSmtpConnection,
        mail: &[u8],
        results: &[Taken],
    ) -> Taken {
        let taken = if results.iter().any(Result::is_ok) {
            match self.within(deadline, Step::Data, connection.command(Data)).await {
                Ok(_) => self.within(deadline, Step::Mail, connection.message(mail)).await,
                Err(error) => Err(error),
            }
            .map(|response| self.secrets.blot(&said(&response)))
        } else {
            Ok(String::new())
        };
        // Whatever comes of this, the mail's fate is known.
        let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
        taken
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        step: Step,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, SendError> {
        match timeout_at(deadline, work).await {
            Ok(result) => result.map_err(|error| self.means(step, &error)),
            Err(_) => Err(self.late(step)),
        }
    }

    fn late(&self, step: Step) -> SendError {
        let detail = format!("{step}: no answer within {:?}", self.timeout);
        SendError::Transient { detail, retry_after: None, ambiguous: step == Step::Mail }
    }

    /// The class of a failure.
    fn means(&self, step: Step, error: &Error) -> SendError {
        // The innermost: lettre says first that there was an error.
        let cause = iter::successors(error.source(), |cause| (*cause).source()).last();
        let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
        let transient = |detail, ambiguous| SendError::Transient { detail, retry_after: None, ambiguous };
        if let Some(code) = error.status() {
            let detail = self.secrets.blot(&format!("{step} refused: {code} {cause}"));
            return match code.severity {
                Severity::PermanentNegativeCompletion => {
                    SendError::Rejected { detail: format!("{detail}{}", step.advice()) }
                }
                _ => transient(detail, false),
            };
        }
        match step {
            Step::StartTls if error.is_client() => {
                transient("the relay does not offer STARTTLS; nothing was sent".to_owned(), false)
            }
            Step::Login if error.is_client() => {
                let detail = self.secrets.blot(&format!("the relay offers no login of ours (PLAIN, LOGIN): {cause}"));
                SendError::Rejected { detail }
            }
            step => transient(of_connection(self.secrets.blot(&format!("{step}: {cause}"))), step == Step::Mail),
        }
    }
}

fn said(response: &Response) -> String {
    format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))
}
