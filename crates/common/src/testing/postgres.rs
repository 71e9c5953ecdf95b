//! A real PostgreSQL for tests: one server per test binary, a database per test.
//!
//! The server belongs to a small shell script that holds its process id and reads commands from a pipe. When the
//! test process ends, in whatever way, the pipe closes and the script stops the server and removes its files.
//! It listens on a Unix socket only, so no port can be taken.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use secrecy::{ExposeSecret as _, SecretString};

/// `fsync` and friends off: what a crash of the machine would lose is of no interest here.
const SCRIPT: &str = r#"
bin=$1
dir=$(mktemp -d /tmp/watchbell-pg.XXXXXX) || exit 1
pid=
start() {
    "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
        -c synchronous_commit=off -c max_connections=200 >>"$dir/log" 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        "$bin/pg_isready" -q -h "$dir" && echo ready && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    tail -n 5 "$dir/log" | tr '\n' ' '
    echo
}
stop() { [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; wait "$pid"; pid=; }
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1
echo "$dir"
start
while read -r command; do
    case $command in
        start) start ;;
        stop) stop; echo stopped ;;
    esac
done
stop
rm -rf "$dir"
"#;

/// A server of one's own, for tests that stop it. Others take a database of the shared one with [`database`].
#[derive(Debug)]
pub struct PostgresServer {
    pipe: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _script: Child,
    dir: String,
    bin: PathBuf,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Makes a cluster in a temporary folder and starts it.
    pub fn start() -> Self {
        let bin = binaries();
        let mut script = as_someone_else()
            .args(["sh", "-c", SCRIPT, "watchbell-test-postgres"])
            .arg(&bin)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell to start PostgreSQL with");
        let stdin = script.stdin.take().expect("it was asked for");
        let mut stdout = BufReader::new(script.stdout.take().expect("it was asked for"));
        let mut dir = String::new();
        stdout.read_line(&mut dir).expect("reading from the script");
        let server = Self {
            pipe: Mutex::new((stdin, stdout)),
            _script: script,
            dir: dir.trim().to_owned(),
            bin,
            databases: AtomicU32::new(0),
        };
        assert!(!server.dir.is_empty(), "no folder for PostgreSQL could be made in /tmp");
        server.expect_line("ready", None);
        server
    }

    /// Stops the server; clients lose their connections.
    pub fn stop(&self) {
        self.expect_line("stopped", Some("stop"));
    }

    /// Starts it again with the same data.
    pub fn start_again(&self) {
        self.expect_line("ready", Some("start"));
    }

    fn expect_line(&self, expected: &str, command: Option<&str>) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(command) = command {
            writeln!(pipe.0, "{command}").expect("writing to the script");
        }
        let mut line = String::new();
        pipe.1.read_line(&mut line).expect("reading from the script");
        assert_eq!(line.trim(), expected, "PostgreSQL at {}", self.dir);
    }

    /// Runs a statement on one of its databases, past everything that the product does.
    pub fn execute(&self, database: &SecretString, statement: &str) {
        let done = Command::new(self.bin.join("psql"))
            .args([database.expose_secret(), "-v", "ON_ERROR_STOP=1", "-c", statement])
            .output()
            .expect("running psql");
        assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The answer of a query as `psql` prints it, without headings; `None` while the server does not answer.
    pub fn query(&self, database: &SecretString, query: &str) -> Option<String> {
        let done = Command::new(self.bin.join("psql")).args([database.expose_secret(), "-AtXc", query]).output();
        let done = done.expect("running psql");
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    /// Makes a new, empty database and gives its URL.
    pub fn database(&self) -> SecretString {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(self.bin.join("createdb"))
            .args(["-h", &self.dir, "-U", "postgres", &name])
            .output()
            .expect("running createdb");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://postgres@localhost/{name}?host={}", self.dir).into()
    }
}

/// A new, empty database on the server that all tests of this binary share.
pub fn database() -> SecretString {
    static SHARED: OnceLock<PostgresServer> = OnceLock::new();
    SHARED.get_or_init(PostgresServer::start).database()
}

/// Where `initdb` and `postgres` are: in PATH, or where Debian puts them.
fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let complete = |folder: &&PathBuf| {
        ["initdb", "postgres", "pg_isready", "createdb", "psql"].iter().all(|program| folder.join(program).is_file())
    };
    folders.iter().find(complete).cloned().expect("these tests need PostgreSQL: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: then it runs as the user that Debian's package made, or as nobody.
fn as_someone_else() -> Command {
    let root = Path::new("/proc/self");
    let is_root = std::fs::metadata(root).is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    if !is_root {
        return Command::new("env");
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", group_of(&users, user), "--clear-groups", "env"]);
    command
}

fn group_of<'u>(users: &'u str, user: &str) -> &'u str {
    let line = users.lines().find(|line| line.split(':').next() == Some(user));
    line.and_then(|line| line.split(':').nth(3)).expect("every user has a group")
}
