#![cfg(test)]
//! The product as its users meet it: real processes, real senders, a real destination.

mod admin;
mod backup;
mod bound_doors;
mod command_line;
mod email;
mod eval;
mod flow;
mod from;
mod gateway;
mod keys;
mod model;
mod outages;
mod pulseguard;
mod repeats;
mod secrets;
mod snippets;
mod telegram;
mod topology;

use watchbell_harness::Sink;

const TOKEN: &str = "product-test-push-token-0123456789";

/// One webhook channel, which gets everything.
fn one_channel(sink: &Sink) -> String {
    format!(
        "channels:\n  - {{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}\ndefault_channels: [sink]\n",
        sink.url("alerts")
    )
}

fn mail(subject: &str) -> String {
    format!("From: probe@corp.example\r\nTo: ops@corp.example\r\nSubject: {subject}\r\n\r\nSomething happened.\r\n")
}
