//! How much of an answer is read: every request of the official clients goes through here, also those that log in.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Lists come in pages of a thousand entries, and policies are a few KiB: no answer has more.
const LARGEST: usize = 32 << 20;

/// An answer has too many bytes; it was not read to its end.
#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {} MiB: it is not read", LARGEST >> 20)]
pub(crate) struct TooLarge;

/// A client whose answers are bounded. Nothing is decompressed: what arrives is what is kept.
#[derive(Debug)]
pub(crate) struct Bounded(pub(crate) SharedHttpClient);

impl HttpClient for Bounded {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        bag: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, bag)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, bag: &ConfigBag) -> Result<(), BoxError> {
        self.0.validate_final_config(components, bag)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { Ok(answer.await?.map(bounded)) })
    }
}

fn bounded(body: SdkBody) -> SdkBody {
    let named = |error: BoxError| if error.is::<LengthLimitError>() { TooLarge.into() } else { error };
    SdkBody::from_body_1_x(Limited::new(body, LARGEST).map_err(named))
}
