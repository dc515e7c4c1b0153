//! Who depends on whom, and that a dependency says why it is there.

use toml::{Table, Value};

use super::{
    assert_none,
    sources::{self, Source},
};

/// What only a provider may depend on.
const CLOUDS: &[&str] =
    &["aws", "azure", "google", "gcp", "gcloud", "databricks", "platform-aws", "platform-databricks"];

fn parse(source: &Source) -> Table {
    source.text.parse().unwrap_or_else(|error| panic!("{}: {error}", source.path))
}

/// The names in all dependency tables, of all targets.
fn dependencies(manifest: &Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        if key.ends_with("dependencies") {
            names.extend(table.keys().cloned());
        } else if key == "target" {
            names.extend(table.values().filter_map(Value::as_table).flat_map(dependencies));
        }
    }
    names
}

fn is_of(name: &str, clouds: &[&str]) -> bool {
    clouds.iter().any(|cloud| name == *cloud || name.starts_with(&format!("{cloud}-")))
}

fn wrong_dependencies(source: &Source) -> Vec<String> {
    let forbidden: &[&str] = match source.path.as_str() {
        "platform-sdk/Cargo.toml" | "platform-sdk/derive/Cargo.toml" => CLOUDS,
        "platform-aws/Cargo.toml" => &["platform-databricks", "databricks"],
        "platform-databricks/Cargo.toml" => &["platform-aws", "aws"],
        _ => &[],
    };
    let names = dependencies(&parse(source)).into_iter().filter(|name| is_of(name, forbidden));
    names.map(|name| format!("{}: may not depend on `{name}`", source.path)).collect()
}

/// Members take versions from the workspace's table.
fn own_versions(source: &Source) -> Vec<String> {
    let manifest = parse(source);
    let mut complaints = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(table) = manifest.get(kind).and_then(Value::as_table) else { continue };
        let own = table.iter().filter(|(_, wanted)| wanted.get("workspace").and_then(Value::as_bool) != Some(true));
        complaints
            .extend(own.map(|(name, _)| format!("{}: `{name}` is not taken from the workspace's table", source.path)));
    }
    complaints
}

/// What the root manifest promises: no dev-dependencies, and a reason on each line of the table.
fn broken_promises(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let manifest: Table = text.parse().expect("the root manifest");
    if manifest.contains_key("dev-dependencies") {
        complaints.push("Cargo.toml: dev-dependencies would be compiled by everyone who runs an example".to_owned());
    }
    let table = text.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or("");
    for line in table.lines().filter(|line| line.contains(" = ") && !line.contains("path = ")) {
        if !line.contains(" # ") {
            complaints.push(format!("Cargo.toml: a dependency without its reason: {line}"));
        }
    }
    complaints
}

#[test]
fn the_sdk_knows_no_cloud_and_providers_do_not_know_each_other() {
    let manifests = sources::all("Cargo.toml");
    assert!(manifests.len() >= 5, "all members");
    assert_none(manifests.iter().flat_map(wrong_dependencies).collect());
}

#[test]
fn versions_stand_in_one_table_with_reasons_and_the_root_has_no_dev_dependencies() {
    let root = std::fs::read_to_string(platform_tests::root().join("Cargo.toml")).expect("the root manifest");
    let mut complaints = broken_promises(&root);
    complaints.extend(sources::all("Cargo.toml").iter().flat_map(own_versions));
    assert_none(complaints);
}

#[test]
fn a_wrong_dependency_is_caught() {
    for (path, text) in [
        ("platform-sdk/Cargo.toml", "[dependencies]\naws-config.workspace = true"),
        ("platform-sdk/Cargo.toml", "[target.'cfg(unix)'.dev-dependencies]\nplatform-aws.workspace = true"),
        ("platform-sdk/derive/Cargo.toml", "[build-dependencies]\ngoogle-cloud.workspace = true"),
        ("platform-aws/Cargo.toml", "[dependencies]\nplatform-databricks.workspace = true"),
        ("platform-databricks/Cargo.toml", "[dependencies]\naws-sdk-s3.workspace = true"),
    ] {
        assert_eq!(wrong_dependencies(&Source::sample(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_broken_promise_is_caught() {
    assert_eq!(broken_promises("[dev-dependencies]\ninsta = \"1\"").len(), 1);
    assert_eq!(
        broken_promises("[workspace.dependencies]\na = \"1\" # why\nb = \"2\"\n\n[package]\nc = \"3\"").len(),
        1
    );
    assert_eq!(own_versions(&Source::sample("a/Cargo.toml", "[dependencies]\na = \"1\"\nb.workspace = true")).len(), 1);
}
