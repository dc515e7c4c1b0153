//! The AWS provider of `platform-sdk`: what a lake needs of S3, IAM and STS, and a sandbox that serves it.
//!
//! ```
//! # #[cfg(all(feature = "s3", feature = "iam"))]
//! # fn program() {
//! use platform_aws::prelude::*;
//! use platform_sdk::prelude::*;
//!
//! let program = Program::new("acme-data", |stack| {
//!     let me = stack.lookup::<CallerIdentity>("me");
//!     let landing = stack.add("landing", Bucket::new("acme-landing").region("eu-central-1").versioning(true));
//!     // The external id is an output of the Databricks storage credential; here it is known.
//!     let role = stack.add("lake", Role::new("acme-lake", uc_trust("external-id", "acme-lake", &me.account_id)));
//!     stack.add("lake-access", RolePolicy::new(&role, "access", uc_access([&landing.arn], &role.arn)));
//!     stack.export("landing", landing.url(""));
//!     Ok(())
//! })
//! .provider(Aws::from_env());
//! # drop(program);
//! # }
//! ```
//!
//! | module | feature | pages |
//! |---|---|---|
//! | `s3` | `s3` | `Bucket` |
//! | `iam` | `iam` | `Role`, `RolePolicy` |
//! | `KmsKey` | `kms` | no page: a key that wraps the keys of a program's secrets |
//! | [`sts`] | | [`CallerIdentity`](sts::CallerIdentity), a lookup |
//! | [`sandbox`] | | what `--sandbox` serves |
//! | [`policy`] | | typed policy documents, and those that a lake needs |
//!
//! Each service is a cargo feature, off by default: every official client costs compile time.

mod arn;
mod bounded;
mod client;
#[cfg(any(feature = "iam", feature = "s3"))]
mod endless;
mod error;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(feature = "kms")]
mod kms;
mod log;
mod login;
#[cfg(any(feature = "iam", feature = "s3"))]
mod merge;
pub mod policy;
mod provider;
#[cfg(feature = "s3")]
pub mod s3;
mod s3_login;
pub mod sandbox;
pub mod sts;

pub use client::Client;
#[cfg(feature = "kms")]
pub use kms::KmsKey;
pub use provider::Aws;

/// Everything that a program needs of this crate.
pub mod prelude {
    #[cfg(feature = "iam")]
    pub use crate::iam::{Role, RolePolicy};
    #[cfg(feature = "kms")]
    pub use crate::kms::KmsKey;
    #[cfg(feature = "s3")]
    pub use crate::s3::{Bucket, Encryption, EncryptionAlgorithm, PublicAccessBlock};
    pub use crate::{
        Aws,
        policy::{ConditionOperator, PolicyDocument, Principal, Statement, uc_access, uc_trust, uc_trust_of},
        sts::CallerIdentity,
    };
}
