//! Scrubbing: whatever a provider says, no known secret leaves in it.

use std::sync::{PoisonError, RwLock};

use crate::{
    desired::Tree,
    report::Diagnostic,
    scrub::{Known, keep_secret},
};

/// Secrets that are known to this run.
#[derive(Debug, Default)]
pub struct Scrub {
    known: RwLock<Known>,
}

impl Scrub {
    /// Adds the secrets of a tree.
    pub fn learn(&self, tree: &Tree) {
        if !tree.has_secrets() {
            return;
        }
        let mut found = Vec::new();
        tree.collect_secrets(&mut found);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for secret in &found {
            known.learn(secret);
            keep_secret(secret);
        }
    }

    /// The text without any of them.
    pub fn text(&self, text: &str) -> String {
        self.known.read().unwrap_or_else(PoisonError::into_inner).taken_out_of(text)
    }

    /// The diagnostic without any of them.
    pub fn diagnostic(&self, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.scrubbed(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}
