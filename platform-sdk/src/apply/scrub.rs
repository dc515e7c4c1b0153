//! Scrubbing: whatever a provider says, no known secret leaves in it.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use crate::{desired::Tree, report::Diagnostic};

/// Secrets that are known to this run.
#[derive(Debug, Default)]
pub struct Scrub {
    secrets: RwLock<BTreeSet<String>>,
}

impl Scrub {
    /// Adds the secrets of a tree.
    pub fn learn(&self, tree: &Tree) {
        if !tree.has_secrets() {
            return;
        }
        let mut found = Vec::new();
        tree.collect_secrets(&mut found);
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    /// The text without any of them.
    pub fn text(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        // Longest first: a secret may be part of another.
        let mut secrets: Vec<&String> = secrets.iter().filter(|secret| secret.len() > 2).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.into_iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), "[secret]") } else { text }
        })
    }

    /// The diagnostic without any of them.
    pub fn diagnostic(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.summary = self.text(&diagnostic.summary);
        diagnostic.detail = diagnostic.detail.map(|detail| self.text(&detail));
        diagnostic.hint = diagnostic.hint.map(|hint| self.text(&hint));
        diagnostic
    }

    /// All of them, for marking what comes back.
    pub fn secrets(&self) -> Vec<String> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
