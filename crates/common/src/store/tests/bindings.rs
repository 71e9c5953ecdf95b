//! Bindings: bound once, changed for all, listed, archived; the log of interceptions; the counts of days.

use std::collections::BTreeSet;

use ipnet::IpNet;
use tokio::task::JoinSet;

use super::{Empty, on_both};
use crate::{
    binding::{
        Addresses, Binding, Mode, Reason,
        gateway::{FailMode, Runtime},
        token::KeyHash,
    },
    ids::{InterceptionId, TenantId},
    store::{
        Store, StoreError, Tx,
        bindings::{self, Bound, Change},
        interceptions::{self, Interception},
        leases,
        usage::{self, Busy, Day},
    },
};

on_both!(
    of_many_that_bind_at_once_one_does,
    every_change_is_listed_in_its_order,
    what_another_changed_meanwhile_is_not_overwritten_by_learning,
    bindings_are_searched_and_paged,
    idle_bindings_are_archived_in_small_batches_but_blocked_ones_stay,
    interceptions_are_listed_and_their_log_is_bounded,
    days_add_up,
    a_lease_has_one_owner_at_a_time,
    settings_of_the_running_gateway_are_read_back,
    another_tenant_sees_nothing,
);

const TENANT: TenantId = TenantId(1);
const RACERS: u8 = 200;
const ROUNDS: u8 = 100;
const ATTEMPTS_MAX: u32 = 20;

fn key(number: u8) -> KeyHash {
    KeyHash([number; 32])
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

async fn commit<T>(store: &Store, work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>) -> T {
    let mut tx = store.begin().await.unwrap();
    let done = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    done
}

/// A transaction. Connections are few, and on a slow disk some of 200 wait for one in vain: they are told before anything
/// happened, and try again as a client of the gateway does.
async fn begin(store: &Store, reads: bool) -> Tx {
    for _ in 0..ATTEMPTS_MAX {
        let tx = if reads { store.begin_read().await } else { store.begin().await };
        if !tx.as_ref().is_err_and(StoreError::is_transient) {
            return tx.unwrap();
        }
    }
    panic!("the store gave no transaction in {ATTEMPTS_MAX} attempts");
}

async fn bind(store: &Store, number: u8, address: &str, now: i64) -> bool {
    let mut tx = begin(store, false).await;
    let won = bindings::bind(&mut tx, TENANT, key(number), &format!("sk-{number}…"), net(address), now).await.unwrap();
    tx.commit().await.unwrap();
    won
}

async fn get(store: &Store, number: u8) -> Option<Bound> {
    let mut tx = begin(store, true).await;
    bindings::get(&mut tx, TENANT, key(number)).await.unwrap().bound
}

/// Each store has connections of its own, as another process would.
async fn of_many_that_bind_at_once_one_does(empty: Empty) {
    let stores = [empty.open().await, empty.open().await];
    for round in 0..ROUNDS {
        let mut racers = JoinSet::new();
        for racer in 0..RACERS {
            let store = stores[usize::from(racer) % 2].clone();
            racers.spawn(async move {
                // The pool of SQLite has one connection that writes, and a hundred wait for it in turn.
                let won = bind(&store, round, &format!("192.0.2.{racer}/32"), 1).await;
                (won, racer, get(&store, round).await.unwrap().binding)
            });
        }
        let ended = racers.join_all().await;
        let winners: Vec<_> = ended.iter().filter(|(won, ..)| *won).map(|(_, racer, _)| *racer).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        let expected = Binding::first_use(net(&format!("192.0.2.{}/32", winners[0])));
        assert!(ended.iter().all(|(_, _, seen)| *seen == expected), "round {round}");
    }
}

async fn every_change_is_listed_in_its_order(empty: Empty) {
    let store = empty.open().await;
    for number in 1..=3 {
        bind(&store, number, "192.0.2.1/32", 1).await;
    }
    let start = bindings::last_change(&mut store.begin_read().await.unwrap()).await.unwrap();
    let blocked = Binding { blocked: true, ..Binding::first_use(net("192.0.2.1/32")) };
    commit(&store, async |tx| bindings::set(tx, TENANT, key(2), &blocked, 5).await).await;
    commit(&store, async |tx| bindings::remove(tx, TENANT, key(1), 6).await).await;
    commit(&store, async |tx| bindings::set_runtime(tx, TENANT, &Runtime::default(), 7).await).await;
    let changes = bindings::changes(&mut store.begin_read().await.unwrap(), start, 10).await.unwrap();
    let what: Vec<_> = changes.iter().map(|(_, _, change)| *change).collect();
    assert_eq!(what, [Change::Binding(key(2)), Change::Binding(key(1)), Change::Settings]);
    assert!(changes.is_sorted_by_key(|(seq, ..)| *seq));
    assert_eq!(get(&store, 1).await, None);
    assert!(get(&store, 2).await.unwrap().binding.blocked);
    let mut tx = store.begin().await.unwrap();
    let missing = bindings::remove(&mut tx, TENANT, key(9), 8).await.unwrap_err();
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
}

async fn what_another_changed_meanwhile_is_not_overwritten_by_learning(empty: Empty) {
    let store = empty.open().await;
    bind(&store, 1, "192.0.2.1/32", 1).await;
    let read = get(&store, 1).await.unwrap();
    let learn = async |read: Bound, to: &str| {
        commit(&store, async |tx| bindings::learn(tx, TENANT, &read, net(to), 2).await).await
    };
    assert!(learn(read.clone(), "192.0.2.2/32").await);
    assert!(!learn(read, "192.0.2.3/32").await);
    let now = get(&store, 1).await.unwrap().binding;
    assert_eq!((now.mode, bindings::text(&now.addresses)), (Mode::Multiple, "192.0.2.1/32 192.0.2.2/32".to_owned()));
}

async fn bindings_are_searched_and_paged(empty: Empty) {
    let store = empty.open().await;
    for number in 1..=5_u8 {
        bind(&store, number, &format!("192.0.2.{number}/32"), i64::from(number / 2)).await;
    }
    let all = Binding { mode: Mode::All, addresses: Addresses::Many(Box::default()), blocked: true };
    commit(&store, async |tx| bindings::set(tx, TENANT, key(5), &all, 5).await).await;
    let found = async |filter: bindings::Filter, limit| {
        let page = bindings::list(&mut store.begin_read().await.unwrap(), TENANT, &filter, limit).await.unwrap();
        page.into_iter().map(|bound| bound.key.0[0]).collect::<Vec<_>>()
    };
    let search = |text: &str| bindings::Filter { search: Some(text.to_owned()), ..bindings::Filter::default() };
    assert_eq!(found(search("192.0.2.3"), 9).await, [3]);
    assert_eq!(found(search("SK-2"), 9).await, [2]);
    assert_eq!(found(search("%"), 9).await, [0; 0]);
    assert_eq!(found(bindings::Filter { mode: Some(Mode::All), ..Default::default() }, 9).await, [5]);
    assert_eq!(found(bindings::Filter { blocked: Some(false), ..Default::default() }, 9).await, [4, 3, 2, 1]);
    assert_eq!(found(bindings::Filter::default(), 2).await, [5, 4]);
    let after = Some((2, key(4)));
    assert_eq!(found(bindings::Filter { after, ..Default::default() }, 9).await, [3, 2, 1]);
    assert_eq!(bindings::count(&mut store.begin_read().await.unwrap(), TENANT).await.unwrap(), 5);
}

async fn idle_bindings_are_archived_in_small_batches_but_blocked_ones_stay(empty: Empty) {
    let store = empty.open().await;
    for number in 1..=5 {
        bind(&store, number, "192.0.2.1/32", 1).await;
    }
    let blocked = Binding { blocked: true, ..Binding::first_use(net("192.0.2.1/32")) };
    commit(&store, async |tx| bindings::set(tx, TENANT, key(1), &blocked, 2).await).await;
    commit(&store, async |tx| bindings::used(tx, TENANT, &[key(2), key(9)], 100).await).await;
    let start = bindings::last_change(&mut store.begin_read().await.unwrap()).await.unwrap();
    let archive = async || commit(&store, async |tx| bindings::archive(tx, TENANT, 50, 2, 200).await).await;
    assert_eq!((archive().await, archive().await, archive().await), (2, 1, 0));
    assert!(get(&store, 1).await.is_some() && get(&store, 2).await.is_some());
    assert!(get(&store, 3).await.is_none());
    let changes = bindings::changes(&mut store.begin_read().await.unwrap(), start, 9).await.unwrap();
    let forgotten: BTreeSet<_> = changes.into_iter().map(|(_, _, change)| format!("{change:?}")).collect();
    assert_eq!(forgotten, [3, 4, 5].map(|number| format!("{:?}", Change::Binding(key(number)))).into());
    assert!(bind(&store, 3, "198.51.100.1/32", 300).await, "the next use binds anew");
    commit(&store, async |tx| bindings::prune(tx, TENANT, 1_000, 1_000).await).await;
    let left = bindings::changes(&mut store.begin_read().await.unwrap(), 0, 9).await.unwrap();
    assert_eq!(left, []);
}

fn interception(at: i64, number: u8) -> Interception {
    Interception {
        id: InterceptionId::at(at),
        at,
        key: key(number),
        masked: format!("sk-{number}…"),
        bound: "192.0.2.1/32".to_owned(),
        attempted: format!("203.0.113.{number}"),
        method: "POST".to_owned(),
        path: "/v1/chat/\0completions".to_owned(),
        reason: Reason::Elsewhere,
        refused: true,
        uses: 3,
    }
}

async fn interceptions_are_listed_and_their_log_is_bounded(empty: Empty) {
    let store = empty.open().await;
    let rows: Vec<_> = (1..=6).map(|number| interception(i64::from(number) * 1_000, number)).collect();
    commit(&store, async |tx| interceptions::insert(tx, TENANT, &rows).await).await;
    commit(&store, async |tx| interceptions::insert(tx, TENANT, &rows[..1]).await).await;
    let found = async |filter: interceptions::Filter| {
        let page = interceptions::list(&mut store.begin_read().await.unwrap(), TENANT, &filter, 9).await.unwrap();
        page.into_iter().map(|row| row.key.0[0]).collect::<Vec<_>>()
    };
    let any = interceptions::Filter::default;
    assert_eq!(found(any()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(found(interceptions::Filter { key: Some(key(2)), ..any() }).await, [2]);
    assert_eq!(found(interceptions::Filter { search: Some("113.4".into()), ..any() }).await, [4]);
    assert_eq!(found(interceptions::Filter { since: Some(2_000), until: Some(4_000), ..any() }).await, [3, 2]);
    assert_eq!(found(interceptions::Filter { after: Some((3_000, rows[2].id)), ..any() }).await, [2, 1]);
    let pruned = commit(&store, async |tx| interceptions::prune(tx, TENANT, 2_000, 3, 10).await).await;
    assert_eq!((pruned, found(any()).await), (3, vec![6, 5, 4]));
    let first = interceptions::list(&mut store.begin_read().await.unwrap(), TENANT, &any(), 1).await.unwrap();
    assert_eq!(first[0].path, "/v1/chat/\u{fffd}completions");
}

async fn days_add_up(empty: Empty) {
    let store = empty.open().await;
    let day = |day, key, allowed, intercepted| Day { day, key, allowed, intercepted };
    let batch = [day(10, None, 5, 1), day(10, Some(key(1)), 4, 0), day(10, Some(key(2)), 1, 1)];
    commit(&store, async |tx| usage::add(tx, TENANT, &batch).await).await;
    let more = [day(10, None, 1, 0), day(11, Some(key(1)), 2, 0)];
    commit(&store, async |tx| usage::add(tx, TENANT, &more).await).await;
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(usage::days(&mut tx, TENANT, None, 0).await.unwrap(), [day(10, None, 6, 1)]);
    let of_key = usage::days(&mut tx, TENANT, Some(key(1)), 11).await.unwrap();
    assert_eq!(of_key, [day(11, Some(key(1)), 2, 0)]);
    let busiest = usage::busiest(&mut tx, TENANT, 0, 1).await.unwrap();
    assert_eq!(busiest, [Busy { key: key(1), masked: None, allowed: 6, intercepted: 0 }]);
    drop(tx);
    commit(&store, async |tx| usage::prune(tx, TENANT, 11).await).await;
    let left = usage::days(&mut store.begin_read().await.unwrap(), TENANT, None, 0).await.unwrap();
    assert_eq!(left, []);
    assert_eq!((usage::day_of(86_399_999), usage::day_of(86_400_000)), (0, 1));
}

async fn a_lease_has_one_owner_at_a_time(empty: Empty) {
    let store = empty.open().await;
    let take = async |owner, now| commit(&store, async |tx| leases::take(tx, "x", owner, now, now + 10).await).await;
    assert!(take("a", 0).await);
    assert!(!take("b", 5).await);
    assert!(take("a", 5).await, "its owner keeps it");
    assert!(!take("b", 14).await);
    assert!(take("b", 15).await, "another takes what was left");
    assert!(!take("a", 16).await);
}

async fn settings_of_the_running_gateway_are_read_back(empty: Empty) {
    let store = empty.open().await;
    let set = Runtime { fail_mode: Some(FailMode::Open), archive_days: Some(7), ..Runtime::default() };
    commit(&store, async |tx| bindings::set_runtime(tx, TENANT, &set, 1).await).await;
    assert_eq!(bindings::runtime(&mut store.begin_read().await.unwrap(), TENANT).await.unwrap(), set);
}

async fn another_tenant_sees_nothing(empty: Empty) {
    let store = empty.open().await;
    let other = TenantId(2);
    commit(&store, async |tx| super::super::config::add_tenant(tx, other, "other", 1).await).await;
    bind(&store, 1, "192.0.2.1/32", 1).await;
    commit(&store, async |tx| interceptions::insert(tx, TENANT, &[interception(1, 1)]).await).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(bindings::get(&mut tx, other, key(1)).await.unwrap().bound, None);
    assert!(bindings::remove(&mut tx, other, key(1), 1).await.is_err());
    assert_eq!(bindings::list(&mut tx, other, &bindings::Filter::default(), 9).await.unwrap(), []);
    assert_eq!(interceptions::list(&mut tx, other, &interceptions::Filter::default(), 9).await.unwrap(), []);
    assert_eq!(bindings::archive(&mut tx, other, i64::MAX, 9, 9).await.unwrap(), 0);
}
