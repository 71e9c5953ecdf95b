//! Making the store equal to a file, in one transaction.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{BotItem, ChannelItem, Located, Position, Problem, Provision};
use crate::{
    ai::{Ai, Provider},
    clock::UnixMillis,
    config::{Bot, Channel, Mute, Silence, Snapshot, Template, TemplateUse},
    crypto::{CryptoError, Place, Sealed, Vault},
    ids::{AiProviderId, BotId, ChannelId, MuteId, RuleId, SilenceId, TemplateId, TenantId},
    store::{
        Connection, Store, StoreError, bots, channels,
        config::{self, Kind, Owned},
        mutes, rules, silences, templates,
    },
};

/// The random part of a push token that we make: 32 characters of base64url.
const TOKEN_BYTES: usize = 24;

/// What applying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Whether anything differed, or this was the first; if not, the version is as it was.
    pub changed: bool,
    /// The version of the configuration now.
    pub version: i64,
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the file does not fit what is in the store")]
    Problems(Vec<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a secret in the store: {0}")]
    Secret(#[from] CryptoError),
}

/// Makes a tenant's provisioned configuration equal to the file, all of it or nothing.
///
/// Ids of items that keep their name stay; a push token that the file does not give stays, or is made.
pub async fn apply(
    store: &Store,
    vault: &Vault,
    tenant: TenantId,
    provision: &Provision,
    now: UnixMillis,
) -> Result<Applied, ApplyError> {
    let mut tx = store.begin().await?;
    let before = config::lock(&mut tx).await?;
    let mut run = Run { connection: &mut tx, vault, tenant, file: provision, now, changed: false };
    let bot_ids = run.bots().await?;
    let template_ids = run.templates().await?;
    let channel_ids = run.channels(&bot_ids, &template_ids).await?;
    run.rules(&channel_ids).await?;
    run.default_channels(&channel_ids).await?;
    run.mutes().await?;
    run.silences().await?;
    run.ai().await?;
    // Version 0 is what nobody has configured yet; a first file counts, even one that holds nothing.
    if !run.changed && before > 0 {
        return Ok(Applied { changed: false, version: before });
    }
    let version = config::bump_version(&mut tx, now, 0).await?;
    // What cannot be compiled must not become the configuration, whoever made the part that is broken.
    Snapshot::compile(&config::document(&mut tx).await?, vault)
        .map_err(|error| ApplyError::Problems(vec![problem(provision, None, error.to_string())]))?;
    match tx.commit().await.map_err(StoreError::from) {
        Err(StoreError::Conflict(why)) => {
            let what = format!("something made by hand still uses what is gone from the file: {why}");
            return Err(ApplyError::Problems(vec![problem(provision, None, what)]));
        }
        done => done?,
    }
    Ok(Applied { changed: true, version })
}

/// A problem at a place in the file, or with the file as a whole.
fn problem(provision: &Provision, at: Option<Located<()>>, what: String) -> Problem {
    let (at, path) = at.map_or((Position { line: 1, column: 1 }, String::new()), |place| (place.at, place.path));
    Problem { file: provision.file.clone(), at, path, what }
}

struct Run<'r> {
    connection: &'r mut Connection,
    vault: &'r Vault,
    tenant: TenantId,
    file: &'r Provision,
    now: UnixMillis,
    changed: bool,
}

impl Run<'_> {
    fn refuse(&self, at: Option<Located<()>>, what: String) -> ApplyError {
        ApplyError::Problems(vec![problem(self.file, at, what)])
    }

    /// The item of that name that the file made before; one that was made by other means is not ours to change.
    fn ours<'o, T>(
        &self,
        there: &'o [Owned<T>],
        name: &Located<String>,
        name_of: impl Fn(&T) -> &str,
    ) -> Result<Option<&'o T>, ApplyError> {
        match there.iter().find(|owned| name_of(&owned.item) == name.value) {
            Some(owned) if owned.provisioned => Ok(Some(&owned.item)),
            Some(_) => {
                Err(self.refuse(Some(name.with(())), "this name is taken by one that was made by hand".to_owned()))
            }
            None => Ok(None),
        }
    }

    /// The sealed form of secrets: as it was where the secret is the same, so that nothing looks changed.
    fn seal(
        &self,
        place: impl Fn(&str) -> Place,
        secrets: &BTreeMap<String, SecretString>,
        before: Option<&BTreeMap<String, Sealed>>,
    ) -> BTreeMap<String, Sealed> {
        let seal = |(field, secret): (&String, &SecretString)| {
            let place = place(field);
            let before = before.and_then(|before| before.get(field));
            let same = before.filter(|sealed| self.opens_to(sealed, &place, secret));
            let sealed = same.cloned().unwrap_or_else(|| self.vault.seal(&place, secret));
            (field.clone(), sealed)
        };
        secrets.iter().map(seal).collect()
    }

    fn opens_to(&self, sealed: &Sealed, place: &Place, secret: &SecretString) -> bool {
        self.vault.open(sealed, place).is_ok_and(|open| open.expose_secret() == secret.expose_secret())
    }

    /// Notes when an item was made or changed.
    async fn touch(&mut self, kind: Kind, id: i64) -> Result<(), StoreError> {
        config::touch(self.connection, self.tenant, (kind, id), self.now, "").await
    }

    async fn bots(&mut self) -> Result<BTreeMap<String, BotId>, ApplyError> {
        let there = bots::list(self.connection, self.tenant).await?;
        let mut ids = BTreeMap::new();
        for item in &self.file.bots {
            let before = self.ours(&there, &item.name, |bot| &bot.name)?;
            let id = match before {
                Some(bot) => bot.id,
                None => BotId(config::next_id(self.connection, Kind::Bot).await?),
            };
            let bot = self.bot(item, id, before);
            if before != Some(&bot) {
                self.changed = true;
                bots::put(self.connection, self.tenant, &Owned { item: bot, provisioned: true }).await?;
                self.touch(Kind::Bot, id.0).await?;
            }
            ids.insert(item.name.value.clone(), id);
        }
        for bot in gone(&there, |bot| ids.contains_key(&bot.name)) {
            self.changed = true;
            bots::delete(self.connection, self.tenant, bot.id).await?;
        }
        Ok(ids)
    }

    fn bot(&self, item: &BotItem, id: BotId, before: Option<&Bot>) -> Bot {
        let before = before.map(|bot| &bot.credentials);
        Bot {
            id,
            name: item.name.value.clone(),
            platform: item.platform.value.clone(),
            description: String::new(),
            credentials: self.seal(|field| Place::bot(self.tenant, id, field), &item.credentials, before),
            enabled: true,
        }
    }

    async fn templates(&mut self) -> Result<BTreeMap<String, TemplateId>, ApplyError> {
        let there = templates::list(self.connection, self.tenant).await?;
        let mut ids = BTreeMap::new();
        for item in &self.file.templates {
            let before = self.ours(&there, &item.name, |template| &template.name)?;
            let id = match before {
                Some(template) => template.id,
                None => TemplateId(config::next_id(self.connection, Kind::Template).await?),
            };
            let (name, body) = (item.name.value.clone(), item.body.clone());
            ids.insert(name.clone(), id);
            let template = Template { id, name, body, parse_mode: item.parse_mode };
            if before != Some(&template) {
                self.changed = true;
                templates::put(self.connection, self.tenant, &Owned { item: template, provisioned: true }).await?;
                self.touch(Kind::Template, id.0).await?;
            }
        }
        for template in gone(&there, |template| ids.contains_key(&template.name)) {
            self.changed = true;
            templates::delete(self.connection, self.tenant, template.id).await?;
        }
        Ok(ids)
    }

    async fn channels(
        &mut self,
        bots: &BTreeMap<String, BotId>,
        templates: &BTreeMap<String, TemplateId>,
    ) -> Result<BTreeMap<String, ChannelId>, ApplyError> {
        let there = channels::list(self.connection, self.tenant).await?;
        let named = |channel: &Channel| self.file.channels.iter().any(|item| item.name.value == channel.name);
        // First, so that a renamed channel can keep its push token.
        for channel in gone(&there, named) {
            self.changed = true;
            self.nobody_else_uses(channel).await?;
            channels::delete(self.connection, self.tenant, channel.id).await?;
        }
        let mut ids = BTreeMap::new();
        let mut to_write = Vec::new();
        for item in &self.file.channels {
            let before = self.ours(&there, &item.name, |channel| &channel.name)?;
            let id = match before {
                Some(channel) => channel.id,
                None => ChannelId(config::next_id(self.connection, Kind::Channel).await?),
            };
            ids.insert(item.name.value.clone(), id);
            let channel = self.channel(item, id, (bots, templates), before);
            if before == Some(&channel) {
                continue;
            }
            if before.is_some_and(|before| before.push_token != channel.push_token) {
                channels::free_token(self.connection, self.tenant, id).await?;
            }
            to_write.push((item, channel));
        }
        for (item, channel) in to_write {
            self.changed = true;
            let place = Place::push_token(self.tenant, channel.id);
            let hash = self.vault.hash(self.vault.open(&channel.push_token, &place)?.expose_secret());
            let id = channel.id;
            let owned = Owned { item: channel, provisioned: true };
            match channels::put(self.connection, self.tenant, &owned, &hash).await {
                Err(StoreError::Conflict(_)) => {
                    let at = item.push_token.as_ref().map_or_else(|| item.whole.clone(), |token| token.with(()));
                    return Err(self.refuse(Some(at), "another channel has this push token".to_owned()));
                }
                done => done?,
            }
            self.touch(Kind::Channel, id.0).await?;
        }
        Ok(ids)
    }

    /// A channel that the file does not name any more can still be named by what was made by hand.
    async fn nobody_else_uses(&mut self, channel: &Channel) -> Result<(), ApplyError> {
        let by_hand = rules::list(self.connection, self.tenant).await?.into_iter().filter(|rule| !rule.provisioned);
        for Owned { item: rule, .. } in by_hand {
            let escalated = rule.escalate.iter().flat_map(|escalate| &escalate.channels);
            if rule.channels.iter().chain(escalated).any(|id| *id == channel.id) {
                let what = format!(
                    "the channel `{}` is gone from the file, but the rule `{}`, made by hand, uses it",
                    channel.name, rule.name
                );
                return Err(self.refuse(None, what));
            }
        }
        Ok(())
    }

    fn channel(
        &self,
        item: &ChannelItem,
        id: ChannelId,
        (bots, templates): (&BTreeMap<String, BotId>, &BTreeMap<String, TemplateId>),
        before: Option<&Channel>,
    ) -> Channel {
        let used = |(name, when): &(Located<String>, Option<String>)| {
            templates.get(&name.value).map(|&template| TemplateUse { template, when: when.clone() })
        };
        let place = |field: &str| Place::channel(self.tenant, id, field);
        Channel {
            id,
            name: item.name.value.clone(),
            platform: item.platform.clone(),
            bot: item.bot.as_ref().and_then(|bot| bots.get(&bot.value).copied()),
            target: item.target.clone(),
            options: item.options.clone(),
            secrets: self.seal(place, &item.secrets, before.map(|channel| &channel.secrets)),
            rate_per_min: item.rate_per_min,
            dedup_window_s: item.dedup_window_s,
            push_token: self.push_token(item, id, before),
            templates: item.templates.iter().filter_map(used).collect(),
            enabled: item.enabled,
        }
    }

    fn push_token(&self, item: &ChannelItem, id: ChannelId, before: Option<&Channel>) -> Sealed {
        let place = Place::push_token(self.tenant, id);
        let given = item.push_token.as_ref().map(|token| &token.value);
        match (given, before.map(|channel| &channel.push_token)) {
            (None, Some(kept)) => kept.clone(),
            (Some(given), Some(kept)) if self.opens_to(kept, &place, given) => kept.clone(),
            (Some(given), _) => self.vault.seal(&place, given),
            (None, None) => {
                let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>());
                self.vault.seal(&place, &token.into())
            }
        }
    }

    async fn rules(&mut self, channels: &BTreeMap<String, ChannelId>) -> Result<(), ApplyError> {
        let there = rules::list(self.connection, self.tenant).await?;
        let mut wanted = Vec::new();
        for item in &self.file.rules {
            let id = match self.ours(&there, &item.name, |rule| &rule.name)? {
                Some(rule) => rule.id,
                None => RuleId(config::next_id(self.connection, Kind::Rule).await?),
            };
            wanted.push(item.rule(id, channels));
        }
        let ours = there.iter().filter(|owned| owned.provisioned).map(|owned| &owned.item);
        if ours.eq(&wanted) {
            return Ok(());
        }
        self.changed = true;
        for rule in gone(&there, |rule| wanted.iter().any(|wanted| wanted.id == rule.id)) {
            rules::delete(self.connection, self.tenant, rule.id).await?;
        }
        // All of them: what changed may be their order.
        for (position, rule) in (0..).zip(wanted) {
            let id = rule.id;
            rules::put(self.connection, self.tenant, position, &Owned { item: rule, provisioned: true }).await?;
            self.touch(Kind::Rule, id.0).await?;
        }
        Ok(())
    }

    /// When the file names default channels, they are all; when it does not, those made by hand remain.
    async fn default_channels(&mut self, channels: &BTreeMap<String, ChannelId>) -> Result<(), ApplyError> {
        let there = config::default_channels(self.connection, self.tenant).await?;
        let named = self.file.default_channels.iter().filter_map(|name| channels.get(&name.value));
        let mut wanted: Vec<_> = named.map(|id| Owned { item: *id, provisioned: true }).collect();
        if wanted.is_empty() {
            wanted.extend(there.iter().filter(|owned| !owned.provisioned).cloned());
        }
        if wanted != there {
            self.changed = true;
            config::set_default_channels(self.connection, self.tenant, &wanted).await?;
        }
        Ok(())
    }

    /// Mutes have no name: one is the same when it drops the same.
    async fn mutes(&mut self) -> Result<(), ApplyError> {
        let there = mutes::list(self.connection, self.tenant).await?;
        let mut kept = Vec::new();
        for item in &self.file.mutes {
            let same = |owned: &&Owned<Mute>| {
                owned.provisioned && (&owned.item.from, &owned.item.source) == (&item.from, &item.source)
            };
            let before = there.iter().find(same).map(|owned| &owned.item);
            let id = match before {
                Some(mute) => mute.id,
                None => MuteId(config::next_id(self.connection, Kind::Mute).await?),
            };
            kept.push(id);
            let (from, source) = (item.from.clone(), item.source.clone());
            let mute = Mute { id, from, source, comment: item.comment.clone() };
            if before != Some(&mute) {
                self.changed = true;
                mutes::put(self.connection, self.tenant, &Owned { item: mute, provisioned: true }).await?;
                self.touch(Kind::Mute, id.0).await?;
            }
        }
        for mute in gone(&there, |mute| kept.contains(&mute.id)) {
            self.changed = true;
            mutes::delete(self.connection, self.tenant, mute.id).await?;
        }
        Ok(())
    }

    /// Silences have no name: one is the same when it has the same conditions.
    async fn silences(&mut self) -> Result<(), ApplyError> {
        let there = silences::list(self.connection, self.tenant).await?;
        let mut kept = Vec::new();
        for item in &self.file.silences {
            let same = |owned: &&Owned<Silence>| owned.provisioned && owned.item.matcher == item.matcher;
            let before = there.iter().find(same).map(|owned| &owned.item);
            let id = match before {
                Some(silence) => silence.id,
                None => SilenceId(config::next_id(self.connection, Kind::Silence).await?),
            };
            kept.push(id);
            let (matcher, comment) = (item.matcher.clone(), item.comment.clone());
            let silence = Silence { id, matcher, expires_at: item.expires_at, comment };
            if before != Some(&silence) {
                self.changed = true;
                silences::put(self.connection, self.tenant, &Owned { item: silence, provisioned: true }).await?;
                self.touch(Kind::Silence, id.0).await?;
            }
        }
        for silence in gone(&there, |silence| kept.contains(&silence.id)) {
            self.changed = true;
            silences::delete(self.connection, self.tenant, silence.id).await?;
        }
        Ok(())
    }

    /// The file's models, and behind them those that were made by hand.
    async fn ai(&mut self) -> Result<(), ApplyError> {
        let before = config::ai(self.connection, self.tenant).await?;
        let mut wanted = Ai {
            providers: self.models(&before.providers),
            max_wait_ms: self.file.ai.iter().filter_map(|item| item.max_wait_ms).max(),
        };
        for provider in wanted.providers.iter_mut().filter(|provider| provider.id.0 == 0) {
            provider.id = AiProviderId(config::next_id(self.connection, Kind::AiProvider).await?);
        }
        wanted.providers.extend(before.providers.iter().filter(|provider| !provider.provisioned).cloned());
        if before != wanted {
            self.changed = true;
            config::set_ai(self.connection, self.tenant, &wanted).await?;
        }
        Ok(())
    }

    /// A model is the same while its server and its name are; one that is new has the id 0. Keys are compared by the
    /// address that they are for.
    fn models(&self, before: &[Provider]) -> Vec<Provider> {
        let place = Place::models(self.tenant);
        let provider = |item: &super::AiItem| {
            let known = || before.iter().filter(|known| known.model.base_url == item.model.base_url);
            let same = known().find(|known| known.provisioned && known.model.name == item.model.name);
            let mut sealed = known().filter_map(|known| known.api_key.as_ref());
            let api_key = item.api_key.as_ref().map(|key| {
                let kept = sealed.find(|sealed| self.opens_to(sealed, &place, key));
                kept.cloned().unwrap_or_else(|| self.vault.seal(&place, key))
            });
            let id = same.map_or(AiProviderId(0), |same| same.id);
            Provider { id, provisioned: true, model: item.model.clone(), api_key }
        };
        self.file.ai.iter().map(provider).collect()
    }
}

/// What the file made before and does not name any more.
fn gone<T>(there: &[Owned<T>], named: impl Fn(&T) -> bool) -> impl Iterator<Item = &T> {
    there.iter().filter(move |owned| owned.provisioned && !named(&owned.item)).map(|owned| &owned.item)
}
