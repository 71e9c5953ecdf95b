//! What the model is asked for, and reading it out of whatever it says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use watchbell_common::alert::Severity;

/// The longest text that is accepted in a field, in bytes. Far more than fits in a message: longer is not an answer.
const FIELD_MAX_BYTES: usize = 2_000;

/// What the model said about an alert, as it said it. Only [`merge`](super::merge) makes an analysis of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub severity: Severity,
    pub category: String,
    pub system: String,
    pub summary: String,
    pub action: String,
    /// 0 to 1.
    pub confidence: f32,
}

/// Why a text is not an answer, in words that the model is shown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Invalid(String);

/// The JSON schema, in the strict subset that servers with structured output understand: no lengths, no ranges.
pub(crate) fn schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": {
            "severity": { "type": "string", "enum": Severity::ALL.map(Severity::as_str) },
            "category": text, "system": text, "summary": text, "action": text,
            "confidence": { "type": "number" },
        },
        "required": ["severity", "category", "system", "summary", "action", "confidence"],
        "additionalProperties": false,
    })
}

impl Answer {
    /// Reads and checks an answer. Thinking aloud, Markdown fences and words around the object are forgiven.
    pub(crate) fn read(text: &str) -> Result<Self, Invalid> {
        let object = object_in(text).ok_or_else(|| Invalid("there is no JSON object in it".to_owned()))?;
        let answer: Self = serde_json::from_str(object).map_err(|error| Invalid(error.to_string()))?;
        if answer.summary.trim().is_empty() {
            return Err(Invalid("`summary` is empty".to_owned()));
        }
        if !(0.0..=1.0).contains(&answer.confidence) {
            return Err(Invalid("`confidence` is not between 0 and 1".to_owned()));
        }
        let fields = [
            ("category", &answer.category),
            ("system", &answer.system),
            ("summary", &answer.summary),
            ("action", &answer.action),
        ];
        match fields.iter().find(|(_, text)| text.len() > FIELD_MAX_BYTES) {
            Some((name, _)) => Err(Invalid(format!("`{name}` is too long"))),
            None => Ok(answer),
        }
    }
}

/// The outermost object of a text, after what a model thought aloud.
fn object_in(text: &str) -> Option<&str> {
    let spoken = text.rsplit_once("</think>").map_or(text, |(_, spoken)| spoken);
    let (start, end) = (spoken.find('{')?, spoken.rfind('}')?);
    spoken.get(start..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"severity":"error","category":"disk","system":"db1","summary":"/var is full","action":"","confidence":0.9}"#;

    #[test]
    fn an_answer_is_found_in_what_models_put_around_it() {
        let wrapped = [
            GOOD.to_owned(),
            format!("```json\n{GOOD}\n```"),
            format!("Sure! Here it is:\n```\n{GOOD}\n```\nAnything else?"),
            format!("<think>{{hmm}} disk?</think>\n{GOOD}"),
            format!("\u{feff}  {GOOD}"),
            GOOD.replacen('{', "{\"extra\":[1],", 1),
        ];
        for text in wrapped {
            let answer = Answer::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((answer.severity, &*answer.summary), (Severity::Error, "/var is full"));
        }
    }

    #[test]
    fn what_is_no_answer_is_refused_with_a_reason() {
        let table = [
            ("", "no JSON object"),
            ("null", "no JSON object"),
            ("} {", "no JSON object"),
            ("{\"severity\":\"error\"}", "missing field"),
            (&GOOD.replace("error", "catastrophic"), "unknown variant"),
            (&GOOD.replace("0.9", "90"), "between 0 and 1"),
            (&GOOD.replace("0.9", "\"high\""), "invalid type"),
            (&GOOD.replace("/var is full", " "), "`summary` is empty"),
            (&GOOD.replace("\"db1\"", "null"), "invalid type"),
            (&GOOD.replace("db1", &"x".repeat(3_000)), "`system` is too long"),
            (&schema().to_string(), "missing field"),
        ];
        for (text, reason) in table {
            let error = Answer::read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn every_field_of_the_schema_is_required_as_strict_servers_want_it() {
        let schema = schema();
        let properties: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        let mut required: Vec<_> =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        required.sort();
        assert_eq!(properties, required);
    }
}
