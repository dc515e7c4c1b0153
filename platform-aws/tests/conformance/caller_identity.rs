//! Who is calling: the lookup, and what the provider proves of its target.

use serde_json::json;

use crate::{against_servers, subject::Subject};

against_servers!(the_lookup_is_who_calls, the_target_is_the_account, the_login_names_its_source);

async fn the_lookup_is_who_calls(subject: Subject) {
    let lookup = subject.connection.look_up("aws:CallerIdentity").expect("the type is registered");
    let found = lookup.look_up("me").await.expect("an answer").expect("there is a caller").plain().expect("known");
    let seen = subject.boto.must("sts", "get_caller_identity", json!({}));
    let expected =
        json!({"account_id": seen["Account"], "arn": seen["Arn"], "partition": "aws", "user_id": seen["UserId"]});
    assert_eq!(found, expected);
}

async fn the_target_is_the_account(subject: Subject) {
    let identity = subject.connection.identity().await.expect("an identity");
    assert_eq!(identity.get("account").map(String::as_str), Some("123456789012"));
}

async fn the_login_names_its_source(subject: Subject) {
    let login = subject.connection.login().await.expect("a login");
    assert_eq!(login.settings[0].0, "credentials");
    assert!(login.settings.iter().any(|(name, value)| name == "endpoint" && value.starts_with("http://127.0.0.1")));
    assert!(login.user.expect("a user").starts_with("arn:aws:"));
}
