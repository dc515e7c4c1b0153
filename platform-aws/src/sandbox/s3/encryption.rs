//! A bucket's default encryption. There always is one: AES256, unless another was put.

use platform_sdk::sandbox::{Response, World};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Outcome,
    call::{Call, malformed_xml},
    xml,
};
use crate::sandbox::{problem::Problem, xml::Element};

/// The rule of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Encryption {
    pub(super) algorithm: String,
    pub(super) key: Option<String>,
    pub(super) bucket_key: bool,
    pub(super) blocked: Option<Vec<String>>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: "AES256".into(), key: None, bucket_key: false, blocked: None }
    }
}

/// Reads a bucket's rule. A world that an older sandbox made says nothing of the one that every bucket begins with.
pub(super) fn or_default<'de, D: Deserializer<'de>>(from: D) -> Result<Encryption, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

pub(super) fn get(call: &Call<'_>, world: &mut World) -> Outcome {
    let rule = call.bucket(world)?.encryption;
    Ok(xml("ServerSideEncryptionConfiguration", |answer| {
        answer.element("Rule", |into| {
            into.element("ApplyServerSideEncryptionByDefault", |by_default| {
                by_default.text("SSEAlgorithm", &rule.algorithm).maybe("KMSMasterKeyID", rule.key.as_ref());
            });
            into.text("BucketKeyEnabled", rule.bucket_key);
            if let Some(blocked) = &rule.blocked {
                into.element("BlockedEncryptionTypes", |types| {
                    for kind in blocked {
                        types.text("EncryptionType", kind);
                    }
                });
            }
        });
    }))
}

pub(super) fn put(call: &Call<'_>, world: &mut World) -> Outcome {
    let mut bucket = call.bucket(world)?;
    bucket.encryption = rule(&call.xml("ServerSideEncryptionConfiguration")?)?;
    bucket.save(world);
    Ok(Response::empty(200))
}

pub(super) fn delete(call: &Call<'_>, world: &mut World) -> Outcome {
    let mut bucket = call.bucket(world)?;
    bucket.encryption = Encryption::default();
    bucket.save(world);
    Ok(Response::empty(204))
}

fn rule(body: &Element) -> Result<Encryption, Problem> {
    body.allows(&["Rule"], &[]).map_err(|_| malformed_xml())?;
    let rule = body.child("Rule").ok_or_else(malformed_xml)?;
    rule.allows(&["ApplyServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes"], &[])
        .map_err(|_| malformed_xml())?;
    let bucket_key = match rule.child_text("BucketKeyEnabled") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed_xml()),
    };
    let blocked = rule.child("BlockedEncryptionTypes").map(|types| {
        types.allows(&[], &["EncryptionType"]).map_err(|_| malformed_xml())?;
        let kinds: Vec<_> = types.children("EncryptionType").map(|kind| kind.text.trim().to_owned()).collect();
        if kinds.iter().all(|kind| kind == "NONE" || kind == "SSE-C") { Ok(kinds) } else { Err(malformed_xml()) }
    });
    let blocked = blocked.transpose()?;
    let Some(by_default) = rule.child("ApplyServerSideEncryptionByDefault") else {
        return Ok(Encryption { bucket_key, blocked, ..Encryption::default() });
    };
    by_default.allows(&["SSEAlgorithm", "KMSMasterKeyID"], &[]).map_err(|_| malformed_xml())?;
    let algorithm = by_default.child_text("SSEAlgorithm").unwrap_or_default();
    let key = by_default.child_text("KMSMasterKeyID");
    match (algorithm, key) {
        ("AES256", Some(_)) => {
            let message =
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            Err(Problem::new(400, "InvalidArgument", message)
                .detail("ArgumentName", "ApplyServerSideEncryptionByDefault"))
        }
        ("AES256" | "aws:kms" | "aws:kms:dsse", key) => {
            Ok(Encryption { algorithm: algorithm.into(), key: key.map(str::to_owned), bucket_key, blocked })
        }
        _ => Err(malformed_xml()),
    }
}
