//! Ownership marks in tags: how an object of a type whose names are not unique is recognised as made by this intent.

use serde_json::{Map, Value};

/// The tag that carries the mark.
const TAG: &str = "platform-sdk-mark";

/// Puts a mark among the tags in `field`. Its `/` becomes `_`, which tags of every cloud can hold.
pub(crate) fn put(object: &mut Map<String, Value>, field: &str, mark: &str) {
    let tags = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(tags) = tags {
        tags.insert(TAG.to_owned(), mark.replace('/', "_").into());
    }
}

/// Takes the mark out of the tags in `field`, so that no diff sees it.
pub(crate) fn take(object: &mut Map<String, Value>, field: &str) -> Option<String> {
    let mark = object.get_mut(field)?.as_object_mut()?.remove(TAG)?;
    mark.as_str().map(|mark| mark.replace('_', "/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_travels_in_a_tag_and_leaves_no_trace() {
        let mark = "0c9b4e5e-7f1a-4f5e-9d51-1f8f0c1d2e3f/00000000000000ff";
        let mut object = Map::new();
        put(&mut object, "tags", mark);
        assert_eq!(object["tags"][TAG], json!(mark.replace('/', "_")));
        assert_eq!(take(&mut object, "tags").as_deref(), Some(mark));
        assert_eq!(object["tags"], json!({}));
    }
}
