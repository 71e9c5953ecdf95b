//! The audit log through the API.

use watchbell_common::{identity::Role, ids::TenantId};

use crate::{client::Client, house::House};

#[tokio::test]
async fn only_owners_read_the_audit_log() {
    let mut house = House::embedded(&[]).await;
    let base = format!("http://{}", house.start_api().await);
    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    assert!(owner.get("/api/v1/audit").await.expect(200)["items"].is_array());
    assert_eq!(owner.get("/api/v1/audit?cursor=x").await.error(400), "VALIDATION");
    let viewer = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Viewer).await;
    assert_eq!(viewer.get("/api/v1/audit").await.error(403), "FORBIDDEN");
    assert_eq!(Client::anonymous(&base).get("/api/v1/audit").await.error(401), "UNAUTHORIZED");
    house.stop().await;
}
