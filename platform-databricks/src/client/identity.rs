//! Who the service says we are.

use platform_sdk::provider::ProviderResult;
use serde::Deserialize;

use super::http::Client;

/// The caller, and the workspace that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id of the user or service principal.
    pub id: String,
    /// A user's e-mail address, a service principal's application id.
    pub user_name: String,
    /// The name shown in the workspace.
    pub display_name: Option<String>,
    /// The groups that the caller is a direct member of, by name, in alphabetical order.
    pub groups: Vec<String>,
    /// The id of the workspace that answered: the identity that plans are checked against.
    pub workspace_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    id: String,
    user_name: String,
    display_name: Option<String>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    display: Option<String>,
}

impl Client {
    /// Asks the workspace who is calling, and which workspace it is.
    ///
    /// # Errors
    /// As any request; `Denied` when the credential is refused.
    pub async fn whoami(&self) -> ProviderResult<Identity> {
        let (me, answer) = self.get("/api/2.0/preview/scim/v2/Me").send_whole::<Me>().await?;
        let mut groups: Vec<_> = me.groups.into_iter().filter_map(|group| group.display).collect();
        groups.sort();
        let workspace_id = answer.header("x-databricks-org-id").map(str::to_owned);
        Ok(Identity { id: me.id, user_name: me.user_name, display_name: me.display_name, groups, workspace_id })
    }
}
