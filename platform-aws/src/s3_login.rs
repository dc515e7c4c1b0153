//! The login of AWS's own tools, for state that is kept in S3.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_sdk_sts::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use platform_sdk::{
    provider::{Connect, ProviderResult, S3Keys, S3Login},
    sealing::Zeroizing,
};
use tokio::sync::{Mutex, OnceCell};

use crate::{
    client::{credentials, http_client},
    error::not_loaded,
    login::Login,
};

/// How long before they expire keys are asked for anew: a request that they sign has to arrive, and the service's clock
/// may be ahead.
const EARLY: Duration = Duration::from_mins(5);

/// A login from the surroundings alone: what a program says of its provider is about resources, not about its state.
pub(crate) struct StateLogin {
    login: Login,
    connect: Connect,
    chain: OnceCell<SharedCredentialsProvider>,
    kept: Mutex<Option<Credentials>>,
}

impl fmt::Debug for StateLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateLogin").field("login", &self.login).finish_non_exhaustive()
    }
}

impl StateLogin {
    /// With the login that was found.
    pub(crate) fn new(login: Login, connect: Connect) -> Self {
        Self { login, connect, chain: OnceCell::new(), kept: Mutex::default() }
    }
}

#[async_trait]
impl S3Login for StateLogin {
    fn region(&self) -> Option<String> {
        self.login.region.clone()
    }

    fn endpoint(&self) -> Option<String> {
        self.login.endpoints.s3.clone()
    }

    async fn keys(&self) -> ProviderResult<S3Keys> {
        let mut kept = self.kept.lock().await;
        let now = SystemTime::now();
        if let Some(keys) = kept.as_ref().filter(|keys| last(keys, now + EARLY)) {
            return Ok(as_keys(keys));
        }
        let make = || credentials(&self.login, &self.connect, http_client());
        match self.chain.get_or_init(make).await.provide_credentials().await {
            Ok(fresh) => Ok(as_keys(kept.insert(fresh))),
            // Who gives them is out of reach for now: what there is goes on as long as it lasts.
            Err(error) => kept.as_ref().filter(|keys| last(keys, now)).map(as_keys).ok_or_else(|| not_loaded(&error)),
        }
    }
}

/// Whether they are still valid then.
fn last(keys: &Credentials, then: SystemTime) -> bool {
    keys.expiry().is_none_or(|expiry| expiry > then)
}

fn as_keys(keys: &Credentials) -> S3Keys {
    let secret = |text: &str| Zeroizing::new(text.to_owned());
    S3Keys {
        id: keys.access_key_id().to_owned(),
        secret: secret(keys.secret_access_key()),
        token: keys.session_token().map(secret),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, VecDeque},
        sync::Mutex as Locked,
    };

    use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
    use platform_sdk::provider::ErrorKind;

    use super::*;
    use crate::login::{Endpoints, Source};

    /// Gives these keys, one after the other; then it is out of reach.
    #[derive(Debug)]
    struct Given(Locked<VecDeque<Credentials>>);

    impl ProvideCredentials for Given {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let next = self.0.lock().expect("one thread").pop_front();
            future::ProvideCredentials::ready(next.ok_or_else(|| CredentialsError::provider_timed_out(EARLY)))
        }
    }

    /// A login whose keys last this many minutes each.
    fn lasting(minutes: &[u64]) -> StateLogin {
        let expiry = |minutes: &u64| SystemTime::now() + Duration::from_mins(*minutes);
        let keys = |(at, minutes)| Credentials::new(format!("key-{at}"), "hush", None, Some(expiry(minutes)), "test");
        let given = Given(Locked::new(minutes.iter().enumerate().map(keys).collect()));
        let login =
            Login { source: Source::Environment, region: None, endpoints: Endpoints::all("http://127.0.0.1:1") };
        let connect = Connect { environment: BTreeMap::new(), sandbox: None };
        let chain = OnceCell::new_with(Some(SharedCredentialsProvider::new(given)));
        StateLogin { chain, ..StateLogin::new(login, connect) }
    }

    async fn id(login: &StateLogin) -> String {
        login.keys().await.expect("keys").id
    }

    #[tokio::test]
    async fn keys_are_kept_until_shortly_before_they_expire() {
        let login = lasting(&[60]);
        assert_eq!((id(&login).await, id(&login).await), ("key-0".to_owned(), "key-0".to_owned()));
        let login = lasting(&[1, 60]);
        assert_eq!((id(&login).await, id(&login).await), ("key-0".to_owned(), "key-1".to_owned()));
    }

    #[tokio::test]
    async fn keys_that_can_t_be_renewed_go_on_until_they_expire() {
        let login = lasting(&[1]);
        assert_eq!((id(&login).await, id(&login).await), ("key-0".to_owned(), "key-0".to_owned()));
        let login = lasting(&[0]);
        assert_eq!(id(&login).await, "key-0");
        let error = login.keys().await.expect_err("expired");
        assert_eq!(error.kind, ErrorKind::Unavailable, "it may succeed a moment later: {error:?}");
    }

    #[tokio::test]
    async fn clause_9_no_secret_is_in_a_debug_print() {
        let login = lasting(&[60]);
        let keys = login.keys().await.expect("keys");
        assert!(!format!("{login:?} {keys:?}").contains("hush"));
    }
}
