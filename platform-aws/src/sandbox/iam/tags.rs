//! Tags of roles.

use platform_sdk::sandbox::World;

use super::{Outcome, Page, Role};
use crate::sandbox::{params::Params, problem::Problem, xml::Xml};

/// Checks keys, values and their number.
pub(super) fn check(tags: &[(String, String)]) -> Result<(), Problem> {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
    for (n, (key, value)) in tags.iter().enumerate() {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits || !allowed(key) || !allowed(value) {
            let what = format!("1 validation error detected: tag {key} failed to satisfy constraint");
            return Err(Problem::new(400, "ValidationError", what));
        }
        if key.to_lowercase().starts_with("aws:") {
            let message = "Invalid tag key: the prefix aws: is reserved for AWS use";
            return Err(Problem::new(400, "InvalidInput", message));
        }
        if tags[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Problem::new(400, "InvalidInput", message));
        }
    }
    if tags.len() > 50 {
        return Err(Problem::new(409, "LimitExceeded", "The number of tags has reached the maximum limit."));
    }
    Ok(())
}

/// `<Tags>` as roles carry them.
pub(super) fn write(into: &mut Xml, tags: &[(String, String)]) {
    into.element("Tags", |list| tags.iter().for_each(|tag| member(list, tag)));
}

fn member(list: &mut Xml, (key, value): &(String, String)) {
    list.element("member", |tag| {
        tag.text("Key", key).text("Value", value);
    });
}

pub(super) fn tag(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let tags = params.tags()?;
    params.done()?;
    check(&tags)?;
    let mut role = Role::by_name(world, &name)?;
    for (key, value) in tags {
        role.tags.retain(|(other, _)| !other.eq_ignore_ascii_case(&key));
        role.tags.push((key, value));
    }
    role.tags.sort();
    check(&role.tags)?;
    role.save(world);
    Ok(None)
}

pub(super) fn untag(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let keys = params.list("TagKeys");
    params.done()?;
    let mut role = Role::by_name(world, &name)?;
    role.tags.retain(|(key, _)| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    role.save(world);
    Ok(None)
}

pub(super) fn list(mut params: Params, world: &mut World) -> Outcome {
    let name = params.required("RoleName")?;
    let page = Page::of(&mut params)?;
    params.done()?;
    let mut tags = Role::by_name(world, &name)?.tags;
    tags.sort();
    let mut result = Xml::default();
    page.write(&mut result, "Tags", tags.into_iter().map(|tag| (tag.0.clone(), tag)), |list, tag| member(list, &tag));
    Ok(Some(result))
}
