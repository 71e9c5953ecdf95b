//! The api-server against a real Redis, SQLite and a real PostgreSQL.
#![cfg(test)]

mod alerts;
mod audit;
mod books;
mod client;
mod doors;
mod first_run;
mod gateway;
mod house;
mod identity;
mod live;
mod models;
mod observing;
mod openapi;
mod provisioning;
mod recording;
mod resources;
mod story;
mod tenancy;
mod trial;
mod victim;
