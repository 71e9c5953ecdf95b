//! Routing rules and the channels they name.

use std::collections::HashMap;

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql,
};
use crate::{
    alert::Severity,
    config::{Escalate, Rule},
    ids::{ChannelId, RuleId, TenantId},
};

/// What a rule's channels are for.
#[derive(Debug, Default)]
struct Uses {
    routed: Vec<ChannelId>,
    escalated: Vec<ChannelId>,
}

/// A tenant's rules in the order in which they are tried: those of the provisioning file first, as they stand
/// there, then the others.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Rule>>, StoreError> {
    let mut uses = uses(connection, tenant).await?;
    let statement =
        "SELECT id, name, matcher, goes_on, severity, escalate_at, active, ai_max_wait_ms, enabled, provisioned
        FROM rules WHERE tenant_id = $1 ORDER BY provisioned DESC, position, id";
    let rows = sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?;
    rows.iter().map(|row| read(row, uses.remove(&row.try_get("id")?).unwrap_or_default())).collect()
}

async fn uses(connection: &mut Connection, tenant: TenantId) -> Result<HashMap<i64, Uses>, StoreError> {
    let statement =
        "SELECT rule_id, escalated, channel_id FROM rule_channels WHERE tenant_id = $1 ORDER BY rule_id, position";
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(statement).bind(tenant.0).fetch_all(connection).await?;
    let mut all = HashMap::<i64, Uses>::new();
    for (rule, escalated, channel) in rows {
        let uses = all.entry(rule).or_default();
        if escalated == 0 { &mut uses.routed } else { &mut uses.escalated }.push(ChannelId(channel));
    }
    Ok(all)
}

fn read(row: &AnyRow, uses: Uses) -> Result<Owned<Rule>, StoreError> {
    let severity = |column| {
        let word = row.try_get::<Option<String>, _>(column)?;
        word.map(|word| sql::from_word("a rule's severity", word)).transpose()
    };
    let active = row.try_get::<Option<&str>, _>("active")?;
    let wait = row.try_get::<Option<i64>, _>("ai_max_wait_ms")?;
    let rule = Rule {
        id: RuleId(row.try_get("id")?),
        name: row.try_get("name")?,
        matcher: sql::from_json("a rule's conditions", row.try_get("matcher")?)?,
        channels: uses.routed,
        r#continue: row.try_get::<i64, _>("goes_on")? != 0,
        set_severity: severity("severity")?,
        escalate: severity("escalate_at")?
            .map(|severity_at_least| Escalate { severity_at_least, channels: uses.escalated }),
        active: active.map(|text| sql::from_json("a rule's hours", text)).transpose()?,
        ai_max_wait_ms: wait.map(|wait| u32::try_from(wait).unwrap_or(u32::MAX)),
        enabled: row.try_get::<i64, _>("enabled")? != 0,
    };
    config::owned(row, rule)
}

/// Writes a rule at a position: a new one, or the tenant's one of that id.
pub async fn put(
    connection: &mut Connection,
    tenant: TenantId,
    position: i64,
    rule: &Owned<Rule>,
) -> Result<(), StoreError> {
    let Owned { item, provisioned } = rule;
    let done = sqlx::query(
        "INSERT INTO rules (id, tenant_id, name, position, matcher, goes_on, severity, escalate_at, active,
             ai_max_wait_ms, enabled, provisioned)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, position = excluded.position,
             matcher = excluded.matcher, goes_on = excluded.goes_on, severity = excluded.severity,
             escalate_at = excluded.escalate_at, active = excluded.active,
             ai_max_wait_ms = excluded.ai_max_wait_ms, enabled = excluded.enabled,
             provisioned = excluded.provisioned
         WHERE rules.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(sql::clean(&item.name))
    .bind(position)
    .bind(sql::json(&item.matcher))
    .bind(i64::from(item.r#continue))
    .bind(item.set_severity.map(Severity::as_str))
    .bind(item.escalate.as_ref().map(|escalate| escalate.severity_at_least.as_str()))
    .bind(item.active.as_ref().map(sql::json))
    .bind(item.ai_max_wait_ms.map(i64::from))
    .bind(i64::from(item.enabled))
    .bind(i64::from(*provisioned))
    .execute(&mut *connection)
    .await?;
    sql::one_row(&done, "rule", item.id)?;
    put_uses(connection, tenant, item).await
}

async fn put_uses(connection: &mut Connection, tenant: TenantId, rule: &Rule) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM rule_channels WHERE tenant_id = $1 AND rule_id = $2")
        .bind(tenant.0)
        .bind(rule.id.0)
        .execute(&mut *connection)
        .await?;
    let routed = (0_i64..).zip(&rule.channels).map(|(position, channel)| (0_i64, position, channel));
    let escalated = rule.escalate.iter().flat_map(|escalate| (0_i64..).zip(&escalate.channels));
    let uses: Vec<_> = routed.chain(escalated.map(|(position, channel)| (1, position, channel))).collect();
    sql::Insert { head: "rule_channels (tenant_id, rule_id, escalated, position, channel_id)", columns: 5, tail: "" }
        .run(connection, &uses, |statement, (escalated, position, channel)| {
            statement.bind(tenant.0).bind(rule.id.0).bind(*escalated).bind(*position).bind(channel.0)
        })
        .await?;
    Ok(())
}

/// Puts rules into an order. It says nothing about rules that are not named.
pub async fn reorder(connection: &mut Connection, tenant: TenantId, order: &[RuleId]) -> Result<(), StoreError> {
    for (position, id) in (0_i64..).zip(order) {
        let statement = "UPDATE rules SET position = $1 WHERE tenant_id = $2 AND id = $3";
        let done = sqlx::query(statement).bind(position).bind(tenant.0).bind(id.0).execute(&mut *connection).await?;
        sql::one_row(&done, "rule", id)?;
    }
    Ok(())
}

/// Deletes a rule.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: RuleId) -> Result<(), StoreError> {
    config::delete(connection, "DELETE FROM rules WHERE tenant_id = $1 AND id = $2", tenant, "rule", id.0).await
}
