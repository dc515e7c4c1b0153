//! What the page of notebooks promises beyond the contract.

use platform_sdk::{desired::Tree, report::Error};

use super::*;
use crate::client::scripted::{Server, json as answer};

fn inputs(source: &str) -> Notebook<Resolved> {
    let declared = Notebook::from_source("/Shared/a/n", Language::Python, source);
    serde_json::from_value(Tree::of_known(&declared.to_expr()).plain().expect("known")).expect("inputs")
}

fn existing(source: &str, modified_at: i64) -> Existing<Notebook> {
    let outputs = NotebookOutputs {
        id: Id::new("/Shared/a/n"),
        path: "/Shared/a/n".to_owned(),
        object_id: 1,
        modified_at,
        folders: vec!["/Shared/a".to_owned()],
    };
    Existing { id: "/Shared/a/n".to_owned(), inputs: Some(inputs(source)), outputs: Some(outputs) }
}

const STATUS: &str =
    r#"{"path": "/Shared/a/n", "object_type": "NOTEBOOK", "object_id": 1, "language": "PYTHON", "modified_at": 5}"#;
const GONE: &str = r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not there"}"#;

#[tokio::test]
async fn the_source_is_asked_for_only_when_the_notebook_was_modified() {
    let server = Server::playing([answer(200, STATUS)]).await;
    let read = Notebook::read(&server.client(), &existing("print(1)", 5)).await.expect("an answer").expect("there");
    assert_eq!(read.inputs.content_hash, inputs("print(1)").content_hash);
    assert_eq!(server.lines().len(), 1);

    let exported = json!({"content": BASE64_STANDARD.encode("# Databricks notebook source\nprint(1)")}).to_string();
    let server = Server::playing([answer(200, STATUS), answer(200, &exported)]).await;
    let read = Notebook::read(&server.client(), &existing("print(1)\n", 4)).await.expect("an answer").expect("there");
    assert_eq!(read.inputs.content_hash, inputs("print(1)\n").content_hash);
    assert_eq!(read.outputs.modified_at, 5);
    assert_eq!(server.lines()[1], "GET /api/2.0/workspace/export?path=%2FShared%2Fa%2Fn&format=SOURCE");
}

#[tokio::test]
async fn a_file_at_its_path_is_no_notebook() {
    let server = Server::playing([answer(200, &STATUS.replace("NOTEBOOK", "FILE"))]).await;
    assert!(Notebook::read(&server.client(), &existing("x", 5)).await.expect("an answer").is_none());
}

#[tokio::test]
async fn folders_that_are_missing_are_made_and_remembered() {
    let server = Server::playing([
        answer(404, GONE),
        answer(200, r#"{"path": "/Shared", "object_type": "DIRECTORY"}"#),
        answer(200, "{}"),
        answer(200, "{}"),
        answer(200, STATUS),
    ])
    .await;
    let made = Notebook::create(&server.client(), &Context::detached(), inputs("x")).await.expect("made");
    assert_eq!(made.outputs.folders, ["/Shared/a"]);
    let lines: Vec<String> = server.lines().into_iter().filter(|line| line.starts_with("POST")).collect();
    assert_eq!(lines, ["POST /api/2.0/workspace/mkdirs", "POST /api/2.0/workspace/import"]);
}

#[tokio::test]
async fn a_folder_with_somebody_elses_things_in_it_stays() {
    let full = r#"{"error_code": "DIRECTORY_NOT_EMPTY", "message": "not empty"}"#;
    let server = Server::playing([answer(200, "{}"), answer(400, full)]).await;
    Notebook::delete(&server.client(), &Context::detached(), existing("x", 5), false).await.expect("deleted");
    assert_eq!(server.seen()[1].body, r#"{"path":"/Shared/a"}"#);
}

fn refused(result: platform_sdk::Result<Notebook>) -> String {
    let error: Error = result.expect_err("refused");
    error.diagnostics().iter().map(|diagnostic| diagnostic.summary.clone()).collect()
}

#[test]
fn an_unusable_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("written");
        file
    };
    let text = write("n.txt", b"x");
    assert_eq!(refused(Notebook::from_file(&text, "/n")), format!("`{}` is no notebook", text.display()));
    let binary = write("n.py", &[0xff, 0xfe]);
    assert_eq!(
        refused(Notebook::from_file(&binary, "/n")),
        format!("notebook file `{}` can't be read", binary.display())
    );
    let large = write("l.sql", &vec![b' '; LIMIT + 1]);
    assert_eq!(refused(Notebook::from_file(&large, "/n")), format!("notebook file `{}` is too large", large.display()));
    let missing = refused(Notebook::from_file("no/such/file.py", "/n"));
    assert_eq!(missing, "there is no file `no/such/file.py`");
}

#[test]
fn a_file_says_its_language_and_its_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("n.ipynb");
    std::fs::write(&file, r#"{"cells": []}"#).expect("written");
    let declared = Notebook::from_file(&file, "/n").expect("a notebook");
    let fields = Tree::of_known(&declared.to_expr()).plain().expect("known");
    assert_eq!((&fields["format"], fields.get("language")), (&json!("JUPYTER"), None));
}

#[tokio::test]
async fn a_notebook_that_is_refused_leaves_no_folder_behind() {
    let refused = r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}"#;
    let not_empty = r#"{"error_code": "DIRECTORY_NOT_EMPTY", "message": "Folder is not empty"}"#;
    for (removed, deletes) in [((200, "{}"), 2), ((400, not_empty), 1)] {
        let folder = r#"{"path": "/Shared", "object_type": "DIRECTORY"}"#;
        let mut script = vec![
            answer(404, GONE),
            answer(404, GONE),
            answer(200, folder),
            answer(200, "{}"),
            answer(400, refused),
            answer(removed.0, removed.1),
        ];
        script.extend((1..deletes).map(|_| answer(200, "{}")));
        let server = Server::playing(script).await;
        let declared = Notebook::from_source("/Shared/a/b/n", Language::Python, "x");
        let inputs = serde_json::from_value(Tree::of_known(&declared.to_expr()).plain().expect("known"));
        let made = Notebook::create(&server.client(), &Context::detached(), inputs.expect("inputs")).await;
        assert_eq!(made.expect_err("it is refused").message, "create notebook `/Shared/a/b/n`: no");
        let bodies: Vec<String> = server.seen().into_iter().skip(5).map(|seen| seen.body).collect();
        let expected = [r#"{"path":"/Shared/a/b"}"#, r#"{"path":"/Shared/a"}"#];
        assert_eq!(bodies, expected[..deletes], "somebody else's things stay");
    }
}
