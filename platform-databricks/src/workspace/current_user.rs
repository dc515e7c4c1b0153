//! `CurrentUser`: who is logged in to the workspace. A lookup.
//! <https://docs.databricks.com/api/workspace/currentuser/me>

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, LookUp, Resolved, Stage,
    derive::Outputs,
    provider::{ErrorKind, Find, ProviderError, ProviderResult},
};

use crate::{
    WorkspaceProvider,
    client::{Client, Outcome},
};

// declare

/// Who is logged in: `stack.lookup::<CurrentUser>("me")`.
#[derive(Debug)]
pub enum CurrentUser {}

/// Outputs of [`CurrentUser`].
#[derive(Outputs)]
pub struct CurrentUserOutputs<S: Stage = Declared> {
    /// The id of the user or service principal.
    pub id: S::Out<Id<CurrentUser>>,
    /// A user's e-mail address, a service principal's application id.
    pub user_name: S::Out<String>,
    /// The name that the workspace shows; the user name where it has none.
    pub display_name: S::Out<String>,
    /// The folder that is theirs: `/Users/ada@example.com`.
    pub home: S::Out<String>,
    /// The groups that they are a direct member of, in alphabetical order.
    pub groups: S::Out<Vec<String>>,
}

impl LookUp for CurrentUser {
    type Found = CurrentUserOutputs;
    type Provider = WorkspaceProvider;
    const TYPE: &'static str = "databricks:CurrentUser";
}

// manage

#[async_trait]
impl Find for CurrentUser {
    type Client = Client;

    async fn look_up(client: &Client, key: &str) -> ProviderResult<Option<CurrentUserOutputs<Resolved>>> {
        if key != "me" {
            let message = format!("look up current user `{key}`: there is only `me`");
            return Err(ProviderError::new(ErrorKind::Invalid { field: None }, message)
                .hint("write `stack.lookup::<CurrentUser>(\"me\")`"));
        }
        let me = client.whoami().await.while_doing("look up the current user")?;
        Ok(Some(CurrentUserOutputs {
            id: Id::new(me.id),
            display_name: me.display_name.unwrap_or_else(|| me.user_name.clone()),
            home: format!("/Users/{}", me.user_name),
            user_name: me.user_name,
            groups: me.groups,
        }))
    }
}

// prove

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::scripted::{Server, json};

    const ME: &str = r#"{"id": "7", "userName": "ada@example.com", "groups": [{"display": "b"}, {"display": "a"}]}"#;

    #[tokio::test]
    async fn me_is_who_is_logged_in() {
        let server = Server::playing([json(200, ME)]).await;
        let me = CurrentUser::look_up(&server.client(), "me").await.expect("an answer").expect("me");
        assert_eq!((me.user_name.as_str(), me.display_name.as_str()), ("ada@example.com", "ada@example.com"));
        assert_eq!((me.home.as_str(), me.groups), ("/Users/ada@example.com", vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(server.lines(), ["GET /api/2.0/preview/scim/v2/Me"]);
    }

    #[tokio::test]
    async fn nobody_else_can_be_looked_up_here() {
        let server = Server::playing([]).await;
        let error = CurrentUser::look_up(&server.client(), "ada").await.expect_err("refused");
        assert_eq!(error.message, "look up current user `ada`: there is only `me`");
    }
}
