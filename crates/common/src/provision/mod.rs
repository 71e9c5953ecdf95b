//! The provisioning file: configuration as code, in YAML.
//!
//! [`parse`] reads and checks the file as a whole and reports every problem with its line and field;
//! [`apply`] makes the store equal to it in one transaction. Items are matched by name. What the file made before
//! and does not name any more is removed; what was made by other means stays untouched.

mod apply;
mod check;
mod fields;
mod items;
mod node;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;

pub use apply::{Applied, ApplyError, apply};
use fields::Problems;

use crate::{
    ai::Model,
    alert::Severity,
    clock::UnixMillis,
    config::{Active, Match, OpenChannel, ParseMode},
};

/// The largest file. A channel takes some 200 bytes, so this is thousands of them.
pub const FILE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// What a first start without a file begins with: whatever arrives is shown on the console.
pub const FIRST_START: &str = "channels: [{ name: console, platform: console }]\ndefault_channels: [console]\n";

/// What provisioning must ask of those who know the destinations.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    pub platforms: Vec<Platform>,
    /// Why an option of that name cannot have that value.
    pub option: fn(&str, &serde_json::Value) -> Result<(), String>,
    /// Why a text is no template.
    pub template: fn(&str) -> Result<(), String>,
    /// Why a text is no condition for using a template.
    pub condition: fn(&str) -> Result<(), String>,
    /// Why nothing can be sent through a channel as it stands: one of its fields, or of its bot's, and why.
    pub channel: fn(&OpenChannel) -> Result<(), (String, String)>,
}

/// What provisioning must know of a platform.
#[derive(Debug, Clone)]
pub struct Platform {
    pub name: String,
    /// What its bots need; a platform without any needs no bot.
    pub credentials: Vec<PlatformField>,
    /// What its channels understand.
    pub options: Vec<PlatformField>,
    /// Whether its channels need a target.
    pub needs_target: bool,
}

/// One credential or option.
#[derive(Debug, Clone)]
pub struct PlatformField {
    pub name: String,
    pub required: bool,
    /// Sealed in the store. Credentials always are.
    pub secret: bool,
}

/// A place in the file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong with the file. Shows itself as `file:line:column: field: what`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub at: Position,
    /// For example `rules[2].match.from`; empty for the file as a whole.
    pub path: String,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.at.line, self.at.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
struct Located<T> {
    value: T,
    at: Position,
    path: String,
}

impl<T> Located<T> {
    /// The same place with another value.
    fn with<U>(&self, value: U) -> Located<U> {
        Located { value, at: self.at, path: self.path.clone() }
    }
}

/// A file that was read and found to be sound.
#[derive(Debug)]
pub struct Provision {
    file: String,
    bots: Vec<BotItem>,
    templates: Vec<TemplateItem>,
    channels: Vec<ChannelItem>,
    rules: Vec<RuleItem>,
    default_channels: Vec<Located<String>>,
    mutes: Vec<MuteItem>,
    silences: Vec<SilenceItem>,
    /// In the order in which they are asked.
    ai: Vec<AiItem>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

#[derive(Debug)]
struct BotItem {
    name: Located<String>,
    platform: Located<String>,
    credentials: BTreeMap<String, SecretString>,
}

#[derive(Debug)]
struct TemplateItem {
    name: Located<String>,
    body: String,
    parse_mode: ParseMode,
}

#[derive(Debug)]
struct ChannelItem {
    name: Located<String>,
    /// Where the channel stands, for what is missing in it.
    whole: Located<()>,
    /// The bot's, when the file leaves it out. Empty only while the file is being checked.
    platform: String,
    bot: Option<Located<String>>,
    target: String,
    options: BTreeMap<String, serde_json::Value>,
    secrets: BTreeMap<String, SecretString>,
    /// Where the target and each option stand, by name.
    places: BTreeMap<String, Located<()>>,
    rate_per_min: u32,
    dedup_window_s: u32,
    push_token: Option<Located<SecretString>>,
    /// Names of templates, and the conditions for using them.
    templates: Vec<(Located<String>, Option<String>)>,
    enabled: bool,
}

#[derive(Debug)]
struct RuleItem {
    name: Located<String>,
    matcher: Match,
    channels: Vec<Located<String>>,
    goes_on: bool,
    set_severity: Option<Severity>,
    escalate: Option<(Severity, Vec<Located<String>>)>,
    active: Option<Active>,
    ai_max_wait_ms: Option<u32>,
    enabled: bool,
    /// The texts in it that are patterns or hours, to find the one that does not compile.
    patterns: Vec<Located<String>>,
}

#[derive(Debug)]
struct MuteItem {
    whole: Located<()>,
    from: Option<String>,
    source: Option<String>,
    comment: String,
    patterns: Vec<Located<String>>,
}

#[derive(Debug)]
struct SilenceItem {
    whole: Located<()>,
    matcher: Match,
    expires_at: UnixMillis,
    comment: String,
    patterns: Vec<Located<String>>,
}

#[derive(Debug)]
struct AiItem {
    model: Model,
    api_key: Option<SecretString>,
    max_wait_ms: Option<u32>,
}

impl Provision {
    /// How much of what the file holds, for people.
    pub fn summary(&self) -> String {
        let counted = [
            (self.bots.len(), "bots"),
            (self.templates.len(), "templates"),
            (self.channels.len(), "channels"),
            (self.rules.len(), "rules"),
            (self.mutes.len(), "mutes"),
            (self.silences.len(), "silences"),
            (self.ai.len(), "models"),
        ];
        counted.map(|(count, what)| format!("{count} {what}")).join(", ")
    }
}

/// Reads a file and checks it as a whole. `file` names it in problems; `env` answers what `${NAME}` stands for.
///
/// # Errors
/// Every problem that can be told apart, in the order of the lines. None of them holds a secret.
pub fn parse(
    text: &str,
    file: &str,
    vocabulary: &Vocabulary,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Provision, Vec<Problem>> {
    let mut problems = Problems::new(file);
    let provision = node::read(text, env, &mut problems).map(|root| {
        let mut provision = items::read(&root, vocabulary, &mut problems);
        check::check(&mut provision, vocabulary, &mut problems);
        provision
    });
    match (provision, problems.finish()) {
        (Some(provision), problems) if problems.is_empty() => Ok(provision),
        (_, problems) => Err(problems),
    }
}
