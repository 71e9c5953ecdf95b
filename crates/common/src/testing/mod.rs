//! Real servers for tests, each started by the test that needs it and gone with it. Behind the feature `testing`.

mod postgres;
mod redis;

pub use postgres::{PostgresServer, database};
pub use redis::RedisServer;
