//! The paces of each channel, beside what its platform documents.

use super::*;

/// What platforms document: at most so many calls in so many seconds, by how a pace's key begins. Where that is said,
/// stands at the paces themselves.
const DOCUMENTED: &[(&str, u32, u32)] = &[
    ("discord:", 5, 2),
    ("discord:", 30, 60),
    ("lark:", 5, 1),
    ("lark:", 100, 60),
    // 60 at once and one more every 5 s, as a bucket of tokens: 72 in the first minute.
    ("ntfy:", 72, 60),
    ("slack:", 1, 1),
    ("teams:", 4, 1),
    ("teams:", 60, 30),
    ("telegram-bot-", 30, 1),
    ("telegram-chat-", 60, 60),
    ("telegram-group-", 20, 60),
];

#[test]
fn what_a_pace_lets_through_keeps_each_documented_limit_also_after_a_pause() {
    let mut kept = Vec::new();
    for (kind, example) in http_kinds() {
        let mut channel = (example.channel)("http://127.0.0.1:9");
        if kind.id == "ntfy" {
            channel.channel.target = "https://ntfy.sh/alerts".to_owned();
        }
        for Pace { key, per_minute, burst } in (kind.paces)(&channel) {
            let limits = DOCUMENTED.iter().filter(|(begins, ..)| key.starts_with(begins)).collect::<Vec<_>>();
            assert!(!limits.is_empty(), "{}: of {key} no limit is known", kind.id);
            for &&(begins, most, seconds) in &limits {
                // The burst, and what is refilled before the window ends: of it the last comes with its end, too late.
                let through = burst + (per_minute * seconds).div_ceil(60) - 1;
                assert!(through <= most, "{key}: {through} calls in {seconds} s, {most} are allowed");
                kept.push((begins, most, seconds));
            }
        }
    }
    for limit in DOCUMENTED {
        assert!(kept.contains(limit), "{limit:?} is nobody's");
    }
}

#[test]
fn a_pace_has_a_short_key_that_holds_no_secret() {
    for (kind, example) in http_kinds() {
        for pace in (kind.paces)(&(example.channel)("http://127.0.0.1:9")) {
            assert!(pace.key.len() <= 64 && !pace.key.contains("hunter"), "{}: {pace:?}", kind.id);
            assert!(pace.per_minute > 0 && pace.burst > 0, "{}: {pace:?}", kind.id);
        }
    }
}
