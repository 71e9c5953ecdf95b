//! The configured senders of all channels: made when first needed, and again when their configuration changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::ExposeSecret as _;
use watchbell_channels::{Channel, ChannelKind, ConfigureError, Pace, Tools, Voice, configure, kind};
use watchbell_common::{
    config::{OpenChannel, Snapshot},
    ids::{ChannelId, TenantId},
};

/// A channel that can send.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) channel: Arc<dyn Channel>,
    /// Writes its messages.
    pub(crate) voice: Arc<Voice>,
    pub(crate) kind: &'static ChannelKind,
    /// The rate limits of the platform.
    pub(crate) paces: Arc<[Pace]>,
}

/// The cache. Its lock is held for look-ups only, never over an await.
#[derive(Debug)]
pub(crate) struct Senders {
    tools: Tools,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    /// The newest configuration that was seen here.
    version: i64,
    entries: HashMap<ChannelId, Entry>,
}

#[derive(Debug)]
struct Entry {
    of: Arc<OpenChannel>,
    sender: Result<Sender, ConfigureError>,
}

impl Senders {
    pub(crate) fn new(tools: Tools) -> Self {
        Self { tools, cache: Mutex::default() }
    }

    /// The sender of a channel, and the channel.
    ///
    /// # Errors
    /// Why there is none, in words for the dead letter.
    pub(crate) fn get(
        &self,
        snapshot: &Snapshot,
        tenant: TenantId,
        id: ChannelId,
    ) -> Result<(Arc<OpenChannel>, Sender), String> {
        let open = snapshot.channel(tenant, id).ok_or_else(|| format!("channel {id} does not exist"))?;
        let name = &open.channel.name;
        if !open.channel.enabled {
            return Err(format!("channel `{name}` is disabled"));
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.version < snapshot.version {
            cache.version = snapshot.version;
            cache.entries.retain(|&id, entry| snapshot.channel(entry.of.tenant, id).is_some());
        }
        let known = cache.entries.get(&id).filter(|entry| same(&entry.of, open)).map(|entry| entry.sender.clone());
        let sender = known.unwrap_or_else(|| {
            let channel = configure(open, &self.tools)?;
            let kind = kind(&open.channel.platform).expect("what has no kind is not configured");
            let voice = Arc::new(Voice::of(open, &self.tools)?);
            Ok(Sender { channel, voice, kind, paces: (kind.paces)(open).into() })
        });
        cache.entries.insert(id, Entry { of: open.clone(), sender: sender.clone() });
        let sender = sender.map_err(|error| format!("channel `{name}` is not configured rightly: {error}"))?;
        Ok((open.clone(), sender))
    }
}

/// Every new snapshot opens all channels anew; what counts is whether anything changed.
fn same(a: &Arc<OpenChannel>, b: &Arc<OpenChannel>) -> bool {
    Arc::ptr_eq(a, b)
        || (a.channel == b.channel
            && a.templates == b.templates
            && a.secrets.len() == b.secrets.len()
            && a.secrets
                .iter()
                .zip(&b.secrets)
                .all(|((a_name, a), (b_name, b))| a_name == b_name && a.expose_secret() == b.expose_secret()))
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        config::{ParseMode, Template, TemplateUse},
        ids::TemplateId,
    };

    use super::*;
    use crate::testing::{self, OPS, SINK};

    fn get(senders: &Senders, snapshot: &Snapshot, id: ChannelId) -> Result<Arc<dyn Channel>, String> {
        senders.get(snapshot, TenantId::DEFAULT, id).map(|(_, sender)| sender.channel)
    }

    #[test]
    fn a_sender_is_kept_until_its_own_configuration_changes() {
        let senders = Senders::new(testing::tools());
        let mut document = testing::document();
        let first = get(&senders, &testing::snapshot(&document), SINK).unwrap();
        document.version += 1;
        document.tenants[0].channels[0].name = "renamed".to_owned();
        let second = get(&senders, &testing::snapshot(&document), SINK).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        document.version += 1;
        document.tenants[0].channels[1].target = "http://127.0.0.1:9/elsewhere".to_owned();
        assert!(!Arc::ptr_eq(&second, &get(&senders, &testing::snapshot(&document), SINK).unwrap()));
    }

    #[test]
    fn a_changed_template_makes_a_new_voice() {
        let senders = Senders::new(testing::tools());
        let mut document = testing::document();
        let template =
            Template { id: TemplateId(1), name: "t".to_owned(), body: "one".to_owned(), parse_mode: ParseMode::None };
        document.tenants[0].templates = vec![template];
        document.tenants[0].channels[1].templates = vec![TemplateUse { template: TemplateId(1), when: None }];
        let first = get(&senders, &testing::snapshot(&document), SINK).unwrap();
        document.version += 1;
        document.tenants[0].templates[0].body = "two".to_owned();
        assert!(!Arc::ptr_eq(&first, &get(&senders, &testing::snapshot(&document), SINK).unwrap()));
    }

    #[test]
    fn a_removed_channel_is_forgotten() {
        let senders = Senders::new(testing::tools());
        let mut document = testing::document();
        get(&senders, &testing::snapshot(&document), SINK).unwrap();
        document.version += 1;
        document.tenants[0].channels.remove(1);
        get(&senders, &testing::snapshot(&document), OPS).unwrap();
        assert_eq!(senders.cache.lock().unwrap().entries.len(), 1);
    }

    #[test]
    fn a_channel_that_cannot_send_says_why() {
        let senders = Senders::new(testing::tools());
        let mut document = testing::document();
        let channels = &mut document.tenants[0].channels;
        channels[0].enabled = false;
        channels[1].target = "hunter2".to_owned();
        let snapshot = testing::snapshot(&document);
        assert_eq!(get(&senders, &snapshot, OPS).unwrap_err(), "channel `ops` is disabled");
        let error = get(&senders, &snapshot, SINK).unwrap_err();
        assert!(error.contains("`sink`") && error.contains("`target`") && !error.contains("hunter2"), "{error}");
        assert_eq!(get(&senders, &snapshot, ChannelId(99)).unwrap_err(), "channel 99 does not exist");
        let other = senders.get(&snapshot, TenantId(2), SINK).unwrap_err();
        assert_eq!(other, "channel 2 does not exist", "it is another tenant's");
    }
}
