//! Who hears of a job's runs.

use platform_sdk::{Declared, IntoInput, Stage, derive::Block};

/// E-mail addresses that are written to.
#[derive(Block)]
pub struct EmailNotifications<S: Stage = Declared> {
    /// When a run starts.
    #[field(nullable, set)]
    pub on_start: Option<S::In<Vec<String>>>,
    /// When a run succeeds.
    #[field(nullable, set)]
    pub on_success: Option<S::In<Vec<String>>>,
    /// When a run fails.
    #[field(nullable, set)]
    pub on_failure: Option<S::In<Vec<String>>>,
    /// When a run takes longer than expected.
    #[field(nullable, set)]
    pub on_duration_warning_threshold_exceeded: Option<S::In<Vec<String>>>,
    /// Not for runs that are skipped. Default: false.
    #[field(default = false)]
    pub no_alert_for_skipped_runs: Option<S::In<bool>>,
}

/// Notification destinations that are called.
#[derive(Block)]
pub struct WebhookNotifications<S: Stage = Declared> {
    /// When a run starts.
    #[field(keyed_by = "id")]
    pub on_start: Vec<Webhook<S>>,
    /// When a run succeeds.
    #[field(keyed_by = "id")]
    pub on_success: Vec<Webhook<S>>,
    /// When a run fails.
    #[field(keyed_by = "id")]
    pub on_failure: Vec<Webhook<S>>,
}

/// A notification destination of the workspace.
#[derive(Block)]
pub struct Webhook<S: Stage = Declared> {
    /// Its id.
    #[field(required)]
    pub id: S::In<String>,
}

impl EmailNotifications {
    /// These are written to when a run fails.
    pub fn of_failures(addresses: impl IntoInput<Vec<String>>) -> Self {
        Self::new().on_failure(addresses)
    }
}
