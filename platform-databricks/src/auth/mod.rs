//! Who calls: unified authentication, as every Databricks tool does it.
//!
//! [`LoginConfig`] (what the program gives) + [`Environment`] + the config file become a [`Login`] before any request;
//! a credential then signs requests with it.

mod attributes;
mod config;
mod credential;
mod environment;
mod error;
mod login;
mod oauth;
mod profile;
mod redacted;

pub use config::LoginConfig;
pub use environment::Environment;
pub use error::LoginError;
pub use login::{Host, Login, Method, Origin, Place};
pub use redacted::Redacted;

pub(crate) use credential::Credential;
