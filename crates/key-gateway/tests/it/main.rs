//! The gateway as its clients and its upstream see it: real sockets, real stores.
#![cfg(test)]

mod alarms;
mod binding;
mod harness;
mod keys;
mod proxying;
mod smuggling;
mod troubles;
