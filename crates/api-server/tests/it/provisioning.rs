//! The provisioning file while the service runs.

use std::{fs, os::unix::fs::symlink};

use metrics_exporter_prometheus::PrometheusBuilder;
use watchbell_common::{provision, queue::Published, store::config, testing::example_value};

use crate::house::{House, until};

const ONE: &str = "channels: [{ name: one, platform: console }]\ndefault_channels: [one]\n";
const TWO: &str = "channels: [{ name: two, platform: console }]\ndefault_channels: [two]\n";
const WITH_FILE: &[(&str, &str)] = &[("PROVISION_FILE", "{dir}/w.yaml")];

async fn until_published(house: &House, channels: &[&str]) {
    until(&format!("{channels:?} published"), async || house.published_channels().await == channels).await;
}

#[tokio::test]
async fn a_first_start_without_a_file_sends_everything_to_the_console() {
    let house = House::embedded(&[]).await;
    drop(watchbell_api_server::prepare(&house.shared).await.unwrap());
    assert_eq!(house.published_channels().await, ["console"]);
    let snapshot = house.shared.config.load();
    assert!(snapshot.version > 0, "the process that prepared has its channels at once");
    drop(watchbell_api_server::prepare(&house.shared).await.unwrap());
    assert_eq!(house.shared.config.load().version, snapshot.version, "a second start changes nothing");
}

#[test]
fn each_channel_is_set_up_by_its_snippet_as_the_guide_shows_it() {
    for kind in watchbell_channels::ALL {
        let value = |variable: &str| Some(example_value(variable).to_owned());
        let read = provision::parse(kind.setup, kind.id, &watchbell_api_server::vocabulary(), &value);
        assert_eq!(read.err(), None, "{}", kind.setup);
    }
}

#[tokio::test]
async fn a_file_that_changes_is_applied_and_a_broken_one_keeps_what_was() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (metrics, _here) = (recorder.handle(), metrics::set_default_local_recorder(&recorder));
    let ok = |value: u8| metrics.render().contains(&format!("watchbell_provision_ok {value}\n"));
    let mut house = House::embedded(WITH_FILE).await;
    fs::write(house.file(), ONE).unwrap();
    house.start();
    until_published(&house, &["one"]).await;
    assert!(ok(1));
    let version = house.queue().config_newer(0).await.unwrap().unwrap().version;

    fs::write(house.file(), "channels: [{ name: two, platform: pager }]\n").unwrap();
    until("the file is refused", async || ok(0)).await;
    assert_eq!(house.published_channels().await, ["one"]);
    fs::write(house.file(), TWO).unwrap();
    until_published(&house, &["two"]).await;
    assert!(house.queue().config_newer(version).await.unwrap().is_some());
    assert!(ok(1));
    house.stop().await;

    fs::write(house.file(), "chanels: []\n").unwrap();
    drop(watchbell_api_server::prepare(&house.shared).await.unwrap());
    assert_eq!(house.published_channels().await, ["two"], "a restart with a broken file goes on with what was");
}

#[test]
fn the_example_of_the_guide_of_templates_is_sound() {
    let guide = include_str!("../../../../docs/guide/templates.md");
    let example = guide.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    provision::parse(example, "templates.md", &watchbell_api_server::vocabulary(), &|_| None).unwrap();
}

#[test]
fn templates_and_options_of_channels_are_checked_by_those_who_use_them() {
    let text = "templates:
  - name: t
    body: |
      fine
      {{ frobnicate }}
channels:
  - name: c
    platform: console
    options: { language: tlh, timezone: Mars/Olympus }
    templates: [{ template: t, when: severity is bad }]
default_channels: [c]
";
    let problems = provision::parse(text, "w.yaml", &watchbell_api_server::vocabulary(), &|_| None).unwrap_err();
    let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "w.yaml:4:7: templates[0].body: line 2 column 4: function frobnicate not defined",
            "w.yaml:9:26: channels[0].options.language: must be en, zh or fa",
            "w.yaml:9:41: channels[0].options.timezone: must be an IANA time zone such as Europe/Berlin",
            "w.yaml:10:38: channels[0].templates[0].when: `is` is none of eq, ne, in, startswith, endswith, contains, gt, \
             lt, ge, le",
        ]
    );
}

#[test]
fn a_channel_that_could_not_send_is_refused_with_its_name_and_line_and_without_its_secrets() {
    let text = "bots:
  - { name: b, platform: telegram, bot_token: hunter2 }
channels:
  - name: chat
    bot: b
    target: \"-100\"
  - name: push
    platform: ntfy
    target: https://ntfy.example.org/alerts
    options: { click: dashboard }
  - name: lark
    platform: lark
    options:
      webhook_url: https://open.larksuite.com/hunter2
default_channels: [chat]
";
    let problems = provision::parse(text, "w.yaml", &watchbell_api_server::vocabulary(), &|_| None).unwrap_err();
    let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "w.yaml:2:13: bots[0].name: `bot_token` does not look like one of @BotFather's, `123456:ABC-…`",
            "w.yaml:10:23: channels[1].options.click: is not a URL: relative URL without a base",
            "w.yaml:14:20: channels[2].options.webhook_url: is not that of a custom bot: https://…/open-apis/bot/v2/hook/…",
        ]
    );
}

#[tokio::test]
async fn a_symbolic_link_that_is_swapped_is_a_change() {
    let mut house = House::embedded(WITH_FILE).await;
    for (folder, text) in [("v1", ONE), ("v2", TWO)] {
        fs::create_dir(house.dir.path().join(folder)).unwrap();
        fs::write(house.dir.path().join(folder).join("w.yaml"), text).unwrap();
    }
    let data = house.dir.path().join("..data");
    symlink("v1", &data).unwrap();
    symlink("..data/w.yaml", house.file()).unwrap();
    house.start();
    until_published(&house, &["one"]).await;
    let fresh = house.dir.path().join("..new");
    symlink("v2", &fresh).unwrap();
    fs::rename(&fresh, &data).unwrap();
    until_published(&house, &["two"]).await;
    house.stop().await;
}

#[tokio::test]
async fn a_first_start_with_a_broken_file_ends_and_names_every_problem() {
    let mut house = House::embedded(WITH_FILE).await;
    fs::write(house.file(), "channels: [{ name: a, platform: pager }]\nrouts: []\n").unwrap();
    house.start();
    let text = format!("{:#}", house.ended().await.unwrap_err());
    assert!(text.contains("w.yaml:1:33: channels[0].platform: there is no such platform"), "{text}");
    assert!(text.contains("w.yaml:2:1: routs: there is no such field"), "{text}");
}

#[tokio::test]
async fn a_queue_that_was_wiped_gets_the_configuration_again() {
    let mut house = House::embedded(&[]).await;
    house.start();
    until_published(&house, &["console"]).await;
    wipe(&house);
    assert!(house.published_channels().await.is_empty());
    until_published(&house, &["console"]).await;
    house.stop().await;
}

/// FLUSHALL, as it goes over the wire.
fn wipe(house: &House) {
    use std::io::{Read as _, Write as _};
    let mut connection = std::net::TcpStream::connect(("127.0.0.1", house.redis.port())).unwrap();
    connection.write_all(b"FLUSHALL\r\n").unwrap();
    let mut answer = [0; 5];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

#[tokio::test]
async fn a_store_that_is_older_than_the_queue_still_has_the_last_word() {
    let house = House::embedded(&[]).await;
    let ahead = i64::MAX / 2;
    let strange = Published { version: ahead, document: r#"{"version":0,"tenants":[]}"#.into() };
    house.queue().publish_config(strange).await.unwrap();
    drop(watchbell_api_server::prepare(&house.shared).await.unwrap());
    assert_eq!(house.published_channels().await, ["console"]);
    let store = house.store().await;
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(config::version(&mut tx).await.unwrap(), ahead + 1);
}
