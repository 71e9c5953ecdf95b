//! More transactions than connections.

use futures_util::future::join;

use super::{super::StoreError, Empty, on_both};

on_both!(whoever_waits_in_a_crowd_is_served_in_turn_and_told_of_the_crowd_when_it_takes_too_long);

async fn whoever_waits_in_a_crowd_is_served_in_turn_and_told_of_the_crowd_when_it_takes_too_long(empty: Empty) {
    let store = empty.open().await;
    let connections = store.readers.options().get_max_connections();
    let mut held = Vec::new();
    for _ in 0..connections {
        held.push(store.begin_read().await.unwrap());
    }
    let (first, second) = join(
        async {
            // Asked for before the other one, so the connection that becomes free is its.
            let (next, ()) = join(store.begin_read(), async { held.truncate(held.len() - 1) }).await;
            next
        },
        store.begin_read(),
    )
    .await;
    let served = first.unwrap();
    let error = second.unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error}");
    drop((served, held));
    store.begin_read().await.unwrap();
}
