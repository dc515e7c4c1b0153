//! The AWS provider of `platform-sdk`, and its sandbox server.

pub mod sandbox;
