//! One request, from its token to the answer. The answer comes after the durable push, never before.

use std::{net::IpAddr, time::Duration};

use axum::{
    RequestPartsExt as _,
    extract::{Path, Request},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use watchbell_common::{
    alert::Event,
    binding::{
        doors::{Entry, Guarded},
        keeper::{Denied, Purpose},
        token,
    },
    clock::UnixMillis,
    config::OpenChannel,
    fingerprint,
    http::{ApiError, Peer, client_addr, read_body},
    ids::{EventId, JobId},
    payload::{AlertPayload, Content, Fact, FactHead, IntakeHead, Item, Payload as _, What},
    queue::{Dedup, Ending, NewJob, Pushed, QueueError, QueueName},
    shared::Shared,
};
use watchbell_dialects::{Dialect, Post, Reading, Receipt};

use crate::meters::Meters;

/// What `Retry-After` says while the queue cannot take anything: long enough for a restart.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What is said to a sender whose token belongs to others, or who moved.
const TOKEN_ELSEWHERE: &str = "this push token is bound to another address; its owner can change that";

const MINUTE: Duration = Duration::from_mins(1);

/// What all requests share.
pub struct Door {
    shared: Shared,
    guarded: Option<Guarded>,
    meters: Meters,
}

impl Door {
    pub fn new(shared: Shared, guarded: Option<Guarded>) -> Self {
        Self { shared, guarded, meters: Meters::new() }
    }

    /// Whether a token may be used from there, where tokens are bound.
    async fn admit(
        &self,
        channel: &OpenChannel,
        token: &str,
        peer: Option<IpAddr>,
        path: &str,
    ) -> Result<(), ApiError> {
        let (Some(guarded), Some(peer)) = (&self.guarded, peer) else { return Ok(()) };
        let masked = || format!("{} ({})", channel.channel.name, token::masked(token.as_bytes()));
        let purpose = Purpose { method: "POST", path };
        let entry = Entry { tenant: channel.tenant, secret: token, masked: &masked, purpose };
        guarded.check(&entry, peer).await.map_err(|denied| match denied {
            Denied::Elsewhere => ApiError::new(StatusCode::FORBIDDEN, "TOKEN_ELSEWHERE", TOKEN_ELSEWHERE),
            Denied::Blocked => ApiError::new(StatusCode::FORBIDDEN, "TOKEN_BLOCKED", "this push token is blocked"),
            Denied::TooManyNew => {
                ApiError::rate_limited("too many new push tokens from this address; try again in a minute", MINUTE)
            }
            Denied::TooManyBindings | Denied::Unavailable => {
                let message = "it cannot be checked now where this push token may be used; send it again";
                ApiError::unavailable(message, RETRY_AFTER)
            }
        })
    }
}

/// The token behind the dialect's path. One that is not even text is as unknown as any other: empty.
pub async fn token_in_path(request: Request) -> (String, Request) {
    let (mut parts, body) = request.into_parts();
    let token = parts.extract::<Path<String>>().await.map(|Path(token)| token).unwrap_or_default();
    (token, Request::from_parts(parts, body))
}

/// The token of `Authorization: Bearer …`.
///
/// # Errors
/// 401 when there is none.
pub fn bearer_token(headers: &HeaderMap) -> Result<String, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        value.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, token)| token.trim().to_owned()).ok_or_else(|| {
        let message = "send the push token behind the path or as `Authorization: Bearer`";
        ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    })
}

/// Takes what was posted with a push token.
///
/// # Errors
/// In this order: 404 unknown token, 410 disabled channel, 403 token bound to other addresses, 415 encoded body,
/// 413 too large, 408 too slow, 400 not what the dialect speaks, 503 when the queue cannot take it.
pub async fn take(door: &Door, dialect: &Dialect, token: &str, request: Request) -> Result<Response, ApiError> {
    let shared = &door.shared;
    let config = shared.config.load();
    let Some(channel) = config.channel_by_token(token).cloned() else {
        // Before the first configuration no token is known: the sender must not take that for a "no".
        return Err(match config.version {
            0 => ApiError::unavailable("no configuration yet; try again", RETRY_AFTER),
            _ => ApiError::not_found("unknown push token"),
        });
    };
    if !channel.channel.enabled {
        return Err(ApiError::new(StatusCode::GONE, "CHANNEL_DISABLED", "channel disabled"));
    }
    let (parts, body) = request.into_parts();
    let limits = &shared.settings.http;
    let peer = parts.extensions.get::<Peer>();
    let peer = peer.map(|Peer(peer)| client_addr(peer.ip(), &parts.headers, &limits.trusted_proxies));
    door.admit(&channel, token, peer, dialect.path).await?;
    refuse_encoded(&parts.headers)?;
    let body = read_body(&parts.headers, body, limits.body_max_bytes, limits.body_timeout).await?;

    let post = Post { body: &body, depth_max: limits.json_depth_max };
    let readings = (dialect.parse)(&post).map_err(|error| ApiError::validation(error.to_string()))?;
    let arrival = Arrival { door, channel: &channel, peer, now: shared.clock.now_ms(), body: &body };
    let receipt = arrival.push(readings).await?;
    Ok((dialect.reply)(&receipt))
}

fn refuse_encoded(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            let message = "send the body as it is, without Content-Encoding";
            Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message).closing())
        }
        _ => Ok(()),
    }
}

/// What is known of a request besides its content.
struct Arrival<'a> {
    door: &'a Door,
    channel: &'a OpenChannel,
    peer: Option<IpAddr>,
    now: UnixMillis,
    body: &'a Bytes,
}

impl Arrival<'_> {
    /// Queues all readings in one durable step, so the sender's "try again" is about all of them or none.
    async fn push(&self, readings: Vec<Reading<'_>>) -> Result<Receipt, ApiError> {
        let source = readings.first().map_or_else(String::new, |reading| reading.item.source.clone());
        let (events, jobs): (Vec<_>, Vec<_>) =
            readings.into_iter().enumerate().map(|(index, reading)| self.job(index, reading)).unzip();
        let pushed = self.door.shared.queue.push(QueueName::Intake, jobs).await.map_err(|error| refused(&error))?;
        let queued = pushed.iter().filter(|pushed| **pushed == Pushed::Queued).count();
        self.door.meters.count(&source, queued, pushed.len() - queued);
        let first = pushed.iter().zip(events).find(|(pushed, _)| **pushed == Pushed::Queued);
        Ok(first.map_or(Receipt::Dropped, |(_, event)| Receipt::Queued(event)))
    }

    fn job(&self, index: usize, reading: Reading<'_>) -> (EventId, NewJob) {
        let event = EventId::at(self.now);
        let channel = &self.channel.channel;
        // The first item carries the whole body, the others their own part: with the body in each of them,
        // 1 MiB of small alerts would be gigabytes on the queue.
        let raw = if index == 0 { self.body.clone() } else { self.body.slice_ref(reading.part.as_bytes()) };
        let head = IntakeHead {
            event,
            tenant: self.channel.tenant,
            received_at: self.now,
            peer: self.peer,
            channel: Some(channel.id),
            content: Content::Item(reading.item),
        };
        let payload = AlertPayload { head, raw };
        let lane = format!("c{}", channel.id);
        let mut job =
            NewJob::new(JobId::from_uuid(event.uuid()), self.channel.tenant, Some(event), lane, payload.encode());
        if channel.dedup_window_s > 0 {
            job.dedup = Some(self.dedup(payload, reading.dedup_key));
        }
        (event, job)
    }

    /// The check for repeats travels with the push: a push that fails leaves no trace of it, so the sender's
    /// next try is not taken for a repeat.
    fn dedup(&self, payload: AlertPayload, dedup_key: Option<String>) -> Dedup {
        let AlertPayload { head, raw } = payload;
        let Content::Item(item) = head.content else { unreachable!("intake over HTTP makes items") };
        let channel = &self.channel.channel;
        let identity = dedup_key.unwrap_or_else(|| fingerprint::of_item(&item));
        let window = channel.dedup_window_s;
        let variant = fingerprint::variant_of_item(&item);
        let what = What::Dropped {
            event: Box::new(event_of(head.event, self, item)),
            ending: Ending::Deduplicated,
            reason: format!("repeat within the {window} s of channel `{}`", channel.name),
            mute: None,
        };
        let head = FactHead { tenant: head.tenant, event: head.event, at: self.now, what };
        let raw = raw.slice(..raw.len().min(self.door.shared.settings.history.raw_max_bytes));
        Dedup {
            key: fingerprint::of_parts(&["push", &channel.id.to_string(), &identity]),
            variant,
            window: Duration::from_secs(window.into()),
            fact: Fact { head, raw }.encode(),
        }
    }
}

fn event_of(id: EventId, arrival: &Arrival<'_>, item: Item) -> Event {
    Event {
        id,
        tenant: arrival.channel.tenant,
        received_at: arrival.now,
        source: item.source,
        channel: Some(arrival.channel.channel.id),
        peer: arrival.peer,
        from: item.from.map(|from| from.to_lowercase()).into_iter().collect(),
        to: Vec::new(),
        subject: item.title,
        text: item.text,
        labels: item.labels,
        attachments: Vec::new(),
    }
}

fn refused(error: &QueueError) -> ApiError {
    match error {
        QueueError::Unavailable(_) => {
            ApiError::unavailable("the queue cannot take it now; nothing was kept, send it again", RETRY_AFTER)
                .because(error.to_string())
        }
        QueueError::StaleLease | QueueError::BadJob(_) => ApiError::internal().because(error.to_string()),
    }
}
