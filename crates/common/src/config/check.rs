//! What is wrong with one configured item, whoever brings it: the provisioning file or the API.

use std::fmt;

use super::{Active, ConfigError, Match, Mute, Rule, Silence, Tenant};
use crate::{
    ids::TenantId,
    routing::{CompiledTenant, PatternError},
};

/// A push token is all that protects a channel's door, and it stands in a path.
const TOKEN_MIN_BYTES: usize = 8;
const TOKEN_MAX_BYTES: usize = 128;

/// Why a rule that goes nowhere is refused.
pub const RULE_WITHOUT_CHANNELS: &str = "names no channels, so what it matches would go nowhere; or set continue";

/// Why a mute without conditions is refused.
pub const MUTE_OF_EVERYTHING: &str = "needs `from` or `source`, or it would mute everything";

/// A field and what is wrong with it. Shows itself as `field: why`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// For example `match.from`; empty for the item as a whole.
    pub field: String,
    pub why: String,
}

impl Wrong {
    /// That field, for that reason.
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    /// The same field as a part of another.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let field = if self.field.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.field) };
        Self { field, ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.why)
    }
}

/// Why a text cannot be a push token.
pub fn push_token(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if (TOKEN_MIN_BYTES..=TOKEN_MAX_BYTES).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("must be {TOKEN_MIN_BYTES} to {TOKEN_MAX_BYTES} of the characters A-Z a-z 0-9 - _ . ~"))
}

/// What is wrong with a rule, its channels aside.
pub fn rule(rule: &Rule) -> Result<(), Wrong> {
    if rule.channels.is_empty() && rule.escalate.is_none() && !rule.r#continue {
        return Err(Wrong::new("channels", RULE_WITHOUT_CHANNELS));
    }
    let hours = rule.active.iter().flat_map(hours);
    let texts = texts("match", &rule.matcher).into_iter().chain(hours).collect();
    let compiled = Rule { enabled: true, ..rule.clone() };
    patterns(&Tenant { rules: vec![compiled], ..nobody() }, texts)
}

/// What is wrong with a mute.
pub fn mute(mute: &Mute) -> Result<(), Wrong> {
    if mute.from.is_none() && mute.source.is_none() {
        return Err(Wrong::new("", MUTE_OF_EVERYTHING));
    }
    let named = [("from", &mute.from), ("source", &mute.source)];
    let texts = named.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.as_deref()?))).collect();
    patterns(&Tenant { mutes: vec![mute.clone()], ..nobody() }, texts)
}

/// What is wrong with a silence.
pub fn silence(silence: &Silence) -> Result<(), Wrong> {
    let texts = texts("match", &silence.matcher);
    patterns(&Tenant { silences: vec![silence.clone()], ..nobody() }, texts)
}

/// The first pattern of a tenant that does not compile.
pub(crate) fn broken_pattern(tenant: &Tenant) -> Option<PatternError> {
    match CompiledTenant::compile(tenant) {
        Err(ConfigError::Pattern { source, .. }) => Some(source),
        _ => None,
    }
}

/// A tenant to try one item in.
pub(crate) fn nobody() -> Tenant {
    Tenant::empty(TenantId::DEFAULT, "")
}

fn patterns(tenant: &Tenant, texts: Vec<(String, &str)>) -> Result<(), Wrong> {
    let Some(error) = broken_pattern(tenant) else { return Ok(()) };
    let field = texts.into_iter().find(|(_, text)| *text == error.text()).map(|(field, _)| field);
    Err(Wrong::new(field.unwrap_or_default(), error.to_string()))
}

/// The patterns of a matcher, and the fields they stand in.
fn texts<'m>(inside: &str, matcher: &'m Match) -> Vec<(String, &'m str)> {
    let named = [
        ("from", &matcher.from),
        ("to", &matcher.to),
        ("subject", &matcher.subject),
        ("source", &matcher.source),
        ("system", &matcher.system),
        ("category", &matcher.category),
    ];
    let named = named.into_iter().filter_map(|(name, text)| Some((format!("{inside}.{name}"), text.as_deref()?)));
    let labels = matcher.labels.iter().map(|(name, text)| (format!("{inside}.labels.{name}"), text.as_str()));
    named.chain(labels).collect()
}

fn hours(active: &Active) -> Vec<(String, &str)> {
    let days = active.days.iter().enumerate().map(|(i, day)| (format!("active.days[{i}]"), day.as_str()));
    let rest = [("from", Some(&active.from)), ("to", Some(&active.to)), ("timezone", active.timezone.as_ref())];
    let rest = rest.into_iter().filter_map(|(name, text)| Some((format!("active.{name}"), text?.as_str())));
    days.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ChannelId, MuteId, RuleId};

    fn sound() -> Rule {
        Rule {
            id: RuleId(1),
            name: "r".to_owned(),
            matcher: Match::default(),
            channels: vec![ChannelId(1)],
            r#continue: false,
            set_severity: None,
            escalate: None,
            active: None,
            ai_max_wait_ms: None,
            enabled: false,
        }
    }

    fn wrong(rule: &Rule) -> String {
        super::rule(rule).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_a_rule_names_its_field() {
        super::rule(&sound()).unwrap();
        let none = wrong(&Rule { channels: Vec::new(), ..sound() });
        assert!(none.starts_with("channels: names no channels"), "{none}");
        let matcher = Match { labels: [("team".to_owned(), "[a".to_owned())].into(), ..Match::default() };
        let glob = wrong(&Rule { matcher, ..sound() });
        assert!(glob.starts_with("match.labels.team: `[a` is not a valid glob"), "{glob}");
        let active = |days: &[&str], from: &str| Active {
            days: days.iter().map(|&day| day.to_owned()).collect(),
            from: from.to_owned(),
            to: "17:00".to_owned(),
            timezone: None,
        };
        let day = wrong(&Rule { active: Some(active(&["mon", "someday"], "09:00")), ..sound() });
        assert!(day.starts_with("active.days[1]: `someday`"), "{day}");
        let hour = wrong(&Rule { active: Some(active(&[], "nine")), ..sound() });
        assert!(hour.starts_with("active.from: `nine`"), "{hour}");
    }

    #[test]
    fn a_mute_of_everything_and_a_short_token_are_refused() {
        let everything = Mute { id: MuteId(1), from: None, source: None, comment: String::new() };
        assert_eq!(mute(&everything).unwrap_err().to_string(), MUTE_OF_EVERYTHING);
        let broken = Mute { source: Some("[".to_owned()), ..everything };
        assert_eq!(mute(&broken).unwrap_err().field, "source");
        assert!(push_token("short").is_err() && push_token("with/slash/es").is_err());
        push_token("long-enough_.~1").unwrap();
    }

    #[test]
    fn a_field_within_another_is_named_from_the_outside() {
        assert_eq!(Wrong::new("match.from", "x").within("rules[2]").to_string(), "rules[2].match.from: x");
        assert_eq!(Wrong::new("", "x").within("rules[2]").to_string(), "rules[2]: x");
    }
}
