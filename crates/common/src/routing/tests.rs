//! Routing tables: a rule set, an alert, a time; where it goes and why.

use std::{collections::BTreeMap, time::Instant};

use super::*;
use crate::{
    ai::Ai,
    alert::{Event, Origin, Status},
    config::Channel,
    crypto::{Place, Vault},
    ids::{EventId, MuteId, RuleId, TenantId},
};

const OPS: ChannelId = ChannelId(1);
const SINK: ChannelId = ChannelId(2);
const OFF: ChannelId = ChannelId(3);
const GONE: ChannelId = ChannelId(9);
/// 2026-11-20T10:00:00Z, a Friday.
const NOW: UnixMillis = 1_795_168_800_000;

fn channel(id: ChannelId, name: &str, enabled: bool) -> Channel {
    let vault = Vault::from_base64(&"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()).unwrap();
    Channel {
        id,
        name: name.to_owned(),
        platform: "console".to_owned(),
        bot: None,
        target: String::new(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, id), &"x".into()),
        templates: Vec::new(),
        enabled,
    }
}

fn tenant(rules: Vec<Rule>, default_channels: &[ChannelId]) -> Tenant {
    Tenant {
        id: TenantId::DEFAULT,
        name: "default".to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: vec![channel(OPS, "ops", true), channel(SINK, "sink", true), channel(OFF, "off", false)],
        rules,
        default_channels: default_channels.to_vec(),
        mutes: Vec::new(),
        silences: Vec::new(),
        ai: Ai::default(),
        operators: crate::config::Operators::All,
        drills: BTreeMap::new(),
    }
}

fn rule(name: &str, matcher: Match, channels: &[ChannelId]) -> Rule {
    Rule {
        id: RuleId(1),
        name: name.to_owned(),
        matcher,
        channels: channels.to_vec(),
        r#continue: false,
        set_severity: None,
        escalate: None,
        active: None,
        ai_max_wait_ms: None,
        enabled: true,
    }
}

fn alert(severity: Severity) -> Alert {
    let text = |text: &str| text.to_owned();
    let id = EventId::derived(&[b"1"]);
    Alert {
        event: Event {
            id,
            tenant: TenantId::DEFAULT,
            received_at: NOW,
            source: text("mail"),
            channel: None,
            peer: None,
            from: vec![text("bounce@relay.example"), text("root@db-servers.local")],
            to: vec![text("alerts@example.org")],
            subject: text("Disk FULL on db1"),
            text: String::new(),
            labels: [(text("team"), text("Storage"))].into(),
            attachments: Vec::new(),
        },
        analysis: Analysis {
            severity,
            status: Status::Firing,
            category: text("disk"),
            system: text("db1"),
            summary: text("the disk is full"),
            action: String::new(),
            origin: Origin::Rules,
            confidence: 1.0,
        },
        fingerprint: text("0123456789abcdef0123456789abcdef"),
        id: Alert::id_of(TenantId::DEFAULT, "0123456789abcdef0123456789abcdef"),
    }
}

fn route(tenant: &Tenant, alert: &Alert) -> Routing {
    CompiledTenant::compile(tenant).unwrap().route(alert, NOW)
}

#[test]
fn every_condition_of_a_match_must_hold() {
    let label = |name: &str, pattern: &str| [(name.to_owned(), pattern.to_owned())].into();
    let table = [
        (Match::default(), true),
        (Match { from: Some("*@db-servers.local".into()), ..Match::default() }, true), // the second address
        (Match { from: Some("*@web.local".into()), ..Match::default() }, false),
        (Match { to: Some("alerts@*".into()), ..Match::default() }, true),
        (Match { subject: Some("*disk full*".into()), ..Match::default() }, true),
        (Match { source: Some("push".into()), ..Match::default() }, false),
        (Match { system: Some("db[0-9]".into()), ..Match::default() }, true),
        (Match { category: Some("backup".into()), ..Match::default() }, false),
        (Match { severity_at_least: Some(Severity::Warning), ..Match::default() }, true),
        (Match { severity_at_least: Some(Severity::Critical), ..Match::default() }, false),
        (Match { labels: label("team", "storage"), ..Match::default() }, true),
        (Match { labels: label("team", "web"), ..Match::default() }, false),
        (Match { labels: label("absent", ""), ..Match::default() }, true),
        (Match { labels: label("absent", "*"), ..Match::default() }, true),
        (Match { labels: label("absent", "?*"), ..Match::default() }, false),
        (Match { system: Some("db1".into()), source: Some("push".into()), ..Match::default() }, false),
    ];
    for (matcher, matched) in table {
        let routing = route(&tenant(vec![rule("r", matcher.clone(), &[OPS])], &[]), &alert(Severity::Error));
        assert_eq!(routing.channels == [OPS], matched, "{matcher:?}");
    }
}

#[test]
fn an_event_without_addresses_matches_a_star_and_nothing_narrower() {
    let mut alert = alert(Severity::Info);
    alert.event.from.clear();
    for (pattern, matched) in [("*", true), ("", true), ("*@*", false)] {
        let matcher = Match { from: Some(pattern.into()), ..Match::default() };
        let routing = route(&tenant(vec![rule("r", matcher, &[OPS])], &[]), &alert);
        assert_eq!(routing.channels == [OPS], matched, "{pattern}");
    }
}

#[test]
fn the_first_match_wins_unless_it_continues() {
    let mut rules = vec![rule("first", Match::default(), &[OPS]), rule("second", Match::default(), &[SINK, OPS])];
    assert_eq!(route(&tenant(rules.clone(), &[]), &alert(Severity::Info)).channels, [OPS]);
    rules[0].r#continue = true;
    let routing = route(&tenant(rules.clone(), &[]), &alert(Severity::Info));
    assert_eq!(routing.channels, [OPS, SINK]);
    assert_eq!(
        routing.reasons,
        ["rule `first` matched: goes to `ops`", "rule `second` matched: goes to `sink`, `ops`"]
    );
    rules[0].enabled = false;
    assert_eq!(route(&tenant(rules, &[]), &alert(Severity::Info)).channels, [SINK, OPS]);
}

#[test]
fn the_addressed_channel_always_gets_it_and_rules_add() {
    let mut alert = alert(Severity::Info);
    alert.event.channel = Some(SINK);
    let routing = route(&tenant(vec![rule("r", Match::default(), &[OPS])], &[OPS]), &alert);
    assert_eq!(routing.channels, [SINK, OPS]);
    assert_eq!(routing.reasons, ["it was addressed to `sink`", "rule `r` matched: goes to `ops`"]);
    assert_eq!(route(&tenant(vec![], &[OPS]), &alert).channels, [SINK]);
}

#[test]
fn what_nothing_named_goes_to_the_default() {
    let miss = rule("miss", Match { source: Some("push".into()), ..Match::default() }, &[OPS]);
    let routing = route(&tenant(vec![miss], &[SINK]), &alert(Severity::Info));
    assert_eq!(routing.channels, [SINK]);
    assert_eq!(routing.reasons, ["no rule named a channel: goes to the default, `sink`"]);
    // A rule that only sets the severity keeps nothing from anyone.
    let mut only_severity = rule("quiet", Match::default(), &[]);
    only_severity.set_severity = Some(Severity::Info);
    assert_eq!(route(&tenant(vec![only_severity], &[SINK]), &alert(Severity::Error)).channels, [SINK]);
}

#[test]
fn without_any_channel_it_is_unrouted() {
    let routing = route(&tenant(vec![], &[]), &alert(Severity::Info));
    assert_eq!(routing.ending, Some(Ending::Unrouted));
    assert_eq!(routing.reasons, ["no rule named a channel and there is no default channel"]);
}

#[test]
fn disabled_and_missing_channels_are_left_out_with_a_reason() {
    let routing = route(&tenant(vec![rule("r", Match::default(), &[OFF, GONE, OPS])], &[]), &alert(Severity::Info));
    assert_eq!(routing.channels, [OPS]);
    assert_eq!(routing.ending, None);
    let routing = route(&tenant(vec![rule("r", Match::default(), &[OFF, GONE])], &[OPS]), &alert(Severity::Info));
    assert_eq!(routing.ending, Some(Ending::Unrouted));
    assert_eq!(
        routing.reasons,
        [
            "rule `r` matched: goes to `off`, channel 9",
            "channel `off` is left out: it is disabled",
            "channel 9 is left out: it does not exist",
        ]
    );
}

#[test]
fn a_rule_sets_the_severity_and_later_rules_see_it() {
    let mut lower = rule("noisy", Match::default(), &[OPS]);
    lower.set_severity = Some(Severity::Info);
    lower.r#continue = true;
    let critical = Match { severity_at_least: Some(Severity::Critical), ..Match::default() };
    let rules = vec![lower, rule("critical everywhere", critical, &[SINK])];
    let routing = route(&tenant(rules, &[]), &alert(Severity::Critical));
    assert_eq!(routing.channels, [OPS]);
    assert_eq!(routing.severity, Severity::Info);
    let analysis = routing.analysis.unwrap();
    assert_eq!((analysis.severity, analysis.origin), (Severity::Info, Origin::Rules));
    assert_eq!(routing.reasons[1], "rule `noisy` set the severity to info (it was critical)");
}

#[test]
fn escalation_adds_channels_from_its_severity_on() {
    let mut rules = vec![rule("r", Match::default(), &[OPS])];
    rules[0].escalate = Some(Escalate { severity_at_least: Severity::Error, channels: vec![SINK] });
    assert_eq!(route(&tenant(rules.clone(), &[]), &alert(Severity::Warning)).channels, [OPS]);
    let routing = route(&tenant(rules.clone(), &[]), &alert(Severity::Error));
    assert_eq!(routing.channels, [OPS, SINK]);
    assert_eq!(routing.reasons[1], "rule `r` escalates error to `sink`");
    rules[0].set_severity = Some(Severity::Critical);
    assert_eq!(route(&tenant(rules, &[]), &alert(Severity::Info)).channels, [OPS, SINK]);
}

#[test]
fn a_rule_outside_its_hours_is_passed_over_and_says_so() {
    let mut night = rule("night", Match::default(), &[OPS]);
    night.active = Some(Active { days: vec![], from: "22:00".into(), to: "06:00".into(), timezone: None });
    let rules = vec![night, rule("day", Match::default(), &[SINK])];
    let routing = route(&tenant(rules, &[]), &alert(Severity::Info));
    assert_eq!(routing.channels, [SINK]);
    assert_eq!(routing.reasons[0], "rule `night` matched outside its hours");
}

#[test]
fn a_silence_keeps_it_from_all_channels_until_it_expires() {
    let mut tenant = tenant(vec![rule("r", Match::default(), &[OPS])], &[]);
    let silence =
        |id, matcher, expires_at| Silence { id: SilenceId(id), matcher, expires_at, comment: "moving".into() };
    tenant.silences = vec![
        silence(1, Match::default(), NOW),
        silence(2, Match { system: Some("web*".into()), ..Match::default() }, NOW + 1),
        silence(3, Match { system: Some("db*".into()), ..Match::default() }, NOW + 1),
    ];
    let compiled = CompiledTenant::compile(&tenant).unwrap();
    let routing = compiled.route(&alert(Severity::Critical), NOW);
    assert_eq!((routing.channels.len(), routing.silenced), (0, Some(SilenceId(3))));
    assert_eq!(routing.ending, Some(Ending::Silenced));
    assert_eq!(
        routing.reasons,
        [
            "rule `r` matched: goes to `ops`",
            "silence 3 (`moving`) keeps it from all channels until 2026-11-20 10:00:00 UTC"
        ]
    );
    assert_eq!(compiled.route(&alert(Severity::Critical), NOW + 1).channels, [OPS]);
}

#[test]
fn mutes_drop_senders_and_sources() {
    let mut tenant = tenant(vec![], &[]);
    let mute = |from: Option<&str>, source: Option<&str>, comment: &str| Mute {
        id: MuteId(1),
        from: from.map(str::to_owned),
        source: source.map(str::to_owned),
        comment: comment.to_owned(),
    };
    tenant.mutes = vec![
        mute(None, None, "means nothing"),
        mute(Some("noreply@*"), None, "newsletter"),
        mute(Some("*@lab"), Some("push"), "lab"),
    ];
    let compiled = CompiledTenant::compile(&tenant).unwrap();
    let muted = |from: &str, source| compiled.muted(&[from.to_owned()], source).map(|mute| mute.comment.as_str());
    assert_eq!(muted("noreply@shop.example", "mail"), Some("newsletter"));
    assert_eq!(muted("a@lab", "push"), Some("lab"));
    assert_eq!(muted("a@lab", "mail"), None);
    assert!(compiled.muted(&[], "push").is_none());
}

#[test]
fn a_broken_glob_names_rule_field_and_pattern() {
    let error = |rule: Rule| CompiledTenant::compile(&tenant(vec![rule], &[])).unwrap_err().to_string();
    let broken = Match { subject: Some("disk[0-9".into()), ..Match::default() };
    let text = error(rule("disks", broken.clone(), &[]));
    assert_eq!(text, "rule `disks`, subject: `disk[0-9` is not a valid glob: `[` is never closed");
    assert!(error(Rule { enabled: false, ..rule("disks", broken, &[]) }).contains("disk[0-9"));
    let label = Match { labels: [("team".to_owned(), "[".to_owned())].into(), ..Match::default() };
    assert!(error(rule("teams", label, &[])).starts_with("rule `teams`, label `team`: `[`"));
    let mut windowed = rule("nights", Match::default(), &[]);
    windowed.active = Some(Active { days: vec![], from: "x".into(), to: "06:00".into(), timezone: None });
    assert!(error(windowed).starts_with("rule `nights`, active: `x` is not a valid time"));
}

#[test]
fn thousands_of_matching_rules_do_not_swell_the_reasons() {
    let rules = (0..5_000).map(|i| Rule { r#continue: true, ..rule(&i.to_string(), Match::default(), &[OPS]) });
    let routing = route(&tenant(rules.collect(), &[]), &alert(Severity::Info));
    assert_eq!(routing.reasons.len(), REASONS_MAX);
}

/// Each rule has patterns of its own in two fields. The bounds leave room for a loaded machine and an
/// unoptimised build.
#[test]
fn five_thousand_rules_stay_fast() {
    let conditions = |i: usize| Match {
        from: Some(format!("*@host{i}.example.org")),
        subject: Some(format!("*service {i} is*")),
        ..Match::default()
    };
    let rules = (0..5_000).map(|i| rule(&i.to_string(), conditions(i), &[OPS])).collect();
    let started = Instant::now();
    let compiled = CompiledTenant::compile(&tenant(rules, &[SINK])).unwrap();
    let compile = started.elapsed();
    let of_host = |i: usize| {
        let mut alert = alert(Severity::Error);
        alert.event.from = vec![format!("noreply@host{i}.example.org")];
        alert.event.subject = format!("Service {i} is DOWN on a host with a fairly long name");
        alert
    };
    let alerts: Vec<Alert> = (4_800..5_000).map(of_host).collect();
    let started = Instant::now();
    for alert in &alerts {
        assert_eq!(compiled.route(alert, NOW).channels, [OPS]);
    }
    let each = started.elapsed() / 200;
    println!("5,000 rules: compiled in {compile:?}, routed in {each:?}");
    assert!(compile.as_secs() < 20 && each.as_millis() < 10, "compiled in {compile:?}, routed in {each:?}");
}

/// The alert of the tests with what a model made of it: this severity, and words that matchers must not see.
fn with_model(tenant: &Tenant, severity: Severity) -> (Routing, Routing) {
    let alert = alert(Severity::Warning);
    let words = || "the model's".to_owned();
    let refined = Analysis { severity, system: words(), category: words(), summary: words(), ..alert.analysis.clone() };
    let tenant = CompiledTenant::compile(tenant).unwrap();
    (tenant.route(&alert, NOW), tenant.route_with(&alert, Some(&refined), NOW))
}

#[test]
fn a_severity_that_a_model_raised_adds_channels_and_takes_none_away() {
    let critical = Match { severity_at_least: Some(Severity::Critical), ..Match::default() };
    let rules = vec![
        Rule { set_severity: Some(Severity::Info), ..rule("worst first", critical.clone(), &[SINK]) },
        rule("all", Match::default(), &[OPS]),
    ];
    let mut tenant = tenant(rules, &[]);
    let (without, with) = with_model(&tenant, Severity::Critical);
    assert_eq!((&*without.channels, &*with.channels, &*with.raised), (&[OPS][..], &[OPS, SINK][..], &[SINK][..]));
    assert_eq!(
        (with.severity, with.unraised),
        (Severity::Warning, Severity::Warning),
        "not lower, though a rule says info"
    );
    assert_eq!(with.analysis.as_ref().unwrap().summary, "the model's");
    assert!(
        with.reasons.last().unwrap().contains("raised the severity from warning to critical"),
        "{:?}",
        with.reasons
    );

    // A silence for what is critical does not hold back what is critical to the model only; another one does.
    tenant.rules[0].set_severity = None;
    tenant.silences.push(Silence { id: SilenceId(1), matcher: critical, expires_at: NOW + 1, comment: String::new() });
    let (_, with) = with_model(&tenant, Severity::Critical);
    assert_eq!((&*with.channels, with.silenced), (&[OPS][..], None));
    tenant.silences[0].matcher = Match::default();
    let (_, with) = with_model(&tenant, Severity::Critical);
    assert_eq!((&*with.channels, with.silenced, with.ending), (&[][..], Some(SilenceId(1)), Some(Ending::Silenced)));
}

#[test]
fn a_model_lowers_nothing_and_matchers_do_not_see_its_words() {
    let astray = Match { system: Some("the model's".to_owned()), ..Match::default() };
    let tenant = tenant(vec![rule("astray", astray, &[SINK]), rule("all", Match::default(), &[OPS])], &[]);
    let (without, with) = with_model(&tenant, Severity::Info);
    assert_eq!((&with.channels, with.severity), (&without.channels, Severity::Warning));
    assert_eq!(with.reasons, without.reasons);
}

#[test]
fn the_longest_wait_of_the_matching_rules_counts() {
    let waits =
        |name: &str, wait| Rule { r#continue: true, ai_max_wait_ms: wait, ..rule(name, Match::default(), &[OPS]) };
    let wait = |rules| route(&tenant(rules, &[]), &alert(Severity::Warning)).ai_max_wait;
    assert_eq!(wait(vec![waits("a", None)]), None);
    assert_eq!(
        wait(vec![waits("a", Some(500)), waits("b", Some(2_000)), waits("c", Some(0))]),
        Some(Duration::from_secs(2))
    );
}
