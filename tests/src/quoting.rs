//! A service that refuses whatever it is sent, and quotes it in every writing; its page can panic with it, too.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use platform_sdk::{
    Declared, Expr, Id, Provider, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Connector, Context, Drivers, ErrorKind, Existing, Found, Made, Manage, ProviderError, ProviderResult,
        Read,
    },
    testing::OneClient,
};

/// Something that is never made.
#[derive(Resource)]
#[resource(type = "quoting:Thing", outputs = ThingOutputs, provider = Quoting, identity = key, consistency_ms = 1)]
pub struct Thing<S: Stage = Declared> {
    /// What it is called.
    #[field(required, key)]
    pub name: S::In<String>,
    /// What is quoted.
    #[field(computed)]
    pub text: Option<S::In<String>>,
    /// Its page panics.
    #[field(computed)]
    pub panics: Option<S::In<bool>>,
}

/// Outputs of [`Thing`].
#[derive(Outputs)]
pub struct ThingOutputs<S: Stage = Declared> {
    /// Its id.
    #[output(from = "name")]
    pub id: S::Out<Id<Thing>>,
}

/// The service's provider.
#[derive(Debug, Clone, Copy)]
pub struct Quoting;

impl Provider for Quoting {
    const KIND: &'static str = "quoting";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(*self, || Drivers::default().with::<Thing>()))
    }
}

/// A refusal with a text in it: plain, as JSON, in a URL, and as an `Authorization` in base64.
fn refused(text: &str) -> ProviderError {
    let json = serde_json::json!({"detail": serde_json::json!({"text": text}).to_string()});
    let url = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let login = STANDARD.encode(format!("user:{text}"));
    ProviderError::new(ErrorKind::Invalid { field: None }, format!("`{text}` is refused: {json}"))
        .caused_by(std::io::Error::other(format!("GET https://example.com/x?text={url}")))
        .hint(format!("it was sent with `Authorization: Basic {login}`"))
}

#[async_trait]
impl Manage for Thing {
    type Client = Quoting;

    async fn read(_: &Quoting, _existing: &Existing<Self>) -> Read<Self> {
        Ok(None)
    }

    async fn find(_: &Quoting, _inputs: &Thing<Resolved>) -> ProviderResult<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn create(_: &Quoting, _ctx: &Context, inputs: Thing<Resolved>) -> ProviderResult<Made<Self>> {
        let refused = refused(&inputs.text.unwrap_or_default());
        assert!(inputs.panics != Some(true), "{refused}: {:?}", refused.hint);
        Err(refused)
    }

    async fn update(_: &Quoting, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        Err(refused(&change.after.text.unwrap_or_default()))
    }

    async fn delete(_: &Quoting, _ctx: &Context, _existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        Ok(())
    }
}
