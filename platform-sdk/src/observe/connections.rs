//! Connections: opened once for each provider and configuration, and proved before they are trusted.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex as Guarded, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::{Mutex, OnceCell, watch};

use super::{
    paced::Paced,
    patience::{Patience, PatientLookUp, READ_PATIENCE, patiently},
};
use crate::{
    desired::{Desired, ProviderKey, canonical, evaluate},
    program::{Origin, Schema, logged_in_twice},
    provider::{Connect, Connection, Connector, Driver, ErrorKind, LookUpDriver, Pace, ProviderError, ProviderResult},
    state::{ResourceState, Snapshot},
};

/// What a connection proved to talk to, by scope.
pub type Identity = BTreeMap<String, String>;

#[derive(Default)]
struct Slot {
    connection: OnceCell<Arc<dyn Connection>>,
    identity: OnceCell<Identity>,
    principal: OnceCell<Option<String>>,
    pace: Arc<Pace>,
}

/// Who connects by a configuration.
enum Login {
    One(Arc<dyn Connector>),
    /// Two providers turned out to be configured alike, and the program gives them different credentials.
    Two,
}

/// Every provider of a program, and the connections that are open to their services.
pub struct Connections {
    connectors: BTreeMap<ProviderKey, Arc<dyn Connector>>,
    /// By kind and configuration, as soon as that is known.
    logins: Guarded<HashMap<(String, String), Login>>,
    environment: BTreeMap<String, String>,
    sandboxes: BTreeMap<&'static str, String>,
    slots: Mutex<HashMap<(String, String), Arc<Slot>>>,
}

impl Connections {
    /// For these connectors; `sandboxes` gives the loopback address of each kind that is sandboxed.
    pub fn new(
        connectors: BTreeMap<ProviderKey, Arc<dyn Connector>>,
        environment: BTreeMap<String, String>,
        sandboxes: BTreeMap<&'static str, String>,
    ) -> Self {
        Self { connectors, logins: Guarded::default(), environment, sandboxes, slots: Mutex::default() }
    }

    /// Makes every provider known whose configuration follows from what state knows.
    pub fn introduce(&self, desired: &Desired, snapshot: &Snapshot) {
        for (key, provider) in &desired.providers {
            let known = &mut |origin: &Origin, field: &str| {
                snapshot.resources.get(&origin.address)?.outputs.get(field).cloned()
            };
            if let Some(config) = evaluate(&provider.config, known).plain() {
                self.configured(key, &config);
            }
        }
    }

    /// A provider's configuration is known now: who connects by it is that provider, with its credentials.
    pub fn configured(&self, key: &ProviderKey, config: &Value) {
        let Some(connector) = self.login_of(key) else { return };
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let login =
            logins.entry((key.kind().to_owned(), canonical(config))).or_insert_with(|| Login::One(connector.clone()));
        if matches!(login, Login::One(first) if first.given_credentials() != connector.given_credentials()) {
            *login = Login::Two;
        }
    }

    /// The facts of every type that a connector knows.
    pub fn schemas(&self) -> BTreeMap<&'static str, &'static Schema> {
        let all = self.connectors.values().flat_map(|connector| connector.schemas());
        all.map(|schema| (schema.type_name, schema)).collect()
    }

    /// What a connector of this kind is given beside its configuration.
    fn given(&self, kind: &str) -> Connect {
        Connect { environment: self.environment.clone(), sandbox: self.sandboxes.get(kind).cloned() }
    }

    /// What connects for a provider: itself, where the program gives it credentials; else as the listed one of its kind.
    fn login_of(&self, key: &ProviderKey) -> Option<&Arc<dyn Connector>> {
        let own = self.connectors.get(key)?;
        let listed = self.connectors.get(&ProviderKey::default_of(key.kind()));
        Some(if own.given_credentials().is_some() { own } else { listed.unwrap_or(own) })
    }

    fn connector(&self, kind: &str, config: &Value) -> ProviderResult<Arc<dyn Connector>> {
        let invalid = |message: String| ProviderError::new(ErrorKind::Invalid { field: None }, message);
        match self.logins.lock().unwrap_or_else(PoisonError::into_inner).get(&(kind.to_owned(), canonical(config))) {
            Some(Login::One(connector)) => return Ok(connector.clone()),
            Some(Login::Two) => {
                let said = logged_in_twice(kind);
                return Err(invalid(said.summary).hint(said.hint.unwrap_or_default()));
            }
            None => {}
        }
        // What was made by a provider that the program has dropped since is reached as the program reaches its kind.
        self.connectors.get(&ProviderKey::default_of(kind)).cloned().ok_or_else(|| {
            invalid(format!("the program lists no provider of kind `{kind}`"))
                .hint("add it to the program with `.provider(..)`")
        })
    }

    /// Whether credentials are there, without any request.
    ///
    /// # Errors
    /// What connecting would answer.
    pub fn check_credentials(&self, kind: &str, config: &Value) -> ProviderResult<()> {
        self.connector(kind, config)?.check_credentials(config, &self.given(kind))
    }

    async fn slot(&self, kind: &str, config: &Value) -> Arc<Slot> {
        let key = (kind.to_owned(), canonical(config));
        self.slots.lock().await.entry(key).or_default().clone()
    }

    /// The connection of a provider with this configuration.
    ///
    /// # Errors
    /// Those of [`Connector::connect`].
    pub async fn connect(&self, kind: &str, config: &Value) -> ProviderResult<Arc<dyn Connection>> {
        let slot = self.slot(kind, config).await;
        let open = || async { self.connector(kind, config)?.connect(config, &self.given(kind)).await };
        slot.connection.get_or_try_init(open).await.cloned()
    }

    /// What answers there, proved once.
    ///
    /// # Errors
    /// Those of [`Connection::identity`].
    pub async fn identity(&self, kind: &str, config: &Value) -> ProviderResult<Identity> {
        let connection = self.connect(kind, config).await?;
        let slot = self.slot(kind, config).await;
        let asked = async || patiently(&slot.pace, &Patience::of(READ_PATIENCE), || connection.identity()).await;
        slot.identity.get_or_try_init(asked).await.cloned()
    }

    /// Whether a provider still answers to its login, asked anew.
    ///
    /// # Errors
    /// Those of [`Connection::answers`], or of connecting.
    pub(crate) async fn answers(&self, kind: &str, config: &Value) -> ProviderResult<()> {
        self.connect(kind, config).await?.answers().await
    }

    /// The way to where an object was made: by this configuration, or by the one that it was made with.
    ///
    /// # Errors
    /// Those of [`Self::identity`]; or `Denied`, when neither leads there.
    pub(crate) async fn way_to(&self, state: &ResourceState, config: Value) -> ProviderResult<Way> {
        let kind = &state.provider.kind;
        let Some((scope, was)) = &state.scope else { return Ok(Way { config, program_leads_to: None }) };
        let made_with = &state.provider.config;
        let is = match self.identity(kind, &config).await {
            Ok(identity) => match identity.get(scope) {
                Some(is) if is != was => is.clone(),
                _ => return Ok(Way { config, program_leads_to: None }),
            },
            // What the program says leads nowhere: then the way by which it was made, if that still is one.
            Err(error) => {
                let made = if config == *made_with { None } else { self.identity(kind, made_with).await.ok() };
                let there = made.is_some_and(|identity| identity.get(scope) == Some(was));
                let way = Way { config: made_with.clone(), program_leads_to: None };
                return if there { Ok(way) } else { Err(error) };
            }
        };
        if config != *made_with && self.identity(kind, made_with).await?.get(scope) == Some(was) {
            return Ok(Way { config: made_with.clone(), program_leads_to: Some((scope.clone(), was.clone(), is)) });
        }
        let text = format!("it was made in {scope} `{was}`, and its provider talks to {scope} `{is}`");
        Err(ProviderError::new(ErrorKind::Denied, text)
            .hint("use the login of the recorded one, or another --stack for the other"))
    }

    /// Who makes objects there, as the service names their makers; asked once. `None` where it does not say.
    pub async fn principal(&self, kind: &str, config: &Value) -> Option<String> {
        let connection = self.connect(kind, config).await.ok()?;
        let slot = self.slot(kind, config).await;
        // It is one more fact to tell our objects by, and no reason to fail where a login may not ask for it.
        let asked = || async { connection.principal().await.unwrap_or_default() };
        slot.principal.get_or_init(asked).await.clone()
    }

    /// The driver of a type there, for what is only read. All drivers of a connection keep one pace.
    ///
    /// # Errors
    /// Those of connecting, or when the provider does not know the type.
    pub async fn driver(&self, kind: &str, config: &Value, type_name: &str) -> ProviderResult<Arc<dyn Driver>> {
        self.patient_driver((kind, config, type_name), READ_PATIENCE).await
    }

    /// The driver of a type there, for what is only read, and is asked again for so long while the service has no time.
    ///
    /// # Errors
    /// Those of [`Self::driver`].
    pub(super) async fn patient_driver(
        &self,
        (kind, config, type_name): (&str, &Value, &str),
        patience: Duration,
    ) -> ProviderResult<Arc<dyn Driver>> {
        let connection = self.connect(kind, config).await?;
        let driver = connection.driver(type_name).ok_or_else(|| unknown(kind, type_name))?;
        let pace = self.slot(kind, config).await.pace.clone();
        Ok(Arc::new(Paced { driver, pace, patience: Patience::of(patience) }))
    }

    /// The driver of a type there, with what is asked between a call's turn and the call. Whoever changes something waits
    /// by itself for a service that has no time; nothing is waited for once `stop` is true.
    ///
    /// # Errors
    /// Those of [`Self::driver`].
    pub(crate) async fn driver_with(
        &self,
        (kind, config, type_name): (&str, &Value, &str),
        asks: impl FnOnce(Arc<dyn Driver>) -> Arc<dyn Driver>,
        stop: watch::Receiver<bool>,
    ) -> ProviderResult<Arc<dyn Driver>> {
        let connection = self.connect(kind, config).await?;
        let driver = asks(connection.driver(type_name).ok_or_else(|| unknown(kind, type_name))?);
        let pace = self.slot(kind, config).await.pace.clone();
        Ok(Arc::new(Paced { driver, pace, patience: Patience { bound: READ_PATIENCE, stop: Some(stop) } }))
    }

    /// The lookup of a type there.
    ///
    /// # Errors
    /// Those of connecting, or when the provider can't look the type up.
    pub async fn look_up(&self, kind: &str, config: &Value, type_name: &str) -> ProviderResult<Arc<dyn LookUpDriver>> {
        let connection = self.connect(kind, config).await?;
        let driver = connection.look_up(type_name).ok_or_else(|| unknown(kind, type_name))?;
        let pace = self.slot(kind, config).await.pace.clone();
        Ok(Arc::new(PatientLookUp { driver, pace }))
    }
}

/// How an object is reached.
pub(crate) struct Way {
    /// The configuration that leads to where it was made.
    pub(crate) config: Value,
    /// The program's own configuration leads elsewhere: `(scope, where it was made, where it leads)`.
    pub(crate) program_leads_to: Option<(String, String, String)>,
}

fn unknown(kind: &str, type_name: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid { field: None }, format!("the provider `{kind}` does not know `{type_name}`"))
}
