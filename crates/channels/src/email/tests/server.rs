//! An SMTP server that takes everything, unless its script says otherwise.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// In place of an answer: the connection ends.
pub(super) const CLOSE: &str = "close";
/// In place of an answer: nothing, for ever.
pub(super) const STALL: &str = "stall";
/// The command to script for the answer to the mail.
pub(super) const MAIL: &str = ".";
/// The command to script for the greeting.
pub(super) const GREETING: &str = "greeting";

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
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
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
        Self { address, certificate: cert.pem(), heard, _tasks: tasks }
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
        let mut encrypted = self.script.implicit_tls;
        loop {
            let command = read(&mut lines).await?;
            self.heard.lock().unwrap().commands.push(command.clone());
            let usual = match command.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => self.extensions(encrypted),
                "STARTTLS" => "220 go ahead".to_owned(),
                "AUTH" if command == "AUTH LOGIN" => {
                    for challenge in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                        write(&mut lines, challenge).await?;
                        let answer = read(&mut lines).await?;
                        self.heard.lock().unwrap().commands.push(answer);
                    }
                    "235 welcome".to_owned()
                }
                "AUTH" => "235 welcome".to_owned(),
                "DATA" => "354 end with a dot".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                _ => "250 2.1.0 ok".to_owned(),
            };
            let given = self.answer(&mut lines, &command, &usual).await?;
            if command == "STARTTLS" && given.starts_with('2') {
                lines = BufReader::new(Box::new(self.tls.accept(lines.into_inner()).await.ok()?));
                encrypted = true;
            }
            if command == "DATA" && given.starts_with('3') {
                let mail = mail(&mut lines).await?;
                self.heard.lock().unwrap().mails.push(mail);
                self.answer(&mut lines, MAIL, "250 2.0.0 queued as 4F3A").await?;
            }
        }
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

async fn read(lines: &mut Lines) -> Option<String> {
    let mut line = String::new();
    (lines.read_line(&mut line).await.ok()? > 0).then(|| line.trim_end().to_owned())
}

async fn write(lines: &mut Lines, text: &str) -> Option<()> {
    lines.write_all(format!("{text}\r\n").as_bytes()).await.ok()
}

/// Up to the dot, with the stuffing undone.
async fn mail(lines: &mut Lines) -> Option<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
