//! The document of the API: committed, complete, and readable in a browser without the outside.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::{client::Client, house::House};

#[test]
fn the_committed_document_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/openapi.json");
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == watchbell_api_server::openapi(),
        "docs/api/openapi.json is not what the program says; write it anew:\n\n  \
         cargo run -p watchbell -- openapi > docs/api/openapi.json\n"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_says_who_may_call_it() {
    let document: Value = serde_json::from_str(&watchbell_api_server::openapi()).unwrap();
    let mut names = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: `{name}` is the name of another");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["x-role"].is_string(), "{method} {path} does not say who may call it");
        }
    }
    assert!(names.len() > 40, "{names:?}");
}

#[test]
fn every_reference_leads_to_a_schema() {
    let text = watchbell_api_server::openapi();
    let document: Value = serde_json::from_str(&text).unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "there is no schema {name}");
    }
}

#[tokio::test]
async fn the_documentation_is_served_whole_and_without_scripts_in_its_pages() {
    let mut house = House::embedded(&[]).await;
    let client = Client::anonymous(&format!("http://{}", house.start_api().await));
    let served = client.get("/api/openapi.json").await.expect(200);
    assert_eq!(served, serde_json::from_str::<Value>(&watchbell_api_server::openapi()).unwrap());
    let page = client.get("/docs/").await.expect(200);
    let page = page.as_str().unwrap();
    let scripts: Vec<_> = page.split("<script").skip(1).collect();
    assert_eq!(scripts.len(), 3, "{page}");
    for script in scripts {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src=\"./") && rest.trim_start().starts_with("</script>"), "{script}");
    }
    let policy = client.get("/docs/").await.headers.remove("content-security-policy").unwrap();
    assert!(policy.to_str().unwrap().contains("script-src 'self'"), "a browser would load none of it: {policy:?}");
    let start = client.get("/docs/swagger-initializer.js").await.expect(200);
    assert!(start.as_str().unwrap().contains("/api/openapi.json"));
    house.stop().await;
}
