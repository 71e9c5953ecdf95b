//! The api-server against a real Redis, SQLite and a real PostgreSQL.
#![cfg(test)]

mod audit;
mod books;
mod client;
mod doors;
mod house;
mod identity;
mod openapi;
mod provisioning;
mod recording;
mod resources;
mod trial;
