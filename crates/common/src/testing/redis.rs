//! A real Redis for tests, as durable as in production.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// How often a start is tried again: the free port may be taken before Redis binds it.
const STARTS_MAX: u32 = 5;

/// How long Redis may take until it listens, in steps of [`STEP`].
const STEPS_MAX: u32 = 1_000;
const STEP: Duration = Duration::from_millis(10);

/// A Redis on a free port of the loopback, as durable as in production (`appendonly yes`, `appendfsync always`),
/// in a directory of its own. Killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    dir: TempDir,
    port: u16,
    /// Further words of the command line.
    options: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// When `redis-server` is not installed or does not start: a test that needs Redis fails without it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// [`RedisServer::start`] with more options, like `["--requirepass", "secret"]`.
    pub fn start_with(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory for Redis");
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let mut server = Self { dir, port: 0, options, child: None };
        for _ in 0..STARTS_MAX {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            server.port = listener.local_addr().expect("the address of a bound socket").port();
            drop(listener);
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server does not start; its log: {}", server.log());
    }

    /// The URL of database 0, without a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// The port on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with its log and with every command that it ever wrote down.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends it with SIGKILL, as a crash would.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our child can be killed");
            child.wait().expect("a killed child ends");
        }
    }

    /// Starts it again on the same port and files, after [`RedisServer::kill9`] or out of the middle of its work.
    pub fn restart(&mut self) {
        self.kill9();
        for _ in 0..STARTS_MAX {
            if self.launch() {
                return;
            }
        }
        panic!("redis-server does not start again; its log: {}", self.log());
    }

    /// Starts the process; false when it ends instead of answering.
    fn launch(&mut self) -> bool {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--logfile", "redis.log"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]).args(&self.options);
        command.arg("--dir").arg(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // The log says that this process listens. To connect would not: the port may be another test's by now.
        let _ = std::fs::remove_file(self.log_file());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("these tests need redis-server (Debian: `apt-get install redis-server`): {error}")
        });
        for _ in 0..STEPS_MAX {
            if child.try_wait().expect("our child can be waited for").is_some() {
                return false;
            }
            if self.log().contains("Ready to accept connections") {
                self.child = Some(child);
                return true;
            }
            std::thread::sleep(STEP);
        }
        self.child = Some(child);
        panic!("redis-server does not listen; its log: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("redis.log")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill9();
    }
}
