//! Which privileges fit which kind of object.
//! <https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/privileges>

use serde_json::Value;

use super::{Privilege, SecurableKind};

use Privilege as P;

const IN_SCHEMAS: &[Privilege] = &[
    P::ApplyTag,
    P::CreateFunction,
    P::CreateMaterializedView,
    P::CreateModel,
    P::CreateTable,
    P::CreateVolume,
    P::Execute,
    P::ExternalUseSchema,
    P::Modify,
    P::ReadVolume,
    P::Refresh,
    P::Select,
    P::UseSchema,
    P::WriteVolume,
];

/// What fits beside `ALL_PRIVILEGES` and `MANAGE`. What a level holds can be given on the level above it.
fn fitting(kind: &SecurableKind) -> Option<(&'static [Privilege], &'static [Privilege])> {
    Some(match kind {
        SecurableKind::Catalog => (&[P::Browse, P::CreateSchema, P::UseCatalog], IN_SCHEMAS),
        SecurableKind::Schema => (&[], IN_SCHEMAS),
        SecurableKind::Table => (&[P::ApplyTag, P::Modify, P::Refresh, P::Select], &[]),
        SecurableKind::Volume => (&[P::ApplyTag, P::ReadVolume, P::WriteVolume], &[]),
        SecurableKind::StorageCredential => {
            (&[P::CreateExternalLocation, P::CreateExternalTable, P::ReadFiles, P::WriteFiles], &[])
        }
        SecurableKind::ExternalLocation => (
            &[
                P::Browse,
                P::CreateExternalTable,
                P::CreateExternalVolume,
                P::CreateManagedStorage,
                P::ReadFiles,
                P::WriteFiles,
            ],
            &[],
        ),
        SecurableKind::Other(_) => return None,
    })
}

/// Privileges that the object can't have. Names that this version does not know pass, and so do kinds.
pub(super) fn misfits(inputs: &Value) -> Vec<(String, String)> {
    let kind = SecurableKind::from(inputs["securable_kind"].as_str().unwrap_or_default());
    let Some((own, below)) = fitting(&kind) else { return Vec::new() };
    let given = inputs["privileges"].as_array().into_iter().flatten().filter_map(Value::as_str).map(Privilege::from);
    let fits = |privilege: &Privilege| {
        matches!(privilege, P::AllPrivileges | P::Manage | P::Other(_))
            || own.contains(privilege)
            || below.contains(privilege)
    };
    let wrong = given.filter(|privilege| !fits(privilege));
    wrong
        .map(|privilege| {
            let kind = kind.as_str().replace('_', " ");
            let mut all: Vec<&str> = own.iter().chain(below).map(Privilege::as_str).collect();
            all.sort_unstable();
            let all = all.join(", ");
            let flaw = format!("holds `{privilege}`, which no {kind} has; it has ALL_PRIVILEGES, MANAGE, {all}");
            ("privileges".to_owned(), flaw)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(kind: &str, privileges: &Value) -> usize {
        misfits(&json!({"securable_kind": kind, "privileges": privileges})).len()
    }

    #[test]
    fn a_privilege_fits_the_object_or_is_a_flaw() {
        for (kind, privilege) in [
            ("volume", "SELECT"),
            ("table", "READ_VOLUME"),
            ("table", "USE_SCHEMA"),
            ("schema", "USE_CATALOG"),
            ("schema", "CREATE_SCHEMA"),
            ("catalog", "READ_FILES"),
            ("external_location", "SELECT"),
            ("storage_credential", "BROWSE"),
        ] {
            assert_eq!(wrong(kind, &json!([privilege, "MANAGE"])), 1, "{privilege} on a {kind}");
        }
        let said = misfits(&json!({"securable_kind": "volume", "privileges": ["SELECT"]}));
        let flaw =
            "holds `SELECT`, which no volume has; it has ALL_PRIVILEGES, MANAGE, APPLY_TAG, READ_VOLUME, WRITE_VOLUME";
        assert_eq!(said, [("privileges".to_owned(), flaw.to_owned())]);
    }

    #[test]
    fn what_fits_what_is_given_down_and_what_is_not_known_passes() {
        for (kind, privileges) in [
            ("catalog", json!(["SELECT", "USE_SCHEMA", "USE_CATALOG", "READ_VOLUME", "EXECUTE", "ALL_PRIVILEGES"])),
            ("schema", json!(["SELECT", "CREATE_TABLE", "MANAGE"])),
            ("volume", json!(["FLY", null])),
            ("volume", json!(null)),
            ("function", json!(["SELECT"])),
        ] {
            assert_eq!(wrong(kind, &privileges), 0, "{privileges} on a {kind}");
        }
        assert_eq!(misfits(&json!({"securable_kind": null, "privileges": ["SELECT"]})), []);
    }
}
