//! Twilio and Kavenegar as they document themselves: what they answer, and what they refuse.

use std::sync::{Arc, Mutex};

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use crate::contract::{self, Server};

pub(super) fn twilio_error(status: u16, code: u32, message: &str) -> (u16, String) {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    (status, json!({ "code": code, "message": message, "more_info": more, "status": status }).to_string())
}

pub(super) fn twilio_took_it(sid: &str) -> (u16, String) {
    (201, json!({ "sid": sid, "status": "queued", "error_code": null, "error_message": null }).to_string())
}

pub(super) fn kavenegar_says(http: u16, status: u32) -> (u16, String) {
    let entries = json!([{ "messageid": 8_792_343, "status": 1, "statustext": "در صف ارسال", "cost": 120 }]);
    let reply =
        json!({ "return": { "status": status, "message": "پیام" }, "entries": (status == 200).then_some(entries) });
    (http, reply.to_string())
}

/// A server of a provider: refuses what it would refuse, and gives these answers to the rest, one after the other.
pub(super) async fn provider(
    refuse: fn(&str) -> Option<(u16, String)>,
    answers: impl IntoIterator<Item = (u16, String)>,
) -> Server {
    let answers: Vec<_> = answers.into_iter().collect();
    let answers = Mutex::new(answers.into_iter());
    let next = move |request: &str| -> Response {
        let given = || answers.lock().unwrap().next().expect("a request more than there are answers");
        let (status, body) = refuse(request).unwrap_or_else(given);
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    };
    Server::answering_with(Arc::new(next)).await
}

/// What a form says under a name.
fn field(request: &str, name: &str) -> Option<String> {
    let (head, body) = request.split_once("\n\n")?;
    let form = contract::header(head, "content-type")? == "application/x-www-form-urlencoded";
    let url = reqwest::Url::parse(&format!("http://form.example/?{body}")).unwrap();
    let mut values = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let value = values.next().filter(|_| form);
    assert_eq!(values.next(), None, "{name} stands there twice");
    value
}

/// <https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource>
pub(super) fn not_for_twilio(request: &str) -> Option<(u16, String)> {
    if !request.starts_with("POST /2010-04-01/Accounts/AC0123/Messages.json\n") {
        return Some(twilio_error(404, 20404, "The requested resource was not found"));
    }
    // AC0123:hunter22
    if contract::header(request, "authorization") != Some("Basic QUMwMTIzOmh1bnRlcjIy") {
        return Some(twilio_error(401, 20003, "Authenticate"));
    }
    let number = |number: &str| {
        number.strip_prefix('+').is_some_and(|digits| digits.len() > 6 && digits.bytes().all(|c| c.is_ascii_digit()))
    };
    if !field(request, "To").is_some_and(|to| number(&to)) {
        return Some(twilio_error(400, 21211, "The 'To' number is not a valid phone number."));
    }
    let service = field(request, "MessagingServiceSid").is_some_and(|sid| sid.starts_with("MG"));
    if field(request, "From").is_some_and(|from| number(&from)) == service {
        return Some(twilio_error(400, 21603, "A 'From' phone number is required."));
    }
    match field(request, "Body").unwrap_or_default().chars().count() {
        0 => Some(twilio_error(400, 21602, "Message body is required.")),
        1..=1_600 => None,
        _ => Some(twilio_error(400, 21617, "The concatenated message body exceeds the 1600 character limit")),
    }
}

/// <https://kavenegar.com/rest.html#sms-send>
pub(super) fn not_for_kavenegar(request: &str) -> Option<(u16, String)> {
    if !request.starts_with("POST /v1/hunter%2F23/sms/send.json\n") {
        return Some(kavenegar_says(403, 403));
    }
    let digits = |text: String| text.len() > 7 && text.bytes().all(|c| c.is_ascii_digit());
    if !field(request, "receptor").is_some_and(digits) {
        return Some(kavenegar_says(411, 411));
    }
    if field(request, "sender").is_some_and(|line| line != "10004346") {
        return Some(kavenegar_says(412, 412));
    }
    let fits = (1..=900).contains(&field(request, "message").unwrap_or_default().chars().count());
    (!fits).then(|| kavenegar_says(413, 413))
}
