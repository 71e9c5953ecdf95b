//! What no family knows: webhook items without claims, scripts that pipe into `mail`, devices. The subject is
//! believed before the body.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, strip_prefix, with_system, words};

/// Local users of a machine: mail from them names the machine in its domain.
const LOCAL_USERS: [&str; 10] =
    ["root", "cron", "daemon", "nagios", "icinga", "monit", "www-data", "postgres", "mysql", "backup"];

/// Lines of a body that are searched for `on <host>`.
const HOST_LINES_MAX: usize = 5;

/// Fields whose value is the system.
const SYSTEM_FIELDS: [&str; 9] =
    ["Host", "Hostname", "Host name", "Server", "Node", "Machine", "Instance", "System", "Device name"];

/// What follows a machine's name in a sentence about it.
const VERBS: [&str; 8] = ["is", "was", "has", "ist", "hat", "est", "está", "è"];

/// What a word is followed by when it is no host but a file.
const FILE_ENDINGS: [&str; 12] =
    [".sh", ".log", ".txt", ".conf", ".py", ".pl", ".gz", ".html", ".service", ".php", ".json", ".sql"];

pub(super) fn read(seen: &Seen<'_>) -> Finding {
    let by_subject = words::line(seen.subject);
    let by_body = words::body(seen.text);
    let silent = by_subject.is_none() && by_body.is_none();
    let over = words::resolved(seen.subject) || (silent && words::resolved(seen.first_line()));
    let body_decides = !over && by_subject.is_none();
    let guessed = match (over, by_subject, &by_body) {
        (true, severity, _) => (severity.unwrap_or(Severity::Info), 0.6),
        (false, Some(severity), _) => (severity, 0.6),
        (false, None, Some((severity, _))) => (*severity, 0.5),
        (false, None, None) if is_important(seen) => (Severity::Warning, 0.4),
        (false, None, None) => (Severity::Info, 0.3),
    };
    // A severity that the sender names goes before the words of the body, and never below those of the subject:
    // the line may be quoted from elsewhere.
    let named = seen.field("Severity").and_then(words::severity_label).map(|named| Some(named).max(by_subject));
    let (severity, confidence) = named.flatten().map_or(guessed, |severity| (severity, 0.7));
    let system = system(seen);
    let subject = without_noise(seen.subject);
    let line = by_body.map(|(_, line)| line).filter(|line| body_decides && *line != subject);
    let summary = match (subject, line) {
        ("", Some(line)) => line,
        ("", None) => seen.first_line().to_owned(),
        (subject, Some(line)) => format!("{subject}: {line}"),
        (subject, None) => subject.to_owned(),
    };
    let category = match words::category(seen.subject) {
        "other" => words::category(seen.text.lines().find(|line| !line.is_empty()).unwrap_or_default()),
        known => known,
    };
    let mut finding = Finding::new(severity, category, system.as_str(), with_system(&system, &summary))
        .status(if over { Status::Resolved } else { Status::Firing });
    finding.confidence = confidence;
    finding.key = key(seen.subject);
    finding
}

/// The sender asked for attention (RFC 2156 `Importance`, and what everybody uses instead).
fn is_important(seen: &Seen<'_>) -> bool {
    let high =
        |value: Option<String>| value.is_some_and(|value| value.eq_ignore_ascii_case("high") || value.starts_with('1'));
    high(seen.header("importance")) || high(seen.header("x-priority"))
}

/// The subject without words that say no more than that it is an alert, or how severe.
fn without_noise(subject: &str) -> &str {
    let noise = ["problem:", "alert:", "[alert]", "alarm:", "notification:", "[problem]"];
    let rest = noise.iter().find_map(|noise| strip_prefix(subject, noise)).unwrap_or(subject).trim();
    let rest = after_state(rest).filter(|(over, _)| !over).map_or(rest, |(_, rest)| rest);
    if rest.is_empty() { subject } else { rest }
}

/// `CRITICAL: x`, `[OK] x`: whether the first word says that it is over, and the rest.
fn after_state(subject: &str) -> Option<(bool, &str)> {
    let (first, rest) = subject.split_once(' ')?;
    let word = first.strip_suffix(':').or_else(|| first.strip_prefix('[')?.strip_suffix(']'))?;
    let over = words::resolved(first);
    (over || words::line(word).is_some() || words::severity_label(word).is_some()).then(|| (over, rest.trim()))
}

/// A subject that starts with its state and then names a host says by itself which alert it is, so that
/// `OK: web01 load 2` ends `CRITICAL: web01 load 25`.
fn key(subject: &str) -> Option<String> {
    let (_, rest) = after_state(subject)?;
    host(rest.split_whitespace().next()?)?;
    Some(watchbell_common::fingerprint::masked(rest))
}

/// The host, service or job that the event is about; empty when it does not say.
pub(super) fn system(seen: &Seen<'_>) -> String {
    if let Some(value) = SYSTEM_FIELDS.iter().find_map(|name| seen.field(name)) {
        return value.to_owned();
    }
    let mut top = seen.text.lines().take(HOST_LINES_MAX);
    let told = leading_host(seen.subject).or_else(|| named_host(seen.subject)).or_else(|| top.find_map(named_host));
    told.map_or_else(|| sender_host(seen), str::to_owned)
}

/// `CRITICAL: web01 load`, `web01: load`, `[web01] load`, `web01 is down`.
fn leading_host(subject: &str) -> Option<&str> {
    if let Some((_, rest)) = after_state(subject) {
        return host(rest.split_whitespace().next()?);
    }
    let mut words = subject.split_whitespace();
    let first = words.next()?;
    if words.next().is_some_and(|second| VERBS.contains(&second.to_lowercase().as_str())) {
        return host(first);
    }
    host(first.strip_suffix(':').or_else(|| first.strip_prefix('[')?.strip_suffix(']'))?)
}

/// `… on web01`, `Server web01 …`.
fn named_host(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().take(60).collect();
    words.windows(2).find_map(|pair| {
        let before = pair[0].trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let names =
            ["on", "host", "server", "node", "machine", "device", "auf", "на", "sur", "en", "em", "for", "from", "at"];
        names.contains(&before.as_str()).then(|| host(pair[1])).flatten()
    })
}

/// The word, if it looks like the name or address of a machine.
fn host(word: &str) -> Option<&str> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let fits = (2..=253).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'));
    let letters = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = word.bytes().any(|byte| byte.is_ascii_digit());
    let quantity = word.starts_with(|c: char| c.is_ascii_digit());
    let file = FILE_ENDINGS.iter().any(|ending| word.ends_with(ending));
    let address = word.parse::<std::net::IpAddr>().is_ok() || word.parse::<std::net::SocketAddr>().is_ok();
    let name = letters && !file && !quantity && (digits || word.contains(['.', '-', '_']));
    (fits && (address || name)).then_some(word)
}

/// The machine in the sender's address: `root@vm`, `cron@web01.corp.example`. A plain domain is no machine.
pub(super) fn sender_host(seen: &Seen<'_>) -> String {
    seen.event
        .from
        .iter()
        .find_map(|from| {
            let (local, domain) = from.split_once('@')?;
            let labels = domain.split('.').count();
            (LOCAL_USERS.contains(&local) && labels != 2).then(|| domain.split('.').next().unwrap_or(domain).to_owned())
        })
        .unwrap_or_default()
}
