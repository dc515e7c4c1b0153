//! `config`: the stack's configuration, with its secrets hidden.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::config_edit;
use crate::{
    Config, ConfigValue, Result,
    cli::{
        Context, Exit,
        arguments::{ConfigGetArguments, ConfigSetArguments, ConfigVerb},
    },
    files,
    program::KEY,
    report::{Diagnostic, object, one_line},
};

pub(super) fn run(context: &Context, verb: &ConfigVerb) -> Result<Exit> {
    let config = context.program.configuration(&context.stack, &context.environment)?;
    match verb {
        ConfigVerb::Get(arguments) => get(context, &config, arguments)?,
        ConfigVerb::Set(arguments) => set(context, &config, arguments)?,
        ConfigVerb::List => list(context, &config),
        ConfigVerb::RotateKey => rotate(context, &config)?,
    }
    Ok(Exit::Done)
}

/// A value as it may be shown. What the program did not ask for may be a secret that it failed before asking for.
fn shown(config: &Config, key: &str, value: &ConfigValue) -> Value {
    if config.is_secret(key) {
        "[secret]".into()
    } else if config.was_asked(key) {
        value.value.clone()
    } else {
        "[not read by the program]".into()
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn get(context: &Context, config: &Config, arguments: &ConfigGetArguments) -> Result<()> {
    let key = &arguments.key;
    let value = config.values().get(key).ok_or_else(|| config.missing(key))?;
    let shown = shown(config, key, value);
    context.printer.data(&format!("{}\n", plain(&shown)));
    context.printer.object(&entry(key, &shown, &value.source));
    Ok(())
}

fn list(context: &Context, config: &Config) {
    let rows: Vec<_> =
        config.values().iter().map(|(key, value)| (key, shown(config, key, value), &value.source)).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let keys = width(&mut rows.iter().map(|(key, ..)| key.chars().count()));
    let values = width(&mut rows.iter().map(|(_, value, _)| plain(value).chars().count()));
    for (key, value, source) in &rows {
        let row = format!("{key:keys$}  {:values$}  {source}", plain(value));
        context.printer.text(&format!("{}\n", one_line(&row)));
        context.printer.object(&entry(key, value, source));
    }
}

fn entry(key: &str, value: &Value, source: &str) -> Value {
    object("config", json!({"key": key, "value": value, "source": source}))
}

fn set(context: &Context, config: &Config, arguments: &ConfigSetArguments) -> Result<()> {
    let (key, stack) = (&arguments.key, &context.stack);
    if key == KEY {
        let problem = Diagnostic::error(format!("`{KEY}` is the wrapped key of the table's secrets, and no value"));
        return Err(problem.hint("`config rotate-key` wraps it anew; nothing was changed").into());
    }
    let variable = format!("PLATFORM_CONFIG_{}", key.to_uppercase());
    if config.is_secret(key) && !arguments.secret {
        let problem = Diagnostic::error(format!("config key `{key}` is a secret, and the config file is committed"));
        return Err(problem
            .hint(format!(
                "encrypt it there with `config set --secret {key}`, or set {variable} where the program runs"
            ))
            .into());
    }
    let (file, path) = file(context, &variable)?;
    let text = files::text(&path)?;
    let by_hand = |why: String| by_hand(file, key, &why);
    let edited = match &arguments.value {
        Some(value) if !arguments.secret => config_edit::set(&text, stack, key, config_edit::literal(value)),
        given => {
            let secret = given.clone().map_or_else(|| context.ask_secret(key), |text| Ok(Zeroizing::new(text)))?;
            let (sealed, made) = context.program.sealed_config(&context.environment, stack, key, &secret)?;
            let with_key = match made {
                Some(made) => config_edit::set(&text, stack, KEY, toml_value(&made)?).map_err(by_hand)?,
                None => text,
            };
            config_edit::set(&with_key, stack, key, toml_value(&sealed)?)
        }
    };
    replace(&path, &edited.map_err(by_hand)?)?;
    let done = if arguments.secret { "is encrypted" } else { "is set" };
    context.printer.text(&format!("{key} of stack {stack} {done} in {}\n", file.display()));
    if context.environment.contains_key(&variable) {
        let warning = Diagnostic::warning(format!("{variable} overrides what was set")).hint("unset it");
        context.printer.diagnostic(&warning);
    }
    Ok(())
}

/// Wraps the keys of the tables that this stack reads anew.
fn rotate(context: &Context, config: &Config) -> Result<()> {
    let (file, path) = file(context, "the variables")?;
    let mut text = files::text(&path)?;
    let rewrapped = config.sealer().rewrapped()?;
    for (table, wrapped) in &rewrapped {
        text = config_edit::set(&text, table, KEY, toml_value(wrapped)?).map_err(|why| by_hand(file, KEY, &why))?;
    }
    replace(&path, &text)?;
    let tables: Vec<String> = rewrapped.keys().map(|table| format!("[{table}]")).collect();
    let said = if tables.is_empty() {
        "no table holds secrets".to_owned()
    } else {
        format!("wrapped anew: {}", tables.join(", "))
    };
    context.printer.text(&format!("{said}\n"));
    Ok(())
}

/// The program's config file, as it names it and where it is.
fn file<'c>(context: &'c Context, variable: &str) -> Result<(&'c Path, PathBuf)> {
    let Some(file) = &context.program.config_file else {
        let problem = Diagnostic::error("the program names no config file");
        return Err(problem.hint(format!("add `.config_file(..)` to it, or set {variable}")).into());
    };
    Ok((file, files::locate(file)?))
}

fn toml_value(value: &Value) -> Result<toml::Value> {
    Ok(toml::Value::try_from(value)?)
}

fn by_hand(file: &Path, key: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("`{key}` can't be set in `{}`", file.display())).detail(why).hint("edit the file by hand")
}

/// The file is either the old or the new one, whatever happens meanwhile; where it is, and who may read it, stays.
fn replace(path: &Path, text: &str) -> Result<()> {
    let failed = |error: io::Error| {
        let problem = Diagnostic::error(format!("cannot write `{}`", path.display())).detail(error.to_string());
        problem.hint("make the file and its folder writable; nothing was changed")
    };
    let written = || {
        // A link stays one.
        let path = fs::canonicalize(path)?;
        let permissions = fs::metadata(&path)?.permissions();
        if permissions.readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        files::replace(&path, text.as_bytes(), Some(permissions))
    };
    Ok(written().map_err(failed)?)
}
