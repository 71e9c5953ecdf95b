//! What travels on the queue. Versioned: every version ever written stays readable.
//!
//! A payload is one line of JSON, a line feed, then raw bytes (the mail or request body as it came; empty
//! for most kinds). So a two-megabyte mail is neither escaped nor encoded on its way. The JSON object has a
//! member `v`; a stored sample of each kind and version lives in `tests/payloads/` and is read by a test for ever.
//!
//! What is longer than a few lines, up to a megabyte, travels packed, because every byte is written to a disk that somebody waits for:
//! [`PACKED`], the length as it was (32 bits, little-endian), then one
//! [LZ4 block](https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md).

use std::{net::IpAddr, ops::RangeInclusive};

use bytes::{BufMut as _, Bytes, BytesMut};
use lz4_flex::block;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    alert::{Alert, Analysis, Event, Severity, Status},
    clock::UnixMillis,
    ids::{AlertId, ChannelId, DeliveryId, EventId, MuteId, RuleId, SilenceId, TenantId},
    queue::Ending,
};

/// Why a payload cannot be read. The job is buried with its bytes.
#[derive(Debug, thiserror::Error)]
#[error("unreadable payload: {0}")]
pub struct Unreadable(String);

/// Something that can travel on the queue.
pub trait Payload: Sized {
    /// The bytes to queue.
    fn encode(&self) -> Bytes;
    /// Reads any version ever written.
    fn decode(bytes: &Bytes) -> Result<Self, Unreadable>;
}

/// The first byte of a packed payload. A plain one begins with `{`, and several facts in one job with a length below
/// 2^31.
pub(crate) const PACKED: u8 = 0xff;

/// What is shorter travels as it is; so does what is longer, which would keep a door's thread from everybody else.
const PACKED_BYTES: RangeInclusive<usize> = 512..=1024 * 1024;

/// LZ4 makes no more than this of one byte, whatever a length says.
const UNPACKED_PER_BYTE_MAX: usize = 255;

/// Packs what becomes shorter by an eighth at least.
fn packed(plain: Bytes) -> Bytes {
    if !PACKED_BYTES.contains(&plain.len()) {
        return plain;
    }
    let length = u32::try_from(plain.len()).expect("it has a megabyte at most");
    let mut out = vec![PACKED];
    out.extend_from_slice(&length.to_le_bytes());
    let start = out.len();
    out.resize(start + block::get_maximum_output_size(plain.len()), 0);
    match block::compress_into(&plain, &mut out[start..]) {
        Ok(size) if size <= plain.len() / 8 * 7 => {
            out.truncate(start + size);
            out.into()
        }
        _ => plain,
    }
}

/// What [`Payload::encode`] packed, or the same bytes when it did not.
pub fn unpacked(bytes: &Bytes) -> Result<Bytes, Unreadable> {
    let Some((&PACKED, rest)) = bytes.split_first() else { return Ok(bytes.clone()) };
    let short = || Unreadable("packed, but without a length".to_owned());
    let (length, block) = rest.split_first_chunk().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > block.len().saturating_mul(UNPACKED_PER_BYTE_MAX) {
        return Err(Unreadable(format!("packed, but {} bytes cannot be {length}", block.len())));
    }
    let plain = block::decompress(block, length).map_err(|error| Unreadable(format!("packed, but {error}")))?;
    if plain.len() != length {
        return Err(Unreadable(format!("packed, but {} bytes of {length} are left", plain.len())));
    }
    Ok(plain.into())
}

fn encode_with(head: &impl Serialize, raw: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(512 + raw.len()).writer();
    serde_json::to_writer(&mut out, head).expect("payload heads have string keys and finite numbers only");
    let mut out = out.into_inner();
    out.put_u8(b'\n');
    out.extend_from_slice(raw);
    packed(out.freeze())
}

fn decode_with<T: DeserializeOwned>(bytes: &Bytes) -> Result<(T, Bytes), Unreadable> {
    let bytes = unpacked(bytes)?;
    let end = bytes.iter().position(|&b| b == b'\n').ok_or_else(|| Unreadable("no line feed".to_owned()))?;
    let head = serde_json::from_slice(&bytes[..end]).map_err(|error| Unreadable(error.to_string()))?;
    Ok((head, bytes.slice(end + 1..)))
}

/// The envelope of an event as intake puts it on the queue, before anything was understood of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPayload {
    pub head: IntakeHead,
    /// The mail or the request body exactly as it came. When one request held several items, the first carries
    /// the whole body and each of the others its own part of it.
    pub raw: Bytes,
}

/// The part of an [`AlertPayload`] that is written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntakeHead {
    pub event: EventId,
    pub tenant: TenantId,
    pub received_at: UnixMillis,
    pub peer: Option<IpAddr>,
    /// The channel whose push token was used.
    pub channel: Option<ChannelId>,
    pub content: Content,
}

/// What kind of thing was received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Content {
    /// `raw` is the message, header and body.
    Mail(Envelope),
    /// `raw` is the request body; the dialect already took this item out of it.
    Item(Item),
}

/// The SMTP envelope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub helo: String,
    /// Empty for the null sender `<>`.
    pub mail_from: String,
    pub rcpt_to: Vec<String>,
    /// The authenticated user.
    pub user: Option<String>,
}

/// One item of a webhook, as its dialect read it. Absent means that the request did not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The dialect: `push`, `alertmanager` …
    pub source: String,
    /// The identity that the source gives its alert, the same for firing and resolved.
    pub key: Option<String>,
    pub title: String,
    pub text: String,
    pub severity: Option<Severity>,
    pub status: Option<Status>,
    pub system: Option<String>,
    pub category: Option<String>,
    pub from: Option<String>,
    pub labels: std::collections::BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum IntakeVersions<T> {
    #[serde(rename = "1")]
    V1(T),
}

impl Payload for AlertPayload {
    fn encode(&self) -> Bytes {
        encode_with(&IntakeVersions::V1(&self.head), &self.raw)
    }

    fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        let (IntakeVersions::V1(head), raw) = decode_with(bytes)?;
        Ok(Self { head, raw })
    }
}

macro_rules! json_payload {
    ($name:ident, $versions:ident) => {
        #[derive(Serialize, Deserialize)]
        #[serde(tag = "v")]
        enum $versions<T> {
            #[serde(rename = "1")]
            V1(T),
        }

        impl Payload for $name {
            fn encode(&self) -> Bytes {
                encode_with(&$versions::V1(self), b"")
            }

            fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
                let ($versions::V1(payload), _) = decode_with(bytes)?;
                Ok(payload)
            }
        }
    };
}

/// An analysed event, to be routed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoutePayload {
    /// With the rules' analysis.
    pub alert: Alert,
    /// What a model made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refined: Option<Analysis>,
    /// A model was asked: until then its answer may come as a note ([`crate::answers`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<UnixMillis>,
}
json_payload!(RoutePayload, RouteVersions);

/// The header that each mail of ours has, with its [`DeliveryId`]: it tells them apart where they come back.
pub const DELIVERY_HEADER: &str = "X-Watchbell-Delivery";

/// One event on its way to one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverPayload {
    pub delivery: DeliveryId,
    pub channel: ChannelId,
    pub alert: Alert,
    /// How many events of this alert have been seen since `since`, this one included.
    pub count: u64,
    /// When the alert began to fire, after it was last resolved. Absent where nobody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixMillis>,
    /// A later answer to a message that already went out.
    pub update: bool,
}
json_payload!(DeliverPayload, DeliverVersions);

impl DeliverPayload {
    /// The lanes of a channel's deliveries: most of them, what is critical, so that it overtakes the rest, and updates
    /// of messages that already went out, so that nobody's first message stands behind a crowd of them.
    pub fn lanes(channel: ChannelId) -> [String; 3] {
        ["", "!", "~"].map(|mark| format!("c{channel}{mark}"))
    }

    /// The channel whose lane this is.
    pub fn channel_of(lane: &str) -> Option<ChannelId> {
        let number = lane.strip_prefix('c')?;
        number.strip_suffix(['!', '~']).unwrap_or(number).parse().ok().map(ChannelId)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(time: &UnixMillis) -> bool {
    *time == 0
}

/// An event that went out while a model was still asked about it. When the answer comes ([`crate::answers`]), the
/// channels that already have the message get an update, and those that only the answer names get the whole message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrichPayload {
    /// With the rules' analysis.
    pub alert: Alert,
    pub count: u64,
    /// As in [`DeliverPayload`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixMillis>,
    pub channels: Vec<ChannelId>,
    /// After that, none comes any more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answer_by: UnixMillis,
}
json_payload!(EnrichPayload, EnrichVersions);

/// A fact for the history. Facts may arrive twice and out of order; the recorder makes them harmless.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub head: FactHead,
    /// The raw bytes of the event, up to the limit set in `history.raw_max_bytes`; empty otherwise.
    pub raw: Bytes,
}

/// The part of a [`Fact`] that is written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactHead {
    pub tenant: TenantId,
    pub event: EventId,
    pub at: UnixMillis,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum What {
    /// The event was read and understood. Carries the raw bytes.
    Analysed { alert: Box<Alert>, raw_truncated: bool },
    /// It was dropped at intake, before any analysis: muted, or a duplicate at the door. Carries the raw bytes.
    Dropped {
        event: Box<Event>,
        ending: Ending,
        reason: String,
        /// The mute that did it. Absent in facts from before it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mute: Option<MuteId>,
    },
    /// Routing decided. `reasons` say why, in order.
    Routed {
        alert: AlertId,
        reasons: Vec<String>,
        /// Those that matched, in order. Absent in facts from before they were told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<RuleId>,
        deliveries: Vec<(DeliveryId, ChannelId)>,
        ending: Option<Ending>,
        /// The silence that kept it from the channels. Absent in facts from before it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence: Option<SilenceId>,
        analysis: Option<Analysis>,
    },
    /// A model answered after the alert had gone out: what it stands for now, and the updates that say so. Routing was
    /// asked again; `reasons` are what it said this time.
    Enriched { alert: AlertId, reasons: Vec<String>, deliveries: Vec<(DeliveryId, ChannelId)>, analysis: Analysis },
    /// One channel was left out, because it had the same alert inside its window.
    Deduplicated { delivery: DeliveryId, channel: ChannelId },
    /// One attempt of one delivery.
    Attempt { delivery: DeliveryId, channel: ChannelId, number: u32, outcome: AttemptOutcome, detail: String },
    /// A job gave up before it could become a delivery (an unreadable payload, an unknown channel).
    Buried { reason: String },
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Delivered,
    /// It will be tried again.
    Failed,
    /// Waiting for a rate limit; not counted as an attempt.
    RateLimited,
    /// It gave up; the delivery is a dead letter.
    Dead,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum FactVersions<T> {
    #[serde(rename = "1")]
    V1(T),
}

impl Payload for Fact {
    fn encode(&self) -> Bytes {
        encode_with(&FactVersions::V1(&self.head), &self.raw)
    }

    fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        let (FactVersions::V1(head), raw) = decode_with(bytes)?;
        Ok(Self { head, raw })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(raw: impl Into<Bytes>) -> AlertPayload {
        let head = IntakeHead {
            event: EventId::derived(&[b"a mail"]),
            tenant: TenantId::DEFAULT,
            received_at: 7,
            peer: None,
            channel: None,
            content: Content::Mail(Envelope::default()),
        };
        AlertPayload { head, raw: raw.into() }
    }

    #[test]
    fn each_lane_of_a_channel_names_it() {
        let lanes = DeliverPayload::lanes(ChannelId(71));
        assert!(lanes.iter().all(|lane| DeliverPayload::channel_of(lane) == Some(ChannelId(71))), "{lanes:?}");
        assert_eq!(DeliverPayload::channel_of("t71"), None);
    }

    #[test]
    fn a_long_payload_travels_packed_and_arrives_as_it_was() {
        let long = mail("disk full on db1\r\n".repeat(1000));
        assert!(long.encode().len() < 1000, "{}", long.encode().len());
        assert_eq!(AlertPayload::decode(&long.encode()).unwrap(), long);
    }

    #[test]
    fn what_is_short_huge_or_would_not_become_shorter_travels_as_it_is() {
        let noise: Vec<u8> = (0..4096).map(|_| rand::random()).collect();
        for plain in [mail(noise), mail("short"), mail("x".repeat(2_000_000))] {
            let encoded = plain.encode();
            assert_eq!(encoded[0], b'{');
            assert_eq!(AlertPayload::decode(&encoded).unwrap(), plain);
        }
    }

    #[test]
    fn a_damaged_packed_payload_is_unreadable_and_claims_no_memory() {
        let whole = mail("disk full on db1\r\n".repeat(1000)).encode();
        for length in 0..whole.len() {
            assert!(AlertPayload::decode(&whole.slice(..length)).is_err(), "{length} bytes of {}", whole.len());
        }
        let mut greedy = whole.to_vec();
        greedy[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = AlertPayload::decode(&greedy.into()).unwrap_err().to_string();
        assert!(error.contains("cannot be 4294967295"), "{error}");
    }
}
