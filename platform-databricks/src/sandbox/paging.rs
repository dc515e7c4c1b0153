//! Lists in pages, as each family of APIs cuts them.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure},
    call::Call,
};

/// How a family of APIs asks for pages.
pub(super) struct Pages {
    /// The query parameter with the page's length.
    pub(super) size: &'static str,
    /// The length when none, or 0, is asked for.
    pub(super) default: usize,
    /// The largest length.
    pub(super) max: usize,
}

/// Unity Catalog: `max_results=0` is the server's choice.
pub(super) const CATALOG: Pages = Pages { size: "max_results", default: 50, max: 1000 };

/// One page of a list under `name`, with `next_page_token` while there is more. An empty list is left out, as the
/// service does.
///
/// # Errors
/// A page token that this list did not give, or a length that is out of range.
pub(super) fn page(call: &Call, pages: &Pages, name: &str, items: Vec<Value>) -> Answer {
    let asked = call.query(pages.size).map_or(Ok(0), str::parse::<i64>).unwrap_or(-1);
    let size = match usize::try_from(asked) {
        Ok(0) => pages.default,
        Ok(size) if size <= pages.max => size,
        _ => return Err(Failure::invalid(format!("{} must be between 0 and {}", pages.size, pages.max))),
    };
    let start = match call.query("page_token") {
        None => 0,
        Some(token) => {
            offset(token).ok_or_else(|| Failure::invalid(format!("page_token '{token}' is not valid for this list")))?
        }
    };
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let next = start + page.len();
    let mut answer = if page.is_empty() { json!({}) } else { json!({ name: page }) };
    if next < total {
        answer["next_page_token"] = BASE64_STANDARD.encode(format!("from:{next}")).into();
    }
    Ok(answer)
}

fn offset(token: &str) -> Option<usize> {
    String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?.strip_prefix("from:")?.parse().ok()
}
