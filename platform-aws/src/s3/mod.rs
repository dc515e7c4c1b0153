//! Pages of the Simple Storage Service.

mod bucket;
mod contents;
mod location;
mod settings;

pub use bucket::{Bucket, BucketOutputs, Encryption, EncryptionAlgorithm, PublicAccessBlock};
