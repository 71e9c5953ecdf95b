//! Routing: a pure function of (alert, rules, time) that says where an alert goes and why.
//!
//! The order of things, which the reasons follow:
//! 1. The channel that the event was addressed to gets it, whatever the rules say.
//! 2. Rules are tried in order. One that matches, inside its hours, may set the severity and names channels;
//!    it ends the search unless it says `continue`. Later rules see the severity that earlier ones set.
//! 3. If nothing named a channel, the default channels get it.
//! 4. Channels that are disabled or gone are left out. None left: the event is unrouted.
//! 5. A silence that matches keeps the alert from all channels.
//!
//! What a language model said about an alert comes after that ([`CompiledTenant::route_with`]): it can add channels,
//! and takes none away.

mod glob;
mod matcher;
mod refined;
mod window;

use std::{borrow::Cow, collections::HashMap, time::Duration};

use jiff::Timestamp;

pub use self::glob::PATTERN_MAX_BYTES;
use self::{
    matcher::{Look, Matchers, MatchersBuilder},
    window::Window,
};
use crate::{
    alert::{Alert, Analysis, Severity},
    clock::UnixMillis,
    config::{Active, ConfigError, Escalate, Match, Mute, Rule, Silence, Tenant},
    ids::{ChannelId, RuleId, SilenceId},
    queue::Ending,
};

/// How many reasons are kept: enough for a person; thousands of `continue` rules do not swell the history.
pub const REASONS_MAX: usize = 50;

/// Why a glob or time window cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("`{pattern}` is not a valid glob: {why}")]
    Glob { pattern: String, why: String },
    #[error("`{value}` is not a valid {what}")]
    Window { what: &'static str, value: String },
}

impl PatternError {
    /// The text that cannot be used.
    pub fn text(&self) -> &str {
        match self {
            Self::Glob { pattern, .. } => pattern,
            Self::Window { value, .. } => value,
        }
    }
}

/// Where an alert goes and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    /// Each channel once, in the order in which it was named. Empty when the event ends here.
    pub channels: Vec<ChannelId>,
    /// The silence that keeps it from all channels.
    pub silenced: Option<SilenceId>,
    /// The severity after the rules.
    pub severity: Severity,
    /// The analysis with the rules' severity, when they changed it. Its origin stays: only the severity is
    /// a person's word.
    pub analysis: Option<Analysis>,
    /// The rules that matched inside their hours, in order; at most [`REASONS_MAX`].
    pub rules: Vec<RuleId>,
    /// Short sentences for people, in the order of the decisions; at most [`REASONS_MAX`].
    pub reasons: Vec<String>,
    /// How the event ends here: silenced or unrouted. `None` when there is a channel to deliver to.
    pub ending: Option<Ending>,
    /// The severity after the rules, had no model raised it. Deduplication compares this one.
    pub unraised: Severity,
    /// Those of the channels that only the model's severity named.
    pub raised: Vec<ChannelId>,
    /// The longest wait for the model's answer that a matching rule asks for.
    pub ai_max_wait: Option<Duration>,
}

/// One tenant's rules, mutes and silences, compiled.
#[derive(Debug, Default)]
pub struct CompiledTenant {
    pub name: String,
    channels: HashMap<ChannelId, Destination>,
    default_channels: Vec<ChannelId>,
    /// The rules that are enabled; `rule_matchers` has their conditions under the same numbers.
    rules: Vec<CompiledRule>,
    rule_matchers: Matchers,
    /// `silence_matchers` has their conditions under the same numbers; so for the mutes.
    silences: Vec<Silence>,
    silence_matchers: Matchers,
    mutes: Vec<Mute>,
    mute_matchers: Matchers,
}

#[derive(Debug)]
struct Destination {
    name: String,
    enabled: bool,
}

#[derive(Debug)]
struct CompiledRule {
    id: RuleId,
    name: String,
    channels: Vec<ChannelId>,
    and_on: bool,
    set_severity: Option<Severity>,
    escalate: Option<Escalate>,
    window: Option<Window>,
    ai_max_wait: Option<Duration>,
}

impl CompiledTenant {
    /// Compiles all patterns; the first broken one is named with its rule and field. Disabled rules are
    /// checked too, so that none breaks on the day it is switched on.
    pub fn compile(tenant: &Tenant) -> Result<Self, ConfigError> {
        let destination = |channel: &crate::config::Channel| {
            let bot = tenant.bots.iter().find(|bot| Some(bot.id) == channel.bot);
            let enabled = channel.enabled && bot.is_none_or(|bot| bot.enabled);
            (channel.id, Destination { name: channel.name.clone(), enabled })
        };
        let (rules, rule_matchers) = compile_rules(&tenant.rules)?;
        // A mute without a condition would drop everything, which nobody means: it drops nothing.
        let meant = |mute: &&Mute| mute.from.is_some() || mute.source.is_some();
        let mutes: Vec<Mute> = tenant.mutes.iter().filter(meant).cloned().collect();
        let mute_match =
            |mute: &Mute| Match { from: mute.from.clone(), source: mute.source.clone(), ..Match::default() };
        let silences = tenant.silences.clone();
        Ok(Self {
            name: tenant.name.clone(),
            channels: tenant.channels.iter().map(destination).collect(),
            default_channels: tenant.default_channels.clone(),
            rules,
            rule_matchers,
            silence_matchers: compile_all("silence", &silences, |silence| {
                (silence.id.0, Cow::Borrowed(&silence.matcher))
            })?,
            silences,
            mute_matchers: compile_all("mute", &mutes, |mute| (mute.id.0, Cow::Owned(mute_match(mute))))?,
            mutes,
        })
    }

    /// Decides where an alert goes at that time. The same arguments give the same answer, for ever.
    pub fn route(&self, alert: &Alert, now_ms: UnixMillis) -> Routing {
        let mut walk = Walk::new(self, alert, now_ms);
        walk.addressed();
        walk.rules();
        walk.defaults();
        walk.leave_out();
        walk.silences();
        walk.routing()
    }

    /// The first mute that drops what comes from these addresses through this source.
    pub fn muted(&self, from: &[String], source: &str) -> Option<&Mute> {
        if self.mutes.is_empty() {
            return None;
        }
        let seen = self.mute_matchers.look(Look { from, source, ..Look::default() });
        let mut all = self.mutes.iter().enumerate();
        // Nothing is known of the severity yet, and no mute asks for it.
        all.find_map(|(i, mute)| seen.holds(i, Severity::Critical).then_some(mute))
    }
}

fn compile_rules(rules: &[Rule]) -> Result<(Vec<CompiledRule>, Matchers), ConfigError> {
    let mut used = MatchersBuilder::default();
    let mut unused = MatchersBuilder::default();
    let mut compiled = Vec::with_capacity(rules.len());
    for rule in rules {
        let whose = format!("rule `{}`", rule.name);
        let window = rule.active.as_ref().map(|active| compile_window(&whose, active)).transpose()?;
        if !rule.enabled {
            unused.add(&whose, &rule.matcher)?;
            continue;
        }
        used.add(&whose, &rule.matcher)?;
        compiled.push(CompiledRule {
            id: rule.id,
            name: rule.name.clone(),
            channels: rule.channels.clone(),
            and_on: rule.r#continue,
            set_severity: rule.set_severity,
            escalate: rule.escalate.clone(),
            window,
            ai_max_wait: rule.ai_max_wait_ms.map(|wait| Duration::from_millis(wait.into())),
        });
    }
    Ok((compiled, used.build()))
}

fn compile_window(whose: &str, active: &Active) -> Result<Window, ConfigError> {
    Window::compile(active).map_err(|source| ConfigError::Pattern { whose: format!("{whose}, active"), source })
}

fn compile_all<T>(
    what: &str,
    all: &[T],
    conditions: impl for<'a> Fn(&'a T) -> (i64, Cow<'a, Match>),
) -> Result<Matchers, ConfigError> {
    let mut builder = MatchersBuilder::default();
    for one in all {
        let (id, matcher) = conditions(one);
        builder.add(&format!("{what} {id}"), &matcher)?;
    }
    Ok(builder.build())
}

/// One routing decision in the making; a method per step.
struct Walk<'a> {
    tenant: &'a CompiledTenant,
    alert: &'a Alert,
    now_ms: UnixMillis,
    severity: Severity,
    channels: Vec<ChannelId>,
    silenced: Option<SilenceId>,
    rules: Vec<RuleId>,
    reasons: Vec<String>,
    ai_max_wait: Option<Duration>,
}

impl<'a> Walk<'a> {
    fn new(tenant: &'a CompiledTenant, alert: &'a Alert, now_ms: UnixMillis) -> Self {
        let severity = alert.analysis.severity;
        let (channels, rules, reasons) = (Vec::new(), Vec::new(), Vec::new());
        Self { tenant, alert, now_ms, severity, channels, silenced: None, rules, reasons, ai_max_wait: None }
    }

    fn say(&mut self, reason: impl FnOnce() -> String) {
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason());
        }
    }

    fn name(&mut self, channels: &[ChannelId]) {
        for &channel in channels {
            if !self.channels.contains(&channel) {
                self.channels.push(channel);
            }
        }
    }

    fn addressed(&mut self) {
        if let Some(channel) = self.alert.event.channel {
            self.name(&[channel]);
            let names = self.tenant.names(&[channel]);
            self.say(|| format!("it was addressed to {names}"));
        }
    }

    fn rules(&mut self) {
        let tenant = self.tenant;
        if tenant.rules.is_empty() {
            return;
        }
        let seen = tenant.rule_matchers.look(Look::from(self.alert));
        for (i, rule) in tenant.rules.iter().enumerate() {
            if !seen.holds(i, self.severity) {
                continue;
            }
            if rule.window.as_ref().is_some_and(|window| !window.contains(self.now_ms)) {
                self.say(|| format!("rule `{}` matched outside its hours", rule.name));
                continue;
            }
            self.apply(rule);
            if !rule.and_on {
                break;
            }
        }
    }

    fn apply(&mut self, rule: &CompiledRule) {
        let tenant = self.tenant;
        if self.rules.len() < REASONS_MAX {
            self.rules.push(rule.id);
        }
        if rule.channels.is_empty() {
            self.say(|| format!("rule `{}` matched", rule.name));
        } else {
            self.say(|| format!("rule `{}` matched: goes to {}", rule.name, tenant.names(&rule.channels)));
        }
        if let Some(severity) = rule.set_severity.filter(|&severity| severity != self.severity) {
            let before = self.severity;
            self.severity = severity;
            self.say(|| format!("rule `{}` set the severity to {severity} (it was {before})", rule.name));
        }
        self.ai_max_wait = self.ai_max_wait.max(rule.ai_max_wait);
        self.name(&rule.channels);
        if let Some(escalate) = rule.escalate.as_ref().filter(|escalate| self.severity >= escalate.severity_at_least) {
            self.name(&escalate.channels);
            let severity = self.severity;
            let names = tenant.names(&escalate.channels);
            self.say(|| format!("rule `{}` escalates {severity} to {names}", rule.name));
        }
    }

    fn defaults(&mut self) {
        let tenant = self.tenant;
        if !self.channels.is_empty() {
            return;
        }
        if tenant.default_channels.is_empty() {
            self.say(|| "no rule named a channel and there is no default channel".to_owned());
        } else {
            self.name(&tenant.default_channels);
            self.say(|| {
                format!("no rule named a channel: goes to the default, {}", tenant.names(&tenant.default_channels))
            });
        }
    }

    fn leave_out(&mut self) {
        let tenant = self.tenant;
        for id in std::mem::take(&mut self.channels) {
            match tenant.channels.get(&id) {
                Some(channel) if channel.enabled => self.channels.push(id),
                Some(channel) => self.say(|| format!("channel `{}` is left out: it is disabled", channel.name)),
                None => self.say(|| format!("channel {id} is left out: it does not exist")),
            }
        }
    }

    fn silences(&mut self) {
        let tenant = self.tenant;
        if tenant.silences.iter().all(|silence| silence.expires_at <= self.now_ms) {
            return;
        }
        let seen = tenant.silence_matchers.look(Look::from(self.alert));
        let mut all = tenant.silences.iter().enumerate();
        let found = all.find(|(i, silence)| silence.expires_at > self.now_ms && seen.holds(*i, self.severity));
        let Some((_, silence)) = found else {
            return;
        };
        self.channels.clear();
        self.silenced = Some(silence.id);
        // Always said, however many reasons there are: it is the one that decided.
        self.reasons.truncate(REASONS_MAX - 1);
        let until = Timestamp::from_millisecond(silence.expires_at).map_or_else(
            |_| "for ever".to_owned(),
            |until| format!("until {}", until.strftime("%Y-%m-%d %H:%M:%S UTC")),
        );
        self.say(|| match silence.comment.as_str() {
            "" => format!("silence {} keeps it from all channels {until}", silence.id),
            comment => format!("silence {} (`{comment}`) keeps it from all channels {until}", silence.id),
        });
    }

    fn routing(self) -> Routing {
        let Self { alert, severity, channels, silenced, rules, reasons, ai_max_wait, .. } = self;
        let ending = match (silenced, channels.is_empty()) {
            (Some(_), _) => Some(Ending::Silenced),
            (None, true) => Some(Ending::Unrouted),
            (None, false) => None,
        };
        let changed = severity != alert.analysis.severity;
        let analysis = changed.then(|| Analysis { severity, ..alert.analysis.clone() });
        let raised = Vec::new();
        let unraised = severity;
        Routing { channels, silenced, severity, analysis, rules, reasons, ending, unraised, raised, ai_max_wait }
    }
}

impl CompiledTenant {
    fn names(&self, channels: &[ChannelId]) -> String {
        let name = |id: &ChannelId| match self.channels.get(id) {
            Some(channel) => format!("`{}`", channel.name),
            None => format!("channel {id}"),
        };
        channels.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests;
