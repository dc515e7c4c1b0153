//! Lookup of who is calling: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
//!
//! Needs no permission. The key of the lookup is only a name: there is one caller.

use async_trait::async_trait;
use platform_sdk::{
    Declared, LookUp, Outputs, Resolved, Stage,
    derive::Outputs,
    provider::{Find, ProviderResult},
};

use crate::{Aws, arn::partition, client::Client};

/// The identity behind the credentials: `stack.lookup::<CallerIdentity>("me").account_id`.
#[derive(Debug, Clone, Copy)]
pub struct CallerIdentity;

/// Outputs of [`CallerIdentity`].
#[derive(Outputs)]
pub struct CallerIdentityOutputs<S: Stage = Declared> {
    /// The account: twelve digits.
    pub account_id: S::Out<String>,
    /// The user's or the role session's ARN.
    pub arn: S::Out<String>,
    /// The partition of AWS that it is in: `aws`, `aws-us-gov`, `aws-cn`.
    pub partition: S::Out<String>,
    /// The unique id of the user, or the role's with the session's name.
    pub user_id: S::Out<String>,
}

impl LookUp for CallerIdentity {
    type Found = CallerIdentityOutputs;
    type Provider = Aws;
    const TYPE: &'static str = "aws:CallerIdentity";
}

#[async_trait]
impl Find for CallerIdentity {
    type Client = Client;

    async fn look_up(
        client: &Client,
        _key: &str,
    ) -> ProviderResult<Option<<CallerIdentityOutputs as Outputs>::Values>> {
        let caller = client.caller().await?;
        let arn = caller.arn().unwrap_or_default();
        Ok(Some(CallerIdentityOutputs::<Resolved> {
            account_id: client.account().await?,
            arn: arn.to_owned(),
            partition: partition(arn).to_owned(),
            user_id: caller.user_id().unwrap_or_default().to_owned(),
        }))
    }
}
