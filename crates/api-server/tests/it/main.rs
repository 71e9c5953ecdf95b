//! The api-server against a real Redis, SQLite and a real PostgreSQL.
#![cfg(test)]

mod alerts;
mod audit;
mod books;
mod client;
mod house;
mod live;
mod observing;
mod provisioning;
mod recording;
mod story;
