//! What goes out for a message: its text in parts, in a markup.

use super::{markup::units, split::split};
use crate::{Body, Layout, Markup, Message, markup::escape_html, render};

/// The longest text of one message: <https://core.telegram.org/bots/api#sendmessage>, `text`.
pub(super) const TEXT_MAX_UNITS: usize = 4_096;

/// More would take a group's whole rate; then the text goes out as a file.
pub(super) const PARTS_MAX: usize = 3;

/// Room for what [`numbered`] adds.
const NUMBER_UNITS: usize = 4;

/// Stands behind the beginning of a text that goes out as a file. Holds nothing that any markup reserves.
const ATTACHED: &str = "\n… full text attached";

/// A drawn message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) parts: Vec<String>,
    pub(super) markup: Markup,
    /// The whole text, when the parts are only its beginning.
    pub(super) attachment: Option<String>,
}

impl Draft {
    /// Draws a message. `None` when a text must be cut and its markup is broken.
    pub(super) fn of(message: &Message) -> Option<Self> {
        match &message.body {
            Body::Layout(layout) => Self::fit(&html(layout), Markup::Html),
            Body::Written(_) if message.text.trim().is_empty() => Some(Self::plain(message)),
            Body::Written(markup) => Self::fit(&message.text, *markup),
        }
    }

    /// The same without any markup.
    pub(super) fn plain(message: &Message) -> Self {
        let text = [&message.text, &message.summary, &message.subject].into_iter().find(|text| !text.trim().is_empty());
        Self::fit(text.map_or("(no text)", |text| text), Markup::Plain).expect("a plain text can always be cut")
    }

    /// What is left of the text from a part on, without any markup.
    pub(super) fn plain_from(&self, message: &Message, part: usize) -> Self {
        let rest = match part {
            0 => Self::plain(message),
            part => Self::fit(&self.parts[part..].join("\n"), Markup::Plain).expect("a plain text can always be cut"),
        };
        Self { attachment: rest.attachment.or_else(|| self.attachment.clone()), ..rest }
    }

    fn fit(text: &str, markup: Markup) -> Option<Self> {
        let draft = |parts, attachment| Some(Self { parts, markup, attachment });
        // Markup only makes a text shorter. One that fits as it is need not be understood.
        if units(text) <= TEXT_MAX_UNITS {
            return draft(vec![text.to_owned()], None);
        }
        let whole = split(text, markup, TEXT_MAX_UNITS)?;
        match whole.len() {
            0 => return None,
            1 => return draft(whole, None),
            _ => {}
        }
        let parts = split(text, markup, TEXT_MAX_UNITS - NUMBER_UNITS)?;
        if parts.len() <= PARTS_MAX {
            return draft(numbered(parts), None);
        }
        let mut head = split(text, markup, TEXT_MAX_UNITS - units(ATTACHED))?.swap_remove(0);
        head.push_str(ATTACHED);
        draft(vec![head], Some(text.to_owned()))
    }
}

/// Says in each part which of how many it is.
fn numbered(parts: Vec<String>) -> Vec<String> {
    let of = parts.len();
    parts.into_iter().enumerate().map(|(index, part)| format!("{part}\n{}/{of}", index + 1)).collect()
}

/// The built-in layout in Telegram's HTML.
fn html(layout: &Layout) -> String {
    let head = format!("{} <b>{}</b>", layout.symbol, escape_html(&layout.heading));
    let mut lines = vec![head, escape_html(&layout.summary)];
    lines.extend(layout.facts.iter().map(|(label, value)| {
        let (label, rest) = layout.label(label);
        format!("<b>{label}</b>{rest}{}", escape_html(value))
    }));
    if !layout.excerpt.is_empty() {
        lines.push(format!("<blockquote expandable>{}</blockquote>", escape_html(&layout.excerpt.join("\n"))));
    }
    lines.join("\n")
}

/// One line that says what became of the alert, to answer a message with.
pub(super) fn notice(message: &Message) -> String {
    let head = match &message.body {
        Body::Layout(layout) => format!("{} {}", layout.symbol, layout.heading),
        Body::Written(_) => format!("{} · {}", message.status.as_str(), message.severity),
    };
    render::cut(&format!("{head}\n{}", render::line(&message.summary, NOTICE_MAX_BYTES)), NOTICE_MAX_BYTES).into_owned()
}

/// A notice answers a message that says it all.
const NOTICE_MAX_BYTES: usize = 600;

#[cfg(test)]
mod tests {
    use watchbell_common::alert::Status;

    use super::*;
    use crate::contract;

    fn written(text: &str, markup: Markup) -> Message {
        Message { text: text.to_owned(), body: Body::Written(markup), ..contract::message() }
    }

    #[test]
    fn the_layout_is_drawn_as_the_guide_shows() {
        let mut payload = contract::payload();
        payload.alert.analysis.confidence = 0.4;
        payload.alert.event.subject = "Disk <FULL> on db1 & db2".to_owned();
        let draft = Draft::of(&Message::new(payload)).unwrap();
        insta::assert_snapshot!(draft.parts[0], @r"
        🚨 <b>CRITICAL · firing · db1</b>
        /var on db1 is full
        <b>Action:</b> free some space on /var
        <b>Subject:</b> Disk &lt;FULL&gt; on db1 &amp; db2
        <b>From:</b> root@db1.example.org (mail)
        <b>Since:</b> 2026-11-20 09:58:58 UTC (1 min)
        <b>Received:</b> 2026-11-20 09:59:58 UTC, seen 3 times
        <blockquote expandable>Filesystem /var is 100 % full.</blockquote>
        ");
        let guide = include_str!("../../../../docs/guide/channels.md");
        assert!(guide.contains(&format!("```html\n{}\n```", draft.parts[0])));
        assert_eq!((draft.parts.len(), draft.markup, draft.attachment), (1, Markup::Html, None));
    }

    #[test]
    fn what_a_template_wrote_goes_out_as_it_is() {
        let draft = Draft::of(&written("<b>broken", Markup::Html)).unwrap();
        assert_eq!((draft.parts.as_slice(), draft.markup), (["<b>broken".to_owned()].as_slice(), Markup::Html));
        let draft = Draft::of(&written("*bold*", Markup::Markdown)).unwrap();
        assert_eq!(draft.markup, Markup::Markdown);
    }

    #[test]
    fn a_long_text_goes_out_in_numbered_parts() {
        let draft = Draft::of(&written(&format!("<b>{}</b>", "я🚨 ".repeat(2_500)), Markup::Html)).unwrap();
        assert_eq!(draft.parts.len(), 3);
        for (index, part) in draft.parts.iter().enumerate() {
            assert!(part.starts_with("<b>") && part.ends_with(&format!("</b>\n{}/3", index + 1)), "{part}");
            assert!(units(part) - units("<b></b>") <= TEXT_MAX_UNITS);
        }
        assert_eq!(draft.attachment, None);
    }

    #[test]
    fn a_longer_text_begins_in_the_message_and_is_attached_whole() {
        let text = "*word* ".repeat(4_000);
        let draft = Draft::of(&written(&text, Markup::Markdown)).unwrap();
        assert_eq!((draft.parts.len(), draft.attachment.as_deref()), (1, Some(&*text)));
        assert!(draft.parts[0].ends_with(ATTACHED));
    }

    #[test]
    fn a_text_that_must_be_cut_and_is_broken_can_only_be_plain() {
        let message = written(&"<b>word ".repeat(700), Markup::Html);
        assert_eq!(Draft::of(&message), None);
        let draft = Draft::plain(&message);
        assert_eq!((draft.parts.len(), draft.markup), (2, Markup::Plain));
    }

    #[test]
    fn a_blank_text_still_says_something() {
        let mut message = written(" \n", Markup::Html);
        assert_eq!(Draft::of(&message).unwrap().parts, [message.summary.clone()]);
        message.summary.clear();
        message.subject.clear();
        assert_eq!(Draft::of(&message).unwrap().parts, ["(no text)"]);
    }

    #[test]
    fn a_notice_is_short_whoever_wrote_the_message() {
        let mut message = contract::message();
        assert_eq!(notice(&message), "🚨 CRITICAL · firing · db1\n/var on db1 is full");
        message.body = Body::Written(Markup::Plain);
        message.status = Status::Resolved;
        message.summary = "long ".repeat(1_000);
        let notice = notice(&message);
        assert!(notice.starts_with("resolved · critical\nlong ") && notice.len() <= NOTICE_MAX_BYTES, "{notice}");
    }
}
