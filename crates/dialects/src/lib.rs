//! What senders of webhooks speak. A dialect is one file: it reads a body into items and words the answer.
//!
//! To add one: its file here, its `mod` line, its line in [`ALL`]; recorded requests as
//! `fixtures/http/<id>-*.json`, each of which is snapshotted; its [`Dialect::snippet`] in `docs/guide/webhooks.md`. Tests hold all of it together.
//!
//! A dialect is pure: no I/O, no clock, no settings. A shape it does not know is no error but a generic item
//! ([`push::generic`]), because an alert in the wrong shape is still an alert.

mod alertmanager;
mod push;
mod read;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use watchbell_common::{ids::EventId, payload::Item};

pub use read::json::{BadJson, Object};

use read::json;

/// Every dialect.
pub const ALL: &[Dialect] = &[push::DIALECT, alertmanager::DIALECT];

/// That of the generic path: it reads any object, and recognises what other dialects would read.
pub const GENERIC: &Dialect = &push::DIALECT;

/// See [`Dialect::parse`].
pub type Parse = for<'a> fn(&Post<'a>) -> Result<Vec<Reading<'a>>, ParseError>;

/// See [`Dialect::recognise`].
pub type Recognise = for<'a> fn(&Object<'a>) -> Option<Vec<Reading<'a>>>;

/// How one kind of sender is understood.
pub struct Dialect {
    /// The name of the dialect, of its file and of the `source` of its items.
    pub id: &'static str,
    /// Where it is posted to, with the push token behind it or as a bearer token.
    pub path: &'static str,
    /// Reads a body into at least one item.
    pub parse: Parse,
    /// Reads an object that was posted to the generic path, if it is clearly of this dialect.
    pub recognise: Option<Recognise>,
    /// The answer that this kind of sender expects.
    pub reply: fn(&Receipt) -> Response,
    /// What a person copies to set the sender up. `WATCHBELL` stands for host and port, `TOKEN` for the push token.
    pub snippet: &'static str,
}

/// What was posted.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    pub body: &'a [u8],
    /// The setting `http.json_depth_max`.
    pub depth_max: usize,
}

impl<'a> Post<'a> {
    /// The body as a JSON object.
    pub fn object(&self) -> Result<Object<'a>, ParseError> {
        Ok(json::parse(self.body, self.depth_max)?)
    }
}

/// One item with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'a> {
    pub item: Item,
    /// The item's own part of the body; all of it when there is only one item.
    pub part: &'a str,
    /// The sender's word on what is a repeat, stronger than the item's key.
    pub dedup_key: Option<String>,
}

/// Why a body cannot be read. The text goes to the sender.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error(transparent)]
    Json(#[from] BadJson),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// Durable; the first of the queued events.
    Queued(EventId),
    /// Every item was a repeat inside the channel's window.
    Dropped,
}

/// The answer of the generic path, which every sender understands that only looks at the status.
fn reply_json(receipt: &Receipt) -> Response {
    let (status, text) = match receipt {
        Receipt::Queued(event) => {
            (StatusCode::ACCEPTED, format!("{{\"push_id\":\"{event}\",\"status\":\"queued\"}}\n"))
        }
        Receipt::Dropped => (StatusCode::OK, "{\"dropped\":true,\"reason\":\"dedup\"}\n".to_owned()),
    };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    #[test]
    fn every_file_of_this_folder_is_in_the_list_and_the_other_way_round() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files =
            names.filter_map(|name| name.strip_suffix(".rs").map(ToOwned::to_owned)).filter(|name| name != "lib");
        let listed = ALL.iter().map(|dialect| dialect.id.to_owned());
        assert_eq!(files.collect::<BTreeSet<_>>(), listed.collect());
    }

    #[test]
    fn every_setup_snippet_stands_in_the_guide() {
        let guide = include_str!("../../../docs/guide/webhooks.md");
        for dialect in ALL {
            assert!(guide.contains(dialect.snippet.trim()), "{} is missing in docs/guide/webhooks.md", dialect.id);
            assert!(dialect.snippet.contains(dialect.path), "{}", dialect.id);
        }
    }

    #[test]
    fn receipts_are_worded_as_the_contract_says() {
        let event = EventId::at(0);
        assert_eq!(reply_json(&Receipt::Queued(event)).status(), StatusCode::ACCEPTED);
        assert_eq!(reply_json(&Receipt::Dropped).status(), StatusCode::OK);
    }
}
