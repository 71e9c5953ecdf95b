//! The model's stage against local servers that behave and misbehave.

mod desk;
mod fake;
mod servers;
