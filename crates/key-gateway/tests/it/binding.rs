//! Who may use which key, from where, and what everybody learns of a change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::{JoinSet, spawn_blocking},
    time::sleep,
};
use watchbell_common::{
    binding::{
        Binding, Mode,
        gateway::{Runtime, WithoutKey},
    },
    store::{Store, bindings, usage},
    testing::{PostgresServer, RedisServer},
};

use crate::harness::{Client, Gateway, PATIENCE, Place, TENANT, eventually, hash, telling_upstream};

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Place::postgres()).await;
            })+
        }
    };
}

on_both!(
    the_first_use_binds_and_another_address_is_refused,
    of_two_gateways_one_binds_however_many_race,
    a_change_holds_in_every_gateway_within_a_second,
    uses_are_written_down,
);

const BINDS: (&str, &str) = ("FIRST_BINDS_PER_MINUTE", "100000");

async fn the_first_use_binds_and_another_address_is_refused(place: Place) {
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-0123456789abcdefghij").await, 200);
    assert_eq!(gateway.status("127.0.0.3", "sk-0123456789abcdefghij").await, 403);
    assert_eq!(gateway.status("127.0.0.2", "sk-0123456789abcdefghij").await, 200);
    let key = hash("sk-0123456789abcdefghij");
    let found = gateway.commit(async |tx| bindings::get(tx, TENANT, key).await).await.bound.unwrap();
    assert_eq!((found.masked.as_str(), found.binding.mode), ("sk-012…ghij", Mode::Single));
    assert_eq!(bindings::text(&found.binding.addresses), "127.0.0.2/32");
    gateway.stop().await;
}

/// Two gateways with caches and connections of their own, 200 clients, 100 keys.
async fn of_two_gateways_one_binds_however_many_race(place: Place) {
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateways = [Gateway::start(&place, upstream, &[BINDS]).await, Gateway::start(&place, upstream, &[BINDS]).await];
    let mut clients = Vec::new();
    for number in 0..200 {
        let source = ["127.0.0.2", "127.0.0.3"][number % 2];
        clients.push((source, gateways[number / 2 % 2].connect_from(source).await));
    }
    for round in 0..100 {
        let key = format!("sk-of-round-{round}");
        let mut racers = JoinSet::new();
        for (source, mut client) in clients.drain(..) {
            let key = key.clone();
            racers.spawn(async move {
                let status = verdict(&mut client, &key).await;
                (source, client, status)
            });
        }
        let ended = racers.join_all().await;
        let winner = ended.iter().find(|(_, _, status)| *status == 200).expect("one binds").0;
        for (source, _, status) in &ended {
            assert_eq!(*status, if *source == winner { 200 } else { 403 }, "round {round}");
        }
        clients = ended.into_iter().map(|(source, client, _)| (source, client)).collect();
    }
    drop(clients);
    for gateway in gateways {
        gateway.stop().await;
    }
}

/// What becomes of a key. While the store is too slow for a look-up, nobody is let in: 503, and a client asks again.
async fn verdict(client: &mut Client, key: &str) -> u16 {
    let began = Instant::now();
    loop {
        client.get("/", key).await;
        match client.answer().await.status {
            503 if began.elapsed() < PATIENCE => sleep(Duration::from_millis(20)).await,
            status => return status,
        }
    }
}

async fn a_change_holds_in_every_gateway_within_a_second(place: Place) {
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateways = [Gateway::start(&place, upstream, &[]).await, Gateway::start(&place, upstream, &[]).await];
    let key = hash("sk-1");
    // Changes that look old would be cleared away before anybody heard of them.
    let now = gateways[0].shared.clock.now_ms();
    for gateway in &gateways {
        assert_eq!(gateway.status("127.0.0.2", "sk-1").await, 200);
        assert_eq!(gateway.status("127.0.0.3", "sk-1").await, 403);
    }
    let holds = async |status: u16, source: &str, what: &str| {
        let since = Instant::now();
        for gateway in &gateways {
            eventually(what, async || gateway.status(source, "sk-1").await == status).await;
        }
        // A second, and some for a busy machine.
        assert!(since.elapsed() < Duration::from_secs(3), "{what} after {:?}", since.elapsed());
    };
    let nets = ["127.0.0.2/32", "127.0.0.3/32"].map(|net| net.parse().unwrap()).to_vec();
    let two = Binding { mode: Mode::Multiple, addresses: nets.into(), blocked: false };
    gateways[0].commit(async |tx| bindings::set(tx, TENANT, key, &two, now).await).await;
    holds(200, "127.0.0.3", "both addresses allowed").await;
    let blocked = Binding { blocked: true, ..two };
    gateways[1].commit(async |tx| bindings::set(tx, TENANT, key, &blocked, now).await).await;
    holds(403, "127.0.0.2", "blocked").await;
    gateways[0].commit(async |tx| bindings::remove(tx, TENANT, key, now).await).await;
    holds(200, "127.0.0.4", "bound anew").await;
    let refuse = Runtime { without_key: Some(WithoutKey::Refuse), ..Runtime::default() };
    gateways[0].commit(async |tx| bindings::set_runtime(tx, TENANT, &refuse, now).await).await;
    for gateway in &gateways {
        eventually("refusing requests without a key", async || {
            let mut client = gateway.connect().await;
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            client.answer().await.status == 401
        })
        .await;
    }
    for gateway in gateways {
        gateway.stop().await;
    }
}

async fn uses_are_written_down(place: Place) {
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    for _ in 0..3 {
        assert_eq!(gateway.status("127.0.0.2", "sk-1").await, 200);
    }
    assert_eq!(gateway.status("127.0.0.3", "sk-1").await, 403);
    let store = gateway.store();
    let day = usage::day_of(gateway.shared.clock.now_ms());
    // What is not written yet is written when it stops.
    gateway.stop().await;
    let mut tx = store.begin_read().await.unwrap();
    let all = usage::days(&mut tx, TENANT, None, day).await.unwrap();
    assert_eq!((all[0].allowed, all[0].intercepted), (3, 1));
    let of_key = usage::days(&mut tx, TENANT, Some(hash("sk-1")), day).await.unwrap();
    assert_eq!(of_key[0].allowed, 3);
}

#[tokio::test]
async fn observing_lets_pass_and_learning_adds() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[("MODE", "observe")]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-1").await, 200);
    assert_eq!(gateway.status("127.0.0.3", "sk-1").await, 200);
    gateway.stop().await;
    let learn = [("MODE", "learn"), ("LEARN_UNTIL", "2999-01-01T00:00:00Z")];
    let gateway = Gateway::start(&place, upstream, &learn).await;
    for source in ["127.0.0.3", "127.0.0.4", "127.0.0.2"] {
        assert_eq!(gateway.status(source, "sk-1").await, 200);
    }
    let found = gateway.commit(async |tx| bindings::get(tx, TENANT, hash("sk-1")).await).await.bound.unwrap();
    assert_eq!(bindings::text(&found.binding.addresses), "127.0.0.2/32 127.0.0.3/32 127.0.0.4/32");
    gateway.stop().await;
    let over = [("MODE", "learn"), ("LEARN_UNTIL", "2001-01-01T00:00:00Z")];
    let gateway = Gateway::start(&place, upstream, &over).await;
    assert_eq!(gateway.status("127.0.0.4", "sk-1").await, 200);
    assert_eq!(gateway.status("127.0.0.5", "sk-1").await, 403);
    gateway.stop().await;
}

#[tokio::test]
async fn bogus_keys_are_bound_only_so_fast_and_only_so_many() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[("FIRST_BINDS_PER_MINUTE", "10")]).await;
    assert_eq!(gateway.status("127.0.0.3", "sk-good").await, 200);
    let mut client = gateway.connect_from("127.0.0.2").await;
    let mut bound = 0;
    for number in 0..300 {
        client.get("/", &format!("bogus-{number}")).await;
        let answer = client.answer().await;
        match answer.status {
            200 => bound += 1,
            429 => assert!(answer.head.contains("retry-after: 60")),
            other => panic!("{other}"),
        }
    }
    // The clock's minute may have turned meanwhile.
    assert!((10..=20).contains(&bound), "{bound}");
    let rows = gateway.commit(async |tx| bindings::count(tx, TENANT).await).await;
    assert_eq!(rows, bound + 1);
    assert_eq!(gateway.status("127.0.0.3", "sk-good").await, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn there_are_only_so_many_bindings_and_those_that_are_there_go_on() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[BINDS, ("BINDINGS_MAX", "1")]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-good").await, 200);
    gateway.stop().await;
    let gateway = Gateway::start(&place, upstream, &[BINDS, ("BINDINGS_MAX", "1")]).await;
    let tried = AtomicI64::new(0);
    eventually("it knows that it is full", async || {
        let mut client = gateway.connect_from("127.0.0.3").await;
        client.get("/", &format!("bogus-{}", tried.fetch_add(1, Relaxed))).await;
        let answer = client.answer().await;
        answer.status == 503 && answer.text().contains("too_many_bindings")
    })
    .await;
    assert_eq!(gateway.status("127.0.0.2", "sk-good").await, 200);
    let rows = gateway.commit(async |tx| bindings::count(tx, TENANT).await).await;
    assert_eq!(rows, tried.into_inner(), "what was refused was not bound");
    gateway.stop().await;
}

#[tokio::test]
async fn without_the_store_known_keys_go_on_and_others_meet_the_fail_mode() {
    let server = PostgresServer::start();
    let place = Place { database: server.database(), ..Place::sqlite() };
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let open = Gateway::start(&place, upstream, &[("FAIL_MODE", "open")]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-known").await, 200);
    server.stop();
    assert_eq!(gateway.status("127.0.0.2", "sk-known").await, 200);
    assert_eq!(gateway.status("127.0.0.3", "sk-known").await, 403);
    assert_eq!(gateway.status("127.0.0.2", "sk-new").await, 503);
    assert_eq!(open.status("127.0.0.2", "sk-new").await, 200);
    server.start_again();
    eventually("the store is used again", async || gateway.status("127.0.0.2", "sk-new").await == 200).await;
    gateway.stop().await;
    open.stop().await;
}

/// Somebody holds the row of one key: that is no reason to refuse the others.
#[tokio::test]
async fn a_look_up_that_hangs_holds_up_its_own_key_only() {
    let place = Place::postgres();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let elsewhere = Store::open(&place.database, place.dir.path()).await.unwrap();
    let mut held = elsewhere.begin().await.unwrap();
    let (net, now) = ("127.0.0.2/32".parse().unwrap(), gateway.shared.clock.now_ms());
    assert!(bindings::bind(&mut held, TENANT, hash("sk-held"), "…", net, now).await.unwrap());
    assert_eq!(gateway.status("127.0.0.2", "sk-held").await, 503);
    assert_eq!(gateway.status("127.0.0.2", "sk-other").await, 200, "at once");
    held.rollback().await.unwrap();
    eventually("the row is free", async || gateway.status("127.0.0.2", "sk-held").await == 200).await;
    elsewhere.close().await;
    gateway.stop().await;
}

/// Many more new keys than look-ups at a time: they do not wait for one round after the other.
#[tokio::test]
async fn a_store_that_hangs_lets_a_crowd_wait_once() {
    let server = Arc::new(PostgresServer::start());
    let place = Place { database: server.database(), ..Place::sqlite() };
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[BINDS]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-known").await, 200);
    let holding = spawn_blocking({
        let (server, database) = (server.clone(), place.database.clone());
        move || server.query(&database, "BEGIN; LOCK TABLE bindings; SELECT pg_sleep(60)")
    });
    let tried = AtomicI64::new(0);
    eventually("the table is held", async || {
        gateway.status("127.0.0.2", &format!("sk-probe-{}", tried.fetch_add(1, Relaxed))).await == 503
    })
    .await;
    let mut asking = JoinSet::new();
    let began = Instant::now();
    for number in 0..200 {
        let mut client = gateway.connect_from("127.0.0.2").await;
        // Half of them with one key.
        client.get("/", &format!("sk-{}", number.max(100))).await;
        asking.spawn(async move { client.answer().await.status });
    }
    assert!(asking.join_all().await.iter().all(|status| *status == 503));
    // Two seconds, and some for a busy machine. One after the other, they would take more than ten.
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(gateway.status("127.0.0.2", "sk-known").await, 200, "from memory");
    let let_go = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'";
    assert_eq!(server.query(&place.database, let_go).as_deref(), Some("t"));
    assert_eq!(holding.await.unwrap(), None);
    gateway.stop().await;
}

#[tokio::test]
async fn redis_answers_for_the_store_but_never_with_what_has_changed() {
    let redis = RedisServer::start();
    let server = PostgresServer::start();
    let place = Place { database: server.database(), queue: redis.url(), ..Place::sqlite() };
    let (upstream, _told, _tasks) = telling_upstream().await;
    let first = Gateway::start(&place, upstream, &[]).await;
    let second = Gateway::start(&place, upstream, &[]).await;
    assert_eq!(first.status("127.0.0.2", "sk-2").await, 200);
    let now = first.shared.clock.now_ms();
    let blocked = Binding { blocked: true, ..Binding::first_use("127.0.0.2/32".parse().unwrap()) };
    first.commit(async |tx| bindings::set(tx, TENANT, hash("sk-2"), &blocked, now).await).await;
    eventually("blocked in the first", async || first.status("127.0.0.2", "sk-2").await == 403).await;
    eventually("blocked in the second", async || second.status("127.0.0.2", "sk-2").await == 403).await;
    assert_eq!(first.status("127.0.0.2", "sk-1").await, 200);
    server.stop();
    assert_eq!(second.status("127.0.0.2", "sk-1").await, 200, "the second never asked the store");
    assert_eq!(second.status("127.0.0.3", "sk-1").await, 403);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_crowd_with_one_new_key_passes() {
    let place = Place::postgres();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(gateway.connect().await);
    }
    let mut asking = JoinSet::new();
    for mut client in clients {
        asking.spawn(async move {
            client.get("/", "sk-1").await;
            client.answer().await.status
        });
    }
    assert!(asking.join_all().await.iter().all(|status| *status == 200));
    gateway.stop().await;
}

#[tokio::test]
async fn a_gateway_that_starts_without_its_store_waits_for_it() {
    let server = PostgresServer::start();
    let place = Place { database: server.database(), ..Place::sqlite() };
    // So that the schema is there.
    Store::open(&place.database, place.dir.path()).await.unwrap().close().await;
    let (upstream, _told, _tasks) = telling_upstream().await;
    server.stop();
    let gateway = Gateway::start_alone(&place, upstream, &[]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-1").await, 503);
    server.start_again();
    eventually("the store is there", async || gateway.status("127.0.0.2", "sk-1").await == 200).await;
    gateway.stop().await;
}
