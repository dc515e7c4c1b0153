//! The resource types of the simulated cloud: each way of being recognised, contained, held, keyed and changed, once.

use std::sync::Arc;

use platform_sdk::{
    Declared, Expr, Id, Output, Provider, Secret, Stage, ToExpr,
    derive::{Outputs, Resource},
    provider::Connector,
};

use crate::{cloud::Cloud, driver::SimConnector};

/// The provider of the cloud itself.
#[derive(Clone)]
pub(crate) struct Sim {
    pub(crate) cloud: Cloud,
}

impl Provider for Sim {
    const KIND: &'static str = "sim";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(SimConnector { cloud: self.cloud.clone(), inside: false })
    }
}

/// The provider of what lies inside a site, as a workspace is the provider of what lies in it.
#[derive(Clone)]
pub(crate) struct Inside {
    pub(crate) cloud: Cloud,
    pub(crate) site: Option<Output<Id<Site>>>,
}

impl Provider for Inside {
    const KIND: &'static str = "sim.site";

    fn config(&self) -> Expr {
        Expr::map(self.site.iter().map(|site| ("site".into(), site.to_expr())))
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(SimConnector { cloud: self.cloud.clone(), inside: true })
    }
}

/// Named by its key, which is renamed in place; its delete is refused while shelves are in it.
#[derive(Resource)]
#[resource(type = "sim:Area", outputs = AreaOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = key)]
pub(crate) struct Area<S: Stage = Declared> {
    #[field(required, key, renames)]
    pub(crate) name: S::In<String>,
    #[field(replace)]
    pub(crate) zone: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct AreaOutputs<S: Stage = Declared> {
    #[output(is = "{name}")]
    pub(crate) id: S::Out<Id<Area>>,
    pub(crate) serial: S::Out<String>,
}

/// Lies in an area, which refuses to go while it is there; its id is made of both names.
#[derive(Resource)]
#[resource(type = "sim:Shelf", outputs = ShelfOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = key)]
pub(crate) struct Shelf<S: Stage = Declared> {
    #[field(required, key, parent = refuses)]
    pub(crate) area: S::In<Id<Area>>,
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    #[field(default = 3)]
    pub(crate) size: Option<S::In<i64>>,
    #[field(replace)]
    pub(crate) grade: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct ShelfOutputs<S: Stage = Declared> {
    #[output(is = "{area}/{name}")]
    pub(crate) id: S::Out<Id<Shelf>>,
    pub(crate) serial: S::Out<String>,
}

/// Takes everything in it along when it goes; takes a while until it can be used.
#[derive(Resource)]
#[resource(type = "sim:Site", outputs = SiteOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = key, provides)]
pub(crate) struct Site<S: Stage = Declared> {
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    #[field(computed)]
    pub(crate) color: Option<S::In<String>>,
    #[field(replace)]
    pub(crate) grade: Option<S::In<i64>>,
}

#[derive(Outputs)]
pub(crate) struct SiteOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Site>>,
    pub(crate) serial: S::Out<String>,
}

/// Lies in a site and goes with it; holds data.
#[derive(Resource)]
#[resource(type = "sim:Desk", outputs = DeskOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = key, data)]
pub(crate) struct Desk<S: Stage = Declared> {
    #[field(required, key, parent = cascades)]
    pub(crate) site: S::In<Id<Site>>,
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    #[field(default = 3)]
    pub(crate) size: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct DeskOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Desk>>,
    pub(crate) serial: S::Out<String>,
}

/// Reached through a site, as a resource of a workspace is: its scope is that site.
#[derive(Resource)]
#[resource(type = "sim:Tool", outputs = ToolOutputs, provider = Inside, scope = "site", consistency_ms = 10000, identity = key)]
pub(crate) struct Tool<S: Stage = Declared> {
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    #[field(default = 3)]
    pub(crate) size: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct ToolOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Tool>>,
    pub(crate) serial: S::Out<String>,
}

/// Can't go while a unit holds it.
#[derive(Resource)]
#[resource(type = "sim:Lock", outputs = LockOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = key)]
pub(crate) struct Lock<S: Stage = Declared> {
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    #[field(replace)]
    pub(crate) grade: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct LockOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Lock>>,
    pub(crate) serial: S::Out<String>,
}

/// Without a natural key: recognised by a mark. Holds data, a password, and perhaps a lock. Made by two requests.
#[derive(Resource)]
#[resource(type = "sim:Unit", outputs = UnitOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = mark(mark), data)]
pub(crate) struct Unit<S: Stage = Declared> {
    #[field(required)]
    pub(crate) title: S::In<String>,
    #[field(nullable, holds)]
    pub(crate) lock: Option<S::In<Id<Lock>>>,
    #[field(default = 3)]
    pub(crate) size: Option<S::In<i64>>,
    #[field(replace)]
    pub(crate) grade: Option<S::In<i64>>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
    #[field(computed, secret, write_only)]
    pub(crate) password: Option<S::In<Secret<String>>>,
    #[field(computed)]
    pub(crate) mark: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct UnitOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Unit>>,
    pub(crate) serial: S::Out<String>,
}

/// Without a natural key and without a mark: recognised by its absence from the list before. Nothing of it but its text
/// can be changed.
#[derive(Resource)]
#[resource(type = "sim:Ticket", outputs = TicketOutputs, provider = Sim, scope = "cloud", consistency_ms = 10000, identity = list_difference)]
pub(crate) struct Ticket<S: Stage = Declared> {
    #[field(required, replace)]
    pub(crate) title: S::In<String>,
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
    #[field(replace)]
    pub(crate) about: Option<S::In<String>>,
}

#[derive(Outputs)]
pub(crate) struct TicketOutputs<S: Stage = Declared> {
    pub(crate) id: S::Out<Id<Ticket>>,
    pub(crate) serial: S::Out<String>,
}
