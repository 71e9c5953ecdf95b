//! Who may do what: roles of users, and what a request proved about its sender.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::TenantId;

/// What a user may do in a tenant. A greater role may do all that a lesser one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Also changes what alerts meet: channels, rules, silences; acknowledges, replays.
    Editor,
    /// Also decides who belongs to the tenant.
    Owner,
}

impl Role {
    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a role: use viewer, editor or owner")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Viewer, Self::Editor, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A tenant's name from its first user's address; the id keeps it unique.
pub fn tenant_name_from(email: &str, tenant: TenantId) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let name: String = local.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    format!("{name}-{tenant}").trim_start_matches('-').to_owned()
}
