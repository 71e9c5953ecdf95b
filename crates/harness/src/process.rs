//! One child process: its output goes to a file, and it never outlives its test.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use crate::eventually;

/// A started binary of ours.
#[derive(Debug)]
pub struct Process {
    name: String,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    dir: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `name` from the folder in which cargo puts binaries, with only `env` of ours in its environment.
    /// Its output is appended to `<dir>/<name>.out` and `.err`.
    ///
    /// # Panics
    /// When the binary was not built or does not start.
    pub fn start(name: &str, args: &[&str], env: &[(String, String)], dir: &Path) -> Self {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        let child = spawn(name, &args, env, dir);
        Self { name: name.to_owned(), args, env: env.to_vec(), dir: dir.to_owned(), child }
    }

    /// Kills it without warning, as a power cut would, and waits until it is gone.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop and waits for its exit.
    ///
    /// # Panics
    /// When it does not stop within `at_most`.
    pub async fn terminate(&mut self, at_most: Duration) -> ExitStatus {
        self.signal("TERM");
        self.exit(at_most).await
    }

    /// Makes it stand still, as a machine that sleeps would, until [`Process::go_on`].
    ///
    /// # Panics
    /// When it is gone.
    pub fn stand_still(&self) {
        self.signal("STOP");
    }

    /// Ends what [`Process::stand_still`] began.
    ///
    /// # Panics
    /// When it is gone.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status();
        assert!(sent.expect("`kill` is there").success(), "{} was gone before SIG{name}:\n{}", self.name, self.log());
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When that does not happen within `at_most`.
    pub async fn exit(&mut self, at_most: Duration) -> ExitStatus {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually("a process to end", at_most, || {
            let status = child.borrow_mut().try_wait().expect("a child can be waited for");
            std::future::ready(status)
        })
        .await
    }

    /// Starts it again with the same arguments and environment.
    pub fn restart(&mut self) {
        self.kill9();
        self.child = spawn(&self.name, &self.args, &self.env, &self.dir);
    }

    /// What it printed on standard output so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.dir.join(format!("{}.out", self.name))).unwrap_or_default()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join(format!("{}.err", self.name))).unwrap_or_default()
    }

    /// Lets no file of it grow beyond so many bytes, as a full disk would; `None` lifts that.
    ///
    /// # Panics
    /// When `prlimit` (util-linux) is not there.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let set = ["--pid", &self.id().to_string(), &format!("--fsize={limit}:unlimited")];
        assert!(Command::new("prlimit").args(set).status().expect("`prlimit` is there").success());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident set in megabytes, from `/proc`.
    pub fn resident_mb(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Where cargo put a binary of ours: beside this one, or a folder up, since tests run from `deps`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a running program has a path");
    let mut folders = this.ancestors().skip(1).take(2);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()));
    found.unwrap_or_else(|| panic!("{name} was not built: run `cargo build --workspace --all-targets` first"))
}

fn spawn(name: &str, args: &[OsString], env: &[(String, String)], dir: &Path) -> Child {
    let open = |suffix: &str| {
        let path = dir.join(format!("{name}.{suffix}"));
        File::options().create(true).append(true).open(path).expect("the test's folder takes files")
    };
    Command::new(binary(name))
        .args(args)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(open("out"))
        .stderr(open("err"))
        .spawn()
        .unwrap_or_else(|error| panic!("starting {name}: {error}"))
}
