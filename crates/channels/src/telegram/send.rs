//! One attempt: the calls that show one message in a chat.

use reqwest::multipart::{Form, Part};
use teloxide::{
    payloads::{EditMessageText, SendMessage},
    types::{
        ChatId, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageId, ParseMode, Recipient,
        ReplyParameters, ThreadId,
    },
};
use watchbell_common::alert::Severity;

use super::{
    Telegram,
    api::{Refusal, Sent},
    begun::Progress,
    draw::{Draft, notice},
    thread::Thread,
};
use crate::{Body, Markup, Message, SendError, draw};

/// What happens to one message.
pub(super) struct Attempt<'a> {
    telegram: &'a Telegram,
    message: &'a Message,
    draft: Draft,
    /// How many of the draft's parts are in the chat …
    next: usize,
    /// … and all that is in it, also of drafts before this one.
    sent: Vec<Sent>,
    chat: Recipient,
    topic: Option<ThreadId>,
    buttons: Option<InlineKeyboardMarkup>,
    /// What people should know, for the receipt.
    pub(super) remarks: Vec<String>,
}

/// One message to make.
struct Text {
    content: String,
    markup: Markup,
    silent: bool,
    answers: Option<MessageId>,
    buttons: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(telegram: &'a Telegram, message: &'a Message) -> Self {
        let Progress { draft, next, sent, remarks } = telegram.begun.of(message).unwrap_or_else(|| begin(message));
        Self {
            telegram,
            message,
            draft,
            next,
            sent,
            chat: telegram.moved.get().map_or_else(|| telegram.target.clone(), |&chat| chat.into()),
            topic: telegram.options.topic,
            buttons: buttons(telegram, message),
            remarks,
        }
    }

    /// Whether an earlier attempt brought a part of it into the chat.
    pub(super) fn goes_on(&self) -> bool {
        !self.sent.is_empty()
    }

    /// How many messages it still takes, a file included.
    pub(super) fn messages(&self) -> usize {
        self.draft.parts.len() - self.next + usize::from(self.draft.attachment.is_some())
    }

    /// Whether it can be shown in the messages that are there.
    pub(super) fn fits(&self, there: &Thread) -> bool {
        self.draft.parts.len() == there.messages.len() && (self.draft.attachment.is_none() || there.attached)
    }

    /// Sends the message as fresh ones, or what is still missing of them. When it cannot go on, it is remembered how
    /// far it got.
    pub(super) async fn send(&mut self) -> Result<Thread, SendError> {
        let attached = match self.send_parts().await {
            Ok(()) => self.attach().await,
            Err(error) => Err(error),
        };
        let unfinished = attached.is_err() && self.goes_on();
        self.telegram.begun.keep(self.message, unfinished.then(|| self.progress()));
        let attached = attached.map_err(|error| if unfinished { possibly_repeated(error) } else { error })?;
        let chat = self.sent.first().expect("a draft has at least one part").chat.id;
        Ok(self.thread(chat, self.sent.iter().map(|sent| sent.message_id).collect(), attached))
    }

    async fn send_parts(&mut self) -> Result<(), SendError> {
        while let Some(content) = self.draft.parts.get(self.next).cloned() {
            let text = Text {
                content,
                markup: self.draft.markup,
                silent: self.goes_on() || self.silent(self.message.severity),
                answers: None,
                buttons: self.next + 1 == self.draft.parts.len(),
            };
            match self.post(text).await {
                Ok(part) => {
                    self.sent.push(part);
                    self.next += 1;
                }
                Err(Refusal::Markup(why) | Refusal::Unknown(why)) if self.draft.markup != Markup::Plain => {
                    self.degrade(&why, self.next);
                    self.next = 0;
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let Self { draft, next, sent, remarks, .. } = self;
        Progress { draft: draft.clone(), next: *next, sent: sent.clone(), remarks: remarks.clone() }
    }

    /// Shows the message in those that are there; `None` when it cannot be shown in them.
    pub(super) async fn edit(&mut self, there: &Thread) -> Result<Option<Thread>, SendError> {
        let mut next = 0;
        while next < there.messages.len() {
            if !self.fits(there) {
                return Ok(None);
            }
            let edit = EditMessageText {
                parse_mode: parse_mode(self.draft.markup),
                link_preview_options: Some(no_preview()),
                // An edit without them takes them away.
                reply_markup: self.buttons.clone().filter(|_| next + 1 == there.messages.len()),
                ..EditMessageText::new(there.chat, MessageId(there.messages[next]), &self.draft.parts[next])
            };
            match self.telegram.api.call(&edit).await {
                Ok(_) | Err(Refusal::NotModified) => next += 1,
                Err(Refusal::Markup(why)) if self.draft.markup != Markup::Plain => {
                    self.degrade(&why, 0);
                    next = 0;
                }
                Err(Refusal::Buttons(why)) if self.buttons.is_some() => self.drop_buttons(&why),
                Err(Refusal::Moved(chat)) => {
                    self.move_to(chat);
                    return Ok(None);
                }
                Err(refusal) => match refusal.into() {
                    // Deleted, too old, another chat by now: a fresh one either arrives, or is refused for a reason
                    // that people can do something about.
                    SendError::Rejected { .. } => return Ok(None),
                    error => return Err(repeatable(error)),
                },
            }
        }
        Ok(Some(self.thread(there.chat, there.messages.clone(), there.attached)))
    }

    /// Answers the first message of a thread, so that people notice what was edited into it.
    pub(super) async fn tell(&mut self, there: &Thread) -> Result<(), SendError> {
        let text = Text {
            content: notice(self.message),
            markup: Markup::Plain,
            silent: self.silent(self.message.severity.max(there.severity)),
            answers: there.messages.first().map(|&id| MessageId(id)),
            buttons: false,
        };
        self.post(text).await?;
        Ok(())
    }

    /// Makes one message. Follows a group that moved, and does without a topic or buttons that are refused.
    async fn post(&mut self, text: Text) -> Result<Sent, Refusal> {
        let mut request = SendMessage {
            message_thread_id: self.topic,
            parse_mode: parse_mode(text.markup),
            link_preview_options: Some(no_preview()),
            disable_notification: text.silent.then_some(true),
            reply_parameters: text.answers.map(|id| ReplyParameters::new(id).allow_sending_without_reply()),
            reply_markup: self.buttons.clone().filter(|_| text.buttons).map(Into::into),
            ..SendMessage::new(self.chat.clone(), text.content)
        };
        loop {
            match self.telegram.api.call(&request).await {
                Err(Refusal::Moved(chat)) if request.chat_id != chat.into() => {
                    self.move_to(chat);
                    request.chat_id = chat.into();
                }
                Err(Refusal::Buttons(why) | Refusal::Unknown(why)) if request.reply_markup.is_some() => {
                    self.drop_buttons(&why);
                    request.reply_markup = None;
                }
                Err(Refusal::NoTopic(why)) if request.message_thread_id.is_some() => {
                    self.topic = None;
                    request.message_thread_id = None;
                    self.remarks.push(format!("sent outside of its topic: {why}"));
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends the whole text as a file, if the messages hold only its beginning. A chat that takes no files has
    /// the beginning all the same.
    async fn attach(&mut self) -> Result<bool, SendError> {
        let Some(text) = self.draft.attachment.clone() else { return Ok(false) };
        let file = Part::text(text).file_name(format!("{}.txt", self.message.alert_id));
        let mut form = Form::new()
            .text("chat_id", self.chat.to_string())
            .text("disable_notification", "true")
            .part("document", file);
        if let Some(ThreadId(MessageId(topic))) = self.topic {
            form = form.text("message_thread_id", topic.to_string());
        }
        match self.telegram.api.upload("SendDocument", form).await.map_err(SendError::from) {
            Ok(_) => Ok(true),
            Err(SendError::Rejected { detail }) => {
                self.remarks.push(format!("without the full text: {detail}"));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on without markup, from a part on.
    fn degrade(&mut self, why: &str, part: usize) {
        self.draft = self.draft.plain_from(self.message, part);
        self.remarks.push(format!("sent as plain text: {why}"));
    }

    fn drop_buttons(&mut self, why: &str) {
        self.buttons = None;
        self.remarks.push(format!("without its buttons: {why}"));
    }

    fn move_to(&mut self, chat: ChatId) {
        self.chat = chat.into();
        self.remarks.push(format!("the group has become a supergroup: make {chat} the target"));
        // Until somebody does, the next message goes there at once.
        let _ = self.telegram.moved.set(chat);
    }

    fn silent(&self, severity: Severity) -> bool {
        severity < self.telegram.options.silent_below
    }

    fn thread(&self, chat: ChatId, messages: Vec<i32>, attached: bool) -> Thread {
        Thread {
            place: self.telegram.place.clone(),
            chat,
            messages,
            attached,
            status: self.message.status,
            severity: self.message.severity,
            shows: self.message.received_at.as_millisecond(),
            touched: self.telegram.api.now_ms(),
        }
    }
}

/// The link of the built-in layout, then the channel's own. A template places its link where it wants it.
fn buttons(telegram: &Telegram, message: &Message) -> Option<InlineKeyboardMarkup> {
    let link = match &message.body {
        Body::Layout(layout) => draw::link(layout).map(|url| InlineKeyboardButton::url(layout.link_label, url)),
        Body::Written(_) => None,
    };
    let row: Vec<_> = link.into_iter().chain(telegram.options.buttons.iter().cloned()).collect();
    (!row.is_empty()).then(|| InlineKeyboardMarkup::new([row]))
}

const fn parse_mode(markup: Markup) -> Option<ParseMode> {
    match markup {
        Markup::Plain => None,
        Markup::Html => Some(ParseMode::Html),
        Markup::Markdown => Some(ParseMode::MarkdownV2),
    }
}

/// A preview would make Telegram fetch what a stranger wrote, and show it larger than the alert.
const fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// Of a message nothing is in the chat yet.
fn begin(message: &Message) -> Progress {
    let mut remarks = Vec::new();
    let draft = Draft::of(message).unwrap_or_else(|| {
        remarks.push("sent as plain text: its markup is broken, and it must be cut".to_owned());
        Draft::plain(message)
    });
    Progress { draft, next: 0, sent: Vec::new(), remarks }
}

/// Some parts are in the chat, and only this process knows: whoever tries again may repeat them.
fn possibly_repeated(error: SendError) -> SendError {
    match error {
        SendError::Transient { detail, retry_after, .. } => {
            SendError::Transient { detail, retry_after, ambiguous: true }
        }
        error => error,
    }
}

/// An edit that arrived twice is still one message.
fn repeatable(error: SendError) -> SendError {
    match error {
        SendError::Transient { detail, retry_after, .. } => {
            SendError::Transient { detail, retry_after, ambiguous: false }
        }
        error => error,
    }
}
