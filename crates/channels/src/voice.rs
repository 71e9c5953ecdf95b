//! How a channel speaks: its templates, and the built-in layout for when none is used or one fails.

use watchbell_common::{
    clock::UnixMillis,
    config::{OpenChannel, ParseMode},
    ids::TemplateId,
    payload::DeliverPayload,
};

use crate::{
    Body, ConfigureError, Markup, Message, Tools,
    render::Manner,
    template::{Condition, Data, Template, TemplateError},
};

/// What a push names the template by that it wants, as `PulseGuard`'s senders do. It arrives as a label.
const TEMPLATE_ID: &str = "_template_id";

/// Turns deliveries into messages for one channel. Everything is parsed once, when it is made.
#[derive(Debug)]
pub struct Voice {
    manner: Manner,
    templates: Vec<Choice>,
}

/// One of a channel's templates.
#[derive(Debug)]
struct Choice {
    id: TemplateId,
    name: String,
    markup: Markup,
    /// When it is used, and what it says. What could not be read is used whenever its turn comes, and fails then:
    /// the message says so, where a log might not be read.
    parsed: Result<(Option<Condition>, Template), TemplateError>,
}

/// A template that failed. The message went to the built-in layout, which says so too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFailure {
    pub template: String,
    pub reason: TemplateError,
}

impl Voice {
    /// The voice of a channel.
    ///
    /// # Errors
    /// Names the option that is wrong.
    pub fn of(channel: &OpenChannel, tools: &Tools) -> Result<Self, ConfigureError> {
        let choice = |(template, when): &(watchbell_common::config::Template, Option<String>)| {
            let condition = when.as_deref().map(Condition::parse).transpose();
            let parsed = condition.and_then(|condition| Ok((condition, Template::parse(&template.body)?)));
            let markup = match template.parse_mode {
                ParseMode::MarkdownV2 => Markup::Markdown,
                ParseMode::Html => Markup::Html,
                ParseMode::None => Markup::Plain,
            };
            Choice { id: template.id, name: template.name.clone(), markup, parsed }
        };
        let manner = Manner::of(channel, tools.public_url.clone())?;
        Ok(Self { manner, templates: channel.templates.iter().map(choice).collect() })
    }

    /// Writes the message with the template that it asks for, else with the first whose condition holds, else in the
    /// built-in layout.
    pub fn message(&self, payload: DeliverPayload, now: UnixMillis) -> (Message, Option<TemplateFailure>) {
        let wanted = wanted(&payload);
        let by_id = wanted.and_then(|id| self.templates.iter().find(|choice| choice.id == id));
        let message = Message::in_manner(payload, &self.manner);
        let (mut message, mut failure) = self.written(message, by_id, now);
        if let (Some(id), None) = (wanted, by_id) {
            let reason = TemplateError::new(format!("this channel has no template {id}"));
            count_failure("message");
            message.say_that_a_template_failed(TEMPLATE_ID, &reason, &self.manner);
            failure.get_or_insert(TemplateFailure { template: TEMPLATE_ID.to_owned(), reason });
        }
        (message, failure)
    }

    fn written(
        &self,
        mut message: Message,
        by_id: Option<&Choice>,
        now: UnixMillis,
    ) -> (Message, Option<TemplateFailure>) {
        if self.templates.is_empty() {
            return (message, None);
        }
        let lists = self.templates.iter().flat_map(|choice| &choice.parsed).any(|(_, template)| template.wants_lists());
        let data = Data::new(&message, lists);
        let holds = |choice: &&Choice| match &choice.parsed {
            Ok((Some(condition), _)) => condition.holds(&data),
            _ => true,
        };
        let Some(choice) = by_id.or_else(|| self.templates.iter().find(holds)) else { return (message, None) };
        let around = self.manner.around(now);
        let written = match &choice.parsed {
            Ok((_, template)) => template.render(&data.context(), &around).and_then(spoken),
            Err(error) => Err(error.clone()),
        };
        match written {
            Ok(text) => {
                message.text = text;
                message.body = Body::Written(choice.markup);
                (message, None)
            }
            Err(reason) => {
                count_failure("message");
                message.say_that_a_template_failed(&choice.name, &reason, &self.manner);
                (message, Some(TemplateFailure { template: choice.name.clone(), reason }))
            }
        }
    }
}

/// The template that a push to this very channel asks for. Whatever is no id asks for none.
fn wanted(payload: &DeliverPayload) -> Option<TemplateId> {
    let event = &payload.alert.event;
    if event.channel != Some(payload.channel) {
        return None;
    }
    let id = event.labels.get(TEMPLATE_ID)?.parse().ok()?;
    (id > 0).then_some(TemplateId(id))
}

/// Platforms refuse messages that say nothing.
fn spoken(text: String) -> Result<String, TemplateError> {
    if text.trim().is_empty() { Err(TemplateError::new("it wrote nothing")) } else { Ok(text) }
}

/// Counts a template that failed; `of` says what it was to write.
pub(crate) fn count_failure(of: &'static str) {
    metrics::counter!("watchbell_template_failures_total", "of" => of).increment(1);
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchbell_common::{alert::Severity, config::Template as Configured, ids::TemplateId};

    use super::*;
    use crate::contract::{self, NOW};

    type Given<'a> = (&'a str, ParseMode, Option<&'a str>);

    fn voice(templates: &[Given<'_>]) -> Voice {
        let mut channel = contract::channel("console", "");
        channel.channel.options = [("timezone".to_owned(), json!("Asia/Tehran"))].into();
        let template = |(id, (body, parse_mode, when)): (i64, &Given<'_>)| {
            let (name, body) = (format!("t{id}"), (*body).to_owned());
            (Configured { id: TemplateId(id), name, body, parse_mode: *parse_mode }, when.map(str::to_owned))
        };
        channel.templates = (1..).zip(templates).map(template).collect();
        Voice::of(&channel, &contract::tools()).unwrap()
    }

    fn written(voice: &Voice, severity: Severity) -> (String, Body) {
        let mut payload = contract::payload();
        payload.alert.analysis.severity = severity;
        let (message, failure) = voice.message(payload, NOW);
        assert_eq!(failure, None);
        (message.text, message.body)
    }

    #[test]
    fn the_first_template_whose_condition_holds_writes_the_message() {
        let voice = voice(&[
            ("one {{ .severity }}", ParseMode::Html, Some("severity eq critical")),
            ("two {{ now | date `15:04` }}", ParseMode::MarkdownV2, Some("severity in critical,error")),
            ("three", ParseMode::None, Some("severity eq warning")),
        ]);
        assert_eq!(written(&voice, Severity::Critical), ("one critical".to_owned(), Body::Written(Markup::Html)));
        assert_eq!(written(&voice, Severity::Error), ("two 13:30".to_owned(), Body::Written(Markup::Markdown)));
        assert_eq!(written(&voice, Severity::Warning), ("three".to_owned(), Body::Written(Markup::Plain)));
        let (text, body) = written(&voice, Severity::Info);
        assert!(text.starts_with("ℹ️ INFO") && matches!(body, Body::Layout(_)), "{text}");
        assert!(text.contains("13:29:58 +0330"), "{text}");
    }

    #[test]
    fn a_push_names_its_template_and_one_that_is_not_there_costs_no_alert() {
        let voice = voice(&[
            ("one", ParseMode::MarkdownV2, Some("severity eq critical")),
            ("two", ParseMode::Html, Some("severity eq info")),
        ]);
        let message = |id: &str, here: bool| {
            let mut payload = contract::payload();
            payload.alert.analysis.severity = Severity::Critical;
            payload.alert.event.channel = here.then_some(payload.channel);
            payload.alert.event.labels.insert(TEMPLATE_ID.to_owned(), id.to_owned());
            let (message, failure) = voice.message(payload, NOW);
            (message.text, failure.map(|failure| failure.reason.to_string()))
        };
        assert_eq!(message("2", true), ("two".to_owned(), None), "whatever its condition says");
        for none in ["0", "-1", "two", "1.0", ""] {
            assert_eq!(message(none, true), ("one".to_owned(), None), "`{none}` asks for none");
        }
        assert_eq!(message("2", false), ("one".to_owned(), None), "the push was meant for another channel");
        let reason = "this channel has no template 7";
        let text = "one\nTemplate failed: \\_template\\_id: this channel has no template 7";
        assert_eq!(message("7", true), (text.to_owned(), Some(reason.to_owned())), "escaped as its markup wants");
    }

    #[test]
    fn a_failing_template_costs_no_alert_and_the_message_says_so() {
        for (body, when, reason) in [
            ("{{ date `15` .severity }}", None, "line 1 column 4: `critical` is not a time"),
            (
                "{{ range 100000 }}{{ end }}",
                None,
                "line 1 column 10: range over 100000 is more than the 10000 iterations allowed",
            ),
            ("{{ .nothing }}\n", None, "it wrote nothing"),
            ("{{ if }}", None, "line 1 column 7: missing value for if"),
            ("fine", Some("nonsense"), "must be `field op value`, with one space between them"),
        ] {
            let (message, failure) = voice(&[(body, ParseMode::None, when)]).message(contract::payload(), NOW);
            assert_eq!(failure.unwrap().reason.to_string(), reason, "{body}");
            let last = message.text.lines().last().unwrap();
            assert_eq!(last, format!("Template failed: t1: {reason}"));
            let Body::Layout(layout) = message.body else { panic!("{body}") };
            assert_eq!(layout.facts.last().unwrap(), &("Template failed", format!("t1: {reason}")));
        }
    }
}
