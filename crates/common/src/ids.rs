//! Names for things are types: an event id is not a delivery id.
//!
//! Events, alerts, deliveries and jobs carry UUIDs and are shown with a prefix (`evt_…`);
//! what people configure (tenants, channels, rules …) carries the integer its row has in the store.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}_` and 32 hex digits")]
pub struct BadId {
    text: String,
    prefix: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id whose order follows `now_ms` (UUID version 7, RFC 9562 §5.7).
            pub fn at(now_ms: i64) -> Self {
                let millis = u64::try_from(now_ms).unwrap_or_default();
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid())
            }

            /// The same id for the same parts, for ever (UUID version 8 over SHA-256, RFC 9562 §5.8).
            ///
            /// Work that is done twice after a crash thereby names its results alike.
            pub fn derived(parts: &[&[u8]]) -> Self {
                let mut text = $prefix.as_bytes().to_vec();
                for part in parts {
                    text.extend_from_slice(&(part.len() as u64).to_be_bytes());
                    text.extend_from_slice(part);
                }
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&digest(&SHA256, &text).as_ref()[..16]);
                Self(Uuid::new_v8(bytes))
            }

            /// The id behind the prefix.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Gives an existing UUID this meaning.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| BadId { text: text.to_owned(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                String::deserialize(input)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

uuid_id!(
    /// One thing received, immutable.
    EventId,
    "evt"
);
uuid_id!(
    /// Events with the same fingerprint in a tenant. Derived from both, so no look-up is needed to name it.
    AlertId,
    "alr"
);
uuid_id!(
    /// One event on its way to one channel. Derived from both, so routing twice names it alike.
    DeliveryId,
    "dlv"
);
uuid_id!(
    /// A use of a bound secret that was intercepted.
    InterceptionId,
    "icp"
);
uuid_id!(
    /// One job on the queue. Pushing the same id twice queues it once.
    JobId,
    "job"
);
uuid_id!(
    /// One entry of the audit log.
    AuditId,
    "aud"
);
uuid_id!(
    /// One thing that somebody did with an alert.
    ActionId,
    "act"
);
uuid_id!(
    /// What one transaction changed of a tenant's alerts.
    ChangeId,
    "chg"
);

impl EventId {
    /// When it was received, which the doors write into the id; `None` when the id came about another way.
    pub fn received_at(self) -> Option<i64> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        Some(i64::try_from(seconds).ok()? * 1_000 + i64::from(nanos / 1_000_000))
    }
}

impl ChangeId {
    /// The first id of that time.
    pub fn first_at(now_ms: i64) -> Self {
        let millis = u64::try_from(now_ms).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
    }

    /// The time in it.
    pub fn at_ms(self) -> i64 {
        let (seconds, nanos) = self.0.get_timestamp().map_or((0, 0), |time| time.to_unix());
        i64::try_from(seconds).unwrap_or_default() * 1_000 + i64::from(nanos / 1_000_000)
    }
}

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

row_id!(
    /// The owner of everything.
    TenantId
);
row_id!(
    /// Where messages go.
    ChannelId
);
row_id!(
    /// Credentials of a platform.
    BotId
);
row_id!(
    /// A routing rule.
    RuleId
);
row_id!(
    /// How messages are written.
    TemplateId
);
row_id!(
    /// A silence.
    SilenceId
);
row_id!(
    /// A mute.
    MuteId
);

row_id!(
    /// A language model that a tenant set up.
    AiProviderId
);

row_id!(
    /// Somebody who signs in.
    UserId
);
row_id!(
    /// A signed-in browser.
    SessionId
);
row_id!(
    /// A token of a script.
    ApiTokenId
);
row_id!(
    /// An invite.
    InviteId
);

impl TenantId {
    /// The tenant that exists from the first start; everything belongs to it until others are made.
    pub const DEFAULT: Self = Self(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_shows() {
        let id = EventId::at(1_795_295_524_584);
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        assert!(id.to_string().parse::<JobId>().is_err());
    }

    #[test]
    fn derived_ids_do_not_run_parts_together() {
        assert_eq!(AlertId::derived(&[b"a", b"b"]), AlertId::derived(&[b"a", b"b"]));
        assert_ne!(AlertId::derived(&[b"ab", b""]), AlertId::derived(&[b"a", b"b"]));
    }

    #[test]
    fn an_events_id_tells_when_it_was_received_unless_it_was_derived() {
        assert_eq!(EventId::at(1_795_295_524_584).received_at(), Some(1_795_295_524_584));
        assert_eq!(EventId::derived(&[b"a"]).received_at(), None);
        let (first, then) = (ChangeId::first_at(7_001), ChangeId::at(7_001));
        assert!(first <= then && then < ChangeId::first_at(7_002));
        assert_eq!((first.at_ms(), then.at_ms()), (7_001, 7_001));
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        assert!(EventId::at(2_000) > EventId::at(1_000));
    }
}
