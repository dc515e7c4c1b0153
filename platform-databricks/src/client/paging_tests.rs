//! Lists, against a scripted server.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use platform_sdk::provider::ErrorKind;
use serde_json::{Value, json as value};

use crate::client::scripted::{Server, json};

#[tokio::test]
async fn pages_follow_the_token_and_empty_pages_are_no_end() {
    let server = Server::playing([
        json(200, r#"{"jobs": [1, 2], "next_page_token": "a/b="}"#),
        json(200, r#"{"next_page_token": "c"}"#),
        json(200, r#"{"jobs": [3], "next_page_token": ""}"#),
    ])
    .await;
    let jobs: Vec<u8> = server.client().pages("api/2.2/jobs/list", "jobs").query("limit", 2).all().await.unwrap();
    assert_eq!(jobs, [1, 2, 3]);
    assert_eq!(
        server.lines(),
        [
            "GET /api/2.2/jobs/list?limit=2",
            "GET /api/2.2/jobs/list?limit=2&page_token=a%2Fb%3D",
            "GET /api/2.2/jobs/list?limit=2&page_token=c"
        ]
    );
}

#[tokio::test]
async fn unity_catalog_pages_only_with_max_results() {
    let server =
        Server::playing([json(200, r#"{"catalogs": [1], "next_page_token": "t"}"#), json(200, r#"{"catalogs": [2]}"#)])
            .await;
    let catalogs: Vec<u8> = server.client().pages("api/2.1/unity-catalog/catalogs", "catalogs").all().await.unwrap();
    assert_eq!(catalogs, [1, 2]);
    assert_eq!(
        server.lines(),
        [
            "GET /api/2.1/unity-catalog/catalogs?max_results=0",
            "GET /api/2.1/unity-catalog/catalogs?max_results=0&page_token=t"
        ]
    );
}

#[tokio::test]
async fn a_server_that_names_the_same_next_page_twice_is_an_error_not_a_circle() {
    let page = |token: &str| json(200, &value!({"jobs": [1], "next_page_token": token}).to_string());
    let server = Server::playing([page("a"), page("b"), page("a")]).await;
    let error = server.client().pages("api/2.2/jobs/list", "jobs").all::<Value>().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed { replace: false });
    assert_eq!(error.message, "cannot list api/2.2/jobs/list: the server names the same next page twice");
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn scim_pages_by_position_until_the_total() {
    let server = Server::playing([
        json(
            200,
            r#"{"totalResults": 3, "startIndex": 1, "itemsPerPage": 2, "Resources": [{"id": "1"}, {"id": "2"}]}"#,
        ),
        json(200, r#"{"totalResults": 3, "startIndex": 3, "itemsPerPage": 1, "Resources": [{"id": "3"}]}"#),
    ])
    .await;
    let groups: Vec<Value> =
        server.client().scim_pages("/api/2.0/preview/scim/v2/Groups").query("attributes", "id").all().await.unwrap();
    assert_eq!(groups.len(), 3);
    let base = "GET /api/2.0/preview/scim/v2/Groups?attributes=id";
    assert_eq!(server.lines(), [format!("{base}&startIndex=1&count=100"), format!("{base}&startIndex=3&count=100")]);
}

#[tokio::test]
async fn scim_without_a_total_ends_at_the_empty_page_and_never_circles() {
    let page = r#"{"Resources": [{"id": "1"}]}"#;
    let server = Server::playing([json(200, page), json(200, r#"{"Resources": []}"#)]).await;
    let users: Vec<Value> = server.client().scim_pages("/api/2.0/preview/scim/v2/Users").all().await.unwrap();
    assert_eq!((users.len(), server.lines().len()), (1, 2));

    let server = Server::playing([json(200, page), json(200, page)]).await;
    let error = server.client().scim_pages("/api/2.0/preview/scim/v2/Users").all::<Value>().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed { replace: false });
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn what_is_no_list_is_an_error_and_a_bad_item_is_not_quoted() {
    let server = Server::playing([json(200, r#"{"jobs": "x"}"#), json(200, r#"{"jobs": ["s3cret"]}"#)]).await;
    for expected in ["`jobs` is no list", "an item is not understood"] {
        let error = server.client().pages("api/2.2/jobs/list", "jobs").all::<u8>().await.unwrap_err();
        assert_eq!(error.message, format!("cannot list api/2.2/jobs/list: {expected}"));
    }
}

#[tokio::test]
async fn a_server_whose_pages_never_end_is_an_error() {
    let page = |n: usize| json(200, &value!({"next_page_token": format!("token-{n}")}).to_string());
    let server = Server::playing((0..=1_000).map(page)).await;
    let error = server.client().pages("api/2.2/jobs/list", "jobs").all::<Value>().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed { replace: false });
    assert_eq!(error.message, "cannot list api/2.2/jobs/list: the server sends more than 1000 empty pages in a row");
    assert_eq!(server.lines().len(), 1_001);
}

#[tokio::test]
async fn a_token_that_fits_into_no_request_is_an_error() {
    let page = value!({"jobs": [1], "next_page_token": "x".repeat(100_000)}).to_string();
    let server = Server::playing([json(200, &page)]).await;
    let error = server.client().pages("api/2.2/jobs/list", "jobs").all::<Value>().await.unwrap_err();
    let expected = "cannot list api/2.2/jobs/list: the server's token of the next page has more than 16 KiB";
    assert_eq!(error.message, expected);
}
