//! Who is asking: the names that the logins of a plan's providers answer to.

use std::collections::{BTreeMap, BTreeSet};

use super::Reading;
use crate::desired::Address;

/// The names of each caller, its own and those of its groups, by the address that it would change. A provider that is
/// not contacted anyway is not asked, and one that can't tell leaves nothing.
pub async fn callers<'a>(
    reading: Reading<'_>,
    addresses: impl Iterator<Item = &'a Address>,
) -> BTreeMap<Address, BTreeSet<String>> {
    let mut callers = BTreeMap::new();
    let contacted = reading.targets();
    for address in addresses {
        let state = reading.snapshot.resources.get(address);
        let key = reading.desired.nodes.get(address).map(|node| &node.provider);
        let (kind, config) = match (key, state) {
            (Some(key), _) => (key.kind(), reading.config_of(key)),
            (None, Some(state)) => (state.provider.kind.as_str(), Some(reading.config_for(state))),
            (None, None) => continue,
        };
        let Some(config) = config.filter(|config| contacted.contains_key(&(kind.to_owned(), config.to_string())))
        else {
            continue;
        };
        let login = match reading.connections.connect(kind, &config).await {
            Ok(connection) => connection.login().await,
            Err(error) => Err(error),
        };
        match login {
            Ok(login) => drop(callers.insert(address.clone(), login.user.into_iter().chain(login.roles).collect())),
            Err(error) => tracing::debug!(%address, %error, "who is logged in can't be told"),
        }
    }
    callers
}
