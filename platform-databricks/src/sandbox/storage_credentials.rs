//! Storage credentials: `/api/2.1/unity-catalog/storage-credentials`.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, fields, shown, text},
    bindings::is_visible,
    call::{Call, Route},
    ids,
    paging::{self, page},
    securables::{EXTERNAL_LOCATION, STORAGE_CREDENTIAL, below, carry, changed, created, metastore},
    seed,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.1/unity-catalog/storage-credentials", create),
    ("GET /api/2.1/unity-catalog/storage-credentials", list),
    ("GET /api/2.1/unity-catalog/storage-credentials/{name}", get),
    ("PATCH /api/2.1/unity-catalog/storage-credentials/{name}", update),
    ("DELETE /api/2.1/unity-catalog/storage-credentials/{name}", delete),
    ("POST /api/2.1/unity-catalog/validate-storage-credentials", validate),
];

/// The role that Unity Catalog takes on in every account, which a credential's role must trust.
const MASTER_ROLE: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
/// The identities that a credential can be; exactly one of them.
const IDENTITIES: [&str; 5] = [
    "aws_iam_role",
    "azure_managed_identity",
    "azure_service_principal",
    "cloudflare_api_token",
    "databricks_gcp_service_account",
];

fn create(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = STORAGE_CREDENTIAL.new_name(world, &metastore, "", call.required("name")?)?;
    let given: Vec<&str> =
        IDENTITIES.into_iter().filter(|identity| call.body.get(*identity).is_some_and(Value::is_object)).collect();
    let [identity] = given.as_slice() else {
        return Err(Failure::invalid(
            "CreateStorageCredential takes exactly one of aws_iam_role and the other identities",
        ));
    };
    let mut document = Value::Object(created(call, &metastore));
    carry(call, &mut document, &["comment", "read_only"]);
    document[*identity] = call.body[*identity].clone();
    if *identity == "aws_iam_role" {
        document["aws_iam_role"] = role(&call.body["aws_iam_role"])?;
    }
    let rest = json!({
        "name": name, "full_name": name, "id": ids::uuid(world), "isolation_mode": "ISOLATION_MODE_OPEN",
        "read_only": call.is("read_only"), "used_for_managed_storage": false,
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    world.put(STORAGE_CREDENTIAL.key(&metastore, &name), document.clone());
    Ok(shown(&document))
}

/// The role as the service answers it: with what its trust policy must name. The external id is the account's, so a
/// credential that is made again asks for no other trust.
fn role(asked: &Value) -> Result<Value, Failure> {
    let arn = text(asked, "role_arn");
    let known = ["aws", "aws-us-gov", "aws-cn"].iter().any(|cloud| arn.starts_with(&format!("arn:{cloud}:iam::")));
    if !known || !arn.contains(":role/") {
        return Err(Failure::invalid(format!("'{arn}' is not a valid ARN of an IAM role")));
    }
    Ok(json!({"role_arn": arn, "external_id": seed::ACCOUNT_ID, "unity_catalog_iam_arn": MASTER_ROLE}))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let all = below(world, &metastore, &STORAGE_CREDENTIAL, "")
        .iter()
        .filter(|document| is_visible(call, document))
        .map(shown)
        .collect();
    page(call, &paging::CATALOG, "storage_credentials", all)
}

fn get(call: &Call, world: &mut World) -> Answer {
    STORAGE_CREDENTIAL.get(world, &metastore(call, world)?, call.parameter("name")).map(shown)
}

fn update(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    let mut document = STORAGE_CREDENTIAL.get(world, &metastore, &name)?.clone();
    let locations = dependents(world, &metastore, &name);
    if call.body.get("aws_iam_role").is_some_and(Value::is_object) {
        let role = role(&call.body["aws_iam_role"])?;
        if !locations.is_empty() && role != document["aws_iam_role"] && !call.is("force") {
            return Err(in_use(&name, locations.len(), "update anyway"));
        }
        document["aws_iam_role"] = role;
    }
    carry(call, &mut document, &["comment", "read_only", "isolation_mode"]);
    changed(call, world, &mut document)?;
    let new = match call.text("new_name").map(str::to_lowercase) {
        Some(new) if new != name => STORAGE_CREDENTIAL.new_name(world, &metastore, "", &new)?,
        _ => name.clone(),
    };
    document["name"] = new.as_str().into();
    document["full_name"] = new.as_str().into();
    world.remove(&STORAGE_CREDENTIAL.key(&metastore, &name));
    world.put(STORAGE_CREDENTIAL.key(&metastore, &new), document.clone());
    for mut location in locations {
        location["credential_name"] = new.as_str().into();
        world.put(EXTERNAL_LOCATION.key(&metastore, text(&location, "name")), location.clone());
    }
    Ok(shown(&document))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    let name = call.parameter("name").to_lowercase();
    STORAGE_CREDENTIAL.get(world, &metastore, &name)?;
    let used = dependents(world, &metastore, &name).len();
    if used > 0 && !call.flag("force") {
        return Err(in_use(&name, used, "delete it"));
    }
    world.remove(&STORAGE_CREDENTIAL.key(&metastore, &name));
    Ok(json!({}))
}

fn dependents(world: &World, metastore: &str, name: &str) -> Vec<Value> {
    let all = below(world, metastore, &EXTERNAL_LOCATION, "");
    all.into_iter().filter(|location| text(location, "credential_name") == name).collect()
}

fn in_use(name: &str, used: usize, what: &str) -> Failure {
    Failure::state(format!(
        "Storage credential '{name}' has 0 directly dependent external table(s) and {used} dependent storage location(s); \
         use force option to {what}"
    ))
}

fn validate(call: &Call, world: &mut World) -> Answer {
    let metastore = metastore(call, world)?;
    if let Some(name) = call.text("storage_credential_name") {
        STORAGE_CREDENTIAL.get(world, &metastore, name)?;
    }
    if let Some(name) = call.text("external_location_name") {
        EXTERNAL_LOCATION.get(world, &metastore, name)?;
    }
    let passed: Vec<Value> = ["READ", "LIST", "WRITE", "DELETE", "PATH_EXISTS"]
        .iter()
        .map(|operation| json!({"operation": operation, "result": "PASS"}))
        .collect();
    Ok(json!({"isDir": true, "results": passed}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::json;

    use crate::sandbox::{ACCOUNT_ID, driver::Driver};

    const CREDENTIALS: &str = "/api/2.1/unity-catalog/storage-credentials";

    #[test]
    fn the_answer_says_whom_the_role_must_trust() {
        let mut sandbox = Driver::new();
        let role = json!({"role_arn": "arn:aws:iam::123456789012:role/lake"});
        let made = sandbox.post(CREDENTIALS, &json!({"name": "lake", "aws_iam_role": role, "skip_validation": true}));
        assert_eq!(made["aws_iam_role"]["external_id"], ACCOUNT_ID);
        assert!(made["aws_iam_role"]["unity_catalog_iam_arn"].as_str().unwrap().contains("UCMasterRole"));
        sandbox.refuses("POST", CREDENTIALS, &json!({"name": "x"}), 400, "INVALID_PARAMETER_VALUE");
        sandbox.refuses(
            "POST",
            CREDENTIALS,
            &json!({"name": "x", "aws_iam_role": {"role_arn": "lake"}}),
            400,
            "INVALID_PARAMETER_VALUE",
        );
    }

    #[test]
    fn a_credential_in_use_is_kept_unless_forced() {
        let mut sandbox = Driver::new();
        sandbox.location("raw", "s3://landing");
        let path = format!("{CREDENTIALS}/cred");
        sandbox.refuses("DELETE", &path, &json!(null), 400, "INVALID_STATE");
        sandbox.refuses(
            "PATCH",
            &path,
            &json!({"aws_iam_role": {"role_arn": "arn:aws:iam::1:role/other"}}),
            400,
            "INVALID_STATE",
        );
        sandbox.patch(&path, &json!({"new_name": "renamed"}));
        assert_eq!(sandbox.get("/api/2.1/unity-catalog/external-locations/raw")["credential_name"], "renamed");
        sandbox.delete(&format!("{CREDENTIALS}/renamed?force=true"));
    }
}
