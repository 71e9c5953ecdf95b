//! `watchbell send-test`: a real alert mail, so that a newcomer sees a message within a minute.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor, address::Envelope,
    transport::smtp::extension::ClientId,
};
use watchbell_common::settings::Settings;

use crate::output;

const PROBLEM: &[u8] = include_bytes!("../../../fixtures/mail/zabbix-text-problem-high.eml");
const RESOLVED: &[u8] = include_bytes!("../../../fixtures/mail/zabbix-text-resolved-high.eml");

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to send it; smtp.listen when absent.
    #[arg(long, value_name = "HOST:PORT")]
    to: Option<String>,
    /// Which mail.
    #[arg(long, value_enum, default_value_t = Sample::Problem)]
    sample: Sample,
    /// The envelope sender.
    #[arg(long, default_value = "zabbix@corp.example")]
    from: Address,
    /// The recipient.
    #[arg(long, default_value = "oncall@corp.example")]
    recipient: Address,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sample {
    /// Zabbix reports a problem.
    Problem,
    /// Zabbix reports that the same problem is over.
    Resolved,
}

pub(crate) async fn run(options: &Options, settings: impl FnOnce() -> anyhow::Result<Settings>) -> anyhow::Result<()> {
    let to = match &options.to {
        Some(to) => to.clone(),
        None => reachable(settings()?.smtp.listen).to_string(),
    };
    let (host, port) = to.rsplit_once(':').with_context(|| format!("`{to}` is not HOST:PORT"))?;
    let port = port.parse().with_context(|| format!("`{to}` is not HOST:PORT"))?;
    let host = host.trim_matches(['[', ']']);
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port)
        .hello_name(ClientId::Domain("watchbell.test".to_owned()))
        .build();
    let envelope = Envelope::new(Some(options.from.clone()), vec![options.recipient.clone()])?;
    let mail = match options.sample {
        Sample::Problem => PROBLEM,
        Sample::Resolved => RESOLVED,
    };
    let answer = transport.send_raw(&envelope, mail).await.with_context(|| format!("sending to {to}"))?;
    output::line(&format!("{to} took it: {}", answer.message().collect::<Vec<_>>().join(" ")))
}

/// A listener on all addresses is reached over loopback.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}
