//! A client on account level, for tests.

use crate::{
    auth::Login,
    client::{
        Client,
        scripted::{Server, quick},
    },
};

/// A client of the account `acc` at this server.
pub(super) fn account(server: &Server) -> Client {
    let login = Login { account_id: Some("acc".to_owned()), ..server.login() };
    Client::new(login, quick()).expect("a client")
}
