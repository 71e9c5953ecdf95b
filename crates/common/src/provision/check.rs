//! What can only be seen in the file as a whole: names, references, patterns.

use std::collections::{BTreeMap, HashMap};

use secrecy::ExposeSecret as _;

use super::{BotItem, ChannelItem, Located, Platform, Problem, Provision, RuleItem, Vocabulary, fields::Problems};
use crate::{
    config::{
        self, Channel, Escalate, Match, Mute, OpenChannel, Rule, Silence, Tenant,
        check::{broken_pattern, nobody},
    },
    crypto::Sealed,
    ids::{ChannelId, MuteId, RuleId, SilenceId, TenantId},
};

pub(super) fn check(provision: &mut Provision, vocabulary: &Vocabulary, problems: &mut Problems) {
    names(provision, problems);
    references(provision, &vocabulary.platforms, problems);
    templates(provision, problems);
    tokens(provision, problems);
    repeats(provision, problems);
    patterns(provision, problems);
    // Last, and only of a file that is sound otherwise: they would say much of the above again.
    if problems.is_empty() {
        senders(provision, vocabulary, problems);
    }
    if !provision.channels.is_empty() && provision.default_channels.is_empty() {
        let channel = &provision.channels[0].whole;
        provision.warnings.push(Problem {
            file: provision.file.clone(),
            at: channel.at,
            path: "default_channels".to_owned(),
            what: "is missing: what no rule matches will reach nobody".to_owned(),
        });
    }
}

fn names(provision: &Provision, problems: &mut Problems) {
    unique(provision.bots.iter().map(|bot| &bot.name), "a bot", problems);
    unique(provision.templates.iter().map(|template| &template.name), "a template", problems);
    unique(provision.channels.iter().map(|channel| &channel.name), "a channel", problems);
    unique(provision.rules.iter().map(|rule| &rule.name), "a rule", problems);
}

fn unique<'p>(names: impl Iterator<Item = &'p Located<String>>, what: &str, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, name.at.line) {
            problems.add_at(name, format!("{what} of this name is already in line {first}"));
        }
    }
}

fn references(provision: &Provision, platforms: &[Platform], problems: &mut Problems) {
    let bots: Vec<_> = provision.bots.iter().map(|bot| bot.name.value.as_str()).collect();
    for channel in &provision.channels {
        let platform = platforms.iter().find(|platform| platform.name == channel.platform);
        match &channel.bot {
            Some(bot) if !bots.contains(&bot.value.as_str()) => {
                problems.add_at(bot, "there is no such bot in this file");
            }
            None if platform.is_some_and(|platform| !platform.credentials.is_empty()) => {
                problems.add_at(&channel.whole, format!("needs a bot of the platform {}", channel.platform));
            }
            _ => {}
        }
    }
    let channels: Vec<_> = provision.channels.iter().map(|channel| channel.name.value.as_str()).collect();
    let escalated = |rule: &'_ RuleItem| rule.escalate.iter().flat_map(|(_, channels)| channels.clone()).collect();
    let of_rules = provision.rules.iter().flat_map(|rule| [rule.channels.clone(), escalated(rule)]);
    for named in of_rules.chain([provision.default_channels.clone()]) {
        let mut seen = Vec::new();
        for channel in &named {
            if !channels.contains(&channel.value.as_str()) {
                problems.add_at(channel, "there is no such channel in this file");
            } else if seen.contains(&&channel.value) {
                problems.add_at(channel, "is named twice");
            }
            seen.push(&channel.value);
        }
    }
}

/// Names of templates, and whether each can ever be used.
fn templates(provision: &Provision, problems: &mut Problems) {
    for channel in &provision.channels {
        let mut always = None;
        for (name, when) in &channel.templates {
            if !provision.templates.iter().any(|template| template.name.value == name.value) {
                problems.add_at(name, "there is no such template in this file");
            }
            if let Some(line) = always {
                problems.add_at(name, format!("is never used: the template in line {line} has no `when`"));
            }
            if when.is_none() {
                always = always.or(Some(name.at.line));
            }
        }
    }
}

fn tokens(provision: &Provision, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for token in provision.channels.iter().filter_map(|channel| channel.push_token.as_ref()) {
        let text = token.value.expose_secret();
        if let Err(why) = config::check::push_token(text) {
            problems.add_at(token, why);
        }
        if let Some(first) = seen.insert(text, token.at.line) {
            problems.add_at(token, format!("is the same as in line {first}"));
        }
    }
}

fn repeats(provision: &Provision, problems: &mut Problems) {
    for (index, mute) in provision.mutes.iter().enumerate() {
        if provision.mutes[..index].iter().any(|other| (&other.from, &other.source) == (&mute.from, &mute.source)) {
            problems.add_at(&mute.whole, "is the same as a mute above");
        }
    }
    for (index, silence) in provision.silences.iter().enumerate() {
        if provision.silences[..index].iter().any(|other| other.matcher == silence.matcher) {
            problems.add_at(&silence.whole, "has the same conditions as a silence above");
        }
    }
}

/// Asks for each channel whether it can be sent through as it stands.
fn senders(provision: &Provision, vocabulary: &Vocabulary, problems: &mut Problems) {
    for item in &provision.channels {
        let named = |bot: &&BotItem| item.bot.as_ref().is_some_and(|name| name.value == bot.name.value);
        let bot = provision.bots.iter().find(named);
        let Err((field, why)) = (vocabulary.channel)(&item.open(bot)) else { continue };
        match (item.places.get(&field), bot) {
            (Some(place), _) => problems.add_at(place, why),
            (None, Some(bot)) if bot.credentials.contains_key(&field) => {
                problems.add_at(&bot.name, format!("`{field}` {why}"));
            }
            (None, _) => problems.add_at(&item.whole, format!("`{field}` {why}")),
        }
    }
}

/// Compiles rules, mutes and silences one by one, so that each broken one is found, with its line.
fn patterns(provision: &Provision, problems: &mut Problems) {
    for item in &provision.rules {
        let rule = Rule { enabled: true, ..item.rule(RuleId(1), &BTreeMap::new()) };
        let tenant = Tenant { rules: vec![rule], ..nobody() };
        compile(&tenant, &item.name.with(()), &item.patterns, problems);
    }
    for item in &provision.mutes {
        let mute = Mute { id: MuteId(1), from: item.from.clone(), source: item.source.clone(), comment: String::new() };
        compile(&Tenant { mutes: vec![mute], ..nobody() }, &item.whole, &item.patterns, problems);
    }
    for item in &provision.silences {
        let matcher = item.matcher.clone();
        let silence = Silence { id: SilenceId(1), matcher, expires_at: item.expires_at, comment: String::new() };
        compile(&Tenant { silences: vec![silence], ..nobody() }, &item.whole, &item.patterns, problems);
    }
}

fn compile(tenant: &Tenant, item: &Located<()>, patterns: &[Located<String>], problems: &mut Problems) {
    let Some(error) = broken_pattern(tenant) else { return };
    match patterns.iter().find(|pattern| pattern.value == error.text()) {
        Some(pattern) => problems.add_at(pattern, error.to_string()),
        None => problems.add_at(item, error.to_string()),
    }
}

impl ChannelItem {
    /// The channel as it would be sent through, before it has an id, a push token or templates.
    fn open(&self, bot: Option<&BotItem>) -> OpenChannel {
        let credentials = bot.iter().flat_map(|bot| &bot.credentials);
        let secrets = credentials.chain(&self.secrets).map(|(name, secret)| (name.clone(), secret.clone())).collect();
        let channel = Channel {
            id: ChannelId(1),
            name: self.name.value.clone(),
            platform: self.platform.clone(),
            bot: None,
            target: self.target.clone(),
            options: self.options.clone(),
            secrets: BTreeMap::new(),
            rate_per_min: self.rate_per_min,
            dedup_window_s: self.dedup_window_s,
            push_token: Sealed::default(),
            templates: Vec::new(),
            enabled: self.enabled,
        };
        OpenChannel { tenant: TenantId::DEFAULT, channel, secrets, trusted: true, templates: Vec::new() }
    }
}

impl RuleItem {
    /// The rule with the ids of its channels; those that have none are left out.
    pub(super) fn rule(&self, id: RuleId, channels: &BTreeMap<String, ChannelId>) -> Rule {
        let ids =
            |names: &[Located<String>]| names.iter().filter_map(|name| channels.get(&name.value).copied()).collect();
        Rule {
            id,
            name: self.name.value.clone(),
            matcher: Match::clone(&self.matcher),
            channels: ids(&self.channels),
            r#continue: self.goes_on,
            set_severity: self.set_severity,
            escalate: self.escalate.as_ref().map(|(severity_at_least, names)| Escalate {
                severity_at_least: *severity_at_least,
                channels: ids(names),
            }),
            active: self.active.clone(),
            ai_max_wait_ms: self.ai_max_wait_ms,
            enabled: self.enabled,
        }
    }
}
