//! The chats that a bot was spoken to in: nobody has to look up a chat's id.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_channels::{FoundChat, Tools};
use watchbell_common::{config::OpenChannel, http::ApiError, ids::BotId, store::bots};

use super::{Shelf, body::Id, bots::example, caller::Editor, configured::find, errors::ReadErrors, secrets::Safe};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_bot_chats))
}

/// How long the platform may take: somebody waits for it, and asks again.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A chat that the bot can send to.
#[derive(Debug, Serialize, ToSchema)]
struct ChatView {
    /// What `target` has to be.
    #[schema(example = "-1001234567890")]
    id: String,
    /// `private`, `group`, `supergroup` or `channel`.
    #[schema(example = "supergroup")]
    kind: String,
    /// The group's title or the person's name.
    title: String,
    /// What the option `message_thread_id` has to be; absent outside of topics.
    topic: Option<i64>,
    topic_name: Option<String>,
}

/// The chats, or why there are none.
#[derive(Debug, Serialize, ToSchema)]
struct ChatsView {
    /// Those spoken in last come first.
    items: Vec<ChatView>,
    /// What the platform said instead.
    problem: Option<String>,
}

impl From<FoundChat> for ChatView {
    fn from(chat: FoundChat) -> Self {
        let FoundChat { id, kind, title, topic, topic_name } = chat;
        Self { id: id.to_string(), kind, title, topic, topic_name }
    }
}

/// The chats in which a bot was spoken to
///
/// For bots of Telegram: send the bot /start, or add it to a group. Asks the Bot API for what nobody took yet (at most
/// 100 messages of the last 24 hours), and takes nothing.
#[utoipa::path(
    get, path = "/api/v1/bots/{id}/chats", tag = "bots", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = ChatsView), ReadErrors)
)]
async fn list_bot_chats(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<BotId>,
) -> Result<Json<ChatsView>, ApiError> {
    let bot = find(bots::list(&mut *api.read().await?, caller.tenant).await?, |bot| bot.id == id)?;
    let safe = Safe { vault: &api.shared.vault, tenant: caller.tenant };
    let channel = OpenChannel {
        tenant: caller.tenant,
        channel: example(&bot.item),
        secrets: safe.credentials(&bot.item)?,
        templates: Vec::new(),
        trusted: bot.provisioned,
    };
    let tools = Tools { timeout: TIMEOUT, ..api.tools()?.clone() };
    Ok(Json(match watchbell_channels::chats(&channel, &tools).await {
        Ok(found) => ChatsView { items: found.into_iter().map(ChatView::from).collect(), problem: None },
        Err(error) => ChatsView { items: Vec::new(), problem: Some(error.to_string()) },
    }))
}
