//! Notebooks, files and folders of a workspace: `/api/2.0/workspace`.

use base64::{Engine, prelude::BASE64_STANDARD};
use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, shown, text},
    call::{Call, Route},
    ids,
};

pub(super) const ROUTES: &[Route] = &[
    ("POST /api/2.0/workspace/import", import),
    ("GET /api/2.0/workspace/export", export),
    ("GET /api/2.0/workspace/get-status", get_status),
    ("GET /api/2.0/workspace/list", list),
    ("POST /api/2.0/workspace/mkdirs", mkdirs),
    ("POST /api/2.0/workspace/delete", delete),
];

const LIMIT: usize = 10 * 1024 * 1024;

/// A language of notebooks: how it is called, what its files end with, how its comments begin.
struct Language {
    name: &'static str,
    extension: &'static str,
    comment: &'static str,
}

const LANGUAGES: [Language; 4] = [
    Language { name: "PYTHON", extension: "py", comment: "#" },
    Language { name: "R", extension: "r", comment: "#" },
    Language { name: "SCALA", extension: "scala", comment: "//" },
    Language { name: "SQL", extension: "sql", comment: "--" },
];

impl Language {
    fn header(&self) -> String {
        format!("{} Databricks notebook source", self.comment)
    }
}

/// A path in its one form: absolute, without `/Workspace` in front or a slash at the end.
fn normal(path: &str) -> Result<String, Failure> {
    if !path.starts_with('/') {
        return Err(Failure::invalid(format!("Path ({path}) should start with '/'")));
    }
    let rest = path.strip_prefix("/Workspace/").map_or(path, |rest| &path[path.len() - rest.len() - 1..]);
    let trimmed = rest.trim_end_matches('/');
    Ok(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
}

/// The object at a path.
///
/// # Errors
/// 404 when nothing is there.
pub(super) fn find(call: &Call, world: &World, path: &str) -> Result<Value, Failure> {
    let path = normal(path)?;
    let object = world.get(&call.key("files", &path)).cloned();
    object.ok_or_else(|| Failure::missing(format!("Path ({path}) doesn't exist.")))
}

fn exists_already(path: &str) -> Failure {
    Failure::new(400, "RESOURCE_ALREADY_EXISTS", format!("Path ({path}) already exists."))
}

fn import(call: &Call, world: &mut World) -> Answer {
    let mut path = normal(call.required("path")?)?;
    let content = BASE64_STANDARD.decode(call.text("content").unwrap_or_default());
    let content = content.map_err(|_| Failure::invalid("content is not base64"))?;
    if content.len() > LIMIT {
        return Err(Failure::new(
            400,
            "MAX_NOTEBOOK_SIZE_EXCEEDED",
            format!("The content of {path} exceeds the limit of 10 MB"),
        ));
    }
    let source = String::from_utf8_lossy(&content).into_owned();
    let language = match call.text("format").unwrap_or("SOURCE") {
        "SOURCE" => {
            let name = call
                .text("language")
                .ok_or_else(|| Failure::invalid("The language must be given for the format SOURCE"))?;
            LANGUAGES.iter().find(|language| language.name == name)
        }
        "JUPYTER" => LANGUAGES.first(),
        "AUTO" => {
            let known = path
                .rsplit_once('.')
                .and_then(|(_, end)| LANGUAGES.iter().find(|l| l.extension.eq_ignore_ascii_case(end)));
            known.filter(|language| source.starts_with(&language.header()))
        }
        "RAW" => None,
        other => return Err(Failure::invalid(format!("The format {other} is not served by the sandbox"))),
    };
    if call.text("format") == Some("AUTO") && language.is_some() {
        path = path.rsplit_once('.').map_or(path.clone(), |(stem, _)| stem.to_owned());
    }
    let before = world.get(&call.key("files", &path)).cloned();
    check_place(call, world, &path, before.as_ref(), language.is_some())?;
    let (id, created) = match &before {
        Some(before) => (before["object_id"].clone(), before["created_at"].clone()),
        None => (ids::number(world).into(), call.now.into()),
    };
    let mut object = json!({"path": path, "object_id": id, "created_at": created, "modified_at": call.now});
    object["resource_id"] = object["object_id"].to_string().into();
    if let Some(language) = language {
        object["object_type"] = "NOTEBOOK".into();
        object["language"] = language.name.into();
        object["_content"] = BASE64_STANDARD.encode(notebook(language, &source)).into();
    } else {
        object["object_type"] = "FILE".into();
        object["size"] = content.len().into();
        object["_content"] = BASE64_STANDARD.encode(content).into();
    }
    world.put(call.key("files", &path), object);
    Ok(json!({}))
}

/// Refuses a place without a folder above it, or one that holds what may not be overwritten.
fn check_place(
    call: &Call,
    world: &World,
    path: &str,
    before: Option<&Value>,
    is_notebook: bool,
) -> Result<(), Failure> {
    let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
    let folder = world.get(&call.key("files", parent));
    if folder.is_none_or(|folder| text(folder, "object_type") != "DIRECTORY") {
        return Err(Failure::missing(format!("The parent folder ({parent}) does not exist.")));
    }
    let Some(before) = before else { return Ok(()) };
    let same_type = text(before, "object_type") == if is_notebook { "NOTEBOOK" } else { "FILE" };
    if !call.is("overwrite") {
        return Err(exists_already(path));
    }
    if same_type {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "Cannot overwrite the asset at {path} due to type mismatch (asked: {}, actual: {}).",
        if is_notebook { "NOTEBOOK" } else { "FILE" },
        text(before, "object_type")
    )))
}

/// A notebook's source as the service gives it back: under its header, with plain newlines, ending without any.
fn notebook(language: &Language, source: &str) -> String {
    let plain = source.replace("\r\n", "\n");
    let header = language.header();
    let body = plain.strip_prefix(&header).map_or(plain.as_str(), |rest| rest.trim_start_matches('\n'));
    format!("{header}\n{}", body.trim_end_matches('\n'))
}

fn export(call: &Call, world: &mut World) -> Answer {
    let object = find(call, world, call.query("path").unwrap_or_default())?;
    let path = text(&object, "path");
    let file_type = match text(&object, "object_type") {
        "NOTEBOOK" => LANGUAGES
            .iter()
            .find(|language| language.name == text(&object, "language"))
            .map_or("", |language| language.extension),
        "FILE" => path.rsplit_once('.').map_or("", |(_, end)| end),
        _ => return Err(Failure::invalid(format!("The folder {path} can not be exported in this format"))),
    };
    Ok(json!({"content": object["_content"], "file_type": file_type}))
}

fn get_status(call: &Call, world: &mut World) -> Answer {
    find(call, world, call.query("path").unwrap_or_default()).map(|object| shown(&object))
}

fn list(call: &Call, world: &mut World) -> Answer {
    let object = find(call, world, call.query("path").unwrap_or_default())?;
    if text(&object, "object_type") != "DIRECTORY" {
        return Ok(json!({"objects": [shown(&object)]}));
    }
    let objects: Vec<Value> = below(call, world, text(&object, "path"))
        .into_iter()
        .filter(|(rest, _)| !rest.contains('/'))
        .map(|(_, object)| shown(&object))
        .collect();
    Ok(if objects.is_empty() { json!({}) } else { json!({"objects": objects}) })
}

/// Everything below a folder, each with its path from there.
fn below(call: &Call, world: &World, folder: &str) -> Vec<(String, Value)> {
    let prefix = call.key("files", &format!("{}/", folder.trim_end_matches('/')));
    let inside = world.list(&prefix).map(|(key, object)| (key[prefix.len()..].to_owned(), object.clone()));
    inside.filter(|(rest, _)| !rest.is_empty()).collect()
}

fn mkdirs(call: &Call, world: &mut World) -> Answer {
    let path = normal(call.required("path")?)?;
    let mut at = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        match world.get(&call.key("files", &at)) {
            Some(object) if text(object, "object_type") != "DIRECTORY" => return Err(exists_already(&at)),
            Some(_) => {}
            None => {
                let id = ids::number(world);
                let folder = json!({
                    "path": at, "object_type": "DIRECTORY", "object_id": id, "resource_id": id.to_string(),
                    "created_at": call.now, "modified_at": call.now,
                });
                world.put(call.key("files", &at), folder);
            }
        }
    }
    Ok(json!({}))
}

fn delete(call: &Call, world: &mut World) -> Answer {
    let object = find(call, world, call.required("path")?)?;
    let path = text(&object, "path");
    if matches!(path, "/" | "/Repos" | "/Shared" | "/Users" | "/Workspace") {
        return Err(Failure::new(403, "PERMISSION_DENIED", format!("{path} can not be deleted")));
    }
    let inside = below(call, world, path);
    if !inside.is_empty() && !call.is("recursive") {
        return Err(Failure::new(400, "DIRECTORY_NOT_EMPTY", format!("Folder ({path}) is not empty")));
    }
    for (rest, _) in inside {
        world.remove(&call.key("files", &format!("{path}/{rest}")));
    }
    world.remove(&call.key("files", path));
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde_json::json;

    use crate::sandbox::driver::Driver;

    const WORKSPACE: &str = "/api/2.0/workspace";

    #[test]
    fn a_notebook_is_given_back_under_its_header() {
        let mut sandbox = Driver::new();
        let content = BASE64_STANDARD.encode("print(1)\r\nprint(2)\n");
        let notebook =
            json!({"path": "/Workspace/Shared/load", "language": "PYTHON", "format": "SOURCE", "content": content});
        sandbox.post(&format!("{WORKSPACE}/import"), &notebook);
        let exported = sandbox.get(&format!("{WORKSPACE}/export?path=/Shared/load"));
        let source = BASE64_STANDARD.decode(exported["content"].as_str().unwrap()).unwrap();
        assert_eq!(String::from_utf8(source).unwrap(), "# Databricks notebook source\nprint(1)\nprint(2)");
        let status = sandbox.get(&format!("{WORKSPACE}/get-status?path=/Shared/load"));
        assert_eq!((&status["object_type"], &status["language"]), (&json!("NOTEBOOK"), &json!("PYTHON")));
        sandbox.refuses("POST", &format!("{WORKSPACE}/import"), &notebook, 400, "RESOURCE_ALREADY_EXISTS");
    }

    #[test]
    fn overwriting_keeps_the_id_and_moves_the_time() {
        let mut sandbox = Driver::new();
        let mut file = json!({"path": "/Shared/a.txt", "format": "RAW", "content": "MQ==", "overwrite": true});
        sandbox.post(&format!("{WORKSPACE}/import"), &file);
        let before = sandbox.get(&format!("{WORKSPACE}/get-status?path=/Shared/a.txt"));
        file["content"] = "MTI=".into();
        sandbox.post(&format!("{WORKSPACE}/import"), &file);
        let after = sandbox.get(&format!("{WORKSPACE}/get-status?path=/Shared/a.txt"));
        assert_eq!((&before["object_id"], &after["size"]), (&after["object_id"], &json!(2)));
    }

    #[test]
    fn folders_are_needed_and_kept_while_they_hold_something() {
        let mut sandbox = Driver::new();
        let file = json!({"path": "/Shared/a/b/c.txt", "format": "AUTO", "content": "MQ=="});
        sandbox.refuses("POST", &format!("{WORKSPACE}/import"), &file, 404, "RESOURCE_DOES_NOT_EXIST");
        sandbox.post(&format!("{WORKSPACE}/mkdirs"), &json!({"path": "/Shared/a/b"}));
        sandbox.post(&format!("{WORKSPACE}/import"), &file);
        let list = sandbox.get(&format!("{WORKSPACE}/list?path=/Shared/a"));
        assert_eq!(list["objects"].as_array().unwrap().len(), 1);
        sandbox.refuses(
            "POST",
            &format!("{WORKSPACE}/delete"),
            &json!({"path": "/Shared/a"}),
            400,
            "DIRECTORY_NOT_EMPTY",
        );
        sandbox.post(&format!("{WORKSPACE}/delete"), &json!({"path": "/Shared/a", "recursive": true}));
        sandbox.refuses(
            "GET",
            &format!("{WORKSPACE}/get-status?path=/Shared/a/b/c.txt"),
            &json!(null),
            404,
            "RESOURCE_DOES_NOT_EXIST",
        );
    }

    #[test]
    fn a_source_file_with_a_header_becomes_a_notebook() {
        let mut sandbox = Driver::new();
        let content = BASE64_STANDARD.encode("-- Databricks notebook source\nSELECT 1");
        sandbox.post(
            &format!("{WORKSPACE}/import"),
            &json!({"path": "/Shared/q.sql", "format": "AUTO", "content": content}),
        );
        assert_eq!(sandbox.get(&format!("{WORKSPACE}/get-status?path=/Shared/q"))["language"], "SQL");
    }
}
