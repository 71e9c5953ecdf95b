//! Templates, and which channel uses which.

use std::collections::HashMap;

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql,
};
use crate::{
    config::{Template, TemplateUse},
    ids::{ChannelId, TemplateId, TenantId},
};

/// A tenant's templates, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Template>>, StoreError> {
    let statement = "SELECT id, name, body, parse_mode, provisioned FROM templates WHERE tenant_id = $1 ORDER BY id";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Owned<Template>, StoreError> {
    let template = Template {
        id: TemplateId(row.try_get("id")?),
        name: row.try_get("name")?,
        body: row.try_get("body")?,
        parse_mode: sql::from_word("a template's parse mode", row.try_get("parse_mode")?)?,
    };
    config::owned(row, template)
}

/// Writes a template: a new one, or the tenant's one of that id.
pub async fn put(connection: &mut Connection, tenant: TenantId, template: &Owned<Template>) -> Result<(), StoreError> {
    let Owned { item, provisioned } = template;
    let done = sqlx::query(
        "INSERT INTO templates (id, tenant_id, name, body, parse_mode, provisioned) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, body = excluded.body,
             parse_mode = excluded.parse_mode, provisioned = excluded.provisioned
         WHERE templates.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(sql::clean(&item.name))
    .bind(sql::clean(&item.body))
    .bind(item.parse_mode.as_str())
    .bind(i64::from(*provisioned))
    .execute(connection)
    .await?;
    sql::one_row(&done, "template", item.id)
}

/// Deletes a template. A channel that still uses it makes the transaction's commit fail.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: TemplateId) -> Result<(), StoreError> {
    let statement = "DELETE FROM templates WHERE tenant_id = $1 AND id = $2";
    config::delete(connection, statement, tenant, "template", id.0).await
}

/// What each of a tenant's channels uses, in order.
pub(super) async fn uses(
    connection: &mut Connection,
    tenant: TenantId,
) -> Result<HashMap<i64, Vec<TemplateUse>>, StoreError> {
    let statement = "SELECT channel_id, template_id, used_when FROM channel_templates
        WHERE tenant_id = $1 ORDER BY channel_id, position";
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(statement).bind(tenant.0).fetch_all(connection).await?;
    let mut all = HashMap::<i64, Vec<TemplateUse>>::new();
    for (channel, template, when) in rows {
        let when = Some(when).filter(|when| !when.is_empty());
        all.entry(channel).or_default().push(TemplateUse { template: TemplateId(template), when });
    }
    Ok(all)
}

/// Replaces what a channel uses.
pub(super) async fn put_uses(
    connection: &mut Connection,
    tenant: TenantId,
    channel: ChannelId,
    uses: &[TemplateUse],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM channel_templates WHERE tenant_id = $1 AND channel_id = $2")
        .bind(tenant.0)
        .bind(channel.0)
        .execute(&mut *connection)
        .await?;
    let rows: Vec<_> = (0_i64..).zip(uses).collect();
    let head = "channel_templates (tenant_id, channel_id, position, template_id, used_when)";
    sql::Insert { head, columns: 5, tail: "" }
        .run(connection, &rows, |statement, (position, used)| {
            let when = sql::clean(used.when.as_deref().unwrap_or_default());
            statement.bind(tenant.0).bind(channel.0).bind(*position).bind(used.template.0).bind(when)
        })
        .await?;
    Ok(())
}
