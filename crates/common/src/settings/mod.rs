//! The settings: one struct in sections, and the only reader of the environment.
//!
//! `config.example.toml` in the repository's root is compiled in as the defaults and is the manual.
//! [`Settings::load`] lays the file of `--config`, the environment and flags over it, in this order.

mod ai;
mod binding;
mod gateway;
mod sections;

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};

pub use ai::Ai;
pub use binding::{Binding, Guarding};
pub use gateway::Gateway;
pub use sections::{
    Analyzer, Bootstrap, Data, Database, Dispatcher, History, Http, Log, LogFormat, Outbound, Provision, Queue,
    Security, Smtp, Stop, Telegram,
};

/// The defaults, which are also the manual.
pub const DEFAULTS: &str = include_str!("../../../../config.example.toml");

/// What every environment name of ours starts with.
pub const ENV_PREFIX: &str = "WATCHBELL_";

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub data: Data,
    pub http: Http,
    pub smtp: Smtp,
    pub gateway: Gateway,
    pub binding: Binding,
    pub queue: Queue,
    pub database: Database,
    pub security: Security,
    pub bootstrap: Bootstrap,
    pub outbound: Outbound,
    pub provision: Provision,
    pub analyzer: Analyzer,
    pub ai: Ai,
    pub dispatcher: Dispatcher,
    pub telegram: Telegram,
    pub history: History,
    pub log: Log,
    pub stop: Stop,
}

/// Why the settings cannot be used. Names the field and where its value came from.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("reading {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{whence}: {why}")]
    Bad { whence: String, why: String },
}

fn bad(whence: impl Into<String>, why: impl fmt::Display) -> SettingsError {
    SettingsError::Bad { whence: whence.into(), why: why.to_string() }
}

impl Settings {
    /// Reads the defaults, then `file`, then the process's environment, then `overrides`
    /// (`section.field` and value, as from flags).
    pub fn load(file: Option<&std::path::Path>, overrides: &[(&str, String)]) -> Result<Self, SettingsError> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let env = std::env::vars().collect::<Vec<_>>();
        Self::load_with(file, &env, overrides)
    }

    /// [`Settings::load`] with the environment as an argument.
    pub fn load_with(
        file: Option<&std::path::Path>,
        env: &[(String, String)],
        overrides: &[(&str, String)],
    ) -> Result<Self, SettingsError> {
        let mut table: toml::Table = DEFAULTS.parse().expect("the compiled-in defaults are TOML");
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| SettingsError::File { path: path.to_owned(), source })?;
            lay_over(&mut table, &text, &path.display().to_string())?;
        }
        for (name, value) in env {
            let Some(field) = name.strip_prefix(ENV_PREFIX) else { continue };
            let (section, field) = field.split_once('_').ok_or_else(|| bad(name, "no such setting"))?;
            set(&mut table, &section.to_lowercase(), &field.to_lowercase(), value, name)?;
        }
        for (path, value) in overrides {
            let (section, field) = path.split_once('.').ok_or_else(|| bad(*path, "no such setting"))?;
            set(&mut table, section, field, value, path)?;
        }
        let settings: Self = table.try_into().map_err(|error| bad("settings", error.to_string().trim_end()))?;
        settings.validate()?;
        Ok(settings)
    }

    /// Whether queue and store are the files of one process.
    pub fn embedded(&self) -> bool {
        self.queue.url.expose_secret() == "sqlite"
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let smtp = &self.smtp;
        if smtp.tls_cert.is_some() != smtp.tls_key.is_some() {
            return Err(bad("smtp.tls_cert and smtp.tls_key", "set both or neither"));
        }
        if smtp.tls_listen.is_some() && smtp.tls_cert.is_none() {
            return Err(bad("smtp.tls_listen", "implicit TLS needs smtp.tls_cert and smtp.tls_key"));
        }
        if smtp.auth_required && smtp.users_file.is_none() {
            return Err(bad("smtp.auth_required", "nobody could log in: set smtp.users_file"));
        }
        let is_web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if self.http.public_url.as_ref().is_some_and(|url| !is_web(url)) {
            return Err(bad("http.public_url", "must start with http:// or https://"));
        }
        let positive = [
            ("http.body_max_bytes", self.http.body_max_bytes),
            ("http.json_depth_max", self.http.json_depth_max),
            ("http.connections_max", self.http.connections_max),
            ("smtp.message_max_bytes", smtp.message_max_bytes),
            ("smtp.recipients_max", smtp.recipients_max),
            ("smtp.errors_max", smtp.errors_max),
            ("smtp.connections_max", smtp.connections_max),
            ("smtp.connections_per_address_max", smtp.connections_per_address_max),
            ("analyzer.batch", self.analyzer.batch),
            ("dispatcher.concurrency", self.dispatcher.concurrency),
            ("dispatcher.per_channel", self.dispatcher.per_channel),
            ("history.batch", self.history.batch),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(bad(name, "must be at least 1"));
        }
        self.ai.validate()?;
        let Bootstrap { admin_email, admin_password } = &self.bootstrap;
        if admin_email.is_empty() != admin_password.expose_secret().is_empty() {
            return Err(bad("bootstrap.admin_email and bootstrap.admin_password", "set both or neither"));
        }
        let security = &self.security;
        let more = !security.old_keys.is_empty() || !security.hash_key.expose_secret().is_empty();
        if more && security.master_key.expose_secret().is_empty() {
            return Err(bad("security.old_keys and security.hash_key", "stand beside security.master_key: set it too"));
        }
        self.gateway.validate()?;
        self.binding.validate()?;
        self.check_backends()?;
        if smtp.line_max_bytes < 512 {
            return Err(bad("smtp.line_max_bytes", "must be at least 512 (RFC 5321 §4.5.3.1.4)"));
        }
        if smtp.memory_max_bytes < smtp.message_max_bytes {
            return Err(bad("smtp.memory_max_bytes", "must be at least smtp.message_max_bytes"));
        }
        Ok(())
    }

    /// Where queue and store are, as far as that can be seen without asking them.
    fn check_backends(&self) -> Result<(), SettingsError> {
        let is_one_of = |url: &SecretString, schemes: [&str; 2]| {
            let url = url.expose_secret();
            url == "sqlite" || schemes.iter().any(|scheme| url.starts_with(scheme))
        };
        if !is_one_of(&self.queue.url, ["redis://", "rediss://"]) {
            return Err(bad("queue.url", "is neither `sqlite` nor a redis:// or rediss:// URL"));
        }
        if !is_one_of(&self.database.url, ["postgres://", "postgresql://"]) {
            return Err(bad("database.url", "is neither `sqlite` nor a postgres:// URL"));
        }
        // A worker reports each third of it, and while the queue stands still now and then that takes a second more.
        if self.queue.lease < Duration::from_secs(3) {
            return Err(bad("queue.lease", "must be at least 3s"));
        }
        Ok(())
    }
}

/// Lays the sections of a settings file over the table; a key that the defaults do not have is an error.
fn lay_over(table: &mut toml::Table, text: &str, whence: &str) -> Result<(), SettingsError> {
    let file: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(whence, error.to_string().trim_end()))?;
    for (section, fields) in file {
        let toml::Value::Table(fields) = fields else {
            return Err(bad(whence, format!("`{section}` must be a section: write [{section}]")));
        };
        for (field, value) in fields {
            *slot(table, &section, &field).ok_or_else(|| unknown(whence, &section, &field))? = value;
        }
    }
    Ok(())
}

/// Sets one field from text, read as the type that its default has.
fn set(table: &mut toml::Table, section: &str, field: &str, text: &str, whence: &str) -> Result<(), SettingsError> {
    let slot = slot(table, section, field).ok_or_else(|| unknown(whence, section, field))?;
    *slot = match slot {
        toml::Value::Integer(_) => text
            .replace('_', "")
            .parse()
            .map(toml::Value::Integer)
            .map_err(|_| bad(whence, format!("`{text}` is not a whole number")))?,
        toml::Value::Float(_) => {
            text.parse().map(toml::Value::Float).map_err(|_| bad(whence, format!("`{text}` is not a number")))?
        }
        toml::Value::Boolean(_) => text
            .parse()
            .map(toml::Value::Boolean)
            .map_err(|_| bad(whence, format!("`{text}` is neither true nor false")))?,
        toml::Value::Array(_) => toml::Value::Array(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(|item| item.to_owned().into()).collect(),
        ),
        _ => toml::Value::String(text.to_owned()),
    };
    Ok(())
}

fn slot<'t>(table: &'t mut toml::Table, section: &str, field: &str) -> Option<&'t mut toml::Value> {
    table.get_mut(section)?.as_table_mut()?.get_mut(field)
}

fn unknown(whence: &str, section: &str, field: &str) -> SettingsError {
    bad(whence, format!("there is no setting `{section}.{field}` (config.example.toml lists all)"))
}

fn optional<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(input: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(input)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    parse_duration(&text).map_err(D::Error::custom)
}

/// What the environment holds under any name, for the `${NAME}` of a provisioning file. `None` when it is not set
/// or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "the other place that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads `500ms`, `5s`, `2m`, `1h` and their sums (`1h 30m`).
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| format!("`{text}` is not a duration: write it like 500ms, 5s, 2m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn error(pairs: &[(&str, &str)]) -> String {
        Settings::load_with(None, &env(pairs), &[]).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_complete_and_valid() {
        let settings = Settings::load_with(None, &[], &[]).unwrap();
        assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
        assert!(settings.embedded());
    }

    #[test]
    fn the_environment_wins_over_the_file_and_flags_win_over_both() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("w.toml");
        std::fs::write(&file, "[smtp]\nlisten = \"0.0.0.0:25\"\nerrors_max = 3\n[stop]\ndrain = \"1m 30s\"\n").unwrap();
        let env = env(&[("WATCHBELL_SMTP_ERRORS_MAX", "4"), ("WATCHBELL_SMTP_ALLOW_FROM", "10.0.0.0/8, 192.0.2.7/32")]);
        let settings = Settings::load_with(Some(&file), &env, &[("data.dir", "/x".to_owned())]).unwrap();
        assert_eq!(settings.smtp.listen.port(), 25);
        assert_eq!(settings.smtp.errors_max, 4);
        assert_eq!(settings.smtp.allow_from.len(), 2);
        assert_eq!(settings.data.dir, PathBuf::from("/x"));
        assert_eq!(settings.stop.drain, Duration::from_secs(90));
    }

    #[test]
    fn an_empty_variable_leaves_what_is_optional_unset() {
        let names = ["HTTP_PUBLIC_URL", "TELEGRAM_API_BASE", "AI_BASE_URL", "AI_MODEL", "AI_API_KEY"];
        let empty = names.map(|name| (format!("WATCHBELL_{name}"), String::new()));
        let settings = Settings::load_with(None, &empty, &[]).unwrap();
        assert_eq!((&settings.http.public_url, &settings.telegram.api_base), (&None, &None));
        assert_eq!(settings.ai.provider(), None);

        let model = [("WATCHBELL_AI_BASE_URL", "http://127.0.0.1:8000/v1"), ("WATCHBELL_AI_MODEL", "m")];
        let settings = Settings::load_with(None, &[&empty[4..], &env(&model)].concat(), &[]).unwrap();
        assert!(settings.ai.provider().unwrap().api_key.is_none(), "an empty key is none");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("w.toml");
        std::fs::write(&file, "[smtp]\nlissten = \"x\"\n").unwrap();
        let text = Settings::load_with(Some(&file), &[], &[]).unwrap_err().to_string();
        assert!(text.contains("smtp.lissten"), "{text}");
        assert!(error(&[("WATCHBELL_SMTP_NONSENSE", "1")]).contains("WATCHBELL_SMTP_NONSENSE"));
        assert!(error(&[("WATCHBELL_NONSENSE", "1")]).contains("WATCHBELL_NONSENSE"));
    }

    #[test]
    fn a_bad_value_names_its_field() {
        assert!(error(&[("WATCHBELL_SMTP_ERRORS_MAX", "many")]).contains("WATCHBELL_SMTP_ERRORS_MAX"));
        let text = error(&[("WATCHBELL_SMTP_LISTEN", "everywhere")]);
        assert!(text.contains("listen"), "{text}");
        let text = error(&[("WATCHBELL_TELEGRAM_API_BASE", "somewhere")]);
        assert!(text.contains("api_base"), "{text}");
        assert!(error(&[("WATCHBELL_SMTP_IDLE_TIMEOUT", "soon")]).contains("500ms"));
        assert!(error(&[("WATCHBELL_SMTP_TLS_CERT", "/x.pem")]).contains("smtp.tls_key"));
        assert!(error(&[("WATCHBELL_HTTP_PUBLIC_URL", "watchbell.example.org")]).contains("http.public_url"));
        assert!(error(&[("WATCHBELL_ANALYZER_BATCH", "0")]).contains("analyzer.batch"));
        let text = error(&[("WATCHBELL_QUEUE_URL", "mysql://:hunter2@h/0")]);
        assert!(text.contains("queue.url") && !text.contains("hunter2"), "{text}");
        assert!(error(&[("WATCHBELL_DATABASE_URL", "sqlite://x")]).contains("database.url"));
        assert!(error(&[("WATCHBELL_QUEUE_LEASE", "2s")]).contains("queue.lease"));
        assert!(error(&[("WATCHBELL_SECURITY_OLD_KEYS", "x")]).contains("security.master_key"));
        assert!(error(&[("WATCHBELL_OUTBOUND_ALLOW_PRIVATE", "10.0.0.0")]).contains("allow_private"));
    }

    #[test]
    fn settings_do_not_print_secrets() {
        let env = env(&[
            ("WATCHBELL_QUEUE_URL", "redis://:hunter2@h/0"),
            ("WATCHBELL_SECURITY_MASTER_KEY", "hunter2"),
            ("WATCHBELL_SECURITY_OLD_KEYS", "hunter2,hunter2"),
            ("WATCHBELL_SECURITY_HASH_KEY", "hunter2"),
        ]);
        assert!(!format!("{:?}", Settings::load_with(None, &env, &[]).unwrap()).contains("hunter2"));
    }
}
