//! What a failed call leads to.

use super::*;

#[tokio::test]
async fn telegram_says_how_long_to_wait() {
    let mut ops = Ops::new().await;
    ops.fake.answer_next(429, "Too Many Requests: retry after 17", &json!({ "retry_after": 17 }));
    let detail = "Too Many Requests: retry after 17".to_owned();
    let wanted = SendError::RateLimited { detail, retry_after: Duration::from_secs(17) };
    assert_eq!(ops.refused(&contract::message()).await, wanted);
    ops.send(&contract::message()).await;
    ops.fake.answer_next(429, "Too Many Requests: retry after 17", &json!({ "retry_after": 17 }));
    assert_eq!(ops.refused(&contract::message()).await, wanted, "an edit is no different");
}

/// A text in so many parts; the last one of the fourth goes out as a file.
fn in_parts(parts: usize) -> Message {
    written(&"word ".repeat(parts * 700), Markup::Plain)
}

#[tokio::test]
async fn after_a_limit_in_the_middle_the_rest_follows_and_nothing_is_repeated() {
    let mut ops = Ops::new().await;
    let limit = |ops: &Ops| ops.fake.answer_next(429, "Too Many Requests: retry after 3", &json!({ "retry_after": 3 }));
    for (message, before, said) in [(in_parts(3), 2, "sent in 3 parts"), (in_parts(9), 1, "sent")] {
        let texts = ops.fake.texts().len();
        for _ in 0..before {
            ops.fake.pass_next();
        }
        limit(&ops);
        let error = ops.refused(&message).await;
        assert!(matches!(error, SendError::RateLimited { retry_after, .. } if retry_after.as_secs() == 3), "{error:?}");
        assert_eq!(ops.channel.calls(&message, ops.kept.as_ref()), 1, "one part, or the file, is left");
        limit(&ops);
        assert_eq!(ops.refused(&message).await.class(), "rate_limited", "and once more");
        assert_eq!(ops.send(&message).await, said);
        let shown = ops.fake.texts().split_off(texts);
        assert_eq!(shown.len(), if before == 2 { 3 } else { 1 }, "{shown:?}");
        ops.kept = None;
    }
    assert_eq!(ops.fake.world().chats[&GROUP].files.len(), 1);
}

#[tokio::test]
async fn what_fails_after_a_part_went_out_is_marked_and_goes_on_from_there() {
    let mut ops = Ops::new().await;
    ops.fake.pass_next();
    ops.fake.answer_next(502, "Bad Gateway", &Value::Null);
    let error = ops.refused(&in_parts(2)).await;
    assert!(matches!(error, SendError::Transient { ambiguous: true, retry_after: None, .. }), "{error:?}");
    assert_eq!(ops.send(&in_parts(2)).await, "sent in 2 parts");
    assert_eq!(ops.fake.texts().len(), 2);
}

#[tokio::test]
async fn an_edit_that_may_have_arrived_is_no_duplicate() {
    let mut ops = Ops::new().await;
    ops.send(&event(1, |_| {})).await;
    ops.fake.world().answers.push_back(Some((200, "<html>Log in to the airport's network</html>".to_owned())));
    let SendError::Transient { ambiguous: false, .. } = ops.refused(&event(2, |_| {})).await else { panic!() };
}

#[tokio::test]
async fn an_answer_that_is_not_the_bot_apis_is_no_success() {
    let mut ops = Ops::new().await;
    for body in ["<html>Log in to the airport's network</html>", "", r#"{"ok":true}"#, r#"{"ok":true,"result":true}"#] {
        ops.fake.world().answers.push_back(Some((200, body.to_owned())));
        match ops.refused(&contract::message()).await {
            SendError::Transient { detail, ambiguous: true, .. } => {
                assert_eq!(detail, "200 OK: this is not how the Bot API answers");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let mut ops = Ops::new().await;
    let mut told = Vec::new();
    for (code, description) in [
        (401, "Unauthorized"),
        (404, "Not Found"),
        (400, "Bad Request: chat not found"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the channel chat"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
        (400, "Bad Request: need administrator rights in the channel chat"),
        (403, "Forbidden: something new"),
    ] {
        ops.fake.answer_next(code, description, &Value::Null);
        match ops.refused(&contract::message()).await {
            SendError::Rejected { detail } => told.push(detail),
            other => panic!("{other:?}"),
        }
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    Unauthorized (Telegram does not know this bot token; copy it again from @BotFather)
    Not Found (check the bot token, and api_base if the bot has one)
    Bad Request: chat not found (check the target, and that the bot was added to the chat or sent /start)
    Forbidden: bot was blocked by the user (the person blocked the bot; they have to unblock it and send it /start)
    Forbidden: bot was kicked from the supergroup chat (the bot was removed from the chat; add it again)
    Forbidden: bot is not a member of the channel chat (add the bot to the chat)
    Forbidden: user is deactivated (this account is gone; choose another target)
    Forbidden: bot can't initiate conversation with a user (the person has to send the bot /start first)
    Bad Request: not enough rights to send text messages to the chat (let the bot send messages in this chat)
    Bad Request: need administrator rights in the channel chat (make the bot an administrator that may post messages)
    Forbidden: something new
    ");
}

#[tokio::test]
async fn what_a_known_refusal_is_about_is_left_away_in_the_same_attempt() {
    let buttons = json!({ "buttons": [{ "text": "Graphs", "url": "https://graphs.example.org/d/1" }] });
    let mut told = Vec::new();
    for description in [
        "Bad Request: inline keyboard button URL 'https://graphs.example.org/d/1' is invalid: Wrong HTTP URL",
        "Bad Request: BUTTON_URL_INVALID",
        "Bad Request: REPLY_MARKUP_TOO_LONG",
        "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0",
        "Bad Request: message text is empty",
        "Bad Request: message is too long",
        "Bad Request: MESSAGE_TOO_LONG",
        "Bad Request: ENTITIES_TOO_LONG",
        "Bad Request: message thread not found",
        "Bad Request: TOPIC_CLOSED",
    ] {
        let mut options = buttons.clone();
        options["message_thread_id"] = TOPIC.into();
        let mut ops = Ops::with(options).await;
        ops.fake.answer_next(400, description, &Value::Null);
        told.push(ops.send(&contract::message()).await);
        let shown = ops.fake.shown().remove(0);
        let left = [shown.parse_mode.is_some(), !shown.buttons.is_null(), shown.topic.is_some()];
        assert_eq!(left.iter().filter(|left| **left).count(), 2, "{description}: one thing is left away: {left:?}");
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn an_unknown_refusal_of_a_request_costs_its_form_and_not_the_alert() {
    let mut ops =
        Ops::with(json!({ "buttons": [{ "text": "Graphs", "url": "https://graphs.example.org/d/1" }] })).await;
    for _ in 0..2 {
        ops.fake.answer_next(400, "Bad Request: SOMETHING_NEW", &Value::Null);
    }
    let said = ops.send(&contract::message()).await;
    let why = "Bad Request: SOMETHING_NEW";
    assert_eq!(said, format!("sent; without its buttons: {why}; sent as plain text: {why}"));
    let shown = ops.fake.shown().remove(0);
    assert_eq!((shown.text, shown.parse_mode, shown.buttons), (contract::message().text, None, Value::Null));

    // An edit that is refused so becomes a fresh message.
    ops.fake.answer_next(400, "Bad Request: SOMETHING_NEW", &Value::Null);
    assert_eq!(ops.send(&event(4, |_| {})).await, "sent");
    assert_eq!(ops.fake.texts().len(), 2);

    // Where that is refused, too, it is for another reason.
    ops.kept = None;
    for _ in 0..3 {
        ops.fake.answer_next(400, "Bad Request: SOMETHING_NEW", &Value::Null);
    }
    assert_eq!(ops.refused(&contract::message()).await, SendError::Rejected { detail: why.to_owned() });
}
