//! The server as its clients meet it: over sockets, with raw bytes and with real programs.
#![cfg(test)]

mod bad_input;
mod chunking;
mod clients;
mod envelope;
mod limits;
mod login;
mod logs;
mod postfix;
mod protocol;
mod recorded;
mod smuggling;
mod stopping;
mod support;
mod tls;
