#![cfg(test)]
//! The api-server against a real Redis, SQLite and a real PostgreSQL.

mod books;
mod house;
mod provisioning;
mod recording;
