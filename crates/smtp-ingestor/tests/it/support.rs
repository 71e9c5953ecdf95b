//! A server with a fake queue that records what it was given, and a client that says exactly what it is told.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::SystemClock,
    payload::{AlertPayload, Content, Envelope},
    queue::{QueueError, sqlite::SqliteQueue},
    settings::{Settings, Smtp},
};
use watchbell_smtp_ingestor::{Lockout, Publish, bind, serve};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// `ops` with the password `hunter2`, hashed with the smallest parameters.
pub(crate) const USERS: &str =
    "ops:$argon2id$v=19$m=8,t=1,p=1$gEO9V3t0mnoa6Z4GMAVKhA$2wX8K6oGlm0HIWsex92yCaoio1bYrhd9tG1mrobem84\n";

/// What was published, and how the next publishing goes.
#[derive(Default)]
pub(crate) struct Record {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    mails: Vec<AlertPayload>,
    failing: bool,
}

#[derive(Clone)]
struct Recorder(Arc<Record>);

impl Publish for Recorder {
    async fn publish(&self, mail: AlertPayload) -> Result<(), QueueError> {
        let mut state = self.0.state.lock().unwrap();
        if state.failing {
            return Err(QueueError::Unavailable("on purpose".to_owned()));
        }
        state.mails.push(mail);
        self.0.changed.notify_all();
        Ok(())
    }
}

/// Everything that a server logged, down to the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A running server. Stops when dropped.
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: Option<SocketAddr>,
    pub(crate) stop: CancellationToken,
    dir: tempfile::TempDir,
    log: Log,
    record: Arc<Record>,
    server: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Hub {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// A server with a certificate, an implicit TLS port and the user of [`USERS`].
    pub(crate) fn with_tls_and_users(change: impl FnOnce(&mut Smtp)) -> Self {
        Self::build(|smtp, dir| {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let write = |name: &str, text: &str| {
                let path = dir.join(name);
                std::fs::write(&path, text).unwrap();
                Some(path)
            };
            smtp.tls_cert = write("cert.pem", &made.cert.pem());
            smtp.tls_key = write("key.pem", &made.signing_key.serialize_pem());
            smtp.users_file = write("users", USERS);
            smtp.tls_listen = Some("127.0.0.1:0".parse().unwrap());
            change(smtp);
        })
    }

    pub(crate) fn with(change: impl FnOnce(&mut Smtp)) -> Self {
        Self::build(|smtp, _| change(smtp))
    }

    /// A server that gives arriving messages this long when it stops.
    pub(crate) fn draining_within(drain: Duration) -> Self {
        Self::build_draining_within(drain, |_, _| {})
    }

    fn build(change: impl FnOnce(&mut Smtp, &std::path::Path)) -> Self {
        Self::build_draining_within(PATIENCE, change)
    }

    fn build_draining_within(drain: Duration, change: impl FnOnce(&mut Smtp, &std::path::Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut smtp = Settings::load_with(None, &[], &[]).unwrap().smtp;
        smtp.listen = "127.0.0.1:0".parse().unwrap();
        smtp.hostname = "hub.example".to_owned();
        change(&mut smtp, dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listeners = runtime.block_on(bind(&smtp)).unwrap();
        let (address, tls_address) = (listeners.address().unwrap(), listeners.tls_address().unwrap());
        let (record, stop) = (Arc::new(Record::default()), CancellationToken::new());
        let (recorder, token) = (Recorder(record.clone()), stop.clone());
        let queue = SqliteQueue::open(dir.path(), Arc::new(SystemClock)).unwrap();
        let (log, lockout) = (Log::default(), Lockout::new(Arc::new(queue)));
        let lines = log.clone();
        let server = std::thread::spawn(move || {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_ansi(false)
                .with_writer(move || lines.clone())
                .finish();
            let serving = serve(recorder, lockout, Arc::new(SystemClock), None, listeners, drain, token);
            tracing::subscriber::with_default(subscriber, || runtime.block_on(serving))
        });
        Self { address, tls_address, stop, dir, log, record, server: Some(server) }
    }

    /// From now on the queue fails, or works again.
    pub(crate) fn queue_fails(&self, failing: bool) {
        self.record.state.lock().unwrap().failing = failing;
    }

    /// Everything that was published so far.
    pub(crate) fn mails(&self) -> Vec<AlertPayload> {
        self.record.state.lock().unwrap().mails.clone()
    }

    /// Waits until so many mails were published; more than that is a failure.
    pub(crate) fn await_mails(&self, count: usize) -> Vec<AlertPayload> {
        let state = self.record.state.lock().unwrap();
        let (state, timeout) =
            self.record.changed.wait_timeout_while(state, PATIENCE, |state| state.mails.len() < count).unwrap();
        assert!(!timeout.timed_out(), "{} of {count} mails arrived", state.mails.len());
        assert_eq!(state.mails.len(), count);
        state.mails.clone()
    }

    /// The one mail that was published.
    pub(crate) fn only_mail(&self) -> (Envelope, Vec<u8>) {
        let mails = self.mails();
        assert_eq!(mails.len(), 1, "one mail was expected");
        (envelope(&mails[0]), mails[0].raw.to_vec())
    }

    /// What the server logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }

    /// A client that has read the greeting.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::connect(self.address);
        client.expect("220 hub.example ESMTP");
        client
    }

    /// A client that said EHLO.
    pub(crate) fn greeted(&self) -> Client {
        let mut client = self.client();
        client.ask("EHLO client.example", "250-hub.example");
        client
    }

    /// A client whose message only lacks its data.
    pub(crate) fn in_data(&self) -> Client {
        let mut client = self.greeted();
        client.envelope();
        client.ask("DATA", "354 ");
        client
    }

    /// Asks the server to stop and waits for it.
    pub(crate) fn ended(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.server.take().unwrap().join().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            let ended = server.join();
            if !std::thread::panicking() {
                ended.unwrap().unwrap();
            }
        }
    }
}

/// The SMTP envelope of a mail.
pub(crate) fn envelope(mail: &AlertPayload) -> Envelope {
    match &mail.head.content {
        Content::Mail(envelope) => envelope.clone(),
        Content::Item(_) => panic!("not a mail"),
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection; every reply that comes is asked for.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    tcp: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_write_timeout(Some(PATIENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        Self { stream: Box::new(tcp.try_clone().unwrap()), tcp, unread: Vec::new() }
    }

    /// Goes on in TLS, trusting the hub's certificate only.
    pub(crate) fn secure(mut self, hub: &Hub) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(hub.path("cert.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        assert!(self.unread.is_empty(), "the server spoke before TLS: {:?}", self.unread);
        self.stream = Box::new(StreamOwned::new(connection, self.tcp.try_clone().unwrap()));
        self
    }

    /// Says STARTTLS and shakes hands.
    pub(crate) fn into_tls(mut self, hub: &Hub) -> Self {
        self.ask("STARTTLS", "220 2.0.0");
        self.secure(hub)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self.stream.flush().unwrap();
    }

    /// The next reply, all its lines.
    pub(crate) fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line().unwrap_or_else(|| panic!("the connection ended after {reply:?}"));
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if last {
                return reply;
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                assert!(line.ends_with(b"\r\n"), "{line:?}");
                return Some(String::from_utf8(line).unwrap());
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(0) => return None,
                Ok(bytes) => self.unread.extend_from_slice(&more[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no reply: {error}"),
            }
        }
    }

    /// Reads a reply that must begin like this.
    #[track_caller]
    pub(crate) fn expect(&mut self, start: &str) -> String {
        let reply = self.reply();
        assert!(reply.starts_with(start), "expected {start:?}, got {reply:?}");
        reply
    }

    /// Sends a line and reads its reply.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, start: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.expect(start)
    }

    pub(crate) fn envelope(&mut self) {
        self.ask("MAIL FROM:<sender@example.org>", "250 2.1.0");
        self.ask("RCPT TO:<alerts@example.org>", "250 2.1.5");
    }

    /// The server must close the connection, saying no more.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) {
        assert_eq!(self.line(), None);
    }

    /// Sends until the server has had enough of it.
    pub(crate) fn send_until_refused(&mut self, line: &[u8], times_max: usize) {
        let refused = (0..times_max).any(|_| self.stream.write_all(line).is_err());
        assert!(refused, "the server took it {times_max} times");
    }

    /// The server must close the connection, whatever it still sends.
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }

    /// The server must still answer.
    #[track_caller]
    pub(crate) fn expect_alive(&mut self) {
        self.ask("NOOP", "250 2.0.0");
    }
}

/// Waits until a condition holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}
