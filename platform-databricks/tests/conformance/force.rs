//! Force: which pages know it, and that what a service refuses without it is done with it.

use platform_sdk::provider::{Context, ErrorKind, Request};
use serde_json::{Value, json};

use crate::{page::Page, pages, world::World};

/// Somebody else's use of the object that a page makes, which keeps the service from deleting it.
fn use_of(type_name: &str) -> Option<(&'static str, Value)> {
    let unity = |collection: &'static str, body: Value| Some((collection, body));
    match type_name {
        "databricks:Catalog" => unity("schemas", json!({"catalog_name": "$id", "name": "theirs"})),
        "databricks:Schema" => {
            let body = json!({
                "catalog_name": "$catalog", "schema_name": "$name", "name": "theirs", "volume_type": "MANAGED",
            });
            unity("volumes", body)
        }
        "databricks:ExternalLocation" => unity("catalogs", json!({"name": "theirs", "storage_root": "$url/theirs"})),
        "databricks:StorageCredential" => {
            let body =
                json!({"name": "theirs", "url": "s3://theirs", "credential_name": "$id", "skip_validation": true});
            unity("external-locations", body)
        }
        _ => None,
    }
}

/// An object of the page, in use by others where its type can be.
async fn in_use(page: &Page) -> (World, Page, Request, bool) {
    let world = World::furnished().await;
    let mut page = page.filled(&world.ids(&page.names()).await);
    // Who has given it away makes nothing in it.
    page.inputs.as_object_mut().expect("an object").remove("owner");
    let driver = world.driver(page.type_name);
    let (id, outputs) = driver.create(&Context::detached(), &page.inputs).await.expect("it is made");
    let of = use_of(page.type_name);
    if let Some((collection, body)) = &of {
        let mut body = body.to_string().replace("$id", &id);
        let (catalog, name) = id.split_once('.').unwrap_or_default();
        let url = page.inputs["url"].as_str().unwrap_or_default();
        for (placeholder, value) in [("$catalog", catalog), ("$name", name), ("$url", url)] {
            body = body.replace(placeholder, value);
        }
        let body = serde_json::from_str(&body).expect("still JSON");
        world.call("POST", &format!("/api/2.1/unity-catalog/{collection}"), &body).await;
    }
    let request = Request { id, inputs: Some(page.inputs.clone()), outputs: outputs.plain() };
    (world, page, request, of.is_some())
}

#[tokio::test]
async fn a_delete_that_is_refused_without_force_is_done_with_it_and_says_so() {
    for page in pages() {
        let (world, page, request, used) = in_use(&page).await;
        let driver = world.driver(page.type_name);
        let refused = driver.delete(&Context::detached(), &request, false).await;
        let name = page.type_name;
        assert_eq!(refused.is_err(), used, "{name}: {refused:?}");
        if let Err(error) = refused {
            assert!(error.needs_force && error.kind == ErrorKind::Conflict, "{name}: {error:?}");
            let hint = error.hint.unwrap_or_default();
            assert!(!hint.contains("force_"), "{name}: {hint}: the engine says how force is asked for");
            driver.delete(&Context::detached(), &request, true).await.expect("it is deleted");
        }
        assert_eq!(driver.read(&request).await.expect("an answer"), None, "{name}");
    }
}

#[tokio::test]
async fn a_change_that_is_refused_without_force_is_done_with_it_and_says_so() {
    let mut seen = 0;
    for page in pages() {
        let (world, page, mut request, used) = in_use(&page).await;
        let driver = world.driver(page.type_name);
        for field in driver.schema().fields().iter().filter(|field| field.forcible) {
            assert!(used, "{}: what uses it?", page.type_name);
            let mut after = request.inputs.clone().expect("inputs");
            after[field.name] = page.changed[field.name].clone();
            let paths = [field.name.to_owned()];
            let name = format!("{}: {}", page.type_name, field.name);
            let ctx = Context::detached();
            match driver.update(&ctx, &request, &after, &paths).await {
                // The sandbox looks at what must not change under anybody's feet; the rest only says so to the service.
                Ok(_) => assert_eq!(field.name, "read_only"),
                Err(error) => {
                    assert!(error.needs_force && error.kind == ErrorKind::Conflict, "{name}: {error:?}");
                    driver.update(&ctx.forced(true), &request, &after, &paths).await.expect("it is changed");
                }
            }
            request.inputs = Some(after);
            seen += 1;
        }
    }
    assert_eq!(seen, 3, "the place of a location, the role of a credential, and whether that only reads");
}

#[tokio::test]
async fn a_pinned_cluster_is_unpinned_before_its_delete() {
    for page in pages().iter().filter(|page| page.type_name == "databricks:Cluster") {
        let (world, _page, request, _used) = in_use(page).await;
        world.call("POST", "/api/2.1/clusters/pin", &json!({"cluster_id": request.id})).await;
        let driver = world.driver(page.type_name);
        driver.delete(&Context::detached(), &request, false).await.expect("it is deleted");
        assert_eq!(driver.read(&request).await.expect("an answer"), None);
    }
}
