//! The section of what our own doors bind.

use serde::Deserialize;

use super::{SettingsError, bad, optional};
use crate::{
    binding::{Stance, gateway::FailMode},
    clock::UnixMillis,
};

/// Whether a door binds its secrets, and what becomes of a use from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guarding {
    Off,
    Observe,
    Enforce,
    Learn,
}

impl Guarding {
    /// What becomes of a use from elsewhere; `None` where nothing is bound.
    pub const fn stance(self) -> Option<Stance> {
        match self {
            Self::Off => None,
            Self::Observe => Some(Stance::Observe),
            Self::Enforce => Some(Stance::Enforce),
            Self::Learn => Some(Stance::Learn),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    pub push_tokens: Guarding,
    pub smtp_users: Guarding,
    #[serde(deserialize_with = "optional")]
    pub learn_until: Option<jiff::Timestamp>,
    pub fail_mode: FailMode,
}

impl Binding {
    /// When learning ends; never begun without a date.
    pub fn learn_until_ms(&self) -> UnixMillis {
        self.learn_until.map_or(0, jiff::Timestamp::as_millisecond)
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let learns = [self.push_tokens, self.smtp_users].contains(&Guarding::Learn);
        if learns && self.learn_until.is_none() {
            return Err(bad("binding.learn_until", "is missing: a door is to learn"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn a_door_that_learns_needs_a_date() {
        let env = |value: &str| vec![("WATCHBELL_BINDING_SMTP_USERS".to_owned(), value.to_owned())];
        let error = Settings::load_with(None, &env("learn"), &[]).unwrap_err().to_string();
        assert!(error.contains("binding.learn_until"), "{error}");
        assert!(Settings::load_with(None, &env("observe"), &[]).is_ok());
    }
}
