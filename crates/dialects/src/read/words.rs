//! The words that senders use for severity and status. A word that is not here is unknown, not a guess.

use watchbell_common::alert::{Severity, Status};

use Severity::{Critical, Error, Info, Warning};
use Status::{Acknowledged, Firing, Resolved};

/// Syslog, Nagios and Icinga, Zabbix, `PagerDuty` and Opsgenie (P1–P5), Grafana, log levels and what people write.
/// Bare numbers are missing on purpose: 1 is the worst for `PagerDuty` and the mildest for ntfy and Zabbix.
#[rustfmt::skip]
const SEVERITIES: [(&str, Severity); 58] = [
    ("alert", Critical), ("average", Warning), ("blocker", Critical), ("crit", Critical), ("critical", Critical),
    ("debug", Info), ("degraded", Warning), ("disaster", Critical), ("down", Critical), ("emerg", Critical),
    ("emergency", Critical), ("err", Error), ("error", Error), ("failed", Error), ("failure", Error),
    ("fatal", Critical), ("high", Error), ("highest", Critical), ("info", Info), ("information", Info),
    ("informational", Info), ("low", Info), ("lowest", Info), ("major", Error), ("medium", Warning),
    ("minor", Warning), ("moderate", Warning), ("none", Info), ("normal", Info), ("not classified", Info),
    ("notice", Info), ("p0", Critical), ("p1", Critical), ("p2", Error), ("p3", Warning), ("p4", Info), ("p5", Info),
    ("page", Critical), ("panic", Critical), ("sev0", Critical), ("sev1", Critical), ("sev2", Error),
    ("sev3", Warning), ("sev4", Info), ("sev5", Info), ("severe", Critical), ("sos", Critical), ("success", Info),
    ("ticket", Warning), ("trace", Info), ("trivial", Info), ("unreachable", Critical), ("urgent", Critical),
    ("verbose", Info), ("very high", Critical), ("very low", Info), ("warn", Warning), ("warning", Warning),
];

#[rustfmt::skip]
const STATUSES: [(&str, Status); 56] = [
    ("ack", Acknowledged), ("acked", Acknowledged), ("acknowledged", Acknowledged), ("active", Firing),
    ("alarm", Firing), ("alert", Firing), ("alerting", Firing), ("clear", Resolved), ("cleared", Resolved),
    ("close", Resolved), ("closed", Resolved), ("crit", Firing), ("critical", Firing), ("degraded", Firing),
    ("down", Firing), ("ended", Resolved), ("err", Firing), ("error", Firing), ("fail", Firing), ("failed", Firing),
    ("failing", Firing), ("failure", Firing), ("firing", Firing), ("fixed", Resolved), ("green", Resolved),
    ("healthy", Resolved), ("inactive", Resolved), ("new", Firing), ("normal", Resolved), ("ok", Resolved),
    ("okay", Resolved), ("online", Resolved), ("open", Firing), ("opened", Firing), ("passed", Resolved),
    ("problem", Firing), ("recovered", Resolved), ("recovery", Resolved), ("red", Firing), ("resolve", Resolved),
    ("resolved", Resolved), ("restored", Resolved), ("solved", Resolved), ("started", Firing),
    ("succeeded", Resolved), ("success", Resolved), ("successful", Resolved), ("trigger", Firing),
    ("triggered", Firing), ("unhealthy", Firing), ("unreachable", Firing), ("up", Resolved), ("warn", Firing),
    ("warning", Firing), ("working", Resolved), ("yellow", Firing),
];

/// The longest word in the tables.
const WORD_MAX_BYTES: usize = 16;

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let word = word.trim();
    if word.len() > WORD_MAX_BYTES {
        return None;
    }
    let word = word.to_ascii_lowercase();
    table.binary_search_by_key(&word.as_str(), |(known, _)| known).ok().map(|index| table[index].1)
}

/// The severity that a word means.
pub(crate) fn severity(word: &str) -> Option<Severity> {
    look_up(&SEVERITIES, word)
}

/// The status that a word means.
pub(crate) fn status(word: &str) -> Option<Status> {
    look_up(&STATUSES, word)
}

/// The status in front of a title, and the title without it: `Resolved: disk full`, `[FIRING:2] InstanceDown`.
pub(crate) fn split_status(title: &str) -> (Option<Status>, &str) {
    let bare = title.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[');
    let parts = match bare.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(word, rest)| (word.split(':').next().unwrap_or_default(), rest)),
        None => bare.split_once(':'),
    };
    match parts.and_then(|(word, rest)| Some((status(word)?, rest))) {
        Some((status, rest)) => (Some(status), rest.trim_start()),
        None => (None, title),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_their_words_fit() {
        assert!(SEVERITIES.is_sorted_by_key(|(word, _)| *word));
        assert!(STATUSES.is_sorted_by_key(|(word, _)| *word));
        let words = SEVERITIES.iter().map(|(word, _)| word).chain(STATUSES.iter().map(|(word, _)| word));
        assert!(words.into_iter().all(|word| word.len() <= WORD_MAX_BYTES));
    }

    #[test]
    fn words_are_found_in_any_case_and_unknown_ones_are_unknown() {
        assert_eq!(severity(" HIGH "), Some(Error));
        assert_eq!(severity("Not classified"), Some(Info));
        assert_eq!(severity("3"), None);
        assert_eq!(severity("spicy"), None);
        assert_eq!(status("OK"), Some(Resolved));
        assert_eq!(status("Acked"), Some(Acknowledged));
        assert_eq!(status(&"x".repeat(1_000)), None);
    }

    #[test]
    fn a_title_can_begin_with_its_status() {
        assert_eq!(split_status("✅ Resolved: High CPU").1, "High CPU");
        assert_eq!(split_status("[FIRING:2] InstanceDown").1, "InstanceDown");
        for (title, expected) in [
            ("Problem: High CPU", Some(Firing)),
            ("✅ Resolved: High CPU", Some(Resolved)),
            ("[FIRING:2] InstanceDown", Some(Firing)),
            ("[prod] InstanceDown", None),
            ("Up to 90% full", None),
            ("CPU: ok", None),
            ("", None),
        ] {
            assert_eq!(split_status(title).0, expected, "{title}");
        }
    }
}
