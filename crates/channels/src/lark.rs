//! `lark`: custom bots of Lark and Feishu. They answer 200 to everything and say in a `code` whether they took it.

mod draw;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use watchbell_common::{clock::UnixMillis, config::OpenChannel};

use self::draw::{interactive, plain, post, text};
use crate::{
    Beyond, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Message, Receipt, SendError,
    Tools, Unit,
    hook::{self, Hook},
    http::{Answer, Verdict},
    render::{Language, Manner},
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "lark",
    title: "Lark / Feishu",
    bot: &[],
    fields: &[
        hook::url_field(
            "From the group's settings, Bots → Custom Bot: https://open.larksuite.com/open-apis/bot/v2/hook/… or \
             https://open.feishu.cn/open-apis/bot/v2/hook/…",
        ),
        Field {
            name: "sign_secret",
            label: "Signing secret",
            secret: true,
            required: false,
            input: Input::Line,
            help: "When the bot's security settings have “Signature verification” switched on.",
        },
        Field {
            name: "format",
            label: "Format",
            secret: false,
            required: false,
            input: Input::Choice(&["interactive", "post", "text"]),
            help: "`interactive` (a card with a coloured head; the default), `post` (rich text) or `text`.",
        },
    ],
    limits: Limits {
        text_max: TEXT_MAX_BYTES,
        unit: Unit::Bytes,
        beyond: Beyond::Cut,
        source: "https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (20 KB for the whole request)",
    },
    // 100 a minute and 5 a second, from the same source: 3 at once and then 97 a minute (1.6 a second) keep both.
    paces: |channel| vec![hook::pace(channel, 97, 3)],
    remembers: false,
    setup: "\
channels:
  - name: lark-ops
    platform: lark
    options:
      webhook_url: ${LARK_WEBHOOK_URL}   # https://open.larksuite.com/open-apis/bot/v2/hook/…
      sign_secret: ${LARK_SIGN_SECRET}
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

/// Leaves 1.5 kB of the 20 for the envelope, the signature and what JSON escapes.
const TEXT_MAX_BYTES: usize = 18 * 1024;

/// What the path of a bot's URL starts with. Bots of the first version (`/bot/hook/`) take another form of message.
const PATH: &str = "/open-apis/bot/v2/hook/";

/// Lark's codes for why it refuses, and what to do. From the same source, and
/// <https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code>.
const REFUSALS: [(i64, &str); 4] = [
    (19_001, "the webhook URL is wrong or the bot was removed from the group: copy the URL again"),
    (19_021, "the signature does not fit: copy the secret again into `sign_secret`, and check this machine's clock"),
    (19_022, "the bot only takes messages from certain addresses: add this machine's to its security settings"),
    (19_024, "the bot only takes messages with certain words: change its keywords to one that every message has"),
];

/// Those for a form that it does not accept; 11246 is about cards.
const FORM_REFUSED: [i64; 3] = [BAD_REQUEST, 11_246, 19_002];

/// More than the bot or the platform takes at present.
const RATE_LIMITS: [i64; 2] = [11_232, 99_991_400];

/// Says with its words whether it is about the form or, undocumented, another limit:
/// `{"code":9499,"msg":"too many request","data":{}}`.
const BAD_REQUEST: i64 = 9_499;

/// Says in whole seconds when a limit ends.
/// <https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control>
const RESET_HEADER: &str = "x-ogw-ratelimit-reset";

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let hook = Hook::of(channel, tools, fits)?;
    let format = match channel.channel.options.get("format").map(Value::as_str) {
        None | Some(Some("interactive")) => Format::Interactive,
        Some(Some("post")) => Format::Post,
        Some(Some("text")) => Format::Text,
        Some(_) => return Err(ConfigureError::new("format", "must be `interactive`, `post` or `text`")),
    };
    let locale = locale(Manner::of(channel, None)?.language);
    Ok(Arc::new(Lark { hook, format, locale, secret: channel.secrets.get("sign_secret").cloned() }))
}

/// What a post says its language is. Of those that Lark knows, none is Persian; it then stands under the name that Lark
/// shows whatever the reader's language is.
/// <https://open.feishu.cn/document/server-docs/im-v1/message-content-description/create_json#45e0953e>
const fn locale(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh_cn",
        Language::En | Language::Fa => "en_us",
    }
}

fn fits(url: &Url) -> Result<(), &'static str> {
    let token = url.path().strip_prefix(PATH).is_some_and(|token| !token.is_empty());
    if token { Ok(()) } else { Err("is not that of a custom bot: https://…/open-apis/bot/v2/hook/…") }
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Interactive,
    Post,
    Text,
}

#[derive(Debug)]
struct Lark {
    hook: Hook,
    format: Format,
    locale: &'static str,
    secret: Option<SecretString>,
}

#[async_trait]
impl Channel for Lark {
    async fn send(&self, message: &Message, _last: Option<&Kept>) -> Result<Receipt, SendError> {
        let drawn = match self.format {
            Format::Interactive => interactive(message),
            Format::Post => post(message, self.locale),
            Format::Text => text(message),
        };
        let signed_plain = || self.signed(plain(message));
        let (_, detail) = self.hook.post_or_plain(&self.signed(drawn), signed_plain, read).await?;
        Ok(Receipt { detail, ..Receipt::default() })
    }
}

impl Lark {
    fn signed(&self, mut request: Value) -> Value {
        if let Some(secret) = &self.secret {
            let (timestamp, sign) = signature(self.hook.caller.clock.now_ms(), secret);
            request["timestamp"] = timestamp.into();
            request["sign"] = sign.into();
        }
        request
    }
}

/// The time and the secret are the key; nothing is what it signs.
fn signature(now_ms: UnixMillis, secret: &SecretString) -> (String, String) {
    let timestamp = (now_ms / 1_000).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("{timestamp}\n{}", secret.expose_secret()).as_bytes());
    let sign = STANDARD.encode(hmac::sign(&key, b""));
    (timestamp, sign)
}

/// `code` is the present name, `StatusCode` the one before; some answers have both.
fn read(answer: &Answer) -> Option<Verdict> {
    let json = answer.json();
    let mut codes = ["code", "StatusCode"].into_iter().filter_map(|name| json[name].as_i64()).peekable();
    if codes.peek().is_none() && answer.status.is_success() {
        let advice = "that is no answer of Lark's: something between us and it may have answered";
        return Some(Verdict::Transient { advice, ambiguous: true });
    }
    let code = codes.find(|code| *code != 0)?;
    let said = ["msg", "StatusMessage"].iter().filter_map(|name| json[name].as_str()).collect::<String>();
    let too_many = code == BAD_REQUEST && said.to_ascii_lowercase().contains("too many");
    if too_many || RATE_LIMITS.contains(&code) {
        let reset = answer.headers.get(RESET_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Some(Verdict::RateLimited(reset.map(Duration::from_secs), "Lark limits this bot"));
    }
    if FORM_REFUSED.contains(&code) {
        return Some(Verdict::Form(
            "Lark cannot read it: if it is a template's, look at its form; else please report it",
        ));
    }
    Verdict::listed(&REFUSALS, &code).or(Some(Verdict::Rejected("Lark's documentation lists the code")))
}

#[cfg(test)]
mod tests {
    use axum::{
        Json,
        http::StatusCode,
        response::{IntoResponse as _, Response},
    };

    use serde_json::json;

    use super::{draw::literal, *};
    use crate::{
        Body, Markup, configure as configured,
        contract::{self, Server, refusal},
    };

    pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
        channel: example,
        success: lark,
        provider_id: None,
        form_refused: Some(|| says(11_246, "create card content failed")),
    };

    fn example(base: &str) -> OpenChannel {
        let mut channel = contract::hook("lark", &format!("{base}{PATH}hunter21-b5f2-4be2-9a3f-hunter21"));
        channel.secrets.insert("sign_secret".into(), "hunter22".into());
        channel
    }

    fn example_as(base: &str, format: &str) -> OpenChannel {
        let mut channel = example(base);
        channel.channel.options.insert("format".into(), format.into());
        channel
    }

    fn says(code: i64, msg: &str) -> Response {
        Json(json!({ "code": code, "msg": msg, "data": {} })).into_response()
    }

    /// Refuses what Lark refuses.
    fn lark(request: &str) -> Response {
        let bad = || says(9_499, "Bad Request");
        let Some(body) = contract::json_body(request).filter(|_| contract::body_bytes(request) <= 20_000) else {
            return bad();
        };
        // Made with `openssl dgst -sha256 -hmac` for the time at which the suite's clock stands.
        if body["timestamp"] != "1795168800" || body["sign"] != "9C8CTG8//IFHXZphkPsBijCmuJO7MR1TR38tess30zc=" {
            return says(19_021, "sign match fail or timestamp is not within one hour from current time");
        }
        let text =
            |text: &Value| text["tag"] == "plain_text" && text["content"].as_str().is_some_and(|s| !s.is_empty());
        let element = |element: &Value| match element["tag"].as_str() {
            Some("div") if element["fields"].is_array() => {
                element["fields"].as_array().unwrap().iter().all(|field| text(&field["text"]))
            }
            Some("div") => text(&element["text"]),
            Some("markdown") => element["content"].is_string(),
            Some("action") => {
                let button =
                    |button: &Value| button["tag"] == "button" && text(&button["text"]) && button["url"].is_string();
                element["actions"].as_array().unwrap().iter().all(button)
            }
            tag => tag == Some("hr"),
        };
        let valid = match body["msg_type"].as_str() {
            Some("interactive") => body["card"]["elements"].as_array().is_some_and(|all| all.iter().all(element)),
            Some("post") => {
                let posts = body["content"]["post"].as_object().unwrap();
                let known = |(locale, post): (&String, &Value)| {
                    ["zh_cn", "en_us", "ja_jp"].contains(&locale.as_str()) && post["content"][0][0]["text"].is_string()
                };
                !posts.is_empty() && posts.iter().all(known)
            }
            Some("text") => body["content"]["text"].is_string(),
            _ => false,
        };
        if valid {
            Json(json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" }))
                .into_response()
        } else {
            bad()
        }
    }

    #[tokio::test]
    async fn each_format_is_accepted_however_long_and_full_of_escapes_the_text_is() {
        let server = Server::answering(lark).await;
        let long = "\"\\<at id=all></at>".repeat(2_000);
        for format in ["interactive", "post", "text"] {
            let channel = configured(&example_as(&server.base, format), &contract::tools()).unwrap();
            channel.send(&contract::message_saying(&long), None).await.unwrap();
            for markup in [Markup::Plain, Markup::Html, Markup::Markdown] {
                let message = Message { text: long.clone(), body: Body::Written(markup), ..contract::message() };
                channel.send(&message, None).await.unwrap();
                assert!(contract::body_bytes(server.requests().last().unwrap()) > 10_000);
            }
        }
    }

    #[tokio::test]
    async fn each_format_leads_to_the_alert() {
        let server = Server::answering(lark).await;
        let (linked, link) = contract::message_at(contract::HOST);
        let button = json!({ "tag": "button", "type": "default", "text": literal("Details"), "url": link });
        for (format, place, expected) in [
            ("interactive", "/card/elements/2", json!({ "tag": "action", "actions": [button] })),
            ("post", "/content/post/en_us/content/6/0", json!({ "tag": "a", "text": "Details", "href": link })),
            ("text", "/content/text", format!("{}\n{link}", contract::message().text).into()),
        ] {
            let channel = configured(&example_as(&server.base, format), &contract::tools()).unwrap();
            channel.send(&linked, None).await.unwrap();
            let request = contract::json_body(&server.requests().remove(0)).unwrap();
            assert_eq!(request.pointer(place), Some(&expected), "{request:#}");
        }
    }

    #[test]
    fn the_lesser_formats_say_the_same() {
        let both = json!([post(&contract::message(), "en_us"), text(&contract::message())]);
        insta::assert_snapshot!(format!("{both:#}"), @r#"
        [
          {
            "content": {
              "post": {
                "en_us": {
                  "content": [
                    [
                      {
                        "tag": "text",
                        "text": "/var on db1 is full"
                      }
                    ],
                    [
                      {
                        "tag": "text",
                        "text": "Action: free some space on /var"
                      }
                    ],
                    [
                      {
                        "tag": "text",
                        "text": "Subject: Disk FULL on db1"
                      }
                    ],
                    [
                      {
                        "tag": "text",
                        "text": "From: root@db1.example.org (mail)"
                      }
                    ],
                    [
                      {
                        "tag": "text",
                        "text": "Since: 2026-11-20 09:58:58 UTC (1 min)"
                      }
                    ],
                    [
                      {
                        "tag": "text",
                        "text": "Received: 2026-11-20 09:59:58 UTC, seen 3 times"
                      }
                    ]
                  ],
                  "title": "🚨 CRITICAL · firing · db1"
                }
              }
            },
            "msg_type": "post"
          },
          {
            "content": {
              "text": "🚨 CRITICAL · firing · db1\n/var on db1 is full\nAction: free some space on /var\nSubject: Disk FULL on db1\nFrom: root@db1.example.org (mail)\nSince: 2026-11-20 09:58:58 UTC (1 min)\nReceived: 2026-11-20 09:59:58 UTC, seen 3 times"
            },
            "msg_type": "text"
          }
        ]
        "#);
    }

    #[tokio::test]
    async fn a_post_names_the_language_it_is_in() {
        let server = Server::answering(lark).await;
        for (language, locale) in [("en", "en_us"), ("zh", "zh_cn"), ("fa", "en_us")] {
            let mut channel = example_as(&server.base, "post");
            channel.channel.options.insert("language".into(), language.into());
            configured(&channel, &contract::tools()).unwrap().send(&contract::message(), None).await.unwrap();
            let request = contract::json_body(&server.requests().remove(0)).unwrap();
            assert!(request["content"]["post"][locale]["title"].is_string(), "{language}: {request:#}");
        }
    }

    #[test]
    fn nobody_is_mentioned_by_an_alert() {
        let message = contract::message_saying("<at user_id=\"all\">all</at> a < b");
        let text = text(&message).to_string();
        assert!(!text.contains("<at") && !text.contains("</at") && text.contains("a < b"), "{text}");
        let card = interactive(&message).to_string();
        assert!(!card.contains("lark_md") && !card.contains("markdown"), "{card}");
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_a_limit_how_long_to_wait() {
        let reset = |_: &str| {
            let body = Json(json!({ "code": 99_991_400, "msg": "request trigger frequency limit" }));
            (StatusCode::BAD_REQUEST, [(RESET_HEADER, "52")], body).into_response()
        };
        let refusals = [
            refusal(example, |_| says(11_232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"))
                .await,
            refusal(example, reset).await,
            refusal(example, |_| says(19_001, "param invalid: incoming webhook access token invalid")).await,
            refusal(example, |_| says(19_021, "sign match fail or timestamp is not within one hour")).await,
            refusal(example, |_| says(19_022, "Ip Not Allowed")).await,
            refusal(example, |_| says(19_024, "Key Words Not Found")).await,
            refusal(example, |_| Json(json!({ "StatusCode": 9_499, "StatusMessage": "…" })).into_response()).await,
            refusal(example, |_| (StatusCode::BAD_REQUEST, says(9_499, "too many request")).into_response()).await,
            refusal(example, |_| says(4_711, "what")).await,
            refusal(example, |_| "<html>sign in to the guest network</html>".into_response()).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        rate_limited 5s: 200 OK: {"code":11232,"data":{},"msg":"frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}; Lark limits this bot
        rate_limited 52s: 400 Bad Request: {"code":99991400,"msg":"request trigger frequency limit"}; Lark limits this bot
        rejected: 200 OK: {"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}; the webhook URL is wrong or the bot was removed from the group: copy the URL again
        rejected: 200 OK: {"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour"}; the signature does not fit: copy the secret again into `sign_secret`, and check this machine's clock
        rejected: 200 OK: {"code":19022,"data":{},"msg":"Ip Not Allowed"}; the bot only takes messages from certain addresses: add this machine's to its security settings
        rejected: 200 OK: {"code":19024,"data":{},"msg":"Key Words Not Found"}; the bot only takes messages with certain words: change its keywords to one that every message has
        rejected: 200 OK: {"StatusCode":9499,"StatusMessage":"…"}; Lark cannot read it: if it is a template's, look at its form; else please report it
        rate_limited 5s: 400 Bad Request: {"code":9499,"data":{},"msg":"too many request"}; Lark limits this bot
        rejected: 200 OK: {"code":4711,"data":{},"msg":"what"}; Lark's documentation lists the code
        transient: 200 OK: <html>sign in to the guest network</html>; that is no answer of Lark's: something between us and it may have answered
        "#);
    }

    #[tokio::test]
    async fn a_wrong_secret_is_refused_by_the_platform() {
        let server = Server::answering(lark).await;
        let mut channel = example(&server.base);
        channel.secrets.insert("sign_secret".into(), "other".into());
        let channel = configured(&channel, &contract::tools()).unwrap();
        let error = channel.send(&contract::message(), None).await.unwrap_err();
        assert!(matches!(&error, SendError::Rejected { detail } if detail.contains("sign_secret")), "{error}");
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_shown() {
        let refused = |channel: OpenChannel| configured(&channel, &contract::tools()).unwrap_err().to_string();
        let texts = [
            refused(contract::hook("lark", "https://open.feishu.cn/open-apis/bot/hook/hunter2")),
            refused(contract::hook("lark", "https://open.larksuite.com/open-apis/bot/v2/hook/")),
            refused(example_as("https://open.larksuite.com", "hunter2")),
            refused(contract::channel("lark", "")),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        `webhook_url`: is not that of a custom bot: https://…/open-apis/bot/v2/hook/…
        `webhook_url`: is not that of a custom bot: https://…/open-apis/bot/v2/hook/…
        `format`: must be `interactive`, `post` or `text`
        `webhook_url`: is missing
        ");
        for base in ["https://open.larksuite.com", "https://open.feishu.cn"] {
            configured(&example(base), &contract::tools()).unwrap();
        }
    }
}
