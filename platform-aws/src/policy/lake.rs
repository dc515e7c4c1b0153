//! The documents that a lake needs: a role that Unity Catalog can assume, and what it may do then.
//!
//! Source: <https://docs.databricks.com/aws/en/connect/unity-catalog/cloud-storage/storage-credentials>.

use platform_sdk::{IntoInput, interpolate};

use super::{ConditionOperator, PolicyDocument, Principal, Statement};
use crate::arn::partition_of;

/// The role with which Unity Catalog comes, where a storage credential does not name another.
pub const DATABRICKS_MASTER_ROLE: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";

/// What Unity Catalog does with objects, and with the buckets that they are in.
const STORAGE_ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
];

/// The trust policy of a storage credential's role: Databricks' master role and the role itself may assume it, with the
/// credential's external id. For a credential that names its master role, and in GovCloud, use [`uc_trust_of`].
pub fn uc_trust(
    external_id: impl IntoInput<String>,
    role_name: impl IntoInput<String>,
    account_id: impl IntoInput<String>,
) -> PolicyDocument {
    uc_trust_of(DATABRICKS_MASTER_ROLE, external_id, role_name, account_id)
}

/// The same as [`uc_trust`] for the principal that the credential names, its output `unity_catalog_iam_arn`.
///
/// IAM refuses a policy that names a role which does not exist yet, as this one does until it is made. So the account
/// is trusted, under the condition that the caller is the role. The account is in the principal's partition of AWS.
pub fn uc_trust_of(
    unity_catalog_arn: impl IntoInput<String>,
    external_id: impl IntoInput<String>,
    role_name: impl IntoInput<String>,
    account_id: impl IntoInput<String>,
) -> PolicyDocument {
    let (unity_catalog_arn, external_id) = (unity_catalog_arn.into_input(), external_id.into_input());
    let (partition, account_id) = (partition_of(&unity_catalog_arn), account_id.into_input());
    let itself = interpolate!("arn:{}:iam::{}:role/{}", partition, account_id, role_name.into_input());
    let with_id = |sid: &str, principal: Principal| {
        Statement::allow().sid(sid).principal(principal).action("sts:AssumeRole").condition(
            ConditionOperator::StringEquals,
            "sts:ExternalId",
            &external_id,
        )
    };
    let root = interpolate!("arn:{}:iam::{}:root", partition, account_id);
    PolicyDocument::new([
        with_id("UnityCatalog", Principal::aws(unity_catalog_arn)),
        with_id("Itself", Principal::aws(root)).condition(ConditionOperator::ArnEquals, "aws:PrincipalArn", itself),
    ])
}

/// What a storage credential's role may do: read and write these buckets, by their ARNs, and assume itself.
///
/// ```
/// # use platform_aws::policy::{uc_access, Statement};
/// let policy = uc_access(["arn:aws:s3:::raw"], "arn:aws:iam::123456789012:role/lake")
///     .statement(Statement::allow().action("kms:Decrypt").resource("arn:aws:kms:eu-west-1:123456789012:key/1"));
/// ```
pub fn uc_access<A: IntoInput<String>>(
    bucket_arns: impl IntoIterator<Item = A>,
    role_arn: impl IntoInput<String>,
) -> PolicyDocument {
    let mut storage = Statement::allow().sid("Storage").actions(STORAGE_ACTIONS);
    for arn in bucket_arns {
        let arn = arn.into_input();
        let objects = interpolate!("{}/*", arn);
        storage = storage.resource(arn).resource(objects);
    }
    PolicyDocument::new([storage, Statement::allow().sid("Itself").action("sts:AssumeRole").resource(role_arn)])
}

#[cfg(test)]
mod tests {
    use platform_sdk::{ToExpr, desired::Tree};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_role_trusts_databricks_and_itself_with_the_external_id() {
        let document = uc_trust("hf28", "acme-lake", "123456789012");
        assert_eq!(
            Tree::of_known(&document.to_expr()).plain(),
            Some(json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "UnityCatalog",
                        "Effect": "Allow",
                        "Principal": {
                            "AWS": "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"
                        },
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": "hf28"}}
                    },
                    {
                        "Sid": "Itself",
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "StringEquals": {"sts:ExternalId": "hf28"},
                            "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/acme-lake"}
                        }
                    }
                ]
            }))
        );
    }

    #[test]
    fn the_principal_that_the_credential_names_is_trusted_instead() {
        let document = uc_trust_of("arn:aws:iam::1:role/other", "hf28", "acme-lake", "123456789012");
        let document = Tree::of_known(&document.to_expr()).plain().expect("known");
        assert_eq!(document["Statement"][0]["Principal"], json!({"AWS": "arn:aws:iam::1:role/other"}));
    }

    #[test]
    fn the_role_trusts_itself_in_the_partition_of_the_principal() {
        for partition in ["aws", "aws-us-gov", "aws-cn"] {
            let master = format!("arn:{partition}:iam::044793339203:role/master");
            let document = uc_trust_of(master, "hf28", "acme-lake", "123456789012");
            let document = Tree::of_known(&document.to_expr()).plain().expect("known");
            let itself = &document["Statement"][1];
            let expected = json!({"AWS": format!("arn:{partition}:iam::123456789012:root")});
            assert_eq!(itself["Principal"], expected);
            let role = &itself["Condition"]["ArnEquals"]["aws:PrincipalArn"];
            assert_eq!(role, &json!(format!("arn:{partition}:iam::123456789012:role/acme-lake")));
        }
    }

    #[test]
    fn the_role_reaches_its_buckets_their_objects_and_itself() {
        let document = uc_access(["arn:aws:s3:::raw", "arn:aws:s3:::lake"], "arn:aws:iam::1:role/acme-lake");
        assert_eq!(
            Tree::of_known(&document.to_expr()).plain(),
            Some(json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Storage",
                        "Effect": "Allow",
                        "Action": STORAGE_ACTIONS,
                        "Resource": [
                            "arn:aws:s3:::raw", "arn:aws:s3:::raw/*", "arn:aws:s3:::lake", "arn:aws:s3:::lake/*"
                        ]
                    },
                    {
                        "Sid": "Itself",
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Resource": "arn:aws:iam::1:role/acme-lake"
                    }
                ]
            }))
        );
    }
}
