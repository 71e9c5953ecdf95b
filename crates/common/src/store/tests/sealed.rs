//! Rotation: everything that is sealed is sealed anew, and nothing else changes.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Empty, on_both};
use crate::{
    ai::{self, Ai, Model, Provider},
    config::{Bot, Channel, Document},
    crypto::{Column, KEY_BYTES, Place, Sealed, Vault},
    identity::Role,
    ids::{AiProviderId, BotId, ChannelId, InviteId, TenantId, UserId},
    store::{
        Store, bots, channels,
        config::{self, Owned},
        invites::{self, Invite},
        sealed,
        signing_keys::{self, SigningKey},
    },
};

on_both!(
    everything_that_is_sealed_is_sealed_anew_and_opens_as_before,
    a_rotation_that_was_cut_off_is_finished_by_the_next,
    what_is_changed_meanwhile_keeps_the_change,
    what_cannot_be_opened_is_named_and_left,
);

const OTHER: TenantId = TenantId(2);

fn key(byte: u8) -> SecretString {
    STANDARD.encode([byte; KEY_BYTES]).into()
}

fn old() -> Vault {
    Vault::from_base64(&key(1)).unwrap()
}

fn ring() -> Vault {
    Vault::from_keys(&key(2), &[key(1)], &SecretString::default()).unwrap()
}

fn owned<T>(item: T) -> Owned<T> {
    Owned { item, provisioned: false }
}

fn bot(vault: &Vault, tenant: TenantId, id: i64) -> Owned<Bot> {
    let seal = |field: &str| (field.to_owned(), vault.seal(&Place::bot(tenant, BotId(id), field), &secret(field, id)));
    let credentials = BTreeMap::from([seal("bot_token"), seal("proxy")]);
    owned(Bot {
        id: BotId(id),
        name: format!("bot {id}"),
        platform: "telegram".into(),
        description: String::new(),
        credentials,
        enabled: true,
    })
}

fn channel(vault: &Vault, tenant: TenantId, id: i64) -> Owned<Channel> {
    let own = Place::channel(tenant, ChannelId(id), "signing_secret");
    owned(Channel {
        id: ChannelId(id),
        name: format!("channel {id}"),
        platform: "webhook".into(),
        bot: None,
        target: "https://example.org".into(),
        options: BTreeMap::new(),
        secrets: BTreeMap::from([("signing_secret".to_owned(), vault.seal(&own, &secret("signing_secret", id)))]),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(tenant, ChannelId(id)), &secret("token", id)),
        templates: Vec::new(),
        enabled: true,
    })
}

fn models(vault: &Vault, tenant: TenantId) -> Ai {
    let model = Model {
        kind: ai::Kind::Openai,
        base_url: "https://example.org/v1".into(),
        name: "m".into(),
        timeout_ms: 1,
        concurrency: 1,
        context_tokens: 8_192,
        prompt_price: 0.0,
        completion_price: 0.0,
    };
    let api_key = Some(vault.seal(&Place::models(tenant), &secret("api_key", tenant.0)));
    let keyed = Provider { id: AiProviderId(1), model: model.clone(), api_key, provisioned: true };
    Ai {
        providers: vec![Provider { id: AiProviderId(2), model, api_key: None, provisioned: true }, keyed],
        max_wait_ms: Some(5),
    }
}

fn invite(vault: &Vault, tenant: TenantId, id: i64) -> Invite {
    Invite {
        id: InviteId(id),
        tenant,
        created_by: UserId(1),
        code: vault.seal(&Place::invite(tenant, InviteId(id)), &secret("code", id)),
        for_tenant: None,
        role: Role::Viewer,
        created_at: 0,
        expires_at: None,
        used: None,
    }
}

fn secret(field: &str, id: i64) -> SecretString {
    format!("{field} {id}").into()
}

/// Two tenants with more rows than are read at a time.
const ROWS: i64 = 70;

async fn filled(empty: &Empty) -> Store {
    let (store, vault) = (empty.open().await, old());
    let mut tx = store.begin().await.unwrap();
    config::add_tenant(&mut tx, OTHER, "other", 0).await.unwrap();
    for (tenant, first) in [(TenantId::DEFAULT, 1), (OTHER, 1_000)] {
        for id in first..first + ROWS {
            bots::put(&mut tx, tenant, &bot(&vault, tenant, id)).await.unwrap();
            let hash = vault.hash(secret("token", id).expose_secret());
            channels::put(&mut tx, tenant, &channel(&vault, tenant, id), &hash).await.unwrap();
        }
        config::set_ai(&mut tx, tenant, &models(&vault, tenant)).await.unwrap();
        invites::add(&mut tx, &invite(&vault, tenant, first), &format!("hash {first}")).await.unwrap();
    }
    let secret = vault.seal(&Place::signing_key(7), &secret("signing", 7));
    let signing = SigningKey { id: 7, secret, created_at: 0, expires_at: 9 };
    signing_keys::add(&mut tx, &signing).await.unwrap();
    tx.commit().await.unwrap();
    store
}

async fn document(store: &Store) -> Document {
    config::document(&mut store.begin_read().await.unwrap()).await.unwrap()
}

/// Every secret of the store, by its place.
async fn open(store: &Store, vault: &Vault) -> BTreeMap<String, String> {
    let mut tx = store.begin_read().await.unwrap();
    let document = config::document(&mut tx).await.unwrap();
    let mut invites = invites::list(&mut tx, TenantId::DEFAULT).await.unwrap();
    invites.extend(invites::list(&mut tx, OTHER).await.unwrap());
    let signing = signing_keys::get(&mut tx, 7, 0).await.unwrap().unwrap();
    let mut found = BTreeMap::new();
    let mut note = |sealed: &Sealed, place: Place| {
        found.insert(place.to_string(), vault.open(sealed, &place).unwrap().expose_secret().to_owned());
    };
    note(&signing.secret, Place::signing_key(7));
    for invite in &invites {
        note(&invite.code, Place::invite(invite.tenant, invite.id));
    }
    for tenant in &document.tenants {
        let id = tenant.id;
        let of_bots = tenant
            .bots
            .iter()
            .flat_map(|bot| bot.credentials.iter().map(move |(field, sealed)| (Place::bot(id, bot.id, field), sealed)));
        let of_channels = tenant.channels.iter().flat_map(|channel| {
            let secrets = channel.secrets.iter();
            secrets.map(move |(field, sealed)| (Place::channel(id, channel.id, field), sealed))
        });
        let tokens = tenant.channels.iter().map(|channel| (Place::push_token(id, channel.id), &channel.push_token));
        let keys = tenant.ai.providers.iter().filter_map(|provider| provider.api_key.as_ref());
        let keys = keys.map(|key| (Place::models(id), key));
        for (place, sealed) in of_bots.chain(of_channels).chain(tokens).chain(keys) {
            note(sealed, place);
        }
    }
    found
}

async fn everything_that_is_sealed_is_sealed_anew_and_opens_as_before(empty: Empty) {
    let store = filled(&empty).await;
    let before = document(&store).await;
    let secrets = open(&store, &old()).await;
    // Each column of the list has its part in this test.
    let columns: BTreeSet<_> =
        secrets.keys().map(|place| place.split(['/', '.']).skip(1).take(2).collect::<Vec<_>>().join(".")).collect();
    assert_eq!(columns, Column::ALL.iter().map(|column| format!("{}.{}", column.table(), column.name())).collect());

    let done = sealed::reseal(&store, &ring(), 1_000).await.unwrap();
    assert_eq!((done.values, &done.unreadable[..]), (secrets.len() as u64, &[][..]));
    let after = document(&store).await;
    let alone = Vault::from_base64(&key(2)).unwrap();
    assert_eq!(open(&store, &alone).await, secrets, "the old key is not needed any more");
    assert!(after.version > before.version, "the services get what the new key sealed");
    let uses = sealed::keys_in_use(&store).await.unwrap();
    assert_eq!(uses, BTreeMap::from([(alone.key_ids()[0].clone(), secrets.len() as u64)]));

    let again = sealed::reseal(&store, &ring(), 2_000).await.unwrap();
    assert_eq!(again.values, 0);
    assert_eq!(document(&store).await, after, "a rotation that has nothing to do changes nothing");
}

async fn a_rotation_that_was_cut_off_is_finished_by_the_next(empty: Empty) {
    let store = filled(&empty).await;
    let secrets = open(&store, &old()).await;
    // As a kill leaves it: some rows are done, others not.
    let mut tx = store.begin().await.unwrap();
    for id in 1..20 {
        bots::put(&mut tx, TenantId::DEFAULT, &bot(&ring(), TenantId::DEFAULT, id)).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(open(&store, &ring()).await, secrets, "in the middle everything opens");
    let done = sealed::reseal(&store, &ring(), 1_000).await.unwrap();
    assert_eq!(done.values, secrets.len() as u64 - 19 * 2);
    assert_eq!(open(&store, &Vault::from_base64(&key(2)).unwrap()).await, secrets);
}

async fn what_is_changed_meanwhile_keeps_the_change(empty: Empty) {
    let store = filled(&empty).await;
    let ring = ring();
    let editing = async {
        for round in 0..20 {
            let mut tx = store.begin().await.unwrap();
            let mut changed = bot(&ring, TenantId::DEFAULT, 1 + round % 5);
            changed.item.name = format!("renamed {round}");
            bots::put(&mut tx, TenantId::DEFAULT, &changed).await.unwrap();
            tx.commit().await.unwrap();
        }
    };
    let (done, ()) = tokio::join!(sealed::reseal(&store, &ring, 1_000), editing);
    assert_eq!(done.unwrap().unreadable, Vec::<String>::new());
    let names = document(&store).await.tenants[0].bots.iter().map(|bot| bot.name.clone()).take(5).collect::<Vec<_>>();
    assert_eq!(names, ["renamed 15", "renamed 16", "renamed 17", "renamed 18", "renamed 19"]);
    let left = sealed::keys_in_use(&store).await.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), [&ring.key_ids()[0]]);
}

async fn what_cannot_be_opened_is_named_and_left(empty: Empty) {
    let store = filled(&empty).await;
    let before = open(&store, &old()).await.len() as u64;
    let strange = Vault::from_base64(&key(9)).unwrap();
    let mut tx = store.begin().await.unwrap();
    bots::put(&mut tx, OTHER, &bot(&strange, OTHER, 1_000)).await.unwrap();
    tx.commit().await.unwrap();
    let done = sealed::reseal(&store, &ring(), 1_000).await.unwrap();
    assert_eq!(done.unreadable.len(), 2, "{:?}", done.unreadable);
    assert!(
        done.unreadable[0].starts_with("2/bots/credentials.bot_token/1000: sealed with key"),
        "{:?}",
        done.unreadable
    );
    assert_eq!(done.values, before - 2);
}
