//! The bindings of a Key-IP Sentinel, on a real PostgreSQL of its own.

use secrecy::ExposeSecret as _;

use super::{Empty, on_both};
use crate::{
    binding::{Mode, token::KeyHasher},
    ids::TenantId,
    store::{bindings, sentinel},
    testing::PostgresServer,
};

on_both!(bindings_move_over_once_and_their_hashes_match);

const TENANT: TenantId = TenantId(1);

const THEIRS: &str = "
    CREATE TABLE token_bindings (id SERIAL PRIMARY KEY, token_hash VARCHAR(64), token_display VARCHAR(20), bound_ip CIDR,
        binding_mode VARCHAR(16), allowed_ips JSONB, status SMALLINT, is_active BOOLEAN,
        first_used_at TIMESTAMPTZ, last_used_at TIMESTAMP);
    INSERT INTO token_bindings (token_hash, token_display, bound_ip, binding_mode, allowed_ips, status, is_active,
        first_used_at, last_used_at) VALUES
    ('HASH', 'sk-a…b', '192.0.2.1', 'single', NULL, 1, true, '2026-03-05T14:40:27+00:00', '2026-03-06T00:00:00'),
    (repeat('2', 64), 'sk-2', '192.0.2.0/24', 'multiple', '[\"198.51.100.7\", \"192.0.2.0/24\"]', 1, true, now(), now()),
    (repeat('3', 64), 'sk-3', '192.0.2.1', 'all', '[]', NULL, false, now(), now()),
    (repeat('5', 64), 'sk-5', '192.0.2.1', 'single', '[]', 2, true, now(), now()),
    ('not a hash', 'sk-4', '192.0.2.1', 'single', NULL, 1, true, now(), now());";

async fn bindings_move_over_once_and_their_hashes_match(empty: Empty) {
    let server = PostgresServer::start();
    let theirs = server.database();
    let secret = "replace-with-a-random-32-byte-secret".into();
    let key = KeyHasher::new(&secret).hash(b"sk-their-key");
    server.execute(&theirs, &THEIRS.replace("HASH", &key.to_string()));
    let store = empty.open().await;
    let first = sentinel::import(&store, TENANT, &theirs, 1).await.unwrap();
    assert_eq!((first.added, first.present, first.unreadable), (4, 0, 1));
    assert!(first.problems[0].contains("not a hash"), "{:?}", first.problems);
    let as_they_write_it = theirs.expose_secret().replacen("postgres://", "postgresql+asyncpg://", 1).into();
    let again = sentinel::import(&store, TENANT, &as_they_write_it, 1).await.unwrap();
    assert_eq!((again.added, again.present), (0, 4));
    let wrong = sentinel::import(&store, TENANT, &"mysql://host/name".into(), 1).await.unwrap_err();
    assert!(wrong.to_string().contains("its URL must be postgres://"), "{wrong}");
    let mut tx = store.begin_read().await.unwrap();
    let bound = bindings::get(&mut tx, TENANT, key).await.unwrap().bound.unwrap();
    assert_eq!((bound.masked.as_str(), bound.binding.mode), ("sk-a…b", Mode::Single));
    assert_eq!(bindings::text(&bound.binding.addresses), "192.0.2.1/32");
    assert_eq!((bound.created_at, bound.last_used_at), (1_772_721_627_000, 1_772_755_200_000));
    let all = bindings::list(&mut tx, TENANT, &bindings::Filter::default(), 9).await.unwrap();
    let of = |name: &str| all.iter().find(|bound| bound.masked == name).unwrap().binding.clone();
    assert_eq!(bindings::text(&of("sk-2").addresses), "192.0.2.0/24 198.51.100.7/32");
    assert_eq!((of("sk-3").mode, of("sk-3").blocked), (Mode::All, true));
    assert_eq!((of("sk-2").blocked, of("sk-5").blocked), (false, true));
}
