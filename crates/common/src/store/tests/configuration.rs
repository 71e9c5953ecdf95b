//! Configuration: what is written is read, and only by its tenant.

use std::collections::BTreeMap;

use super::{Empty, on_both};
use crate::{
    alert::Severity,
    config::{Active, Bot, Channel, Escalate, Match, Mute, ParseMode, Rule, Silence, Template, TemplateUse},
    crypto::{Place, Vault},
    ids::{BotId, ChannelId, MuteId, RuleId, SilenceId, TemplateId, TenantId},
    store::{
        Connection, Store, StoreError, bots, channels,
        config::{self, Kind, Owned},
        mutes, rules, silences, templates,
        tenants::{self, Tenant},
    },
};

on_both!(
    what_is_written_is_read,
    another_tenant_sees_and_changes_nothing,
    a_channel_that_a_rule_uses_cannot_be_deleted,
    a_template_that_a_channel_uses_cannot_be_deleted,
    two_channels_cannot_have_one_push_token_but_can_exchange_theirs,
    versions_only_grow_and_ids_are_never_given_twice,
    ids_are_reserved_only_before_the_first,
    a_change_that_is_not_committed_leaves_nothing,
    a_disabled_tenant_is_published_with_closed_channels,
);

const TENANT: TenantId = TenantId::DEFAULT;
const OTHER: TenantId = TenantId(2);

fn vault() -> Vault {
    Vault::from_base64(&"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".into()).unwrap()
}

fn owned<T>(item: T) -> Owned<T> {
    Owned { item, provisioned: true }
}

fn bot(id: i64) -> Owned<Bot> {
    let credentials = BTreeMap::from([(
        "bot_token".to_owned(),
        vault().seal(&Place::bot(TENANT, BotId(id), "bot_token"), &"s3cret".into()),
    )]);
    owned(Bot {
        id: BotId(id),
        name: format!("bot {id}"),
        platform: "telegram".into(),
        description: format!("of {id}"),
        credentials,
        enabled: true,
    })
}

fn channel(id: i64, bot: Option<i64>) -> Owned<Channel> {
    owned(Channel {
        id: ChannelId(id),
        name: format!("channel {id}"),
        platform: "telegram".into(),
        bot: bot.map(BotId),
        target: "-1001".into(),
        options: BTreeMap::from([("message_thread_id".to_owned(), serde_json::json!(7))]),
        secrets: BTreeMap::new(),
        rate_per_min: 60,
        dedup_window_s: u32::MAX,
        push_token: vault().seal(&Place::push_token(TENANT, ChannelId(id)), &"t".into()),
        templates: Vec::new(),
        enabled: id != 2,
    })
}

fn template(id: i64) -> Owned<Template> {
    let body = "{{ .subject }}\n".to_owned();
    owned(Template { id: TemplateId(id), name: format!("template {id}"), body, parse_mode: ParseMode::Html })
}

fn template_uses(id: i64) -> Vec<TemplateUse> {
    let used = |when: Option<&str>| TemplateUse { template: TemplateId(id), when: when.map(str::to_owned) };
    vec![used(Some("severity eq critical")), used(None)]
}

fn rule(id: i64, channels: &[i64]) -> Owned<Rule> {
    let ids: Vec<_> = channels.iter().map(|id| ChannelId(*id)).collect();
    owned(Rule {
        id: RuleId(id),
        name: format!("rule {id}"),
        matcher: Match { from: Some("*@db".into()), severity_at_least: Some(Severity::Warning), ..Match::default() },
        channels: ids.clone(),
        r#continue: id == 1,
        set_severity: Some(Severity::Error),
        escalate: Some(Escalate { severity_at_least: Severity::Critical, channels: ids }),
        active: Some(Active { days: vec!["mon".into()], from: "08:00".into(), to: "18:00".into(), timezone: None }),
        ai_max_wait_ms: Some(1_500),
        enabled: true,
    })
}

fn mute(id: i64) -> Owned<Mute> {
    owned(Mute { id: MuteId(id), from: Some("noreply@*".into()), source: None, comment: "news".into() })
}

fn silence(id: i64) -> Owned<Silence> {
    owned(Silence {
        id: SilenceId(id),
        matcher: Match::default(),
        expires_at: 1_800_000_000_000,
        comment: String::new(),
    })
}

async fn write_all(connection: &mut Connection, tenant: TenantId, first: i64) -> Result<(), StoreError> {
    bots::put(connection, tenant, &bot(first)).await?;
    templates::put(connection, tenant, &template(first)).await?;
    let mut first_channel = channel(first, Some(first));
    first_channel.item.templates = template_uses(first);
    channels::put(connection, tenant, &first_channel, &format!("hash {first}")).await?;
    channels::put(connection, tenant, &channel(first + 1, None), &format!("hash {}", first + 1)).await?;
    rules::put(connection, tenant, 1, &rule(first, &[first])).await?;
    rules::put(connection, tenant, 0, &rule(first + 1, &[first + 1, first])).await?;
    mutes::put(connection, tenant, &mute(first)).await?;
    silences::put(connection, tenant, &silence(first)).await?;
    config::set_default_channels(connection, tenant, &[owned(ChannelId(first + 1)), owned(ChannelId(first))]).await
}

async fn filled(empty: &Empty) -> Store {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    config::add_tenant(&mut tx, OTHER, "other", 5).await.unwrap();
    write_all(&mut tx, TENANT, 1).await.unwrap();
    config::set_setting(&mut tx, TENANT, "ai", Some("{}")).await.unwrap();
    tx.commit().await.unwrap();
    store
}

async fn what_is_written_is_read(empty: Empty) {
    let store = filled(&empty).await;
    let mut tx = store.begin_read().await.unwrap();
    let document = config::document(&mut tx).await.unwrap();
    let tenant = &document.tenants[0];
    assert_eq!((tenant.id, tenant.name.as_str()), (TENANT, "default"));
    assert_eq!((tenant.bots.len(), tenant.bots[0].name.as_str()), (1, "bot 1"));
    let token =
        vault().open(&tenant.bots[0].credentials["bot_token"], &Place::bot(TENANT, BotId(1), "bot_token")).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&token), "s3cret");
    assert_eq!(tenant.channels.len(), 2);
    assert_eq!(tenant.channels[0].options, channel(1, None).item.options);
    assert_eq!(tenant.channels[0].bot, Some(BotId(1)));
    assert!(!tenant.channels[1].enabled);
    assert_eq!(tenant.templates, [template(1).item]);
    assert_eq!(tenant.channels[0].templates, template_uses(1));
    assert!(tenant.channels[1].templates.is_empty());
    assert_eq!(tenant.rules, [rule(2, &[2, 1]).item, rule(1, &[1]).item], "by position");
    assert_eq!(tenant.default_channels, [ChannelId(2), ChannelId(1)]);
    assert_eq!(tenant.mutes, [mute(1).item]);
    assert_eq!(tenant.silences, [silence(1).item]);
    assert_eq!(config::setting(&mut tx, TENANT, "ai").await.unwrap().as_deref(), Some("{}"));
    drop(tx);

    let mut tx = store.begin().await.unwrap();
    channels::set_drill(&mut tx, TENANT, ChannelId(1), 7).await.unwrap();
    channels::put(&mut tx, TENANT, &channel(1, Some(1)), "hash 1").await.unwrap();
    let drills = config::tenant(&mut tx, TENANT, String::new()).await.unwrap().drills;
    assert_eq!(drills, [(ChannelId(1), 7)].into(), "a change of the channel leaves it");
    channels::set_drill(&mut tx, TENANT, ChannelId(1), 0).await.unwrap();
    assert!(channels::drills(&mut tx, TENANT).await.unwrap().is_empty());
    config::set_setting(&mut tx, TENANT, "ai", None).await.unwrap();
    assert_eq!(config::setting(&mut tx, TENANT, "ai").await.unwrap(), None);
    config::set_default_channels(&mut tx, TENANT, &[]).await.unwrap();
    for id in [1, 2] {
        rules::delete(&mut tx, TENANT, RuleId(id)).await.unwrap();
        channels::delete(&mut tx, TENANT, ChannelId(id)).await.unwrap();
    }
    bots::delete(&mut tx, TENANT, BotId(1)).await.unwrap();
    templates::delete(&mut tx, TENANT, TemplateId(1)).await.unwrap();
    mutes::delete(&mut tx, TENANT, MuteId(1)).await.unwrap();
    silences::delete(&mut tx, TENANT, SilenceId(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin_read().await.unwrap();
    let tenant = config::document(&mut tx).await.unwrap().tenants.remove(0);
    assert!(tenant.bots.is_empty() && tenant.channels.is_empty() && tenant.rules.is_empty());
    assert!(tenant.mutes.is_empty() && tenant.silences.is_empty() && tenant.templates.is_empty());
}

async fn another_tenant_sees_and_changes_nothing(empty: Empty) {
    let store = filled(&empty).await;
    let mut tx = store.begin().await.unwrap();
    assert!(bots::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(templates::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(channels::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(rules::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(mutes::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(silences::list(&mut tx, OTHER).await.unwrap().is_empty());
    assert!(config::default_channels(&mut tx, OTHER).await.unwrap().is_empty());
    assert_eq!(config::setting(&mut tx, OTHER, "ai").await.unwrap(), None);
    let refused = [
        bots::put(&mut tx, OTHER, &bot(1)).await,
        templates::put(&mut tx, OTHER, &template(1)).await,
        templates::delete(&mut tx, OTHER, TemplateId(1)).await,
        channels::put(&mut tx, OTHER, &channel(1, None), "hash 9").await,
        channels::free_token(&mut tx, OTHER, ChannelId(1)).await,
        channels::set_drill(&mut tx, OTHER, ChannelId(1), 7).await,
        rules::put(&mut tx, OTHER, 0, &rule(1, &[])).await,
        mutes::put(&mut tx, OTHER, &mute(1)).await,
        silences::put(&mut tx, OTHER, &silence(1)).await,
        bots::delete(&mut tx, OTHER, BotId(1)).await,
        channels::delete(&mut tx, OTHER, ChannelId(1)).await,
        rules::delete(&mut tx, OTHER, RuleId(1)).await,
        mutes::delete(&mut tx, OTHER, MuteId(1)).await,
        silences::delete(&mut tx, OTHER, SilenceId(1)).await,
    ];
    for (which, result) in refused.into_iter().enumerate() {
        assert!(matches!(result, Err(StoreError::Missing { .. })), "{which}: {result:?}");
    }
    tx.rollback().await.unwrap();

    let mut tx = store.begin().await.unwrap();
    rules::put(&mut tx, OTHER, 0, &rule(9, &[1])).await.unwrap();
    let refused = tx.commit().await.map_err(StoreError::from);
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "its rules cannot name our channels: {refused:?}");
}

async fn a_channel_that_a_rule_uses_cannot_be_deleted(empty: Empty) {
    let store = filled(&empty).await;
    let mut tx = store.begin().await.unwrap();
    channels::delete(&mut tx, TENANT, ChannelId(1)).await.unwrap();
    let refused = tx.commit().await.map_err(StoreError::from);
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(channels::list(&mut tx, TENANT).await.unwrap().len(), 2);
}

async fn a_template_that_a_channel_uses_cannot_be_deleted(empty: Empty) {
    let store = filled(&empty).await;
    let mut tx = store.begin().await.unwrap();
    templates::delete(&mut tx, TENANT, TemplateId(1)).await.unwrap();
    let refused = tx.commit().await.map_err(StoreError::from);
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");

    let mut tx = store.begin().await.unwrap();
    channels::put(&mut tx, TENANT, &channel(1, Some(1)), "hash 1").await.unwrap();
    templates::delete(&mut tx, TENANT, TemplateId(1)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn two_channels_cannot_have_one_push_token_but_can_exchange_theirs(empty: Empty) {
    let store = filled(&empty).await;
    let mut tx = store.begin().await.unwrap();
    let refused = channels::put(&mut tx, OTHER, &channel(7, None), "hash 1").await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    tx.rollback().await.unwrap();

    let mut tx = store.begin().await.unwrap();
    channels::free_token(&mut tx, TENANT, ChannelId(1)).await.unwrap();
    channels::put(&mut tx, TENANT, &channel(2, None), "hash 1").await.unwrap();
    channels::put(&mut tx, TENANT, &channel(1, Some(1)), "hash 2").await.unwrap();
    tx.commit().await.unwrap();
}

async fn versions_only_grow_and_ids_are_never_given_twice(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(config::lock(&mut tx).await.unwrap(), 0);
    assert_eq!(config::bump_version(&mut tx, 1_000, 0).await.unwrap(), 1_000);
    assert_eq!(config::bump_version(&mut tx, 3, 0).await.unwrap(), 1_001, "the clock jumped back");
    assert_eq!(config::bump_version(&mut tx, 3, 5_000).await.unwrap(), 5_001, "the queue had a newer one");
    assert_eq!(config::next_id(&mut tx, Kind::Channel).await.unwrap(), 1);
    assert_eq!(config::next_id(&mut tx, Kind::Channel).await.unwrap(), 2);
    assert_eq!(config::next_id(&mut tx, Kind::Bot).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

async fn a_change_that_is_not_committed_leaves_nothing(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    write_all(&mut tx, TENANT, 1).await.unwrap();
    drop(tx);
    let mut tx = store.begin_read().await.unwrap();
    assert!(config::document(&mut tx).await.unwrap().tenants[0].channels.is_empty());
}

async fn a_disabled_tenant_is_published_with_closed_channels(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    config::add_tenant(&mut tx, OTHER, "other", 0).await.unwrap();
    channels::put(&mut tx, OTHER, &channel(1, None), "hash").await.unwrap();
    for disabled in [true, false] {
        let tenant = Tenant { id: OTHER, name: "other".into(), disabled, created_at: 0 };
        tenants::update(&mut tx, &tenant).await.unwrap();
        let document = config::document(&mut tx).await.unwrap();
        assert_eq!(document.tenants[1].channels[0].enabled, !disabled);
    }
}

async fn ids_are_reserved_only_before_the_first(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    assert!(config::reserve_ids(&mut tx, Kind::Template, 40).await.unwrap());
    assert_eq!(config::next_id(&mut tx, Kind::Template).await.unwrap(), 41);
    assert!(!config::reserve_ids(&mut tx, Kind::Template, 50).await.unwrap());
}
