//! Ownership marks in tags: how an object of a type whose names are not unique is recognised as made by this intent, and
//! by whose program.

use platform_sdk::provider::Mark;
use serde_json::{Map, Value};

use super::Client;

/// The tag that carries the mark's id. Its `/` becomes `_`, which tags of every cloud can hold.
const TAG: &str = "platform-sdk-mark";

/// The tag that carries `<project>/<stack>/<address>`.
const OWNER: &str = "platform-sdk-resource";

/// A mark as tags carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagged {
    id: String,
    /// Not there on what an older version of the SDK made, nor where tags can't hold it.
    owner: Option<String>,
}

impl Tagged {
    /// A mark on its way to this client's service. Google's labels hold nothing but `[a-z0-9_-]`, and 63 characters of
    /// it, so that there it names no owner.
    pub(crate) fn new(client: &Client, mark: &Mark) -> Self {
        let owner = (!client.login().host.is_google()).then(|| mark.owner().to_owned());
        Self { id: mark.id().to_owned(), owner }
    }

    pub(crate) fn into_id(self) -> String {
        self.id
    }

    /// Puts it among the tags in `field`.
    pub(crate) fn put(&self, object: &mut Map<String, Value>, field: &str) {
        let tags = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(tags) = tags {
            tags.insert(TAG.to_owned(), self.id.replace('/', "_").into());
            tags.extend(self.owner.iter().map(|owner| (OWNER.to_owned(), owner.as_str().into())));
        }
    }

    /// The mark that an object keeps through a change by this one's run: its resource may have moved since.
    pub(crate) fn kept_from(&self, before: Self) -> Self {
        Self { id: before.id, owner: self.owner.clone() }
    }
}

/// Takes the mark out of the tags in `field`, so that no diff sees it.
pub(crate) fn take(object: &mut Map<String, Value>, field: &str) -> Option<Tagged> {
    let tags = object.get_mut(field)?.as_object_mut()?;
    let owner = tags.remove(OWNER).and_then(|owner| owner.as_str().map(str::to_owned));
    let id = tags.remove(TAG)?.as_str()?.replace('_', "/");
    Some(Tagged { id, owner })
}

#[cfg(test)]
mod tests {
    use platform_sdk::{desired::Address, provider::owner};
    use serde_json::json;

    use super::*;
    use crate::{
        auth::{Environment, LoginConfig},
        client::ClientOptions,
    };

    const ID: &str = "0c9b4e5e-7f1a-4f5e-9d51-1f8f0c1d2e3f/00000000000000ff";

    fn mark(path: &str) -> Mark {
        Mark::new(ID, owner("shop", "prod", &Address::new("databricks:Job", path).expect("an address")))
    }

    fn client(host: &str) -> Client {
        let env = Environment::empty().with("DATABRICKS_HOST", host).with("DATABRICKS_TOKEN", "t");
        let login = LoginConfig::resolve(LoginConfig::default(), &env).expect("a login");
        Client::new(login, ClientOptions::default()).expect("a client")
    }

    #[test]
    fn a_mark_names_the_resource_and_leaves_no_trace() {
        let tagged = Tagged::new(&client("https://adb-1.azuredatabricks.net"), &mark("nightly"));
        let mut object = Map::new();
        tagged.put(&mut object, "tags");
        let wanted = json!({TAG: ID.replace('/', "_"), OWNER: "shop/prod/databricks:Job::nightly"});
        assert_eq!(object["tags"], wanted);
        assert_eq!(take(&mut object, "tags"), Some(tagged));
        assert_eq!(object["tags"], json!({}));
    }

    #[test]
    fn a_mark_is_kept_and_names_the_resource_of_today() {
        let client = client("https://adb-1.azuredatabricks.net");
        let before = Tagged { id: "other/1".to_owned(), owner: None };
        let kept = Tagged::new(&client, &mark("etl")).kept_from(before);
        assert_eq!((kept.id.as_str(), kept.owner.as_deref()), ("other/1", Some("shop/prod/databricks:Job::etl")));
    }

    #[test]
    fn labels_that_can_not_hold_an_owner_get_none() {
        let mut object = Map::new();
        Tagged::new(&client("https://1.2.gcp.databricks.com"), &mark("nightly")).put(&mut object, "tags");
        assert_eq!(object["tags"], json!({TAG: ID.replace('/', "_")}));
    }
}
