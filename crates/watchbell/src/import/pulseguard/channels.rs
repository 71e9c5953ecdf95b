//! Bots and channels: credentials are sealed anew, push tokens stay.

use std::collections::{BTreeMap, HashMap};

use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    config::{Bot, Channel, OpenChannel, TemplateUse, check},
    crypto::{Place, Sealed},
    ids::{BotId, ChannelId, TemplateId, TenantId},
    store::{
        Connection, bots, channels,
        config::{self, Kind as Ids, Owned},
        pulseguard::{self, Tenant},
    },
};

use super::{Import, report::Kind, tenant::Owner};

/// The port on which TLS begins at once (RFC 8314 §3.3).
const SUBMISSIONS: i64 = 465;

/// What a bot became.
enum Became {
    Bot {
        id: BotId,
        platform: &'static str,
    },
    /// Part of each of its channels: those of Lark have no bots here.
    ChannelSecret,
    Nothing,
}

/// A bot there, and what it is here.
struct Known {
    name: String,
    secrets: BTreeMap<String, SecretString>,
    became: Became,
}

/// An account's bots by their ids there.
pub(super) struct Bots(BTreeMap<i64, Known>);

impl Bots {
    /// Its name there.
    pub(super) fn name(&self, id: i64) -> String {
        self.0.get(&id).map(|bot| bot.name.clone()).unwrap_or_default()
    }

    pub(super) fn id(&self, id: i64) -> Option<BotId> {
        match self.0.get(&id)?.became {
            Became::Bot { id, .. } => Some(id),
            Became::ChannelSecret | Became::Nothing => None,
        }
    }

    /// What no text may show.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let secret =
            |(name, _): &(&String, &SecretString)| matches!(name.as_str(), "bot_token" | "webhook_url" | "password");
        let all = self.0.values().flat_map(|bot| &bot.secrets).filter(secret).map(|(_, secret)| secret.clone());
        all.filter(|secret| !secret.expose_secret().is_empty()).collect()
    }
}

impl Import<'_> {
    pub(super) async fn bots(&mut self, tx: &mut Connection, owner: &Owner, theirs: &Tenant) -> anyhow::Result<Bots> {
        let there = bots::list(tx, owner.tenant).await?;
        let mut known = BTreeMap::new();
        for bot in self.source.bots(theirs.id)? {
            let what = owner.item("bot", &bot.name);
            let mut is = Known { name: bot.name.clone(), secrets: BTreeMap::new(), became: Became::Nothing };
            match self.credentials(&bot) {
                Err(why) => self.report.left(Kind::Bots, what, why),
                // Counted with its channels.
                Ok(("lark", secrets)) => (is.secrets, is.became) = (secrets, Became::ChannelSecret),
                Ok((platform, secrets)) => {
                    let same = there.iter().map(|owned| &owned.item).find(|ours| ours.name == bot.name);
                    match same {
                        Some(ours) if ours.platform != platform => {
                            self.report.left(Kind::Bots, what, "one of that name is here, for another platform");
                        }
                        Some(ours) => {
                            self.report.present(Kind::Bots, 1);
                            is.became = Became::Bot { id: ours.id, platform };
                        }
                        None => {
                            let id = self.bot(tx, owner.tenant, &bot, platform, &secrets).await?;
                            if !bot.enabled {
                                self.report.note(
                                    &what,
                                    "was switched off, which stopped its commands and not its messages: it is on here",
                                );
                            }
                            is.became = Became::Bot { id, platform };
                        }
                    }
                    is.secrets = secrets;
                }
            }
            known.insert(bot.id, is);
        }
        Ok(Bots(known))
    }

    /// The platform of a bot here, and its fields.
    fn credentials(&self, bot: &pulseguard::Bot) -> Result<(&'static str, BTreeMap<String, SecretString>), String> {
        let open = |blob: &[u8]| self.key.open(blob).ok_or("its secret does not open with this master key");
        match (bot.platform.as_str(), bot.kind.as_str()) {
            ("lark", "app") => Err("Lark apps are not supported, only webhooks of custom bots".to_owned()),
            ("telegram", _) => Ok(("telegram", [("bot_token".to_owned(), open(&bot.token_enc)?)].into())),
            ("lark", _) => Ok(("lark", [("webhook_url".to_owned(), open(&bot.token_enc)?)].into())),
            ("smtp", _) => {
                let tls = match (bot.smtp_use_tls, bot.smtp_port) {
                    (true, SUBMISSIONS) => "implicit",
                    (true, _) => "starttls",
                    (false, _) => "none",
                };
                let from = if bot.smtp_from.is_empty() { &bot.smtp_username } else { &bot.smtp_from };
                let plain = [
                    ("host", bot.smtp_host.clone()),
                    ("port", bot.smtp_port.to_string()),
                    ("tls", tls.to_owned()),
                    ("username", bot.smtp_username.clone()),
                    ("from", from.clone()),
                ];
                let mut fields: BTreeMap<_, SecretString> =
                    plain.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
                fields.insert("password".to_owned(), open(&bot.smtp_password_enc)?);
                Ok(("email", fields))
            }
            (platform, _) => Err(format!("there is no platform `{platform}`")),
        }
    }

    async fn bot(
        &mut self,
        tx: &mut Connection,
        tenant: TenantId,
        bot: &pulseguard::Bot,
        platform: &str,
        secrets: &BTreeMap<String, SecretString>,
    ) -> anyhow::Result<BotId> {
        let id = BotId(config::next_id(tx, Ids::Bot).await?);
        let item = Bot {
            id,
            name: bot.name.clone(),
            platform: platform.to_owned(),
            description: bot.description.clone(),
            credentials: self.seal(secrets, |field| Place::bot(tenant, id, field)),
            enabled: true,
        };
        bots::put(tx, tenant, &Owned { item, provisioned: false }).await?;
        self.touch(tx, tenant, (Ids::Bot, id.0)).await?;
        self.report.brought(Kind::Bots, 1);
        Ok(id)
    }

    fn seal(
        &self,
        secrets: &BTreeMap<String, SecretString>,
        place: impl Fn(&str) -> Place,
    ) -> BTreeMap<String, Sealed> {
        secrets.iter().map(|(field, secret)| (field.clone(), self.vault.seal(&place(field), secret))).collect()
    }

    /// The channels here by their ids there.
    pub(super) async fn channels(
        &mut self,
        tx: &mut Connection,
        owner: &Owner,
        theirs: &Tenant,
        bots: &Bots,
        templates: &HashMap<i64, TemplateId>,
    ) -> anyhow::Result<HashMap<i64, ChannelId>> {
        let there = channels::list(tx, owner.tenant).await?;
        let mut ids = HashMap::new();
        // Of each bot: how many of its channels were brought, and how many were there.
        let mut uses = BTreeMap::<i64, (usize, usize)>::new();
        for channel in self.source.channels(theirs.id)? {
            let what = owner.item("channel", &channel.name);
            let hash = self.vault.hash(channel.push_token.expose_secret());
            let tally = uses.entry(channel.bot).or_default();
            match channels::by_token_hash(tx, &hash).await? {
                Some((tenant, id)) if tenant == owner.tenant => {
                    self.report.present(Kind::Channels, 1);
                    ids.insert(channel.id, id);
                    tally.1 += 1;
                    continue;
                }
                Some(_) => {
                    self.report.left(Kind::Channels, what, "another tenant has its push token");
                    continue;
                }
                None => {}
            }
            let named = |owned: &Owned<Channel>| owned.item.name == channel.name;
            let refused = if there.iter().any(named) {
                Some("one of that name is here, with another push token".to_owned())
            } else {
                check::push_token(channel.push_token.expose_secret()).err().map(|why| format!("its push token {why}"))
            };
            if let Some(why) = refused {
                self.report.left(Kind::Channels, what, why);
                continue;
            }
            let Some(bot) = bots.0.get(&channel.bot).filter(|bot| !matches!(bot.became, Became::Nothing)) else {
                self.report.left(Kind::Channels, what, "its bot could not be brought, so its push token takes nothing");
                continue;
            };
            let (id, name) = (channel.id, self.channel(tx, owner, channel, bot, templates, &hash).await?);
            ids.insert(id, name);
            tally.0 += 1;
        }
        for (id, bot) in bots.0.iter().filter(|(_, bot)| matches!(bot.became, Became::ChannelSecret)) {
            match uses.get(id).copied().unwrap_or_default() {
                (0, 0) => {
                    self.report.left(Kind::Bots, owner.item("bot", &bot.name), "no channel keeps its webhook URL");
                }
                (0, _) => self.report.present(Kind::Bots, 1),
                _ => self.report.brought(Kind::Bots, 1),
            }
        }
        Ok(ids)
    }

    async fn channel(
        &mut self,
        tx: &mut Connection,
        owner: &Owner,
        theirs: pulseguard::Channel,
        bot: &Known,
        templates: &HashMap<i64, TemplateId>,
        token_hash: &str,
    ) -> anyhow::Result<ChannelId> {
        let (tenant, what) = (owner.tenant, owner.item("channel", &theirs.name));
        let id = ChannelId(config::next_id(tx, Ids::Channel).await?);
        let mut channel = Channel {
            id,
            name: theirs.name.clone(),
            platform: "lark".to_owned(),
            bot: None,
            target: String::new(),
            options: BTreeMap::new(),
            secrets: BTreeMap::new(),
            rate_per_min: u32::try_from(theirs.rate_per_min).unwrap_or_default(),
            dedup_window_s: u32::try_from(theirs.dedup_window_s).unwrap_or_default(),
            push_token: self.vault.seal(&Place::push_token(tenant, id), &theirs.push_token),
            templates: self.uses(&what, &theirs.templates, templates),
            enabled: theirs.enabled,
        };
        if let Became::Bot { id, platform } = bot.became {
            (channel.bot, channel.platform, channel.target) = (Some(id), platform.to_owned(), theirs.chat_id);
        } else {
            // What it was sent as there.
            channel.options.insert("format".to_owned(), "text".into());
            channel.secrets = self.seal(&bot.secrets, |field| Place::channel(tenant, id, field));
        }
        let (secrets, templates) = (bot.secrets.clone(), Vec::new());
        let open = OpenChannel { tenant, channel: channel.clone(), secrets, trusted: false, templates };
        if let Err((field, why)) = watchbell_channels::check_channel(&open) {
            self.report.note(&what, format_args!("nothing can be sent before it is corrected: {field}: {why}"));
        }
        channels::put(tx, tenant, &Owned { item: channel, provisioned: false }, token_hash).await?;
        self.touch(tx, tenant, (Ids::Channel, id.0)).await?;
        self.report.brought(Kind::Channels, 1);
        Ok(id)
    }

    /// Which template writes: the first whose condition holds, else the default. Those that only a push can name come
    /// last, where their turn never comes by itself.
    fn uses(
        &mut self,
        what: &str,
        bindings: &[pulseguard::Binding],
        templates: &HashMap<i64, TemplateId>,
    ) -> Vec<TemplateUse> {
        let mut uses = Vec::new();
        let known = |binding: &pulseguard::Binding| templates.get(&binding.template).copied();
        for binding in bindings.iter().filter(|binding| !binding.condition.is_empty()) {
            let Some(template) = known(binding) else { continue };
            match watchbell_channels::check_condition(&binding.condition) {
                Ok(()) => uses.push(TemplateUse { template, when: Some(binding.condition.clone()) }),
                Err(why) => {
                    self.report.note(
                        what,
                        format_args!("a condition never held and was left out: `{}`: {why}", binding.condition),
                    );
                }
            }
        }
        let without = |default: bool| {
            bindings
                .iter()
                .filter(move |binding| binding.default == default && (default || binding.condition.is_empty()))
        };
        let rest = without(true).chain(without(false)).filter_map(known);
        uses.extend(rest.map(|template| TemplateUse { template, when: None }));
        uses
    }
}
