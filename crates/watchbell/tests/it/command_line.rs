//! The commands around `serve`, and what it says when something is wrong.

use std::{fs, time::Duration};

use watchbell_common::testing::example_value;
use watchbell_harness::{Product, Sink, eventually};

use crate::{TOKEN, mail, one_channel};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_provisioning_file_applies_while_running_and_a_broken_one_changes_nothing() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    let mut product = Product::embedded(&one_channel(&first)).await;
    product.provision("channels: [ { name: sink, platform: webhook, targget: nowhere } ]\n");
    eventually("the mistake in the log", SOON, || {
        std::future::ready(product.serve().log().contains("targget").then_some(()))
    })
    .await;
    product.mail("probe@corp.example", "ops@corp.example", &mail("one")).await;
    first.wait_for(1, SOON).await;

    product.provision(&one_channel(&second));
    eventually("the new destination to be used", SOON, || async {
        product.mail("probe@corp.example", "ops@corp.example", &mail("two")).await;
        (second.count() > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_names_line_and_field_of_each_mistake() {
    let product = Product::embedded("").await;
    let file = product.dir().join("broken.yaml");
    let yaml = "channels:\n  - name: ops\n    platform: telepathy\nrules:\n  - name: r\n    match: { subject: '[z-a]' }\n    channels: [nobody]\n";
    fs::write(&file, yaml).unwrap();
    let output = product.command(&["check-config", "--provision", file.to_str().unwrap()]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in
        ["broken.yaml:3:", "channels[0].platform", "broken.yaml:6:", "[z-a]", "broken.yaml:7:", "no such channel"]
    {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }

    fs::write(&file, "channels:\n  - { name: ops, platform: console }\ndefault_channels: [ops]\n").unwrap();
    assert!(product.command(&["check-config", "--provision", file.to_str().unwrap()]).status.success());
    let settings = product.dir().join("settings.toml");
    fs::write(&settings, "[smtp]\nlissten = \"x\"\n").unwrap();
    let output = product.command(&["check-config", "--config", settings.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("smtp.lissten"));
}

/// Under another secret, no binding would match its key, and nobody would notice.
#[tokio::test(flavor = "multi_thread")]
async fn bindings_are_not_imported_without_the_secret_they_were_hashed_with() {
    let output = Product::embedded("").await.command(&["import", "key-ip-sentinel", "postgres://u:p@127.0.0.1:1/d"]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("gateway.hmac_secret is not set: it must be SENTINEL_HMAC_SECRET"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_in_the_guide_can_be_copied() {
    let guide = include_str!("../../../../docs/guide/channels.md");
    let names: Vec<_> = guide.split("${").skip(1).filter_map(|rest| rest.split('}').next()).collect();
    let secret = |name: &&'static str| (*name, example_value(name));
    let product = Product::embedded_with("", &names.iter().map(secret).collect::<Vec<_>>()).await;
    let file = product.dir().join("example.yaml");
    let examples: Vec<_> = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 3, "the guide has examples");
    for example in examples {
        fs::write(&file, example).unwrap();
        let output = product.command(&["check-config", "--provision", file.to_str().unwrap()]);
        assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_command_that_looks_at_a_mistyped_data_folder_says_so_and_makes_nothing() {
    let product = Product::stopped_with("", &[]);
    let folder = product.data_dir();
    for command in
        [&["books"][..], &["dead", "list"], &["dead", "replay", "--all"], &["keys", "list"], &["users", "list"]]
    {
        let output = product.command(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(folder.to_str().unwrap()), "{command:?}: {said}");
    }
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_serve_on_the_same_data_is_refused() {
    let product = Product::embedded("").await;
    let output = product.command(&["serve"]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("another watchbell uses the data folder"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named_with_its_setting() {
    let product = Product::embedded("").await;
    let other = product.dir().join("other");
    let output = product.command(&["serve", "--data-dir", other.to_str().unwrap()]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("smtp.listen") && text.contains(&product.smtp.to_string()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_hand_and_a_new_start_does_the_rest() {
    let sink = Sink::start().await;
    let mut product = Product::embedded_with(&one_channel(&sink), &[("WATCHBELL_DISPATCHER_PER_CHANNEL", "2")]).await;
    sink.delay(Duration::from_millis(500));
    for number in 0..8 {
        product.mail("probe@corp.example", "ops@corp.example", &mail(&format!("event {number}"))).await;
    }
    eventually("deliveries to be in hand", SOON, || std::future::ready((sink.requests() > 0).then_some(()))).await;
    let status = product.serve().terminate(SOON).await;
    assert!(status.success(), "{status}: {}", product.serve().log());
    let (requests, accepted) = (sink.requests(), sink.count() as u64);
    assert_eq!(requests, accepted, "a delivery in hand was cut off");
    assert!(accepted < 8, "nothing was left for the second start");

    sink.delay(Duration::ZERO);
    product.serve().restart();
    product.ready().await;
    sink.wait_for(8, Duration::from_secs(2)).await;
    assert_eq!(product.settled(SOON).await["delivered"], 8);
    assert!(sink.deliveries().values().all(|times| *times == 1), "a clean stop repeats nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_version_say_what_they_should() {
    let product = Product::embedded("").await;
    let help = product.command(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["serve", "send-test", "books", "dead", "check-config", "config.example.toml"] {
        assert!(text.contains(command), "{text}");
    }
    let version = product.command(&["--version"]);
    assert!(String::from_utf8_lossy(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
    let none = product.command(&["dead", "replay"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("--all"));
}

#[tokio::test(flavor = "multi_thread")]
async fn push_tokens_never_reach_the_log() {
    let sink = Sink::start().await;
    let mut product = Product::embedded_with(&one_channel(&sink), &[("WATCHBELL_LOG_FILTER", "trace")]).await;
    product.push(TOKEN, &serde_json::json!({ "title": "x" })).await;
    sink.wait_for(1, SOON).await;
    let log = product.serve().log();
    assert!(log.len() > 1_000, "the log is not at trace");
    assert!(!log.contains(TOKEN), "{}", log.lines().find(|line| line.contains(TOKEN)).unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provisioning_examples_that_people_copy_are_good() {
    let product = Product::embedded("").await;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let quick_start = readme.split("<<'YAML'\n").nth(1).unwrap().split("YAML\n").next().unwrap();
    let copied = product.dir().join("readme.yaml");
    fs::write(&copied, quick_start).unwrap();
    for file in [copied, root.join("deploy/provision.example.yaml")] {
        let output = product.command(&["check-config", "--provision", file.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_the_machine_lets_a_user_back_in() {
    let first = [
        ("WATCHBELL_BOOTSTRAP_ADMIN_EMAIL", "root@example.org"),
        ("WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD", "correct horse battery"),
    ];
    let product = Product::embedded_with("", &first).await;
    let list = product.command(&["users", "list"]);
    let text = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(text.starts_with("root@example.org") && text.contains("owner   default  platform admin"), "{text}");
    let output = product.command(&["users", "reset-password", "Root@Example.org"]);
    let link = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(link.starts_with(&format!("http://{}/reset#wbl_", product.http)), "{link}");
    let output = product.command(&["users", "reset-password", "nobody@example.org"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no user nobody@example.org"));
}
