//! Routing: a pure function of (alert, rules, time) that says where an alert goes and why.

use crate::config::{ConfigError, Tenant};

/// Why a glob or time window cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("`{pattern}` is not a valid glob: {why}")]
    Glob { pattern: String, why: String },
    #[error("`{value}` is not a valid {what}")]
    Window { what: &'static str, value: String },
}

/// One tenant's rules, mutes and silences, compiled.
#[derive(Debug, Default)]
pub struct CompiledTenant {
    pub name: String,
}

impl CompiledTenant {
    /// Compiles all patterns; the first broken one is named.
    pub fn compile(tenant: &Tenant) -> Result<Self, ConfigError> {
        Ok(Self { name: tenant.name.clone() })
    }
}
