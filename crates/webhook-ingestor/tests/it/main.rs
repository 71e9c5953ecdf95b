#![cfg(test)]
//! The service as its senders see it: a real server on a free port, raw sockets, a queue in memory.

mod bad_input;
mod dedup;
mod fixtures;
mod push;
mod secrecy;
mod support;
