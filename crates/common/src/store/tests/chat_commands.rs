//! Scripts of chats: written once, read by their tenant.

use super::{Empty, on_both};
use crate::{
    ids::{BotId, TenantId},
    store::{
        chat_commands::{self, ChatCommand},
        config,
    },
};

on_both!(a_script_is_written_once_and_read_by_its_tenant_only);

async fn a_script_is_written_once_and_read_by_its_tenant_only(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    config::add_tenant(&mut tx, TenantId(2), "other", 1).await.unwrap();
    let script = |name: &str| ChatCommand {
        bot: "ops".to_owned(),
        name: name.to_owned(),
        bot_id: (name == "a").then_some(BotId(7)),
        description: "says hello".to_owned(),
        code: "def handle(args):\n    return 'hello'".to_owned(),
        enabled: name == "a",
        created_at: 1,
        updated_at: 2,
    };
    for (name, new) in [("b", true), ("a", true), ("a", false)] {
        assert_eq!(chat_commands::add(&mut tx, TenantId::DEFAULT, &script(name)).await.unwrap(), new);
    }
    assert!(chat_commands::add(&mut tx, TenantId(2), &script("a")).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(chat_commands::list(&mut tx, TenantId::DEFAULT).await.unwrap(), [script("a"), script("b")]);
    assert_eq!(chat_commands::list(&mut tx, TenantId(2)).await.unwrap(), [script("a")]);
}
