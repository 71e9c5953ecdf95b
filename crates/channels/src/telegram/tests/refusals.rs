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

#[tokio::test]
async fn what_fails_after_a_part_went_out_is_marked() {
    for (code, description, parameters, wait) in [
        (429, "Too Many Requests: retry after 3", json!({ "retry_after": 3 }), Some(Duration::from_secs(3))),
        (502, "Bad Gateway", Value::Null, None),
    ] {
        let mut ops = Ops::new().await;
        let answers = [(200, EXAMPLE_ANSWER.to_owned())];
        ops.fake.world().answers.extend(answers);
        ops.fake.answer_next(code, description, &parameters);
        match ops.refused(&written(&"word ".repeat(1_000), Markup::Plain)).await {
            SendError::Transient { retry_after, ambiguous: true, .. } => assert_eq!(retry_after, wait),
            other => panic!("{other:?}"),
        }
    }
}

const EXAMPLE_ANSWER: &str = r#"{"ok":true,"result":{"message_id":1,"chat":{"id":-1}}}"#;

#[tokio::test]
async fn an_edit_that_may_have_arrived_is_no_duplicate() {
    let mut ops = Ops::new().await;
    ops.send(&event(1, |_| {})).await;
    ops.fake.world().answers.push_back((200, "<html>Log in to the airport's network</html>".to_owned()));
    let SendError::Transient { ambiguous: false, .. } = ops.refused(&event(2, |_| {})).await else { panic!() };
}

#[tokio::test]
async fn an_answer_that_is_not_the_bot_apis_is_no_success() {
    let mut ops = Ops::new().await;
    for body in ["<html>Log in to the airport's network</html>", "", r#"{"ok":true}"#, r#"{"ok":true,"result":true}"#] {
        ops.fake.world().answers.push_back((200, body.to_owned()));
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
        (400, "Bad Request: something new"),
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
    Bad Request: something new
    ");
}
