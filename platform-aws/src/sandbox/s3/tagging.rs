//! A bucket's tags.

use platform_sdk::sandbox::{Response, World};

use super::{
    Outcome,
    buckets::Bucket,
    call::{Call, malformed_xml},
    xml,
};
use crate::sandbox::{problem::Problem, xml::Element};

pub(super) fn get(call: &Call<'_>, world: &mut World) -> Outcome {
    let tags = call.bucket(world)?.tags;
    if tags.is_empty() {
        let message = "The TagSet does not exist";
        return Err(Problem::new(404, "NoSuchTagSet", message).detail("BucketName", &call.bucket));
    }
    Ok(xml("Tagging", |answer| {
        answer.element("TagSet", |set| {
            for (key, value) in &tags {
                set.element("Tag", |tag| {
                    tag.text("Key", key).text("Value", value);
                });
            }
        });
    }))
}

pub(super) fn put(call: &Call<'_>, world: &mut World) -> Outcome {
    let bucket = call.bucket(world)?;
    let body = call.xml("Tagging")?;
    body.allows(&["TagSet"], &[]).map_err(|_| malformed_xml())?;
    let tags = tags(body.child("TagSet").ok_or_else(malformed_xml)?)?;
    Bucket { tags, ..bucket }.save(world);
    Ok(Response::empty(204))
}

pub(super) fn delete(call: &Call<'_>, world: &mut World) -> Outcome {
    Bucket { tags: Vec::new(), ..call.bucket(world)? }.save(world);
    Ok(Response::empty(204))
}

/// The `Tag` elements in a set.
pub(super) fn tags(set: &Element) -> Result<Vec<(String, String)>, Problem> {
    set.allows(&[], &["Tag"]).map_err(|_| malformed_xml())?;
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in &set.children {
        tag.allows(&["Key", "Value"], &[]).map_err(|_| malformed_xml())?;
        let (Some(key), Some(value)) = (tag.child("Key"), tag.child("Value")) else { return Err(malformed_xml()) };
        let (key, value) = (key.text.clone(), value.text.clone());
        check(&key, &value)?;
        if tags.iter().any(|(other, _)| *other == key) {
            return Err(invalid("Cannot provide multiple Tags with the same key").detail("TagKey", key));
        }
        tags.push((key, value));
    }
    if tags.len() > 50 {
        return Err(Problem::new(400, "BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    tags.sort();
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), Problem> {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
    if !(1..=128).contains(&key.chars().count()) || !allowed(key) {
        return Err(invalid("The TagKey you have provided is invalid").detail("TagKey", key));
    }
    if key.starts_with("aws:") {
        return Err(invalid("System tags cannot be added/updated by requester").detail("TagKey", key));
    }
    if value.chars().count() > 256 || !allowed(value) {
        return Err(invalid("The TagValue you have provided is invalid").detail("TagValue", value));
    }
    Ok(())
}

fn invalid(message: &str) -> Problem {
    Problem::new(400, "InvalidTag", message)
}
