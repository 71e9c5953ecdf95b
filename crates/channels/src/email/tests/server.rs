//! An SMTP server that takes every mail that is handed over as RFC 5321 says, unless its script says otherwise: it keeps
//! to the order of commands, knows one account, wants a login where it offers one, and counts the length of lines.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::contract::tls;

/// In place of an answer: the connection ends.
pub(super) const CLOSE: &str = "close";
/// In place of an answer: nothing, for ever.
pub(super) const STALL: &str = "stall";
/// The command to script for the answer to the mail.
pub(super) const MAIL: &str = ".";
/// The command to script for the greeting.
pub(super) const GREETING: &str = "greeting";

/// The only account: `user`, `hunter2`. As `AUTH PLAIN` sends it, and as the two answers of `AUTH LOGIN`.
const PLAIN: &str = "AHVzZXIAaHVudGVyMg==";
const LOGIN: [&str; 2] = ["dXNlcg==", "aHVudGVyMg=="];

/// RFC 5321 §4.5.3.1.4 and §4.5.3.1.6, with the line's end; RFC 4954 §4 for a login.
const COMMAND_MAX_BYTES: usize = 512;
const AUTH_MAX_BYTES: usize = 12_288;
const LINE_MAX_BYTES: usize = 1_000;

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    /// Speaks TLS from the first byte.
    pub(super) implicit_tls: bool,
    pub(super) starttls: bool,
    /// The mechanisms it offers, for example `PLAIN LOGIN`.
    pub(super) auth: Option<&'static str>,
    /// Answers to commands that start so, in place of the usual ones. Each is given once, the first that fits.
    pub(super) answers: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, Default)]
struct Heard {
    commands: Vec<String>,
    mails: Vec<String>,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// As PEM: what a client must trust.
    pub(super) certificate: String,
    heard: Arc<Mutex<Heard>>,
    _tasks: JoinSet<()>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Server {
    pub(super) async fn taking_everything() -> Self {
        Self::with(Script::default()).await
    }

    /// Gives these answers in place of the usual ones.
    pub(super) async fn answering(answers: &[(&'static str, &'static str)]) -> Self {
        Self::with(Script { answers: answers.to_vec(), ..Script::default() }).await
    }

    pub(super) async fn with(script: Script) -> Self {
        let (tls, certificate) = tls::server("127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let answers = Arc::new(Mutex::new(script.answers.clone()));
        let mut tasks = JoinSet::new();
        let of_server = Arc::clone(&heard);
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let session = Session {
                    script: script.clone(),
                    tls: tls.clone(),
                    answers: Arc::clone(&answers),
                    heard: Arc::clone(&of_server),
                };
                sessions.spawn(async move { session.run(Box::new(stream)).await });
            }
        });
        Self { address, certificate, heard, _tasks: tasks }
    }

    /// The mails that came since this was last asked, as they came.
    pub(super) fn mails(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().mails)
    }

    pub(super) fn mail(&self) -> String {
        let [mail] = self.mails().try_into().expect("one mail");
        mail
    }

    /// The commands that came since this was last asked.
    pub(super) fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().commands)
    }
}

/// What was said in a session.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    encrypted: bool,
    login: bool,
    last: Step,
}

/// How far a mail got.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
enum Step {
    #[default]
    Connected,
    Hello,
    Sender,
    Recipient,
}

struct Session {
    script: Script,
    tls: TlsAcceptor,
    answers: Arc<Mutex<Vec<(&'static str, &'static str)>>>,
    heard: Arc<Mutex<Heard>>,
}

impl Session {
    async fn run(&self, mut stream: Box<dyn Stream>) -> Option<()> {
        if self.script.implicit_tls {
            stream = Box::new(self.tls.accept(stream).await.ok()?);
        }
        let mut lines = BufReader::new(stream);
        self.answer(&mut lines, GREETING, "220 relay.example ESMTP").await?;
        let mut said = Said { encrypted: self.script.implicit_tls, ..Said::default() };
        loop {
            let command = read(&mut lines).await?;
            self.heard.lock().unwrap().commands.push(command.clone());
            let usual = match self.refusal(&command, said) {
                Some(refusal) => refusal.to_owned(),
                None => self.usual(&mut lines, &command, said).await?,
            };
            let given = self.answer(&mut lines, &command, &usual).await?;
            if !given.starts_with(['2', '3']) {
                continue;
            }
            match verb(&command) {
                "EHLO" | "RSET" => said.last = Step::Hello,
                "STARTTLS" => {
                    lines = BufReader::new(Box::new(self.tls.accept(lines.into_inner()).await.ok()?));
                    // RFC 3207 §4.2: what was said before does not count.
                    said = Said { encrypted: true, ..Said::default() };
                }
                "AUTH" => said.login = true,
                "MAIL" => said.last = Step::Sender,
                "RCPT" => said.last = Step::Recipient,
                "DATA" => {
                    said.last = Step::Hello;
                    let answer = match mail(&mut lines).await? {
                        Ok(mail) => {
                            self.heard.lock().unwrap().mails.push(mail);
                            "250 2.0.0 queued as 4F3A"
                        }
                        Err(refusal) => refusal,
                    };
                    self.answer(&mut lines, MAIL, answer).await?;
                }
                _ => {}
            }
        }
    }

    /// Why a command cannot be carried out now.
    fn refusal(&self, command: &str, said: Said) -> Option<&'static str> {
        let verb = verb(command);
        let most = if verb == "AUTH" { AUTH_MAX_BYTES } else { COMMAND_MAX_BYTES };
        let starttls = self.script.starttls && !said.encrypted;
        match verb {
            _ if command.len() + 2 > most => Some("500 5.5.2 line too long"),
            "EHLO" | "QUIT" => None,
            _ if said.last == Step::Connected => Some("503 5.5.1 say EHLO first"),
            "STARTTLS" => (!starttls).then_some("502 5.5.1 not offered"),
            "AUTH" if said.login => Some("503 5.5.1 twice"),
            "AUTH" => self.script.auth.is_none().then_some("502 5.5.1 not offered"),
            "MAIL" if self.script.auth.is_some() && !said.login => Some("530 5.7.0 log in first"),
            "RSET" => None,
            "MAIL" if said.last > Step::Hello => Some("503 5.5.1 twice"),
            "MAIL" => (!address(command, "MAIL FROM:")).then_some("501 5.1.7 no address"),
            "RCPT" if said.last < Step::Sender => Some("503 5.5.1 MAIL first"),
            "RCPT" => (!address(command, "RCPT TO:")).then_some("501 5.1.3 no address"),
            "DATA" => (said.last < Step::Recipient).then_some("554 5.5.1 no valid recipients"),
            _ => Some("500 5.5.2 no such command"),
        }
    }

    /// What is answered to a command that can be carried out.
    async fn usual(&self, lines: &mut Lines, command: &str, said: Said) -> Option<String> {
        let answer = match verb(command) {
            "EHLO" => return Some(self.extensions(said.encrypted)),
            "STARTTLS" => "220 go ahead",
            "AUTH" => {
                let known = if command == "AUTH LOGIN" {
                    self.login(lines).await?
                } else {
                    command.strip_prefix("AUTH PLAIN ") == Some(PLAIN)
                };
                if known { "235 welcome" } else { "535 5.7.8 wrong user name or password" }
            }
            "DATA" => "354 end with a dot",
            "QUIT" => "221 bye",
            _ => "250 2.1.0 ok",
        };
        Some(answer.to_owned())
    }

    async fn login(&self, lines: &mut Lines) -> Option<bool> {
        let mut known = true;
        for (challenge, expected) in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"].into_iter().zip(LOGIN) {
            write(lines, challenge).await?;
            let answer = read(lines).await?;
            known &= answer == expected;
            self.heard.lock().unwrap().commands.push(answer);
        }
        Some(known)
    }

    fn extensions(&self, encrypted: bool) -> String {
        let starttls = (self.script.starttls && !encrypted).then(|| "STARTTLS".to_owned());
        let auth = self.script.auth.map(|mechanisms| format!("AUTH {mechanisms}"));
        let lines: Vec<_> = starttls.into_iter().chain(auth).map(|line| format!("250-{line}\r\n")).collect();
        format!("250-relay.example\r\n{}250 8BITMIME", lines.concat())
    }

    /// Answers as the script says, or as usual; says which it was, or `None` when the connection is over.
    async fn answer(&self, lines: &mut Lines, command: &str, usual: &str) -> Option<String> {
        let scripted = {
            let mut answers = self.answers.lock().unwrap();
            let at = answers.iter().position(|(start, _)| command.starts_with(start));
            at.map(|at| answers.remove(at).1)
        };
        match scripted {
            Some(CLOSE) => None,
            Some(STALL) => std::future::pending().await,
            answer => {
                let answer = answer.unwrap_or(usual);
                write(lines, answer).await?;
                Some(answer.to_owned())
            }
        }
    }
}

type Lines = BufReader<Box<dyn Stream>>;

fn verb(command: &str) -> &str {
    command.split([' ', ':']).next().unwrap_or_default()
}

/// Whether a command names an address in brackets, and nothing stands before it.
fn address(command: &str, begins: &str) -> bool {
    let rest = command.strip_prefix(begins).and_then(|rest| rest.strip_prefix('<'));
    rest.is_some_and(|rest| rest.split_once('>').is_some_and(|(address, _)| address.contains('@')))
}

async fn read(lines: &mut Lines) -> Option<String> {
    let mut line = String::new();
    (lines.read_line(&mut line).await.ok()? > 0).then(|| line.trim_end().to_owned())
}

async fn write(lines: &mut Lines, text: &str) -> Option<()> {
    lines.write_all(format!("{text}\r\n").as_bytes()).await.ok()
}

/// Up to the dot, with the stuffing undone; or why it is refused.
async fn mail(lines: &mut Lines) -> Option<Result<String, &'static str>> {
    let (mut mail, mut refusal) = (String::new(), None);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(refusal.map_or(Ok(mail), Err));
        }
        if line.len() > LINE_MAX_BYTES {
            refusal = Some("500 5.5.2 line too long");
        }
        if line.trim_end_matches("\r\n").contains(['\r', '\n']) || !line.ends_with("\r\n") {
            refusal = Some("550 5.6.11 lines must end with CR and LF");
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
