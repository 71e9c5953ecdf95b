//! The api-server against a real Redis, SQLite and a real PostgreSQL.
#![cfg(test)]

mod books;
mod house;
mod provisioning;
mod recording;
