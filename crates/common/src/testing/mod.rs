//! Real servers for tests, each started by the test that needs it and gone with it; values for the guide's
//! examples. Behind the feature `testing`.

mod postgres;
mod redis;

pub use postgres::{PostgresServer, database};
pub use redis::RedisServer;

/// A value for a variable of the guide's examples that its channel takes: each platform knows its own.
pub fn example_value(variable: &str) -> &'static str {
    match variable {
        "DISCORD_WEBHOOK_URL" => "https://discord.com/api/webhooks/1234567890/example",
        "LARK_WEBHOOK_URL" => "https://open.larksuite.com/open-apis/bot/v2/hook/example",
        "MATTERMOST_WEBHOOK_URL" => "https://chat.example.org/hooks/example",
        "OPS_BOT_TOKEN" => "123456:example",
        "SINK_SIGNING_SECRET" => "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "SLACK_WEBHOOK_URL" => "https://hooks.slack.com/services/T0/B0/example",
        "TEAMS_WEBHOOK_URL" => "https://example.org/workflows/0/triggers/manual/paths/invoke?sig=example",
        "TWILIO_ACCOUNT_SID" => "AC0123456789abcdef0123456789abcdef",
        _ => "example",
    }
}
