//! A login at work: the token that each request carries.

use platform_sdk::provider::ProviderResult;
use platform_sdk::scrub::Known;

use super::login::{Login, Method};
use super::oauth::Tokens;
use super::redacted::Redacted;
use crate::client::ClientOptions;
use crate::client::transport::Transport;

/// Gives each request its bearer token.
pub(crate) enum Credential {
    /// The same token for ever.
    Fixed(Redacted),
    /// Tokens that end within the hour.
    OAuth(Box<Tokens>),
}

impl Credential {
    pub(crate) fn new(login: &Login) -> Self {
        match &login.method {
            Method::Pat { token } => Self::Fixed(token.clone()),
            Method::OAuthM2m { client_id, client_secret } => {
                Self::OAuth(Box::new(Tokens::new(login, client_id.clone(), client_secret.clone())))
            }
        }
    }

    /// The token to send now; fetched when there is none that is good for a while.
    pub(crate) async fn token(&self, transport: &Transport, options: &ClientOptions) -> ProviderResult<String> {
        match self {
            Self::Fixed(token) => Ok(token.expose().to_owned()),
            Self::OAuth(tokens) => tokens.get(transport, options).await,
        }
    }

    /// The service refused this token. Whether asking for a token again may give a better one.
    pub(crate) async fn renew(&self, refused: &str) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::OAuth(tokens) => {
                tokens.forget(refused).await;
                true
            }
        }
    }

    /// Text of the service, without our own secrets in it.
    pub(crate) fn scrub(&self, text: String, token: &str) -> String {
        match self {
            Self::Fixed(_) => scrub(text, token),
            Self::OAuth(tokens) => scrub(tokens.scrub(text), token),
        }
    }
}

/// Text without this secret in it, however it is written there: a service may quote a header of ours as it came.
pub(super) fn scrub(text: String, secret: &str) -> String {
    if secret.is_empty() { text } else { [secret].into_iter().collect::<Known>().taken_out_of(&text) }
}
