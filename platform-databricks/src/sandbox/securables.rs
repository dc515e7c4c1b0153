//! What all objects of Unity Catalog have in common: names, keys, owners, stamps.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    answer::{Failure, fields, text},
    call::Call,
    scim,
};

/// A kind of securable object.
#[derive(Debug)]
pub(super) struct Kind {
    /// `Catalog`, as messages call it.
    pub(super) label: &'static str,
    /// `CATALOG`, as error codes and types call it.
    pub(super) code: &'static str,
    /// The folder of its documents.
    pub(super) folder: &'static str,
    /// How many names make its full name.
    pub(super) levels: usize,
}

pub(super) const CATALOG: Kind = Kind { label: "Catalog", code: "CATALOG", folder: "catalogs", levels: 1 };
pub(super) const SCHEMA: Kind = Kind { label: "Schema", code: "SCHEMA", folder: "schemas", levels: 2 };
pub(super) const TABLE: Kind = Kind { label: "Table", code: "TABLE", folder: "tables", levels: 3 };
pub(super) const VOLUME: Kind = Kind { label: "Volume", code: "VOLUME", folder: "volumes", levels: 3 };
pub(super) const STORAGE_CREDENTIAL: Kind =
    Kind { label: "Storage Credential", code: "STORAGE_CREDENTIAL", folder: "storage-credentials", levels: 1 };
pub(super) const EXTERNAL_LOCATION: Kind =
    Kind { label: "External Location", code: "EXTERNAL_LOCATION", folder: "external-locations", levels: 1 };

/// Every kind that a catalog's tree is made of, from the top.
pub(super) const TREE: [&Kind; 4] = [&CATALOG, &SCHEMA, &TABLE, &VOLUME];

impl Kind {
    /// Where the document of this full name is.
    pub(super) fn key(&self, metastore: &str, full_name: &str) -> String {
        let name = full_name.to_lowercase();
        let path = if self.levels > 1 { name.replace('.', "/") } else { name };
        format!("m/{metastore}/{}/{path}", self.folder)
    }

    /// 404: nothing has this name. What is missing of a longer name is its topmost part.
    pub(super) fn missing(&self, name: &str) -> Failure {
        Failure::new(404, format!("{}_DOES_NOT_EXIST", self.code), format!("{} '{name}' does not exist.", self.label))
    }

    /// The document of this full name.
    ///
    /// # Errors
    /// 404 for the topmost object on the way that is not there.
    pub(super) fn get<'w>(&self, world: &'w World, metastore: &str, full_name: &str) -> Result<&'w Value, Failure> {
        let parts: Vec<&str> = full_name.split('.').collect();
        if self.levels > 1 {
            if parts.len() != self.levels {
                return Err(Failure::invalid(format!(
                    "'{full_name}' is not a valid name of a {}",
                    self.label.to_lowercase()
                )));
            }
            for (level, parent) in [&CATALOG, &SCHEMA].iter().enumerate().take(self.levels - 1) {
                let name = parts[..=level].join(".");
                world.get(&parent.key(metastore, &name)).ok_or_else(|| parent.missing(&name))?;
            }
        }
        world.get(&self.key(metastore, full_name)).ok_or_else(|| self.missing(full_name))
    }

    /// The name of a new object, lower-cased as the service keeps it.
    ///
    /// # Errors
    /// 400 for a name that the service does not take, or that is taken.
    pub(super) fn new_name(&self, world: &World, metastore: &str, parent: &str, name: &str) -> Result<String, Failure> {
        let name = name.to_lowercase();
        let bad = |c: char| c == '.' || c == '/' || c == ' ' || c.is_control();
        if name.is_empty() || name.len() > 255 || name.contains(bad) {
            return Err(Failure::invalid(format!("'{name}' is not a valid name of a {}", self.label.to_lowercase())));
        }
        let full_name = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        if world.get(&self.key(metastore, &full_name)).is_some() {
            return Err(self.taken(&full_name));
        }
        Ok(name)
    }

    /// 400: the name is taken.
    pub(super) fn taken(&self, name: &str) -> Failure {
        Failure::new(400, format!("{}_ALREADY_EXISTS", self.code), format!("{} '{name}' already exists", self.label))
    }
}

/// The metastore of the call's workspace.
///
/// # Errors
/// 404 for a workspace without one.
pub(super) fn metastore(call: &Call, world: &World) -> Result<String, Failure> {
    world
        .get(&format!("a/assignments/{}", call.workspace))
        .map(|assignment| text(assignment, "metastore_id").to_owned())
        .ok_or_else(|| {
            Failure::new(404, "METASTORE_DOES_NOT_EXIST", "No metastore assigned for the current workspace.")
        })
}

/// The fields that every new object gets.
pub(super) fn created(call: &Call, metastore: &str) -> Map<String, Value> {
    let stamps = json!({
        "metastore_id": metastore, "owner": call.caller,
        "created_at": call.now, "created_by": call.caller, "updated_at": call.now, "updated_by": call.caller,
    });
    let Value::Object(stamps) = stamps else { unreachable!("written as an object above") };
    stamps
}

/// Carries these fields of the body, where given, over into the document.
pub(super) fn carry(call: &Call, document: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(value) = call.body.get(*name).filter(|value| !value.is_null()) {
            fields(document).insert((*name).to_owned(), value.clone());
        }
    }
}

/// Marks the document as changed by this call, with its new owner if there is one.
///
/// # Errors
/// 404 for an owner that the account does not know.
pub(super) fn changed(call: &Call, world: &World, document: &mut Value) -> Result<(), Failure> {
    if let Some(owner) = call.text("owner") {
        scim::principal(world, owner)?;
        document["owner"] = owner.into();
    }
    document["updated_at"] = call.now.into();
    document["updated_by"] = call.caller.clone().into();
    Ok(())
}

/// The documents of a kind below these names, ordered by name.
pub(super) fn below(world: &World, metastore: &str, kind: &Kind, parent: &str) -> Vec<Value> {
    let prefix = if parent.is_empty() { kind.key(metastore, "") } else { format!("{}/", kind.key(metastore, parent)) };
    world.list(&prefix).map(|(_, document)| document.clone()).collect()
}

/// Moves an object and all below it to another name of its last part.
pub(super) fn rename(world: &mut World, metastore: &str, old: &str, new: &str) {
    let level = old.split('.').count();
    for kind in TREE.iter().filter(|kind| kind.levels >= level) {
        let exact = kind.key(metastore, old);
        let below = format!("{exact}/");
        let moving: Vec<(String, Value)> = world
            .list(&exact)
            .filter(|(key, _)| {
                (*key == exact && kind.levels == level) || (key.starts_with(&below) && kind.levels > level)
            })
            .map(|(key, document)| (key.to_owned(), document.clone()))
            .collect();
        for (key, mut document) in moving {
            let full_name = format!("{new}{}", &text(&document, "full_name")[old.len()..]);
            let parts: Vec<&str> = full_name.split('.').collect();
            document["name"] = (*parts.last().expect("a split has a last part")).into();
            if kind.levels > 1 {
                document["catalog_name"] = parts[0].into();
            }
            if kind.levels > 2 {
                document["schema_name"] = parts[1].into();
            }
            document["full_name"] = full_name.as_str().into();
            world.remove(&key);
            world.put(kind.key(metastore, &full_name), document);
        }
    }
}

/// Removes an object and all below it.
pub(super) fn remove(world: &mut World, metastore: &str, kind: &Kind, full_name: &str) {
    world.remove(&kind.key(metastore, full_name));
    for lower in TREE.iter().filter(|lower| kind.levels < lower.levels && TREE.iter().any(|top| top.code == kind.code))
    {
        let keys: Vec<String> =
            world.list(&format!("{}/", lower.key(metastore, full_name))).map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            world.remove(&key);
        }
    }
}
