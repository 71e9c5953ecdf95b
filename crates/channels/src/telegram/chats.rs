//! The chats that a bot was spoken to in, so that nobody has to look up an id.
//!
//! They are read from the updates that nobody took yet, and stay there for whoever does: without an offset Telegram
//! forgets none of them, <https://core.telegram.org/bots/api#getupdates>.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use watchbell_common::config::OpenChannel;

use super::api;
use crate::{FoundChat, SendError, Tools};

/// One update is at most a text of 4096 characters with its surroundings, and there are at most 100.
const ANSWER_MAX_BYTES: usize = 2 * 1024 * 1024;

/// What an update tells about a chat, in whichever of its parts.
#[derive(Debug, Deserialize)]
struct Said {
    chat: Chat,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
    forum_topic_created: Option<Topic>,
    reply_to_message: Option<Box<Answered>>,
    new_chat_member: Option<Member>,
}

#[derive(Debug, Deserialize)]
struct Chat {
    id: i64,
    r#type: String,
    title: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Topic {
    name: String,
}

/// The message that a topic began with, which every message in it answers.
#[derive(Debug, Deserialize)]
struct Answered {
    forum_topic_created: Option<Topic>,
}

/// What the bot is in the chat since then.
#[derive(Debug, Deserialize)]
struct Member {
    status: String,
}

/// The chats in which the bot was spoken to or added, the latest first.
pub(crate) async fn chats(bot: &OpenChannel, tools: &Tools) -> Result<Vec<FoundChat>, SendError> {
    let api = api(bot, tools).map_err(|error| SendError::Rejected { detail: error.to_string() })?;
    let updates: Vec<Value> = api.ask("getUpdates", ANSWER_MAX_BYTES).await?;
    Ok(found(updates))
}

fn found(updates: Vec<Value>) -> Vec<FoundChat> {
    let mut seen = BTreeMap::new();
    for (number, said) in updates.into_iter().filter_map(said).enumerate() {
        if said.new_chat_member.as_ref().is_some_and(|member| matches!(&*member.status, "left" | "kicked")) {
            seen.retain(|(chat, _), _| *chat != said.chat.id);
            continue;
        }
        let topic = said.message_thread_id.filter(|_| said.is_topic_message);
        let begun = said.forum_topic_created.or_else(|| said.reply_to_message?.forum_topic_created);
        let topic_name = begun.filter(|_| topic.is_some()).map(|topic| topic.name);
        let chat = FoundChat { id: said.chat.id, title: said.chat.name(), kind: said.chat.r#type, topic, topic_name };
        seen.insert((chat.id, topic), (number, chat));
    }
    let mut chats: Vec<_> = seen.into_values().collect();
    chats.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    chats.into_iter().map(|(_, chat)| chat).collect()
}

/// The part of an update that happened in a chat: a message, a post, a press on a button, a change of who is in it.
fn said(update: Value) -> Option<Said> {
    let Value::Object(parts) = update else { return None };
    let place = |part: Value| if part.get("chat").is_some() { Some(part) } else { part.get("message").cloned() };
    parts.into_iter().find_map(|(_, part)| serde_json::from_value(place(part)?).ok())
}

impl Chat {
    fn name(&self) -> String {
        let person = [&self.first_name, &self.last_name].map(|name| name.as_deref().unwrap_or_default()).join(" ");
        let names = [self.title.as_deref(), Some(person.trim()), self.username.as_deref()];
        names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_chat_and_topic_is_there_once_and_the_latest_first() {
        let person = json!({"id": 7, "type": "private", "first_name": "Ada", "last_name": "L"});
        let group = json!({"id": -100, "type": "supergroup", "title": "Ops", "is_forum": true});
        let begun = json!({"message_id": 1, "chat": group, "forum_topic_created": {"name": "Databases"}});
        let updates = vec![
            json!({"update_id": 1, "message": {"chat": person, "text": "/start"}}),
            json!({"update_id": 2, "my_chat_member": {"chat": group, "new_chat_member": {"status": "member"}}}),
            json!({"update_id": 3, "message": {"chat": group, "message_thread_id": 5, "is_topic_message": true,
                "reply_to_message": begun}}),
            json!({"update_id": 4, "callback_query": {"id": "1", "message": {"chat": person}}}),
            json!({"update_id": 5, "poll": {"id": "1"}}),
            json!({"update_id": 6, "channel_post": {"chat": {"id": -200, "type": "channel", "username": "news"}}}),
            json!({"update_id": 7, "my_chat_member": {"chat": {"id": -200, "type": "channel"},
                "new_chat_member": {"status": "kicked"}}}),
        ];
        let found: Vec<_> = found(updates)
            .into_iter()
            .map(|chat| (chat.id, chat.kind, chat.title, chat.topic, chat.topic_name))
            .collect();
        let text = str::to_owned;
        assert_eq!(
            found,
            [
                (7, text("private"), text("Ada L"), None, None),
                (-100, text("supergroup"), text("Ops"), Some(5), Some(text("Databases"))),
                (-100, text("supergroup"), text("Ops"), None, None),
            ]
        );
    }
}
