//! `sandbox`: serves the providers' sandboxes until interrupted, and prints how clients find them.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use crate::{
    Result,
    cli::{Context, Exit},
    desired::ProviderKey,
    provider::Connector,
    report::{Diagnostic, object},
    sandbox::{Endpoint, Options, Service, attach_or_start},
};

pub(super) async fn run(context: &Context) -> Result<Exit> {
    let served = serve(context, &context.declared_or_listed()?.connectors)?;
    if served.is_empty() {
        return Err(Diagnostic::error("none of the program's providers has a sandbox").into());
    }
    context.printer.text("# The sandbox: nothing real is touched. For other clients, in their shell:\n");
    for Served { service, endpoint } in &served {
        let exports = service.exports(&endpoint.url);
        for (name, value) in &exports {
            context.printer.data(&format!("export {name}={}\n", quoted(value)));
        }
        let exports: BTreeMap<_, _> = exports.into_iter().collect();
        let body = json!({"service": service.name(), "url": endpoint.url, "environment": exports});
        context.printer.object(&object("sandbox", body));
    }
    if served.iter().all(|served| served.endpoint.running.is_none()) {
        context.printer.note("# Another process serves it already, for as long as that runs.");
        return Ok(Exit::Done);
    }
    context.printer.note("# Serving until interrupted.");
    context.interrupts.hold("stopping");
    context.interrupts.asked().await;
    for running in served.into_iter().filter_map(|served| served.endpoint.running) {
        running.stop().await;
    }
    Ok(Exit::Done)
}

/// One sandbox and where it answers.
pub(crate) struct Served {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) endpoint: Endpoint,
}

/// Starts, or attaches to, each sandbox of the program's providers; several providers may share one.
pub(crate) fn serve(context: &Context, connectors: &BTreeMap<ProviderKey, Arc<dyn Connector>>) -> Result<Vec<Served>> {
    let mut services = BTreeMap::new();
    for service in connectors.values().filter_map(|connector| connector.sandbox()) {
        services.entry(service.name()).or_insert(service);
    }
    let start = |service: Arc<dyn Service>| {
        let options = Options::from_env().map_err(|error| refused(service.name(), &error))?;
        let endpoint = attach_or_start(&context.sandbox_folder(), service.clone(), options)
            .map_err(|error| refused(service.name(), &error))?;
        Ok(Served { service, endpoint })
    };
    services.into_values().map(start).collect()
}

fn refused(service: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(format!("the sandbox `{service}` can't be served")).detail(error.to_string())
}

/// A value as a shell reads it back.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '%' | '+' | ',');
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        assert_eq!(quoted("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
