//! The all-in-one binary and the command line: every service in one process, and the tools around it.

mod backup;
mod books;
mod check;
pub mod cli;
mod data_dir;
mod dead;
mod eval;
mod health;
mod import;
mod keys;
mod output;
mod send_test;
mod serve;
mod users;
