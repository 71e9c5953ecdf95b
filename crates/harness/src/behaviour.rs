//! The ways in which a model's server can be right, wrong, late or absent.

use std::sync::LazyLock;

use axum::{
    Json,
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

/// Made once, so that a benchmark does not measure how.
static TEN_MEGABYTES: LazyLock<Bytes> = LazyLock::new(|| vec![b'x'; 10 * 1024 * 1024].into());

/// What a [`Model`](crate::Model) does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Nobody listens.
    Down,
    /// A good answer.
    Right,
    /// An answer that begins and never goes on.
    Slow,
    /// 429 without a word about when to come again.
    Limited,
    /// 429 with `Retry-After`.
    LimitedFor,
    /// The good answer in Markdown.
    Fenced,
    /// JSON of another schema.
    WrongSchema,
    /// `"content": null`.
    NullContent,
    /// The beginning of an answer, with `finish_reason: length`.
    CutOff,
    /// An answer without an end.
    Endless,
    /// 10 MB of something.
    TenMegabytes,
    /// 200, with an error inside.
    ErrorBody,
    /// 500.
    Broken,
}

impl Behaviour {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Down,
        Self::Right,
        Self::Slow,
        Self::Limited,
        Self::LimitedFor,
        Self::Fenced,
        Self::WrongSchema,
        Self::NullContent,
        Self::CutOff,
        Self::Endless,
        Self::TenMegabytes,
        Self::ErrorBody,
        Self::Broken,
    ];

    /// The answer to any question, whose good answer this would be.
    pub(crate) fn answer(self, good: &str) -> Response {
        let status = |status: u16| Response::builder().status(status);
        let empty = "a status and a header make a response";
        match self {
            Self::Right | Self::Down => said(good, "stop"),
            Self::Slow => Response::new(Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())),
            Self::Limited => status(429).body(Body::empty()).expect(empty),
            Self::LimitedFor => status(429).header("retry-after", "30").body(Body::empty()).expect(empty),
            Self::Fenced => said(format!("```json\n{good}\n```"), "stop"),
            Self::WrongSchema => said(json!({ "level": 5 }).to_string(), "stop"),
            Self::NullContent => said(Value::Null, "stop"),
            Self::CutOff => said("{\"severity\":\"info\",\"summ", "length"),
            Self::Endless => {
                let chunk = || async { Some((Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1_024])), ())) };
                Response::new(Body::from_stream(stream::unfold((), move |()| chunk())))
            }
            Self::TenMegabytes => Response::new(Body::from(TEN_MEGABYTES.clone())),
            Self::ErrorBody => Json(json!({ "error": { "message": "overloaded" } })).into_response(),
            Self::Broken => status(500).body(Body::empty()).expect(empty),
        }
    }
}

fn said(content: impl Into<Value>, reason: &str) -> Response {
    let message = json!({ "role": "assistant", "content": content.into() });
    Json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "harness",
        "choices": [{ "index": 0, "finish_reason": reason, "message": message }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460 },
    }))
    .into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Model;

    #[tokio::test]
    async fn a_model_does_as_it_is_told() {
        let model = Model::start(Duration::ZERO).await;
        let client = watchbell_common::outbound::client().unwrap();
        let ask = async || {
            let request = client.post(format!("{}/chat/completions", model.base_url()));
            request.json(&json!({ "model": "x", "messages": [] })).send().await.map(|answer| answer.status().as_u16())
        };
        for (behaviour, status) in [(Behaviour::Right, 200), (Behaviour::Limited, 429), (Behaviour::Broken, 500)] {
            model.behave(behaviour);
            assert_eq!(ask().await.unwrap(), status, "{behaviour:?}");
        }
        model.behave(Behaviour::Down);
        assert!(ask().await.is_err(), "nobody listens");
        assert_eq!(model.calls(), 3);
    }
}
