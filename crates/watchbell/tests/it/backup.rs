//! Backups are made of a running installation, and what was acknowledged before one is in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Output,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use watchbell_common::{
    ids::TenantId,
    store::{Store, events},
};
use watchbell_harness::{Product, Sink, eventually};

use crate::{TOKEN, mail, one_channel};

const SOON: Duration = Duration::from_secs(30);

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// The subjects of all events in the history.
async fn subjects(product: &Product) -> Vec<String> {
    let store = Store::open(&"sqlite".into(), &product.data_dir()).await.unwrap();
    let mut read = store.begin_read().await.unwrap();
    let events = events::list(&mut read, TenantId::DEFAULT, &events::Filter::default(), None, 10_000).await.unwrap();
    drop(read);
    store.close().await;
    events.items.into_iter().map(|stored| stored.event.subject).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backup_under_load_is_there_after_a_restore() {
    let sink = Sink::start().await;
    sink.delay(Duration::from_millis(50));
    let mut product = Product::embedded(&one_channel(&sink)).await;
    let (acknowledged, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let load = async {
        while !stop.load(Ordering::Relaxed) {
            let number = acknowledged.load(Ordering::Relaxed);
            product.mail("probe@corp.example", "ops@corp.example", &mail(&format!("number {number}"))).await;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    };
    let to = product.dir().join("backup");
    let target = to.to_str().unwrap();
    let making = async {
        eventually("some load", SOON, || async { (acknowledged.load(Ordering::Relaxed) >= 40).then_some(()) }).await;
        let before = acknowledged.load(Ordering::Relaxed);
        let output = tokio::task::block_in_place(|| product.command(&["backup", target]));
        assert!(output.status.success(), "{}", said(&output));
        eventually("more load", SOON, || async { (acknowledged.load(Ordering::Relaxed) >= before + 20).then_some(()) })
            .await;
        stop.store(true, Ordering::Relaxed);
        before
    };
    let (before, ()) = tokio::join!(making, load);

    let running = product.command(&["restore", target, "--force"]);
    assert!(!running.status.success() && said(&running).contains("stop it first"), "{}", said(&running));
    product.serve().terminate(SOON).await;
    let full = product.command(&["restore", target]);
    assert!(!full.status.success() && said(&full).contains("--force"), "{}", said(&full));
    let restored = product.command(&["restore", target, "--force"]);
    assert!(restored.status.success(), "{}", said(&restored));

    product.serve().restart();
    product.ready().await;
    let books = product.settled(SOON).await;
    assert!(books["received"].as_u64().unwrap() >= before as u64, "{books}");
    assert_eq!(books["unaccounted"], 0);
    let audit = product.command(&["books", "--audit"]);
    assert!(audit.status.success(), "{}", said(&audit));
    eventually("the history to hold every mail", SOON, || async {
        let subjects = subjects(&product).await;
        (0..before).all(|number| subjects.contains(&format!("number {number}"))).then_some(())
    })
    .await;
    // The secrets open: the push token is that of before.
    assert_eq!(product.push(TOKEN, &serde_json::json!({ "title": "after" })).await.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_and_its_owners_alone_and_a_damaged_one_changes_nothing() {
    let sink = Sink::start().await;
    let mut product = Product::embedded(&one_channel(&sink)).await;
    let to = product.dir().join("backup");
    let target = to.to_str().unwrap();
    assert!(product.command(&["backup", target]).status.success());
    let names = ["manifest.json", "master.key", "queue.db", "watchbell.db"];
    let mut found: Vec<_> =
        fs::read_dir(&to).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, names);
    for name in names {
        assert_eq!(fs::metadata(to.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    let again = product.command(&["backup", target]);
    assert!(!again.status.success() && said(&again).contains("name a new folder"), "{}", said(&again));

    product.serve().terminate(SOON).await;
    let data = product.data_dir().join("watchbell.db");
    let (good, present) = (fs::read(to.join("watchbell.db")).unwrap(), fs::read(&data).unwrap());
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    for (broken, why) in [(bad, "not as it was made"), (good[..good.len() / 2].to_vec(), "watchbell.db")] {
        fs::write(to.join("watchbell.db"), broken).unwrap();
        let refused = product.command(&["restore", target, "--force"]);
        assert!(!refused.status.success() && said(&refused).contains(why), "{}", said(&refused));
        assert!(fs::read(&data).unwrap() == present, "the data was touched");
    }

    // As a restore leaves it that was cut off.
    fs::write(product.data_dir().join("restoring"), "").unwrap();
    let refused = product.command(&["serve"]);
    assert!(!refused.status.success() && said(&refused).contains("cut off"), "{}", said(&refused));
    fs::write(to.join("watchbell.db"), good).unwrap();
    assert!(product.command(&["restore", target, "--force"]).status.success());
    product.serve().restart();
    product.ready().await;
}
