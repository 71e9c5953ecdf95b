//! What single words say about severity, recovery and category: for mails that no family knows, and for the
//! words inside those that it does. English first, a handful of words in other languages.

use std::{collections::HashMap, sync::LazyLock};

use aho_corasick::AhoCorasick;
use watchbell_common::alert::Severity;

/// How much of a body is read for words; what matters stands at the top.
const BODY_MAX_BYTES: usize = 4 * 1024;

const CRITICAL: [&str; 18] = [
    "critical",
    "crit",
    "fatal",
    "emergency",
    "emerg",
    "panic",
    "disaster",
    "unreachable",
    "outage",
    "kritisch",
    "notfall",
    "critique",
    "crítico",
    "critico",
    "критично",
    "критический",
    "авария",
    "بحرانی",
];

#[rustfmt::skip]
const ERROR: [&str; 53] = [
    "error", "errors", "err", "failed", "failure", "failures", "fail", "fails", "failing", "aborted", "crashed",
    "crash", "corrupt", "corrupted", "corruption", "timeout", "refused", "denied", "exception", "traceback",
    "segfault", "oom", "offline", "unavailable", "broken", "dead", "stopped", "faulted", "unhealthy",
    "fehler", "fehlgeschlagen", "ausfall", "gescheitert", "abgebrochen",
    "erreur", "échec", "échoué", "panne", "fallo", "falló", "fallido", "errore", "fallito", "erro", "falha",
    "błąd", "ошибка", "ошибки", "сбой", "отказ", "خطا", "خرابی", "ناموفق",
];

#[rustfmt::skip]
const WARNING: [&str; 23] = [
    "warning", "warnings", "warn", "degraded", "exceeded", "exceeds", "expires", "expired", "expiring", "overdue",
    "attention", "unstable", "warnung", "achtung", "überschritten", "avertissement", "advertencia", "avviso",
    "aviso", "ostrzeżenie", "предупреждение", "внимание", "هشدار",
];

/// Phrases, where one word says too little.
const PHRASES: [(&str, Severity); 33] = [
    (" is down", Severity::Critical),
    (" are down", Severity::Critical),
    (" went down", Severity::Critical),
    ("host down", Severity::Critical),
    ("data loss", Severity::Critical),
    ("[down]", Severity::Critical),
    ("🔴 down", Severity::Critical),
    ("not running", Severity::Error),
    ("not responding", Severity::Error),
    ("not available", Severity::Error),
    ("does not exist", Severity::Error),
    ("no space left", Severity::Error),
    ("disk full", Severity::Error),
    ("disk is full", Severity::Error),
    ("out of memory", Severity::Error),
    ("timed out", Severity::Error),
    ("read-only file system", Severity::Error),
    ("running low", Severity::Warning),
    ("almost full", Severity::Warning),
    ("严重", Severity::Critical),
    ("紧急", Severity::Critical),
    ("緊急", Severity::Critical),
    ("故障", Severity::Error),
    ("错误", Severity::Error),
    ("失败", Severity::Error),
    ("障害", Severity::Error),
    ("警告", Severity::Warning),
    ("降级", Severity::Warning),
    ("降級", Severity::Warning),
    ("异常", Severity::Warning),
    ("異常", Severity::Warning),
    ("宕机", Severity::Critical),
    ("در دسترس نیست", Severity::Error),
];

const NEGATIONS: [&str; 16] = [
    "no", "0", "zero", "without", "never", "keine", "kein", "ohne", "нет", "без", "sans", "aucune", "aucun", "sin",
    "nessun", "sem",
];

/// Words that say by themselves that it is over.
#[rustfmt::skip]
const RESOLVED: [&str; 29] = [
    "resolved", "recovered", "recovers", "cleared", "restored", "normalized", "behoben", "wiederhergestellt",
    "erholt", "entwarnung", "gelöst", "résolu", "résolue", "rétabli", "rétablie", "resuelto", "resuelta",
    "recuperado", "recuperada", "risolto", "ripristinato", "resolvido", "rozwiązany", "восстановлен",
    "восстановлено", "восстановлена", "решено", "решена", "устранено",
];

/// Words that say it in the right place only: at the start, in brackets, after `is` or an arrow.
const FINE: [&str; 10] =
    ["ok", "okay", "up", "normal", "online", "operational", "healthy", "clear", "fine", "recovery"];

const BEFORE_FINE: [&str; 12] =
    ["is", "are", "now", "again", "back", "to", "state", "status", "ist", "wieder", "est", "снова"];

const OVER_PHRASES: [&str; 10] =
    ["برطرف شد", "رفع شد", "恢复", "恢復", "已解决", "已解決", "復旧", "復帰", "回復", "解消"];

/// Categories, with what they are recognised by in a text of which only letters and digits were left. The
/// first that fits wins, so what is more telling comes first.
#[rustfmt::skip]
const CATEGORIES: [(&str, &[&str]); 14] = [
    ("backup", &[" backup", "rsync", "restic", " borg", " pg dump", "mysqldump", "sicherung ", "резервн", "备份"]),
    ("certificate", &["certificate", " cert ", " ssl ", " tls ", "zertifikat", "сертификат"]),
    ("disk", &[" disk", "diskfull", "filesystem", "file system", " inode", "no space", "storage", " volume", " raid",
        " dev sd", " dev nvme", " smart ", " fs ", "festplatte", "speicherplatz", "диск", "磁盘", "硬盘", "存储", "ディスク", "دیسک", "partition", "quota", "zpool"]),
    ("memory", &["memory", " oom", " swap", "speicher", "память", "内存", "حافظه", " ram "]),
    ("performance", &[" cpu", " load ", "latency", " slow", "response time", "нагруз", "загруз", "performance"]),
    ("security", &["security", "intrusion", "virus", "malware", " login", " sshd", "brute force", " attack", "unauthorized",
        "rootkit", "firewall"]),
    ("power", &[" ups ", "battery", " power ", "voltage"]),
    ("hardware", &["temperature", " fan ", "overheat", " ecc ", " psu ", " sensor", "hardware"]),
    ("database", &["database", "postgres", "mysql", "mariadb", "mongo", "replication", "tablespace", "datenbank", "база"]),
    ("availability", &["down ", "unreachable", "not running", "offline", "outage", "not available", "unavailable",
        "not responding", "does not exist", "reboot", "restarted", " ping ", " is up "]),
    ("network", &["network", "packet", "interface", " link ", " dns ", " vpn ", " bgp ", "router", "switch", "connection", "icmp"]),
    ("mail", &["mail queue", " smtp ", "postfix", "undelivered"]),
    ("update", &[" update", " upgrade", " package", " patch"]),
    ("job", &[" job ", " cron", " task ", "workflow", "pipeline", " build ", " deploy"]),
];

/// Words near a percentage that make it a measure of how full something is, and those that make it something else.
#[rustfmt::skip]
const FULLNESS: [&str; 25] = [
    "full", "used", "usage", "use%", "disk", "memory", "mem", "cpu", "inode", "swap", "filesystem", "partition",
    "capacity", "volume", "space", "/dev/", "storage", "quota", "pool", "belegt", "voll", "festplatte", "диск", "磁盘", "دیسک",
];
const NOT_FULLNESS: [&str; 11] =
    ["free", "idle", "available", "complete", "done", "success", "finished", "progress", "uptime", "frei", "свободн"];

/// From these percentages on.
const PERCENT_ERROR: f32 = 95.0;
const PERCENT_WARNING: f32 = 90.0;

/// Reads the severity that a label or a field gives: `page`, `P1`, `major`, `3` …
pub(super) fn severity_label(value: &str) -> Option<Severity> {
    Some(match value.trim().to_lowercase().as_str() {
        "critical" | "crit" | "page" | "emergency" | "emerg" | "fatal" | "disaster" | "panic" | "p1" | "p0"
        | "sev1" | "alert" | "highest" => Severity::Critical,
        "error" | "err" | "major" | "high" | "p2" | "sev2" | "severe" => Severity::Error,
        "warning" | "warn" | "minor" | "average" | "medium" | "p3" | "sev3" | "ticket" => Severity::Warning,
        "info" | "information" | "informational" | "notice" | "none" | "low" | "debug" | "ok" | "p4" | "p5"
        | "sev4" => Severity::Info,
        _ => return None,
    })
}

/// What kind of thing a text is about; `other` when its words do not say.
pub(super) fn category(text: &str) -> &'static str {
    let mut plain = String::with_capacity(text.len() + 2);
    plain.push(' ');
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            plain.push(c);
        } else if !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain.push(' ');
    let found = CATEGORIES.iter().find(|(_, words)| words.iter().any(|word| plain.contains(word)));
    found.map_or("other", |(category, _)| category)
}

/// The words of a text, runs of letters and digits, and where they start.
pub(super) fn tokens(lower: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    lower.split_inclusive(|c: char| !c.is_alphanumeric()).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let token = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        (!token.is_empty()).then_some((start, token))
    })
}

/// The worst that a line says, if anything.
pub(super) fn line(text: &str) -> Option<Severity> {
    let lower = text.to_lowercase();
    // "no known data errors", but not "no answer, error 5": a sign ends what a negation reaches.
    let mut before = [""; 3];
    let mut end = 0;
    let mut worst = None;
    for (start, word) in tokens(&lower) {
        if lower[end..start].contains([',', ';', ':', '!', '?', '(', '|']) {
            before = [""; 3];
        }
        end = start + word.len();
        if let Some(severity) = weight(word)
            && !before.iter().any(|word| NEGATIONS.contains(word))
            && !counts_nothing(&lower[end..])
        {
            worst = worst.max(Some(severity));
        }
        before = [before[1], before[2], word];
    }
    worst.max(worst_phrase(&lower)).max(fullness(&lower))
}

/// `errors: 0`, `failed=0`, `errors none`.
fn counts_nothing(after: &str) -> bool {
    let value = after.trim_start_matches([' ', ':', '=']);
    value.starts_with("none")
        || value.strip_prefix('0').is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
}

fn weight(word: &str) -> Option<Severity> {
    static WEIGHTS: LazyLock<HashMap<&str, Severity>> = LazyLock::new(|| {
        let lists = [(&CRITICAL[..], Severity::Critical), (&ERROR, Severity::Error), (&WARNING, Severity::Warning)];
        lists.iter().flat_map(|(words, severity)| words.iter().map(|word| (*word, *severity))).collect()
    });
    WEIGHTS.get(word).copied()
}

fn worst_phrase(lower: &str) -> Option<Severity> {
    static FINDER: LazyLock<AhoCorasick> =
        LazyLock::new(|| AhoCorasick::new(PHRASES.iter().map(|(phrase, _)| phrase)).expect("a few constant phrases"));
    FINDER.find_overlapping_iter(lower).map(|found| PHRASES[found.pattern().as_usize()].1).max()
}

/// `disk /dev/sda1 at 97%`.
fn fullness(lower: &str) -> Option<Severity> {
    if !lower.contains('%') || !FULLNESS.iter().any(|word| lower.contains(word)) {
        return None;
    }
    if NOT_FULLNESS.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let numbers = lower.match_indices('%').filter_map(|(end, _)| {
        let before = lower[..end].trim_end();
        let start = before
            .rfind(|c: char| !c.is_ascii_digit() && c != '.')
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        before[start..].parse::<f32>().ok()
    });
    let highest = numbers.filter(|number| *number <= 100.0).fold(0.0, f32::max);
    if highest >= PERCENT_ERROR {
        Some(Severity::Error)
    } else if highest >= PERCENT_WARNING {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// The worst that the top of a body says, and the line that says it. Prose is not believed to be critical:
/// for that the word must be in capitals.
pub(super) fn body(text: &str) -> Option<(Severity, String)> {
    let top = &text[..text.floor_char_boundary(BODY_MAX_BYTES)];
    let mut worst: Option<(Severity, &str)> = None;
    for raw in top.lines() {
        let Some(mut severity) = line(raw) else { continue };
        if severity == Severity::Critical && !in_capitals(raw) {
            severity = Severity::Error;
        }
        if worst.is_none_or(|(known, _)| severity > known) {
            worst = Some((severity, raw));
        }
    }
    worst.map(|(severity, raw)| (severity, raw.trim().to_owned()))
}

fn in_capitals(line: &str) -> bool {
    ["CRIT", "FATAL", "EMERG", "PANIC", "DISASTER", "DOWN", "UNREACHABLE", "OUTAGE"]
        .iter()
        .any(|word| line.contains(word))
}

/// Whether a subject says that it is over.
pub(super) fn resolved(subject: &str) -> bool {
    let lower = subject.to_lowercase();
    if OVER_PHRASES.iter().any(|phrase| lower.contains(phrase)) {
        return !["未", "失败"].iter().any(|not| lower.contains(not));
    }
    let words: Vec<(usize, &str)> = tokens(&lower).collect();
    words.iter().enumerate().any(|(index, &(start, word))| {
        let before = index.checked_sub(1).map_or("", |index| words[index].1);
        let after = words.get(index + 1).map_or("", |(_, word)| word);
        let taken_back = ["not", "nicht", "never", "не", "no", "pas", "non"].contains(&before)
            || ["failed", "failure", "error", "fehlgeschlagen", "mode", "plan", "point", "needed"].contains(&after);
        if taken_back {
            return false;
        }
        let (left, right) = (lower[..start].trim_end(), lower[start + word.len()..].trim_start());
        let in_place =
            || stands_alone(left, right) || (BEFORE_FINE.contains(&before) && after != "to" && line(&lower).is_none());
        RESOLVED.contains(&word) || (FINE.contains(&word) && in_place())
    })
}

/// In brackets, behind an arrow, or at the start as in `OK: …`.
fn stands_alone(left: &str, right: &str) -> bool {
    let first = left.is_empty() && (right.is_empty() || right.starts_with([':', '-', ']', ')', '–', '|']));
    first || left.ends_with(['[', '(', '✅', '🟢', '→']) || left.ends_with("->") || left.ends_with("=>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_weigh() {
        for (text, expected) in [
            ("CRITICAL: web01 load 25.3", Some(Severity::Critical)),
            ("Host web01 is DOWN", Some(Severity::Critical)),
            ("backup FAILED", Some(Severity::Error)),
            ("mailutils WARNING disk", Some(Severity::Warning)),
            ("Festplatte: Fehler", Some(Severity::Error)),
            ("Сервер: критично", Some(Severity::Critical)),
            ("磁盘故障", Some(Severity::Error)),
            ("存储空间已降级", Some(Severity::Warning)),
            ("هشدار: دیسک پر است", Some(Severity::Warning)),
            ("خطا در پشتیبان‌گیری", Some(Severity::Error)),
            ("disk /dev/sda1 at 97% - .", Some(Severity::Error)),
            ("/var is 91.5 % full", Some(Severity::Warning)),
            ("/dev/sda1 50G 46G 2G 89% /", None),
            ("disk check 100% done", None),
            ("CPU 98% idle", None),
            ("completed with 0 errors", None),
            ("no errors, no warnings", None),
            ("no known data errors", None),
            ("errors: 0 failed=0", None),
            ("10 errors", Some(Severity::Error)),
            ("0 warnings, 3 errors", Some(Severity::Error)),
            ("keine Fehler, ohne Warnung", None),
            ("hello world", None),
            ("", None),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }

    #[test]
    fn recovery_is_told_from_its_likenesses() {
        for yes in [
            "Resolved: disk failure",
            "web01 recovered from failure",
            "[OK] web01",
            "OK: web01 load 2",
            "RECOVERY: db01",
            "Host web01 is UP!",
            "web01: CRIT -> OK",
            "[web] [✅ Up] 200",
            "Entwarnung für db01",
            "Сервис восстановлен",
            "磁盘告警已恢复",
            "مشکل دیسک برطرف شد",
            "web01 is back online",
            "alert cleared on web01",
            "service http is now OK",
        ] {
            assert!(resolved(yes), "{yes}");
        }
        for no in [
            "disaster recovery test failed",
            "recovery failed on db01",
            "problem not resolved",
            "backup OK of db01",
            "web01 is down",
            "packages are up to date",
            "book it",
            "lookup error",
            "db01 is CRITICAL, web01 is OK",
            "Normal report",
            "",
        ] {
            assert!(!resolved(no), "{no}");
        }
    }

    #[test]
    fn categories_follow_the_words() {
        for (text, expected) in [
            ("disk full on /dev/sda1", "disk"),
            ("InstanceDown: x", "availability"),
            ("High CPU load on Datenbank", "performance"),
            ("download page", "other"),
            ("backup failed: no space", "backup"),
            ("certificate expires", "certificate"),
        ] {
            assert_eq!(category(text), expected, "{text}");
        }
    }
}
