//! Wrong fields, and Telegram's rate limits.

use super::*;

#[tokio::test]
async fn the_settings_name_the_api_when_the_bot_does_not() {
    let fake = Fake::start().await;
    let channel = open("", |channel| drop(channel.secrets.remove("api_base")));
    let tools = Tools { telegram_api: Some(format!("{}/", fake.base).parse().unwrap()), ..contract::tools() };
    configure(&channel, &tools).unwrap().send(&contract::message(), None).await.unwrap();
    assert_eq!(fake.texts().len(), 1);
    let public = configure(&channel, &contract::tools()).unwrap();
    assert_eq!(format!("{public:?}"), "Telegram(Api(api.telegram.org), -1001234567890)");
}

fn option(channel: &mut OpenChannel, name: &str, value: Value) {
    channel.channel.options.insert(name.into(), value);
}

fn secret(channel: &mut OpenChannel, name: &str, value: &str) {
    channel.secrets.insert(name.into(), value.into());
}

#[test]
fn a_wrong_field_is_named_and_its_value_is_not_shown() {
    let refused = |change: fn(&mut OpenChannel)| {
        configure(&open("http://127.0.0.1:9", change), &contract::tools()).unwrap_err().to_string()
    };
    let texts = [
        refused(|channel| drop(channel.secrets.remove("bot_token"))),
        refused(|channel| secret(channel, "bot_token", "hunter2")),
        refused(|channel| secret(channel, "bot_token", "123:hunter2/getMe?")),
        refused(|channel| secret(channel, "proxy", "hunter2")),
        refused(|channel| secret(channel, "proxy", "ftp://hunter2")),
        refused(|channel| secret(channel, "api_base", "http://me:hunter2@example.org")),
        refused(|channel| channel.channel.target = "hunter2".into()),
        refused(|channel| channel.channel.target = "0".into()),
        refused(|channel| channel.channel.target = "@no/name".into()),
        refused(|channel| option(channel, "message_thread_id", json!("seven"))),
        refused(|channel| option(channel, "silent_below", json!("never"))),
        refused(|channel| option(channel, "edit", json!("yes"))),
        refused(|channel| option(channel, "quiet_gap_s", json!(-1))),
        refused(|channel| option(channel, "buttons", json!([{ "text": "x", "url": "nowhere" }]))),
        refused(|channel| option(channel, "thread", json!(7))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    `bot_token`: is missing in the bot; Telegram needs one
    `bot_token`: does not look like one of @BotFather's, `123456:ABC-…`
    `bot_token`: does not look like one of @BotFather's, `123456:ABC-…`
    `proxy`: must be an http://, socks5:// or socks5h:// URL
    `proxy`: must be an http://, socks5:// or socks5h:// URL
    `api_base`: must be an http:// or https:// URL without user and query
    `target`: must be a chat's id, such as -1001234567890, or @name
    `target`: must be a chat's id, such as -1001234567890, or @name
    `target`: must be a chat's id, such as -1001234567890, or @name
    `message_thread_id`: must be the number of a topic
    `silent_below`: must be info, warning, error or critical
    `edit`: must be true or false
    `quiet_gap_s`: must be a number of seconds
    `buttons`: must be a list of { text, url }
    `thread`: Telegram has no such option
    ");
}

#[test]
fn the_paces_are_telegrams_and_shared_by_bot_and_chat() {
    let paces = |token: &str, target: &str| {
        let paces = (KIND.paces)(&open("", |channel| {
            channel.secrets.insert("bot_token".into(), token.into());
            channel.channel.target = target.into();
        }));
        for pace in &paces {
            assert!(pace.key.len() <= 64 && !pace.key.contains("hunter"), "{pace:?}");
        }
        paces
    };
    let rates = |paces: &[Pace]| paces.iter().map(|pace| pace.per_minute).collect::<Vec<_>>();
    let group = paces(TOKEN, "-5");
    assert_eq!(rates(&group), [16, 56, 1_440]);
    assert_eq!(rates(&paces(TOKEN, "@ops_alerts")), [16, 56, 1_440]);
    let person = paces(TOKEN, "5");
    assert_eq!(rates(&person), [56, 1_440]);
    assert_eq!(group.last(), person.last(), "the bot is the same");
    assert_ne!(group[1].key, person[0].key);
    assert_ne!(paces("1:other", "5"), person);
    assert_eq!(paces(TOKEN, "-5"), group);
}

#[tokio::test]
async fn a_slot_is_taken_for_each_call_that_is_made() {
    let mild = |text: &str| Message { severity: Severity::Warning, ..written(text, Markup::Plain) };
    let parts = |n: usize| mild(&"🚨 alert ".repeat(n * 450));
    let rise = |message: Message| Message { severity: Severity::Critical, update: true, ..message };
    let mut ops = Ops::new().await;
    let table = [
        (parts(1), 1, "sent"),
        (mild("once more"), 1, "edited"),
        (parts(3), 3, "sent in 3 parts"),
        (rise(parts(3)), 4, "edited in 3 parts"),
        (parts(9), 2, "sent"),
        (resolved(Severity::Critical), 2, "edited"),
    ];
    let mut made = 0;
    for (message, calls, said) in table {
        assert_eq!(ops.channel.calls(&message, ops.kept.as_ref()), calls, "{said}");
        assert_eq!(ops.send(&message).await, said);
        assert_eq!(ops.fake.methods().len() - made, usize::try_from(calls).unwrap(), "{said}");
        made = ops.fake.methods().len();
    }
    let older = Message { received_at: jiff::Timestamp::UNIX_EPOCH, update: true, ..contract::message() };
    assert_eq!(ops.channel.calls(&older, ops.kept.as_ref()), 0, "what is shown is newer");
    let burst = (KIND.paces)(&open("", |_| {})).iter().map(|pace| pace.burst).min().unwrap();
    let parts_max = u32::try_from(super::super::draw::PARTS_MAX).unwrap();
    assert!(burst > parts_max, "a message in parts leaves a slot for what is critical");
}

#[tokio::test]
async fn the_chats_in_which_a_bot_was_spoken_to_are_found_and_stay_there() {
    let fake = Fake::start().await;
    let bot = open(&fake.base, |_| {});
    assert_eq!(crate::chats(&bot, &contract::tools()).await.unwrap(), []);
    let text = "x".repeat(100_000);
    fake.world().updates = vec![json!({ "update_id": 1, "message": { "message_id": 1, "text": text,
        "chat": { "id": GROUP, "type": "supergroup", "title": "Ops" } } })];
    for _ in 0..2 {
        let found = crate::chats(&bot, &contract::tools()).await.unwrap();
        assert_eq!((found.len(), found[0].id, found[0].title.as_str()), (1, GROUP, "Ops"));
    }
    fake.answer_next(409, "Conflict: terminated by other getUpdates request", &Value::Null);
    let refused = crate::chats(&bot, &contract::tools()).await.unwrap_err().to_string();
    assert!(refused.contains("other getUpdates"), "{refused}");

    let unknown = open(&fake.base, |bot| drop(bot.secrets.insert("bot_token".into(), "1:hunter2".into())));
    let refused = crate::chats(&unknown, &contract::tools()).await.unwrap_err().to_string();
    assert!(refused.contains("@BotFather") && !refused.contains("hunter2"), "{refused}");
    let console = contract::channel("console", "");
    assert!(crate::chats(&console, &contract::tools()).await.is_err());
}
