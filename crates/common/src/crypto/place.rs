//! Where a sealed value belongs.
//!
//! [`Column`] lists every column of the store that holds sealed values. A value is sealed for a [`Place`], a place
//! names a column of the list, and rotation walks the list: so no sealed column can be forgotten.

use std::fmt;

use crate::ids::{BotId, ChannelId, InviteId, TenantId};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $table:literal . $column:literal;)+) => {
        /// A column of the store that holds sealed values, as JSON: one, or an object or list of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Column { $($(#[$doc])* $name,)+ }

        impl Column {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its table.
            pub const fn table(self) -> &'static str {
                match self { $(Self::$name => $table,)+ }
            }

            /// Its name in the table.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $column,)+ }
            }
        }
    };
}

columns! {
    /// Field name → value.
    BotCredentials = "bots"."credentials";
    /// Field name → value.
    ChannelSecrets = "channels"."secrets";
    PushToken = "channels"."push_token";
    /// The keys of a tenant's models. Their row is the tenant itself.
    Models = "settings"."value";
    InviteCode = "invites"."code";
    /// The installation's: their tenant is the default one.
    SigningKey = "signing_keys"."secret";
}

/// The place of one sealed value. It is authenticated with the value, which opens nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub tenant: TenantId,
    pub column: Column,
    /// Which of the column's values, where it holds several by name.
    pub field: Option<String>,
    pub row: i64,
}

impl Place {
    /// A credential of a bot.
    pub fn bot(tenant: TenantId, bot: BotId, field: &str) -> Self {
        Self { tenant, column: Column::BotCredentials, field: Some(field.to_owned()), row: bot.0 }
    }

    /// A secret option of a channel.
    pub fn channel(tenant: TenantId, channel: ChannelId, field: &str) -> Self {
        Self { tenant, column: Column::ChannelSecrets, field: Some(field.to_owned()), row: channel.0 }
    }

    /// The push token of a channel.
    pub const fn push_token(tenant: TenantId, channel: ChannelId) -> Self {
        Self { tenant, column: Column::PushToken, field: None, row: channel.0 }
    }

    /// The keys of a tenant's models.
    pub const fn models(tenant: TenantId) -> Self {
        Self { tenant, column: Column::Models, field: None, row: tenant.0 }
    }

    /// The code of an invite.
    pub const fn invite(tenant: TenantId, invite: InviteId) -> Self {
        Self { tenant, column: Column::InviteCode, field: None, row: invite.0 }
    }

    /// A key that signs tokens.
    pub const fn signing_key(id: i64) -> Self {
        Self { tenant: TenantId::DEFAULT, column: Column::SigningKey, field: None, row: id }
    }

    /// How values that were sealed before places named their tenant call it.
    pub(super) fn without_tenant(&self) -> String {
        match self.column {
            Column::Models => format!("ai/api_key/{}", self.row),
            _ => self.in_tenant(),
        }
    }

    fn in_tenant(&self) -> String {
        let (table, column, row) = (self.column.table(), self.column.name(), self.row);
        match &self.field {
            Some(field) => format!("{table}/{column}.{field}/{row}"),
            None => format!("{table}/{column}/{row}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.in_tenant())
    }
}
