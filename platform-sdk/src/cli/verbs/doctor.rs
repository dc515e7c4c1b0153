//! `doctor`: for each provider the chosen login, who the service says we are, and what is missing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sandbox;
use crate::{
    Provider as _, Result,
    cli::{Context, Declared, Exit},
    desired::{ProviderKey, Tree, evaluate},
    program::Builtin,
    provider::{Connect, Connector, Finding, Login, ProviderError},
    report::{Diagnostic, object, one_line},
};

pub(super) async fn run(context: &Context) -> Result<Exit> {
    let Declared { desired, connectors, .. } = context.declared_to_look()?;
    let sandboxes = if context.globals.sandbox { sandbox::serve(context, &connectors)? } else { Vec::new() };
    if context.globals.sandbox {
        context.printer.text("# The sandbox: nothing real is touched.\n");
    }
    let mut all_well = true;
    for (key, provider) in desired.providers.iter().filter(|(key, _)| key.kind() != Builtin::KIND) {
        let Some(connector) = connectors.get(key) else { continue };
        let Some(config) = evaluate(&provider.config, &mut |_, _| None).plain() else {
            later(context, key, &Tree::of_known(&provider.config));
            continue;
        };
        let service = connector.sandbox().map(|service| service.name());
        let sandbox = sandboxes.iter().find(|served| Some(served.service.name()) == service);
        let sandbox = sandbox.map(|served| served.endpoint.url.clone());
        let connect = Connect { environment: context.environment.clone(), sandbox };
        match examine(connector.as_ref(), &config, &connect).await {
            Ok(health) => {
                all_well &= health.findings.iter().all(|finding| finding.ok);
                show(context, key, &health);
            }
            Err(error) => {
                all_well = false;
                context.printer.text(&format!("{key}\n"));
                context.printer.diagnostic(&Diagnostic::of_provider(format!("no login at `{key}`"), &error));
            }
        }
    }
    Ok(if all_well { Exit::Done } else { Exit::Failed })
}

/// What one provider answered.
struct Health {
    login: Login,
    identity: BTreeMap<String, String>,
    findings: Vec<Finding>,
}

async fn examine(connector: &dyn Connector, config: &Value, connect: &Connect) -> Result<Health, ProviderError> {
    connector.check_credentials(config, connect)?;
    let connection = connector.connect(config, connect).await?;
    let login = connection.login().await?;
    let identity = connection.identity().await?;
    Ok(Health { login, identity, findings: connection.findings().await })
}

/// A provider that is made of what the stack makes can't be asked before that is there.
fn later(context: &Context, key: &ProviderKey, config: &Tree) {
    context.printer.text(&format!("{key}\n  known once the stack is up: {}\n", config.shown()));
    context.printer.object(&object("provider", json!({"provider": key, "known": false})));
}

fn show(context: &Context, key: &ProviderKey, health: &Health) {
    let mut rows: Vec<(String, String)> = health.login.settings.clone();
    rows.extend(health.login.user.iter().map(|user| ("user".to_owned(), user.clone())));
    rows.extend(health.identity.iter().map(|(scope, id)| (scope.clone(), id.clone())));
    if !health.login.roles.is_empty() {
        rows.push(("roles".to_owned(), health.login.roles.join(", ")));
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let rows = rows.iter().map(|(name, value)| format!("  {name:width$}  {}\n", one_line(value)));
    let lines: Vec<String> = rows.chain(health.findings.iter().map(finding_text)).collect();
    context.printer.text(&format!("{key}\n{}", lines.concat()));
    let finding = |f: &Finding| json!({"ok": f.ok, "what": f.what, "hint": f.hint});
    let body = json!({
        "provider": key,
        "known": true,
        "settings": health.login.settings.iter().cloned().collect::<BTreeMap<_, _>>(),
        "user": health.login.user,
        "roles": health.login.roles,
        "identity": health.identity,
        "findings": health.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    context.printer.object(&object("provider", body));
}

fn finding_text(finding: &Finding) -> String {
    let word = if finding.ok { "ok" } else { "missing" };
    let hint = finding.hint.as_ref().filter(|_| !finding.ok);
    let hint = hint.map(|hint| format!("    hint: {}\n", one_line(hint))).unwrap_or_default();
    format!("  {word}: {}\n{hint}", one_line(&finding.what))
}
