//! An account, and what of it needs nothing else: invites, templates, scripts, silences.

use std::collections::{HashMap, HashSet};

use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    config::{Match, ParseMode, Silence, Template, check},
    crypto::Place,
    identity::{Role, tenant_name_from},
    ids::{InviteId, SilenceId, TemplateId, TenantId, UserId},
    passwords::{self, PasswordHash},
    store::{
        Connection,
        chat_commands::{self, ChatCommand},
        config::{self, Kind as Ids, Owned},
        invites::{self, Invite},
        pulseguard::Tenant,
        silences, templates, tenants,
        users::{self, User},
    },
};

use super::{Import, channels::Bots, report::Kind};

/// The label that a push's `_fingerprint` becomes.
const FINGERPRINT: &str = "_fingerprint";

/// The tenant and the user that an account became.
pub(super) struct Owner {
    pub(super) tenant: TenantId,
    user: UserId,
    email: String,
}

impl Owner {
    /// What an item is called in the report.
    pub(super) fn item(&self, kind: &str, name: &str) -> String {
        format!("{kind} `{name}` of {}", self.email)
    }

    pub(super) fn email(&self) -> &str {
        &self.email
    }
}

impl Import<'_> {
    /// The tenant of an account, made where there is none.
    pub(super) async fn owner(
        &mut self,
        tx: &mut Connection,
        theirs: &Tenant,
        addresses: &mut HashSet<String>,
    ) -> anyhow::Result<Option<Owner>> {
        let email = theirs.email.trim().to_lowercase();
        let what = format!("{} and all it has", theirs.email);
        if !addresses.insert(email.clone()) {
            self.report.left(Kind::Tenants, what, "another account has the same address in another case");
            return Ok(None);
        }
        if let Some(user) = users::by_email(tx, &email).await? {
            if user.role != Role::Owner {
                self.report.left(Kind::Tenants, what, "somebody here has this address, and is no owner of a tenant");
                return Ok(None);
            }
            self.report.present(Kind::Tenants, 1);
            return Ok(Some(Owner { tenant: user.tenant, user: user.id, email }));
        }
        let tenant = TenantId(config::next_id(tx, Ids::Tenant).await?);
        let name = tenant_name_from(&email, tenant);
        config::add_tenant(tx, tenant, &name, theirs.created_at).await?;
        if !theirs.active {
            let disabled = tenants::Tenant { id: tenant, name, disabled: true, created_at: theirs.created_at };
            tenants::update(tx, &disabled).await?;
            self.report.note(&email, "is disabled, so nobody signs in and its push tokens take nothing");
        }
        let id = UserId(config::next_id(tx, Ids::User).await?);
        let user = User {
            id,
            tenant,
            email: email.clone(),
            display_name: theirs.display_name.clone(),
            password: self.password(&email, &theirs.password_hash)?,
            role: Role::Owner,
            platform_admin: theirs.admin,
            disabled: false,
            created_at: theirs.created_at,
        };
        users::put(tx, &user, self.now).await?;
        self.report.brought(Kind::Tenants, 1);
        Ok(Some(Owner { tenant, user: id, email }))
    }

    /// The hash as it is, or that of a password that nobody knows.
    fn password(&mut self, email: &str, hash: &str) -> anyhow::Result<PasswordHash> {
        match hash.parse() {
            Ok(hash) => Ok(hash),
            Err(why) => {
                let why: passwords::BadHash = why;
                let way_in = format!("`watchbell users reset-password {email}`");
                self.report.note(email, format_args!("its password could not be brought ({why}): {way_in}"));
                passwords::hash(&format!("{:x}", rand::random::<u128>()).into())
            }
        }
    }

    pub(super) async fn invites(&mut self, tx: &mut Connection, owner: &Owner, theirs: &Tenant) -> anyhow::Result<()> {
        let mut spent = 0;
        for invite in self.source.invites(theirs.id)? {
            if invite.used || invite.expires_at.is_some_and(|end| end <= self.now) {
                spent += 1;
                continue;
            }
            let hash = self.vault.hash(invite.code.expose_secret());
            if invites::by_hash(tx, &hash).await?.is_some() {
                self.report.present(Kind::Invites, 1);
                continue;
            }
            let id = InviteId(config::next_id(tx, Ids::Invite).await?);
            let ours = Invite {
                id,
                tenant: owner.tenant,
                created_by: owner.user,
                code: self.vault.seal(&Place::invite(owner.tenant, id), &invite.code),
                for_tenant: None,
                role: Role::Owner,
                created_at: invite.created_at,
                expires_at: invite.expires_at,
                used: None,
            };
            invites::add(tx, &ours, &hash).await?;
            self.report.brought(Kind::Invites, 1);
        }
        self.report.left_many(Kind::Invites, spent, owner.email(), "they were used or have expired");
        Ok(())
    }

    /// The templates here by their ids there.
    pub(super) async fn templates(
        &mut self,
        tx: &mut Connection,
        owner: &Owner,
        theirs: &Tenant,
    ) -> anyhow::Result<HashMap<i64, TemplateId>> {
        let there = templates::list(tx, owner.tenant).await?;
        let mut ids = HashMap::new();
        for template in self.source.templates(theirs.id)? {
            if let Some(same) = there.iter().find(|owned| owned.item.name == template.name) {
                self.report.present(Kind::Templates, 1);
                ids.insert(template.id, same.item.id);
                continue;
            }
            let what = owner.item("template", &template.name);
            let Ok(parse_mode) = template.parse_mode.parse::<ParseMode>() else {
                self.report.left(
                    Kind::Templates,
                    what,
                    format_args!("its parse mode `{}` is unknown", template.parse_mode),
                );
                continue;
            };
            let id = if self.keeps_ids { template.id } else { config::next_id(tx, Ids::Template).await? };
            if id != template.id {
                let why = format!(
                    "its id was {} and is {id}: senders that name it in `_template_id` must say so",
                    template.id
                );
                self.report.note(&what, why);
            }
            if let Err(why) = watchbell_channels::check_template(&template.body) {
                self.report
                    .note(&what, format_args!("the built-in layout writes in its place until it is corrected: {why}"));
            }
            let item = Template { id: TemplateId(id), name: template.name, body: template.body, parse_mode };
            templates::put(tx, owner.tenant, &Owned { item, provisioned: false }).await?;
            self.touch(tx, owner.tenant, (Ids::Template, id)).await?;
            self.report.brought(Kind::Templates, 1);
            ids.insert(template.id, TemplateId(id));
        }
        Ok(ids)
    }

    pub(super) async fn commands(
        &mut self,
        tx: &mut Connection,
        owner: &Owner,
        theirs: &Tenant,
        bots: &Bots,
    ) -> anyhow::Result<()> {
        let mut brought = 0;
        for command in self.source.commands(theirs.id)? {
            let ours = ChatCommand {
                bot: bots.name(command.bot),
                name: command.name,
                bot_id: bots.id(command.bot),
                description: command.description,
                code: command.code,
                enabled: command.enabled,
                created_at: command.created_at,
                updated_at: command.updated_at,
            };
            if chat_commands::add(tx, owner.tenant, &ours).await? {
                brought += 1;
            } else {
                self.report.present(Kind::Commands, 1);
            }
        }
        self.report.brought(Kind::Commands, brought);
        if brought > 0 {
            self.report.note(owner.email(), "its chat commands are kept, but nothing runs them yet");
        }
        Ok(())
    }

    pub(super) async fn silences(&mut self, tx: &mut Connection, owner: &Owner, theirs: &Tenant) -> anyhow::Result<()> {
        let there = silences::list(tx, owner.tenant).await?;
        let mut expired = 0;
        for silence in self.source.silences(theirs.id)? {
            if silence.expires_at <= self.now {
                expired += 1;
                continue;
            }
            let what = owner.item("silence", &silence.pattern);
            let mut ours = Silence {
                id: SilenceId(0),
                matcher: Match {
                    labels: [(FINGERPRINT.to_owned(), beginning_with(&silence.pattern))].into(),
                    ..Match::default()
                },
                expires_at: silence.expires_at,
                comment: format!("from PulseGuard, by {}", silence.created_by),
            };
            let same = |owned: &Owned<Silence>| Silence { id: ours.id, ..owned.item.clone() } == ours;
            if there.iter().any(same) {
                self.report.present(Kind::Silences, 1);
            } else if let Err(wrong) = check::silence(&ours) {
                self.report.left(Kind::Silences, what, wrong);
            } else {
                ours.id = SilenceId(config::next_id(tx, Ids::Silence).await?);
                let item = (Ids::Silence, ours.id.0);
                silences::put(tx, owner.tenant, &Owned { item: ours, provisioned: false }).await?;
                self.touch(tx, owner.tenant, item).await?;
                self.report.brought(Kind::Silences, 1);
            }
        }
        self.report.left_many(Kind::Silences, expired, owner.email(), "they have expired");
        Ok(())
    }
}

/// The glob of texts that begin with this one.
fn beginning_with(text: &str) -> String {
    let mut glob = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[') {
            glob.extend(['[', c, ']']);
        } else {
            glob.push(c);
        }
    }
    glob.push('*');
    glob
}

/// What an account's errors must not show.
pub(super) fn blot(text: &str, secrets: &[SecretString]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_fingerprint_is_taken_as_it_stands() {
        assert_eq!(beginning_with("db[1]*?x"), "db[[]1][*][?]x*");
        let silence = |pattern: &str| Silence {
            id: SilenceId(1),
            matcher: Match { subject: Some(beginning_with(pattern)), ..Match::default() },
            expires_at: 1,
            comment: String::new(),
        };
        for odd in ["db[1]*?x", "[!a-z]", "]", "[", "a\\b"] {
            check::silence(&silence(odd)).unwrap();
        }
    }

    #[test]
    fn a_token_in_an_old_error_is_blotted_out() {
        let secrets = ["123:ABC".into()];
        assert_eq!(
            blot("Post https://host/bot123:ABC/sendMessage: EOF", &secrets),
            "Post https://host/bot***/sendMessage: EOF"
        );
    }
}
