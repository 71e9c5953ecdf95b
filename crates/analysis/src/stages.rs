//! The pure core: from a payload to an alert, in stages. No clock, no queue, no network: the same payload and
//! configuration always give the same answer.

use watchbell_common::{
    alert::{Alert, Analysis, Event},
    config::Snapshot,
    ids::{ChannelId, MuteId, TenantId},
    payload::{AlertPayload, Content},
};

use crate::{
    decode::{self, Claims, Decoded},
    identity, mute,
    rules::{self, Seen},
};

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Analysed {
    /// The tenant does not want it, or it is a mail that Watchbell itself sent, or a report about one.
    Muted { event: Box<Event>, reason: String, mute: Option<MuteId> },
    /// It goes on to routing.
    Understood(Box<Alert>),
}

/// Decodes, mutes, understands, identifies. `channel_domain` is the setting of that name; empty for none.
pub fn analyse(payload: &AlertPayload, config: &Snapshot, channel_domain: &str) -> Analysed {
    let Decoded { mut event, clues, claims } = decode::decode(payload);
    event.channel = event.channel.or_else(|| addressed_channel(payload, config, channel_domain));
    if let Some((reason, mute)) = mute::reason(&event, &clues, config) {
        return Analysed::Muted { event: Box::new(event), reason, mute };
    }
    let seen = Seen::new(&event, &clues);
    let (family, finding) = rules::analyse(&seen);
    let mut analysis = rules::analysis(&seen, &finding);
    for (name, value) in finding.labels {
        event.labels.entry(name).or_insert(value);
    }
    if !family.is_empty() {
        event.labels.insert("program".to_owned(), family.to_owned());
    }
    let fingerprint = match claims {
        Some(claims) => honour(&mut analysis, claims, &event),
        None => identity::of_mail(&event, family, finding.key.as_deref()),
    };
    let id = Alert::id_of(event.tenant, &fingerprint);
    Analysed::Understood(Box::new(Alert { analysis, fingerprint, id, event }))
}

/// What the source says about its own alert goes before what the rules made of the words.
fn honour(analysis: &mut Analysis, claims: Claims, event: &Event) -> String {
    if claims.severity.is_some() && claims.status.is_some() {
        analysis.confidence = 1.0;
    }
    analysis.severity = claims.severity.unwrap_or(analysis.severity);
    analysis.status = claims.status.unwrap_or(analysis.status);
    analysis.category = claims.category.unwrap_or_else(|| std::mem::take(&mut analysis.category));
    if let Some(system) = claims.system {
        // The rules guessed another system and may have put it before the summary.
        if !event.subject.is_empty() {
            analysis.summary = rules::headline(&system, &event.subject);
        }
        analysis.system = system;
    }
    claims.fingerprint
}

/// The channel that a mail is addressed to: `<channel name>[+tag]@<channel_domain>`, of the payload's tenant.
fn addressed_channel(payload: &AlertPayload, config: &Snapshot, channel_domain: &str) -> Option<ChannelId> {
    let Content::Mail(envelope) = &payload.head.content else { return None };
    if channel_domain.is_empty() {
        return None;
    }
    envelope.rcpt_to.iter().find_map(|recipient| {
        let (local, domain) = recipient.trim_matches(['<', '>']).rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case(channel_domain) {
            return None;
        }
        by_local_part(local, payload.head.tenant, config)
    })
}

/// The whole local part first: a channel's name may have a `+` in it.
fn by_local_part(local: &str, tenant: TenantId, config: &Snapshot) -> Option<ChannelId> {
    let named = |name: &str| config.channel_by_name(tenant, name).map(|open| open.channel.id);
    named(local).or_else(|| named(local.split_once('+')?.0))
}
