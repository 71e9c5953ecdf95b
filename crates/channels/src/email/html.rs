//! The HTML of a mail: styles stand at the elements, since mail programs drop style sheets; text and background are
//! left to the program, so that it is readable in the dark; colour never says what the words do not.

use watchbell_common::alert::{Severity, Status};

use crate::{Layout, Message, markup::escape_html};

/// The built-in layout, drawn.
pub(super) fn layout(message: &Message, layout: &Layout) -> String {
    let colour = colour(message);
    let (symbol, heading, summary) = (layout.symbol, escape_html(&layout.heading), escape_html(&layout.summary));
    let (facts, excerpt, link) = (facts(layout), excerpt(layout), link(layout, colour));
    let Sides { direction, start, .. } = Sides::of(layout);
    document(&format!(
        "<div dir=\"{direction}\" style=\"max-width:640px;border-{start}:6px solid {colour};\
         padding:4px 0;padding-{start}:16px\">\n\
         <p style=\"margin:0 0 12px\"><span dir=\"auto\" style=\"display:inline-block;padding:4px 10px;\
         border-radius:4px;background-color:{colour};color:#ffffff;font-weight:bold\">{symbol} {heading}</span></p>\n\
         <p dir=\"auto\" style=\"margin:0 0 12px;font-size:18px;line-height:1.4\">{summary}</p>\n\
         {facts}{excerpt}{link}</div>\n"
    ))
}

/// How the language reads, and where its lines start and end: programs know no names for these but left and right.
struct Sides {
    direction: &'static str,
    start: &'static str,
    end: &'static str,
}

impl Sides {
    const fn of(layout: &Layout) -> Self {
        if layout.rtl {
            Self { direction: "rtl", start: "right", end: "left" }
        } else {
            Self { direction: "ltr", start: "left", end: "right" }
        }
    }
}

fn facts(layout: &Layout) -> String {
    if layout.facts.is_empty() {
        return String::new();
    }
    let end = Sides::of(layout).end;
    // Beside a label on its right a value begins there, too; what reads the other way in it is isolated already.
    let direction = if layout.rtl { "" } else { " dir=\"auto\"" };
    let row = |(label, value): &(&str, String)| {
        format!(
            "<tr><td valign=\"top\" style=\"padding:2px 0;padding-{end}:16px;font-weight:bold;white-space:nowrap\">{}</td>\
             <td{direction} style=\"padding:2px 0\">{}</td></tr>\n",
            escape_html(label),
            escape_html(value)
        )
    };
    let rows: String = layout.facts.iter().map(row).collect();
    format!(
        "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse\">\n\
         {rows}</table>\n"
    )
}

fn excerpt(layout: &Layout) -> String {
    if layout.excerpt.is_empty() {
        return String::new();
    }
    format!(
        "<pre dir=\"auto\" style=\"margin:12px 0 0;padding:8px 12px;border:1px solid #888888;border-radius:4px;\
         font-family:monospace;font-size:13px;white-space:pre-wrap\">{}</pre>\n",
        escape_html(&layout.excerpt.join("\n"))
    )
}

/// Looks like a button. The link itself has the padding, so that all of it can be pressed.
fn link(layout: &Layout, colour: &str) -> String {
    let Some(url) = &layout.link else { return String::new() };
    format!(
        "<p style=\"margin:16px 0 0\"><a href=\"{}\" style=\"display:inline-block;padding:8px 16px;border-radius:4px;\
         background-color:{colour};color:#ffffff;font-weight:bold;text-decoration:none\">{}</a></p>\n",
        escape_html(url),
        escape_html(layout.link_label)
    )
}

/// What a template wrote, which may be a line with a few marks (lines then break where it breaks them) or a whole
/// arrangement of blocks.
pub(super) fn written(html: &str) -> String {
    const BLOCKS: [&str; 5] = ["<br", "<p", "<div", "<table", "<li"];
    let lower = html.to_ascii_lowercase();
    let breaks = if BLOCKS.iter().any(|block| lower.contains(block)) { "normal" } else { "pre-line" };
    document(&format!("<div dir=\"auto\" style=\"max-width:640px;white-space:{breaks}\">{html}</div>\n"))
}

fn document(body: &str) -> String {
    format!(
        "<!doctype html>\n<html>\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\n\
         <body style=\"margin:0;padding:16px;font-family:sans-serif;font-size:15px;line-height:1.5\">\n{body}</body>\n</html>\n"
    )
}

/// White words on it have a contrast of at least 4.5 : 1 (WCAG 2.2 §1.4.3).
const fn colour(message: &Message) -> &'static str {
    match (message.status, message.severity) {
        (Status::Resolved, _) => "#15803d",
        (Status::Acknowledged, _) => "#6d28d9",
        (Status::Firing, Severity::Critical) => "#b91c1c",
        (Status::Firing, Severity::Error) => "#c2410c",
        (Status::Firing, Severity::Warning) => "#a16207",
        (Status::Firing, Severity::Info) => "#1d4ed8",
    }
}
