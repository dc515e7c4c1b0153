//! What a list of many pages may take: a service whose pages never end is told so.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// More pages are no list.
const MOST_PAGES: usize = 10_000;
/// Pages may be empty: what we may not see is filtered out of them. So many of them in a row are no list.
const MOST_EMPTY: usize = 1_000;
/// More bytes in all pages together are not kept.
const MOST_BYTES: usize = 512 << 20;
/// A longer token fits into no request.
const LONGEST_TOKEN: usize = 16 << 10;

/// The pages of one list so far.
#[derive(Default)]
pub(crate) struct Walk {
    pages: usize,
    empty: usize,
    bytes: usize,
    /// Hashes of the tokens.
    seen: BTreeSet<[u8; 32]>,
}

impl Walk {
    /// Takes note of a page.
    ///
    /// # Errors
    /// What is wrong, when it is one too many.
    pub(crate) fn page(&mut self, items: usize, bytes: usize) -> Result<(), String> {
        self.pages += 1;
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        self.bytes = self.bytes.saturating_add(bytes);
        if self.pages > MOST_PAGES {
            return Err(format!("the server sends more than {MOST_PAGES} pages"));
        }
        if self.empty > MOST_EMPTY {
            return Err(format!("the server sends more than {MOST_EMPTY} empty pages in a row"));
        }
        if self.bytes > MOST_BYTES {
            return Err(format!("the server sends more than {} MiB", MOST_BYTES >> 20));
        }
        Ok(())
    }

    /// The token of the page after this one, if there is one.
    ///
    /// # Errors
    /// When it leads in a circle, or can't be sent back.
    pub(crate) fn next(&mut self, answer: &Value) -> Result<Option<String>, String> {
        let Some(token) = answer["next_page_token"].as_str().filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        if token.len() > LONGEST_TOKEN {
            return Err(format!("the server's token of the next page has more than {} KiB", LONGEST_TOKEN >> 10));
        }
        if !self.seen.insert(Sha256::digest(token).into()) {
            return Err("the server names the same next page twice".to_owned());
        }
        Ok(Some(token.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LONGEST_TOKEN, MOST_EMPTY, MOST_PAGES, Walk};

    /// Pages of so many items and bytes, until there is one too many: how many were taken, and what is wrong then.
    fn pages(items: usize, bytes: usize) -> (usize, String) {
        let mut walk = Walk::default();
        for taken in 0.. {
            if let Err(wrong) = walk.page(items, bytes) {
                return (taken, wrong);
            }
        }
        unreachable!("it ends")
    }

    #[test]
    fn pages_without_an_end_are_told_so() {
        assert_eq!(pages(1, 10), (MOST_PAGES, "the server sends more than 10000 pages".to_owned()));
        assert_eq!(pages(0, 10), (MOST_EMPTY, "the server sends more than 1000 empty pages in a row".to_owned()));
        assert_eq!(pages(1, 32 << 20), (16, "the server sends more than 512 MiB".to_owned()));
        assert_eq!(pages(1, usize::MAX).0, 0);
    }

    #[test]
    fn a_token_is_taken_once_and_only_if_it_can_be_sent_back() {
        let mut walk = Walk::default();
        let mut next = |token: &str| walk.next(&json!({"next_page_token": token}));
        assert_eq!(next("a"), Ok(Some("a".to_owned())));
        assert_eq!(next("b"), Ok(Some("b".to_owned())));
        assert_eq!(next(""), Ok(None));
        assert_eq!(next("a"), Err("the server names the same next page twice".to_owned()));
        assert!(next(&"x".repeat(LONGEST_TOKEN)).is_ok());
        let long = next(&"x".repeat(LONGEST_TOKEN + 1)).expect_err("too long");
        assert_eq!(long, "the server's token of the next page has more than 16 KiB");
        assert_eq!(walk.next(&json!({"next_page_token": 7})), Ok(None));
    }
}
