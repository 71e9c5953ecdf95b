//! Part of `make bench`: what single steps of an alert's way cost, without queue and network. No figure is a test.

use std::{
    collections::BTreeMap,
    hint::black_box,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::SecretString;
use serde_json::json;
use watchbell_analysis::{Analysed, analyse, labelled};
use watchbell_channels::{Tools, Voice};
use watchbell_common::{
    alert::Alert,
    clock::{SystemClock, UnixMillis},
    config::{Match, OpenChannel, ParseMode, Snapshot, Template, Tenant},
    crypto::{Place, Vault},
    ids::{ChannelId, DeliveryId, TemplateId, TenantId},
    outbound,
    payload::{AlertPayload, DeliverPayload},
    routing::CompiledTenant,
};

/// As many rules as the largest rule set we want to be quick with.
const RULES: usize = 5_000;
/// How long each step is repeated; the median pass over all inputs counts.
const MEASURE: Duration = Duration::from_secs(2);
/// The largest of the examples in docs/guide/templates.md: a condition, functions, a loop, a time.
const TEMPLATE: &str = "\
{{ if eq .status \"resolved\" }}✅{{ else if eq .severity \"critical\" }}🚨{{ else }}⚠️{{ end }} *{{ .summary | escMD }}*
_{{ .subject | escMD }}_
{{ range $name, $value := .labels }}`{{ $name }}` {{ $value | escMD }}
{{ end }}{{ .received_at | date \"2006-01-02 15:04\" | escMD }}, {{ .count }}×";
/// 2026-03-02T10:00:00Z; routing takes the time as an argument.
const NOW: UnixMillis = 1_772_445_600_000;

fn main() -> anyhow::Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut out = std::io::stdout();
    writeln!(out, "\nSteps, median of the passes over all inputs, one thread")?;
    let mut line = |what: &str, took: Duration, aim: u32| {
        writeln!(out, "  {what:<46}{:>8.1} µs   aim ≤ {aim} µs", took.as_secs_f64() * 1e6)
    };
    let mut mails: Vec<AlertPayload> = Vec::new();
    for folder in ["mail", "mail-variations"] {
        mails.extend(labelled::read(&fixtures.join(folder))?.into_iter().map(|mail| mail.payload));
    }
    let nothing = Snapshot::default();
    line("rules, per mail", each(&mails, |mail| analyse(mail, &nothing, "")), 150)?;

    let alerts: Vec<Alert> = mails.iter().filter_map(|mail| understood(analyse(mail, &nothing, ""))).collect();
    let tenant = tenant()?;
    let voice = voice(&tenant)?;
    let compiled = CompiledTenant::compile(&tenant)?;
    line("5,000 routing rules, per alert", each(&alerts, |alert| compiled.route(alert, NOW)), 100)?;

    let deliveries: Vec<DeliverPayload> = alerts.into_iter().map(delivery).collect();
    let failed = deliveries.iter().find_map(|delivery| voice.message(delivery.clone(), NOW).1);
    anyhow::ensure!(failed.is_none(), "the template fails: {failed:?}");
    line("message by a template, per delivery", each(&deliveries, |one| voice.message(one.clone(), NOW)), 50)?;
    Ok(())
}

/// The time per input: the median of the passes that fit into [`MEASURE`], after one that warms up.
fn each<T, R>(inputs: &[T], mut step: impl FnMut(&T) -> R) -> Duration {
    let mut pass = || {
        let started = Instant::now();
        for input in inputs {
            black_box(step(black_box(input)));
        }
        started.elapsed()
    };
    pass();
    let started = Instant::now();
    let mut passes = Vec::new();
    while started.elapsed() < MEASURE {
        passes.push(pass());
    }
    passes.sort_unstable();
    let median = passes[passes.len() / 2];
    median / u32::try_from(inputs.len()).expect("some hundred inputs")
}

fn understood(analysed: Analysed) -> Option<Alert> {
    match analysed {
        Analysed::Understood(alert) => Some(*alert),
        Analysed::Muted { .. } => None,
    }
}

/// The tenant's channel, with a template. A message is written in the built-in layout as well, in case that fails.
fn voice(tenant: &Tenant) -> anyhow::Result<Voice> {
    let tools = Tools {
        http: outbound::Http::open()?,
        guarded: outbound::Http::open()?,
        clock: Arc::new(SystemClock),
        timeout: Duration::from_secs(1),
        telegram_api: None,
        public_url: Some("https://watchbell.corp.example".to_owned()),
    };
    let template = Template {
        id: TemplateId(1),
        name: "bench".to_owned(),
        body: TEMPLATE.to_owned(),
        parse_mode: ParseMode::MarkdownV2,
    };
    let channel = OpenChannel {
        tenant: TenantId::DEFAULT,
        channel: tenant.channels[0].clone(),
        secrets: BTreeMap::new(),
        trusted: true,
        templates: vec![(template, None)],
    };
    Ok(Voice::of(&channel, &tools)?)
}

fn delivery(alert: Alert) -> DeliverPayload {
    let channel = ChannelId(1);
    let delivery = DeliveryId::derived(&[b"bench", alert.fingerprint.as_bytes()]);
    DeliverPayload { delivery, channel, alert, count: 3, since: Some(NOW), update: false }
}

/// Rules for hosts, senders and projects, as a company collects them: none of them fits the mails, so that each has
/// to be looked at; the last one fits all. Read from JSON, so that settings of rules which are optional may be added.
fn tenant() -> anyhow::Result<Tenant> {
    let vault = Vault::from_base64(&SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))?;
    let conditions = |number: usize| match number % 3 {
        _ if number == RULES - 1 => Match::default(),
        0 => Match { system: Some(format!("host-{number:05}*")), ..Match::default() },
        1 => Match { from: Some(format!("*@team{number:05}.example")), ..Match::default() },
        _ => Match { subject: Some(format!("*project {number:05}*")), ..Match::default() },
    };
    let rule = |number: usize| {
        json!({
            "id": number, "name": format!("rule {number}"), "match": conditions(number), "channels": [1],
            "continue": false, "set_severity": null, "escalate": null, "active": null, "enabled": true,
        })
    };
    let channel = json!({
        "id": 1, "name": "ops", "platform": "console", "bot": null, "target": "", "options": {}, "secrets": {},
        "rate_per_min": 0, "dedup_window_s": 0, "push_token": vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(1)), &SecretString::from("bench")),
        "enabled": true,
    });
    Ok(serde_json::from_value(json!({
        "id": 1, "name": "default", "bots": [], "channels": [channel], "rules": (0..RULES).map(rule).collect::<Vec<_>>(),
        "default_channels": [], "mutes": [], "silences": [],
    }))?)
}
