//! What a fresh sandbox holds: an account with one workspace and one metastore, as after signing up.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{catalogs, ids};

/// The account's id.
pub const ACCOUNT_ID: &str = "5a4d0b0c-ac00-4000-8000-000000000001";
/// The default workspace's id; longer than a double holds exactly, as real ones can be.
pub const WORKSPACE_ID: i64 = 9_007_199_254_740_995;
/// The metastore of [`REGION`], assigned to the default workspace.
pub const METASTORE_ID: &str = "5a4d0b0c-ae00-4000-8000-000000000002";
/// The region of the default workspace and of the metastore.
pub const REGION: &str = "eu-west-1";
/// The user that any personal access token logs in as: account, metastore and workspace admin.
pub const ADMIN: &str = "admin@sandbox.example";
/// A personal access token, for clients that need one to be set.
pub const TOKEN: &str = "sandbox";
/// The application id of the service principal that may log in by OAuth.
pub const CLIENT_ID: &str = "5a4d0b0c-5b00-4000-8000-000000000003";
/// The OAuth secret of every service principal.
pub const CLIENT_SECRET: &str = "sandbox-secret";

const GROUPS: [&str; 5] = ["account users", "admins", "analysts", "pipeline", "scientists"];

/// Fills a fresh world.
pub(super) fn fill(world: &mut World) {
    let now = world.now_ms();
    identities(world);
    world.put(
        format!("a/workspaces/{WORKSPACE_ID}"),
        json!({
            "account_id": ACCOUNT_ID, "workspace_id": WORKSPACE_ID, "workspace_name": "sandbox", "deployment_name": "sandbox",
            "aws_region": REGION, "cloud": "aws", "compute_mode": "SERVERLESS", "pricing_tier": "PREMIUM", "creation_time": now,
            "storage_mode": "DEFAULT_STORAGE", "workspace_status_message": "Workspace is running.", "_running_at": 0,
        }),
    );
    furnish(world, &WORKSPACE_ID.to_string(), now);
    world.put(
        format!("a/metastores/{METASTORE_ID}"),
        json!({
            "metastore_id": METASTORE_ID, "name": "sandbox", "region": REGION, "cloud": "aws",
            "global_metastore_id": format!("aws:{REGION}:{METASTORE_ID}"), "owner": ADMIN, "privilege_model_version": "1.0",
            "delta_sharing_scope": "INTERNAL", "external_access_enabled": false,
            "created_at": now, "created_by": ADMIN, "updated_at": now, "updated_by": ADMIN,
            "_grants": {"account users": ["USE_MARKETPLACE_ASSETS"]},
        }),
    );
    world.put(
        format!("a/assignments/{WORKSPACE_ID}"),
        json!({"workspace_id": WORKSPACE_ID, "metastore_id": METASTORE_ID, "default_catalog_name": "main"}),
    );
    for (name, kind, root) in [
        ("main", "MANAGED_CATALOG", Some("s3://sandbox-default-storage/main")),
        ("samples", "DELTASHARING_CATALOG", None),
        ("system", "SYSTEM_CATALOG", None),
    ] {
        catalogs::seed(world, METASTORE_ID, &catalogs::Seed { name, kind, root, owner: ADMIN, now });
    }
}

/// What every workspace has from its first day: its own groups and its root folders.
pub(super) fn furnish(world: &mut World, workspace: &str, now: u64) {
    for (name, members) in [("admins", vec![ADMIN]), ("users", vec![ADMIN, CLIENT_ID])] {
        let id = numeric(&format!("{workspace}/{name}"));
        let members: Vec<Value> =
            members.iter().map(|member| json!({"value": numeric(member), "display": member})).collect();
        let group =
            json!({"id": id, "displayName": name, "members": members, "meta": {"resourceType": "WorkspaceGroup"}});
        world.put(format!("w/{workspace}/groups/{id}"), group);
    }
    for path in ["/", "/Repos", "/Shared", "/Users", "/Users/admin@sandbox.example", "/Workspace"] {
        let id = i64::from_str_radix(&ids::hash(&format!("{workspace}{path}"))[..12], 16).expect("hexadecimal");
        let folder =
            json!({"path": path, "object_type": "DIRECTORY", "object_id": id, "created_at": now, "modified_at": now});
        world.put(format!("w/{workspace}/files/{path}"), folder);
    }
}

fn identities(world: &mut World) {
    let email = json!([{"value": ADMIN, "type": "work", "primary": true}]);
    world.put(
        format!("a/users/{}", numeric(ADMIN)),
        json!({
            "id": numeric(ADMIN), "userName": ADMIN, "displayName": "Sandbox Admin", "active": true, "emails": email,
            "name": {"givenName": "Sandbox", "familyName": "Admin"}, "roles": [{"value": "account_admin"}],
        }),
    );
    world.put(
        format!("a/service-principals/{}", numeric(CLIENT_ID)),
        json!({
            "id": numeric(CLIENT_ID), "applicationId": CLIENT_ID, "displayName": "sandbox", "active": true,
            "roles": [{"value": "account_admin"}],
        }),
    );
    for name in GROUPS {
        let members = if name == "admins" { json!([{"value": numeric(ADMIN), "display": ADMIN}]) } else { json!([]) };
        let group =
            json!({"id": numeric(name), "displayName": name, "members": members, "meta": {"resourceType": "Group"}});
        world.put(format!("a/groups/{}", numeric(name)), group);
    }
}

/// The numeric id of a seeded identity.
fn numeric(name: &str) -> String {
    u64::from_str_radix(&ids::hash(name)[..12], 16).expect("hexadecimal").to_string()
}

#[cfg(test)]
mod tests {
    use platform_sdk::sandbox::World;

    #[test]
    fn two_fresh_worlds_differ_by_nothing_but_their_times() {
        let written = |now: u64| {
            let mut world = World::at(now);
            super::fill(&mut world);
            let documents: Vec<String> = world.list("").map(|(key, document)| format!("{key} {document}")).collect();
            documents.join("\n").replace(&now.to_string(), "NOW")
        };
        assert_eq!(written(1_700_000_000_000), written(1_800_000_000_001));
    }
}
