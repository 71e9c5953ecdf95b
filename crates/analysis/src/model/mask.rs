//! Secrets out of a text before it leaves the house.
//!
//! What is masked is what looks like a secret by its name (`password: …`), by its place (a URL, an `Authorization`
//! header) or by its own shape (the prefixes that vendors give their tokens). The rule leans to one side on purpose:
//! `password: expired` loses a word, which costs less than a password in somebody else's logs.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Patterns and what replaces them, in this order: the larger thing first, so that its parts are gone with it.
const SHAPES: [(&str, &str); 12] = [
    (
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        "*** private key ***",
    ),
    (OF_PATHS, "${1}***"),
    // Of our own doors, of Lark, and of bots of Telegram, wherever their API is.
    (r"(?i)(/open-apis/bot/v2/hook/|/api/v1/(?:push|in/[\w-]+)/|/bot[0-9]+:)[^\s/<>]+", "${1}***"),
    (r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/?#]+@", "${1}***@"),
    (r#"(?i)\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:[a-z-]+\s+)?[^\s"',;]+"#, "${1}***"),
    (r"(?i)\b((?:set-)?cookie\s*:\s*)[^\n]+", "${1}***"),
    (r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}", "${1}***"),
    (NAMED, "${1}***"),
    (r"(?i)([?&](?:key|code|sig|signature|auth)=)[^\s&#]+", "${1}***"),
    (r"(?i)\b((?:password|passphrase|passwort|kennwort)\s+(?:is|was|lautet|ist)\s+)\S+", "${1}***"),
    // On a command line: `--password x`, `curl -u name:x`, `mysql -px`.
    (
        r"(?i)(\s--?(?:password|passwd|pass|token|secret|api-?key)\s+|\s-u\s+[^\s:]+:|\bmysql\w*\b[^\n]*?\s-p)[^\s-]\S*",
        "${1}***",
    ),
    (VENDORS, "***"),
];

/// Addresses whose path is the secret.
const OF_PATHS: &str = r"(?xi)\b(https?://(?:
    hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)
  | (?:\w+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks
  | [\w.-]+\.webhook\.office\.com/webhookb2 | outlook\.office(?:365)?\.com/webhook
  | [\w.-]+(?::[0-9]+)?/hooks
  | hc-ping\.com | events\.pagerduty\.com/integration
)/)[^\s<>]+";

/// `name = value`, also as JSON and in other languages.
const NAMED: &str = r#"(?i)((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|signing[_-]?key|encryption[_-]?key|account[_-]?key|credentials?|session[_-]?id|passwort|kennwort|contraseña|пароль|密码|密碼|رمز عبور)["']?\s*(?:=>|:=|[:=：])\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s"'&,;<>]+)"#;

/// Tokens that say by their first characters what they are, as their vendors document it.
const VENDORS: &str = r"(?x)
    \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
  | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,}
  | \bglpat-[A-Za-z0-9_-]{16,} | \bglsa_[A-Za-z0-9_]{20,}
  | \bxox[abeprs]-[A-Za-z0-9-]{10,}
  | \bsk-[A-Za-z0-9_-]{20,} | \b[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}
  | \bAIza[0-9A-Za-z_-]{30,}
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
  | \bwhsec_[A-Za-z0-9+/=]{16,}
  | \b[0-9]{8,10}:[A-Za-z0-9_-]{35}
  | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
  | \bnpm_[A-Za-z0-9]{30,} | \bhf_[A-Za-z0-9]{30,} | \bdop_v1_[a-f0-9]{32,}";

pub(super) static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compile =
        |(pattern, with)| (Regex::new(pattern).expect("the patterns are constants, and a test compiles them"), with);
    SHAPES.map(compile).into()
});

/// The text with every secret that can be recognised replaced by `***`.
pub(crate) fn secrets(text: &str) -> String {
    let masked =
        COMPILED.iter().fold(Cow::Borrowed(text), |text, (pattern, with)| match pattern.replace_all(&text, *with) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => Cow::Owned(masked),
        });
    masked.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_leaves_the_house() {
        // Each holds `hunter2`, or a token in pieces so that no scanner takes this file for a leak.
        let table = [
            "password: hunter2",
            "Password = \"hunter2 with spaces\"",
            "{\"db_password\":\"hunter2\",\"host\":\"db1\"}",
            "DB_PASSWORD=hunter2",
            "export API_KEY='hunter2'",
            "client_secret=hunter2&grant=x",
            "Passwort： hunter2",
            "密码:hunter2",
            "пароль: hunter2",
            "the password is hunter2",
            "Authorization: Bearer hunter2",
            "Authorization: Basic hunter2==",
            "\"authorization\": \"hunter2\"",
            "curl -H 'Authorization: token hunter2' x",
            "sent bearer hunter2hunter2",
            "Cookie: sid=hunter2; other=hunter2",
            "postgres://app:hunter2@db1/app",
            "redis://:hunter2@cache:6379/0",
            "amqp://app:p@hunter2@mq/x",
            "https://hooks.slack.com/services/T0/B0/hunter2",
            "https://discord.com/api/webhooks/1/hunter2",
            "https://open.feishu.cn/open-apis/bot/v2/hook/hunter2",
            "https://hooks.slack.com/triggers/T0/hunter2",
            "https://discord.com/api/v10/webhooks/1/hunter2",
            "https://corp.webhook.office.com/webhookb2/1@2/IncomingWebhook/hunter2",
            "https://chat.example:8065/hooks/hunter2",
            "https://hc-ping.com/hunter2",
            "https://events.pagerduty.com/integration/hunter2/enqueue",
            "POST /api/v1/push/hunter2",
            "Post \"https://watchbell.example/api/v1/in/alertmanager/hunter2\": connection refused",
            "https://api.telegram.org/bot1:hunter2/sendMessage",
            "http://127.0.0.1:8081/bot1:hunter2/sendMessage",
            "Authorization: GenieKey hunter2",
            "https://x.example/cb?code=hunter2&x=1",
            "mysqldump -u root -phunter2 app",
            "backup --password hunter2 now",
            "curl -u admin:hunter2 x",
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2 and the rest was cut off",
        ];
        for text in table {
            let masked = secrets(text);
            assert!(!masked.contains("hunter2") && masked.contains("***"), "{text} became {masked}");
        }
        let shapes: [(&str, usize); 11] = [
            ("AKIA", 16),
            ("ghp_", 36),
            ("github_pat_", 40),
            ("glpat-", 20),
            ("xoxb-", 24),
            ("sk-", 40),
            ("sk_live_", 24),
            ("AIza", 35),
            ("whsec_", 32),
            ("npm_", 36),
            ("123456789:", 35),
        ];
        for (prefix, length) in shapes {
            let token = format!("{prefix}{}", "A1".repeat(length).split_at(length).0);
            assert_eq!(secrets(&format!("key {token} end")), "key *** end", "{prefix}");
        }
        let jwt = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2lnbmF0dXJl"].join(".");
        assert_eq!(secrets(&jwt), "***");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "Failed password for root from 192.0.2.7 port 22",
            "CPU load is 9.5 on db1 at 10:15:00",
            "https://grafana.example/d/abc?from=now-1h&to=now",
            "mail to ops@corp.example was deferred",
            "token bucket is empty",
            "",
        ] {
            assert_eq!(secrets(text), text);
        }
    }

    #[test]
    fn what_surrounds_a_secret_stays() {
        assert_eq!(secrets("connect postgres://app:x@db1/app failed"), "connect postgres://***@db1/app failed");
        assert_eq!(secrets("a token=abc b"), "a token=*** b");
    }
}
