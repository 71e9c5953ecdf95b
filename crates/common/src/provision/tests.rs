//! The provisioning file: what it answers to good and bad input, and what applying it does.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;

use super::{ApplyError, FIRST_START, Platform, PlatformField, Problem, Provision, Vocabulary, apply, parse};
use crate::{
    ai::{Ai, Kind},
    alert::Severity,
    config::{Document, OpenChannel, ParseMode, Snapshot, TemplateUse, Tenant},
    crypto::{Place, Vault},
    ids::{ChannelId, RuleId, TenantId},
    store::{
        Store, StoreError, channels,
        config::{self, Owned},
        rules,
        tests::{Empty, on_both},
    },
};

/// The example of the guide, which promises that it can be copied.
const GUIDE: &str = include_str!("../../../../docs/guide/provisioning.md");

/// Every field there is, a bot included.
const FULL: &str = r#"
bots:
  - name: ops-telegram
    platform: telegram
    bot_token: ${OPS_BOT_TOKEN}
templates:
  - { name: brief, body: "{{ .summary }}", parse_mode: None }
  - { name: long, body: "{{ .text }}" }
channels:
  - name: ops
    bot: ops-telegram
    target: "-1001234567890"
    options: { message_thread_id: 7 }
    rate_per_min: 60
    dedup_window_s: 300
    push_token: ${OPS_PUSH_TOKEN}
    templates: [{ template: brief, when: severity eq info }, { template: long }]
  - name: sink
    platform: webhook
    target: http://127.0.0.1:9999/alerts
    options: { signing_secret: "whsec_${OPS_BOT_TOKEN}" }
rules:
  - name: databases
    match: { from: "*@db-servers.local", severity_at_least: warning }
    channels: [ops]
    continue: true
  - name: critical everywhere
    match: { severity_at_least: critical }
    channels: [ops, sink]
default_channels: [sink]
mutes:
  - { from: "noreply@*", comment: "newsletter" }
ai:
  base_url: http://127.0.0.1:11434/v1
  model: llama3
  api_key: ${OPS_BOT_TOKEN}
  max_wait: 5s
"#;

fn field(name: &str, required: bool, secret: bool) -> PlatformField {
    PlatformField { name: name.to_owned(), required, secret }
}

fn vocabulary() -> Vocabulary {
    let platform = |name: &str, credentials, options, needs_target| Platform {
        name: name.to_owned(),
        credentials,
        options,
        needs_target,
    };
    let platforms = vec![
        platform("console", vec![], vec![], false),
        platform(
            "webhook",
            vec![],
            vec![
                field("signing_secret", false, true),
                field("language", false, false),
                field("timezone", false, false),
            ],
            true,
        ),
        platform(
            "telegram",
            vec![field("bot_token", true, true)],
            vec![field("message_thread_id", false, false)],
            true,
        ),
    ];
    let sound = |text: &str| if text.contains("broken") { Err("line 1: it is broken".to_owned()) } else { Ok(()) };
    let option = |name: &str, value: &serde_json::Value| match (name, value.as_str()) {
        ("message_thread_id", Some("bad")) => Err("is bad".to_owned()),
        _ => Ok(()),
    };
    let channel = |open: &OpenChannel| {
        let wrong = |field: &str| Err((field.to_owned(), "is wrong".to_owned()));
        match (open.channel.target.as_str(), open.secrets.get("bot_token").map(secrecy::ExposeSecret::expose_secret)) {
            (_, Some("wrong")) => wrong("bot_token"),
            ("nowhere", _) => wrong("target"),
            ("half", _) => wrong("signing_secret"),
            _ => Ok(()),
        }
    };
    Vocabulary { platforms, option, template: sound, condition: sound, channel }
}

fn env(name: &str) -> Option<String> {
    let value = match name {
        "OPS_BOT_TOKEN" => "bot-s3cret",
        "OPS_PUSH_TOKEN" => "push-s3cret",
        "SINK_PUSH_TOKEN" => "sink-s3cret",
        _ => return None,
    };
    Some(value.to_owned())
}

fn read(text: &str) -> Result<Provision, Vec<Problem>> {
    parse(text, "w.yaml", &vocabulary(), &env)
}

/// The problems of a file as they are shown, one per line.
fn problems(text: &str) -> String {
    let problems = read(text).unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn vault() -> Vault {
    Vault::from_base64(&"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".into()).unwrap()
}

const TENANT: TenantId = TenantId::DEFAULT;

async fn put(store: &Store, text: &str) -> super::Applied {
    apply(store, &vault(), TENANT, &read(text).unwrap(), 1_000).await.unwrap()
}

async fn tenant(store: &Store) -> Tenant {
    document(store).await.tenants.remove(0)
}

async fn document(store: &Store) -> Document {
    let mut tx = store.begin_read().await.unwrap();
    config::document(&mut tx).await.unwrap()
}

#[test]
fn the_example_of_the_guide_is_sound() {
    let example = GUIDE.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let provision = read(example).unwrap();
    assert_eq!(provision.summary(), "0 bots, 1 templates, 2 channels, 3 rules, 1 mutes, 1 silences, 0 models");
    assert!(provision.warnings.is_empty(), "{:?}", provision.warnings);
    assert_eq!(provision.silences[0].expires_at, 1_801_418_400_000);
    assert!(read(FIRST_START).unwrap().warnings.is_empty());
}

#[test]
fn every_problem_has_its_line_and_field_and_all_are_shown_at_once() {
    let text = problems(
        r#"bots:
  - { name: b, platform: telegram }
  - { name: c, platform: icq }
channels:
  - name: ops
    bot: nobody
    rate_per_min: -1
    dedup_window_s: 1.5
    colour: red
  - { name: ops, platform: webhook, target: 17 }
  - { platform: webhook, target: http://x }
  - { name: t, platform: telegram, target: "1", options: { thread: 1 } }
rules:
  - name: r
    match: { severity_at_least: loud, sender: x, labels: [a] }
    channels: [nowhere]
    set_severity: 3
    escalate: { channels: [ops] }
  - { name: s, channels: [] }
default_channels: ops
mutes: [{ comment: all }]
silences: [{ match: {}, expires_at: tomorrow }]
ai: { base_url: ftp://x, max_wait: soon }
routes: []
"#,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn a_channel_that_cannot_send_is_named_with_the_place_that_is_wrong() {
    let text = problems(
        r#"bots: [{ name: b, platform: telegram, bot_token: wrong }]
channels:
  - { name: one, platform: webhook, target: nowhere }
  - { name: two, platform: webhook, target: half, options: { signing_secret: s } }
  - { name: three, platform: webhook, target: half }
  - { name: four, bot: b, target: "1" }
  - { name: five, bot: b, target: "2" }
default_channels: [one]
"#,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn templates_are_checked_where_they_stand() {
    let text = problems(
        r#"templates:
  - { name: one, body: "fine" }
  - { name: one, body: "" }
  - { name: two, body: "{{ broken", parse_mode: Markdown }
  - { name: three, body: "broken ${OPS_BOT_TOKEN}" }
  - { name: four }
channels:
  - name: c
    platform: telegram
    target: x
    options: { message_thread_id: bad }
    templates: [{ template: one, when: "broken" }, { template: nobody }, { when: x eq y }, { template: one }]
default_channels: [c]
"#,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn broken_globs_and_hours_are_found_where_they_stand() {
    let text = problems(
        r#"channels: [{ name: c, platform: console }]
default_channels: [c]
rules:
  - name: one
    match: { subject: "fine*", labels: { host: "[z-a]" } }
    channels: [c]
  - name: two
    channels: [c]
    enabled: false
    active: { days: [mon, noday], from: "08:00", to: "18:00" }
  - name: three
    channels: [c]
    active: { from: "25:00", to: "18:00" }
  - name: four
    channels: [c]
    active: { from: "08:00", to: "18:00", timezone: Mars/Olympus }
mutes: [{ from: "[a" }]
silences: [{ match: { to: "[b" }, expires_at: 2027-01-31T18:00:00Z }]
"#,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn names_tokens_and_conditions_cannot_be_given_twice() {
    let text = problems(
        "channels:
  - { name: a, platform: console, push_token: same-token }
  - { name: a, platform: console, push_token: same-token }
  - { name: b, platform: console, push_token: short }
  - { name: c, platform: console, push_token: with/slash/es }
default_channels: [b, b]
mutes: [{ from: x }, { from: x }]
silences: [{ match: {}, expires_at: 2027-01-31T18:00:00Z }, { match: {}, expires_at: 2027-02-28T18:00:00Z }]
",
    );
    insta::assert_snapshot!(text);
}

#[test]
fn what_yaml_forbids_is_one_problem_with_its_line() {
    let open = problems("channels:\n  - {name: a\nrules: []\n");
    assert!(open.starts_with("w.yaml:2:5: not valid YAML: "), "{open}");
    let twice = problems("channels: []\nrules: []\nchannels: []\n");
    assert!(twice.starts_with("w.yaml:3:1: not valid YAML: "), "{twice}");
    assert!(twice.contains("channels"), "{twice}");
    assert!(problems("").contains("the file is empty"));
    assert!(problems("# nothing yet\n").contains("the file is empty"));
    assert!(problems("just words\n").contains("must be a mapping"));
    assert!(problems(&"[".repeat(100_000)).contains("not valid YAML"));
    assert!(problems("a: &a [*a]\n").contains("w.yaml:1:"));
    read("{}\n").unwrap();
}

#[test]
fn the_environment_stands_inside_texts_and_what_is_not_set_is_named() {
    let provision = read(FULL).unwrap();
    assert_eq!(provision.channels[1].secrets["signing_secret"].expose_secret(), "whsec_bot-s3cret");
    let channel = |target: &str| format!("channels: [{{name: c, platform: webhook, target: \"{target}\"}}]");
    let provision = read(&channel("a$${b}$c${OPS_BOT_TOKEN}d")).unwrap();
    assert_eq!(provision.channels[0].target, "a${b}$cbot-s3cretd");
    let unset = problems(&channel("${NOT_SET}"));
    assert!(unset.contains("channels[0].target: the environment variable NOT_SET is not set"), "{unset}");
    assert!(problems(&channel("${open")).contains("without `}`"));
    assert!(problems(&channel("${a b}")).contains("does not name an environment variable"));
}

#[test]
fn no_problem_shows_a_secret() {
    let text = problems(
        r#"channels:
  - { name: c, platform: console, push_token: "${OPS_BOT_TOKEN} " }
rules: [{ name: r, channels: [c], set_severity: "${OPS_BOT_TOKEN}" }]
silences: [{ match: {}, expires_at: "${OPS_BOT_TOKEN}" }]
ai: { base_url: "${OPS_BOT_TOKEN}", model: m, max_wait: "${OPS_BOT_TOKEN}" }
"#,
    );
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    assert!(!format!("{:?}", read(FULL).unwrap()).contains("s3cret"));
}

#[test]
fn models_are_one_or_a_list_and_their_numbers_must_make_sense() {
    let one = "ai: { base_url: 'http://a/v1', model: m, prompt_price: 1, completion_price: 2.5 }\n";
    let model = &read(one).unwrap().ai[0].model;
    assert_eq!((model.kind, model.prompt_price, model.completion_price), (Kind::Openai, 1.0, 2.5));
    let two =
        "ai: [{ base_url: 'http://a', kind: ollama, model: m, timeout: 3s }, { base_url: 'http://b', model: n }]\n";
    let names: Vec<_> =
        read(two).unwrap().ai.into_iter().map(|item| (item.model.name, item.model.timeout_ms)).collect();
    assert_eq!(names, [("m".to_owned(), 3_000), ("n".to_owned(), 20_000)]);
    let text = problems(
        "ai:
  - { base_url: 'http://user:pass@a', model: m }
  - { base_url: 'http://a', model: m, kind: closed }
  - { base_url: 'http://a', model: m, context_tokens: 100 }
  - { base_url: 'http://a', model: m, prompt_price: cheap }
",
    );
    insta::assert_snapshot!(text, @"
    w.yaml:2:17: ai[0].base_url: must not hold a password: put the key into `api_key`
    w.yaml:3:45: ai[1].kind: is neither openai nor ollama
    w.yaml:4:5: ai[2]: `context_tokens` must be at least 2048, for instructions, alert and answer
    w.yaml:5:53: ai[3].prompt_price: must be a number, not a text
    ");
}

#[test]
fn channels_without_a_default_are_allowed_with_a_warning() {
    let provision = read("channels: [{ name: c, platform: console }]").unwrap();
    assert!(provision.warnings[0].to_string().contains("default_channels: is missing"));
}

on_both!(
    what_the_file_says_is_in_the_store,
    applying_again_changes_nothing,
    a_first_file_that_holds_nothing_is_a_configuration_too,
    ids_and_made_tokens_stay_while_fields_change,
    what_the_file_does_not_name_any_more_is_removed_and_the_rest_is_left_alone,
    only_what_the_file_made_may_call_inside,
    a_renamed_channel_is_another_and_tokens_can_be_exchanged,
    rules_are_tried_in_the_order_of_the_file,
    nothing_changes_when_anything_is_refused,
    secrets_are_not_in_the_database,
);

async fn what_the_file_says_is_in_the_store(empty: Empty) {
    let store = empty.open().await;
    let applied = put(&store, FULL).await;
    assert!(applied.changed);
    let document = document(&store).await;
    assert_eq!(document.version, applied.version);
    let tenant = &document.tenants[0];
    let names: Vec<_> = tenant.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["ops", "sink"]);
    let (ops, sink) = (&tenant.channels[0], &tenant.channels[1]);
    assert_eq!((ops.platform.as_str(), ops.bot), ("telegram", Some(tenant.bots[0].id)));
    assert_eq!(ops.options, BTreeMap::from([("message_thread_id".to_owned(), serde_json::json!(7))]));
    assert_eq!((ops.rate_per_min, ops.dedup_window_s, ops.enabled), (60, 300, true));
    assert!(sink.options.is_empty(), "a secret option is not among the open ones");
    let [brief, long] = &tenant.templates[..] else { panic!("{:?}", tenant.templates) };
    assert_eq!((brief.parse_mode, long.parse_mode), (ParseMode::None, ParseMode::MarkdownV2));
    assert_eq!(ops.templates[0], TemplateUse { template: brief.id, when: Some("severity eq info".to_owned()) });
    assert_eq!(ops.templates[1..], [TemplateUse { template: long.id, when: None }]);
    assert_eq!(tenant.rules[1].channels, [ops.id, sink.id]);
    assert_eq!(tenant.rules[0].matcher.severity_at_least, Some(Severity::Warning));
    assert!(tenant.rules[0].r#continue && !tenant.rules[1].r#continue);
    assert_eq!(tenant.default_channels, [sink.id]);
    assert_eq!(tenant.mutes[0].from.as_deref(), Some("noreply@*"));
    let snapshot = Snapshot::compile(&document, &vault()).unwrap();
    assert_eq!(snapshot.channel_by_token("push-s3cret").unwrap().channel.name, "ops");
    assert_eq!(
        snapshot.channel(TENANT, sink.id).unwrap().secrets["signing_secret"].expose_secret(),
        "whsec_bot-s3cret"
    );
}

async fn applying_again_changes_nothing(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let before = document(&store).await;
    let again = put(&store, FULL).await;
    assert!(!again.changed);
    assert_eq!(again.version, before.version);
    assert_eq!(document(&store).await, before);
}

async fn a_first_file_that_holds_nothing_is_a_configuration_too(empty: Empty) {
    let store = empty.open().await;
    assert!(put(&store, "{}").await.version > 0);
    assert!(!put(&store, "{}").await.changed);
}

async fn ids_and_made_tokens_stay_while_fields_change(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let before = document(&store).await;
    let sink = &before.tenants[0].channels[1];
    let sink_token = sink.push_token.clone();
    assert_eq!(vault().open(&sink_token, &Place::push_token(TENANT, sink.id)).unwrap().expose_secret().len(), 32);
    let changed = FULL
        .replace("rate_per_min: 60", "rate_per_min: 30")
        .replace("target: http://127.0.0.1:9999", "target: http://127.0.0.1:8888")
        .replace("comment: \"newsletter\"", "comment: \"spam\"")
        .replace("continue: true", "continue: false")
        .replace("{{ .summary }}", "{{ .subject }}")
        .replace("severity eq info", "severity eq error")
        .replace("max_wait: 5s", "max_wait: 6s");
    assert!(put(&store, &changed).await.version > before.version);
    let after = tenant(&store).await;
    let before = &before.tenants[0];
    for (before, after) in before.channels.iter().zip(&after.channels) {
        assert_eq!((before.id, &before.push_token), (after.id, &after.push_token));
    }
    assert_eq!(after.channels[0].rate_per_min, 30);
    assert_eq!(after.channels[0].templates[0].when.as_deref(), Some("severity eq error"));
    let template = &after.templates[0];
    assert_eq!((template.id, template.body.as_str()), (before.templates[0].id, "{{ .subject }}"));
    assert!(after.channels[1].target.contains("8888"));
    assert_eq!(after.bots, before.bots, "untouched, down to the sealed bytes");
    assert_eq!((after.mutes[0].id, after.mutes[0].comment.as_str()), (before.mutes[0].id, "spam"));
    assert_eq!(after.rules[0].id, before.rules[0].id);
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(config::ai(&mut tx, TENANT).await.unwrap().max_wait_ms, Some(6_000));
}

async fn what_the_file_does_not_name_any_more_is_removed_and_the_rest_is_left_alone(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let mut by_hand = tenant(&store).await.channels.remove(1);
    moved(&mut by_hand, 77, "mine");
    let mut tx = store.begin().await.unwrap();
    channels::put(&mut tx, TENANT, &Owned { item: by_hand.clone(), provisioned: false }, "my hash").await.unwrap();
    tx.commit().await.unwrap();

    put(&store, "{}").await;
    let after = tenant(&store).await;
    assert_eq!(after.channels, [by_hand]);
    assert!(after.bots.is_empty() && after.rules.is_empty() && after.mutes.is_empty());
    assert!(after.templates.is_empty());
    assert!(after.default_channels.is_empty());
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(config::ai(&mut tx, TENANT).await.unwrap(), Ai::default());
}

async fn only_what_the_file_made_may_call_inside(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let mut by_hand = tenant(&store).await.channels.remove(1);
    moved(&mut by_hand, 77, "mine");
    let mut borrowing = by_hand.clone();
    moved(&mut borrowing, 78, "borrows the operator's bot");
    borrowing.bot = tenant(&store).await.channels[0].bot;
    let mut tx = store.begin().await.unwrap();
    for (channel, hash) in [(by_hand, "my hash"), (borrowing, "my other hash")] {
        channels::put(&mut tx, TENANT, &Owned { item: channel, provisioned: false }, hash).await.unwrap();
    }
    tx.commit().await.unwrap();
    let snapshot = Snapshot::compile(&document(&store).await, &vault()).unwrap();
    let trusted = |name: &str| snapshot.channel_by_name(TENANT, name).unwrap().trusted;
    assert!(trusted("ops") && trusted("sink") && !trusted("mine") && !trusted("borrows the operator's bot"));
    assert!(snapshot.ai(TENANT).unwrap().providers.iter().all(|provider| provider.trusted));
}

/// A channel as somebody else made it: another id and name, and so another sealed token.
fn moved(channel: &mut crate::config::Channel, id: i64, name: &str) {
    (channel.id, channel.name) = (ChannelId(id), name.to_owned());
    channel.push_token = vault().seal(&Place::push_token(TENANT, ChannelId(id)), &"a token".into());
    channel.secrets.clear();
}

async fn a_renamed_channel_is_another_and_tokens_can_be_exchanged(empty: Empty) {
    let two = |a: &str, a_token: &str, b: &str, b_token: &str| {
        format!(
            "channels: [{{name: {a}, platform: console, push_token: {a_token}}}, {{name: {b}, platform: console, \
             push_token: {b_token}}}]\ndefault_channels: [{a}]"
        )
    };
    let store = empty.open().await;
    put(&store, &two("a", "token-one", "b", "token-two")).await;
    let before = tenant(&store).await.channels;
    put(&store, &two("a", "token-two", "b", "token-one")).await;
    let document = document(&store).await;
    let snapshot = Snapshot::compile(&document, &vault()).unwrap();
    assert_eq!(snapshot.channel_by_token("token-one").unwrap().channel.id, before[1].id);
    put(&store, &two("c", "token-two", "b", "token-one")).await;
    let after = tenant(&store).await.channels;
    assert_eq!((after[0].id, after[0].name.as_str()), (before[1].id, "b"));
    assert_eq!(after[1].name, "c");
    assert!(after[1].id > before[1].id, "a new item with the old one's token");
}

async fn rules_are_tried_in_the_order_of_the_file(empty: Empty) {
    let file = |names: &[&str]| {
        let rules: Vec<_> = names.iter().map(|name| format!("{{name: {name}, channels: [c]}}")).collect();
        format!("channels: [{{name: c, platform: console}}]\ndefault_channels: [c]\nrules: [{}]", rules.join(", "))
    };
    let store = empty.open().await;
    for order in [&["a", "b", "c", "d"][..], &["d", "b"], &["d", "b", "x", "a"], &["a", "x", "b", "d"]] {
        put(&store, &file(order)).await;
        let names: Vec<_> = tenant(&store).await.rules.into_iter().map(|rule| rule.name).collect();
        assert_eq!(names, order);
    }
}

async fn nothing_changes_when_anything_is_refused(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let mut rule = tenant(&store).await.rules.remove(1);
    rule.id.0 = 77;
    rule.name = "mine".into();
    let mut tx = store.begin().await.unwrap();
    rules::put(&mut tx, TENANT, 0, &Owned { item: rule, provisioned: false }).await.unwrap();
    tx.commit().await.unwrap();
    let before = document(&store).await;

    let in_use = refusal(&store, &read("mutes: [{ from: x }]").unwrap()).await;
    assert!(in_use.contains("the rule `mine`, made by hand, uses it"), "{in_use}");
    let mut tx = store.begin().await.unwrap();
    rules::delete(&mut tx, TENANT, RuleId(77)).await.unwrap();
    let mut channel = channels::list(&mut tx, TENANT).await.unwrap().remove(0).item;
    moved(&mut channel, 77, "my own");
    channels::put(&mut tx, TENANT, &Owned { item: channel, provisioned: false }, "my hash").await.unwrap();
    tx.commit().await.unwrap();
    let in_use = refusal(&store, &read("mutes: [{ from: x }]").unwrap()).await;
    assert!(in_use.contains("something made by hand still uses what is gone"), "{in_use}");
    let taken = FULL.replace("name: sink", "name: my own").replace("sink]", "my own]");
    let taken = refusal(&store, &read(&taken).unwrap()).await;
    assert!(taken.starts_with("w.yaml:18:11: channels[1].name: this name is taken"), "{taken}");
    let after = document(&store).await;
    assert_eq!((after.version, &after.tenants[0].rules[..]), (before.version, &before.tenants[0].rules[..2]));
}

async fn refusal(store: &Store, provision: &Provision) -> String {
    match apply(store, &vault(), TENANT, provision, 2_000).await.unwrap_err() {
        ApplyError::Problems(problems) => problems[0].to_string(),
        other => panic!("{other}"),
    }
}

async fn secrets_are_not_in_the_database(empty: Empty) {
    let store = empty.open().await;
    put(&store, FULL).await;
    let document = serde_json::to_string(&document(&store).await).unwrap();
    assert!(!document.contains("s3cret"), "{document}");
    store.close().await;
    if empty.file().exists() {
        let bytes = std::fs::read(empty.file()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"));
    }
}

#[tokio::test]
async fn another_tenants_push_token_is_refused_by_its_line() {
    let empty = Empty::sqlite();
    let store = empty.open().await;
    put(&store, FULL).await;
    let mut tx = store.begin().await.unwrap();
    config::add_tenant(&mut tx, TenantId(2), "other", 0).await.unwrap();
    tx.commit().await.unwrap();
    let provision = read("channels: [{ name: c, platform: console, push_token: push-s3cret }]").unwrap();
    let refused = apply(&store, &vault(), TenantId(2), &provision, 2_000).await;
    let Err(ApplyError::Problems(problems)) = refused else { panic!("{refused:?}") };
    assert_eq!(problems[0].to_string(), "w.yaml:1:54: channels[0].push_token: another channel has this push token");
}

#[tokio::test]
async fn a_store_that_went_away_is_not_a_problem_of_the_file() {
    let empty = Empty::sqlite();
    let store = empty.open().await;
    store.close().await;
    let refused = apply(&store, &vault(), TENANT, &read(FULL).unwrap(), 0).await.unwrap_err();
    assert!(matches!(refused, ApplyError::Store(StoreError::Unavailable(_))), "{refused}");
}
