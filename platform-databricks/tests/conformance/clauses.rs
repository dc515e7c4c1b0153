//! The clauses of the provider contract, each for any page.

use std::{sync::Arc, time::Duration};

use platform_sdk::{
    Field, Shape,
    desired::{Path, Segment, Tree},
    plan::{Sides, diff, foreseen},
    provider::{Context, Driver, ErrorKind, Observation, Readiness, Request},
};
use serde_json::{Value, json};

use crate::{
    page::{Page, not_shown},
    world::World,
};

/// A page with a world and a driver.
pub(crate) struct Stage {
    world: World,
    pub(crate) page: Page,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) ctx: Context,
}

impl Stage {
    pub(crate) async fn of(page: &Page) -> Self {
        let world = World::furnished().await;
        let page = page.filled(&world.ids(&page.names()).await);
        let driver = world.driver(page.type_name);
        Self { world, page, driver, ctx: Context::detached() }
    }

    pub(crate) async fn create(&self) -> Request {
        let inputs = &self.page.inputs;
        let (id, outputs) = self.driver.create(&self.ctx, inputs).await.expect("it is created");
        self.settle(&id).await;
        Request { id, inputs: Some(inputs.clone()), outputs: outputs.plain() }
    }

    /// Waits until the object takes the next call.
    async fn settle(&self, id: &str) {
        while let Readiness::Pending(_) = self.driver.ready(id).await.expect("it can be waited for") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn read(&self, request: &Request) -> Option<Observation> {
        self.driver.read(request).await.expect("it can be read")
    }

    /// The inputs as they are now.
    async fn shown(&self, request: &Request) -> Value {
        plain(&self.read(request).await.expect("it is there").inputs)
    }

    /// The update from what is observed to these inputs, in these fields.
    pub(crate) async fn update(&self, request: &Request, after: &Value, fields: &[String]) -> Request {
        let observed = self.read(request).await.expect("it is there");
        let before = Request { inputs: observed.inputs.plain(), ..request.clone() };
        let updated = self.driver.update(&self.ctx, &before, after, fields).await;
        let (id, outputs) = updated.unwrap_or_else(|error| panic!("an update of {fields:?}: {error}"));
        self.settle(&id).await;
        Request { id, inputs: Some(after.clone()), outputs: outputs.plain() }
    }

    async fn differs_nowhere(&self, request: &Request, wanted: &Value) {
        let desired = Tree::from(wanted.clone());
        let observed = self.read(request).await.expect("it is there").inputs;
        for last in [Some(&desired), None] {
            let sides = Sides { last, observed: Some(&observed), desired: &desired };
            let mut differences = diff(self.driver.schema().fields(), sides);
            if last.is_none() {
                // Nobody but the one who applied it knows what is never shown.
                differences.retain(|difference| !is_write_only(self.driver.schema().fields(), &difference.path));
            }
            assert!(differences.is_empty(), "{differences:#?}");
        }
    }
}

fn is_write_only(fields: &[Field], path: &Path) -> bool {
    let mut fields = fields;
    for segment in path.segments() {
        let Segment::Name(name) = segment else { continue };
        let Some(field) = fields.iter().find(|field| field.name == name) else { return false };
        if field.write_only {
            return true;
        }
        fields = match field.shape {
            Shape::Leaf => &[],
            Shape::Block(below) | Shape::Blocks(below) | Shape::BlockMap(below) => below(),
        };
    }
    false
}

/// Ids of jobs are numbers, those of all else text.
fn id_in_json(id: &str) -> String {
    id.parse::<i64>().map_or_else(|_| format!("\"{id}\""), |id| id.to_string())
}

fn plain(tree: &Tree) -> Value {
    tree.plain().expect("all of it is known")
}

pub(crate) async fn create_is_then_read(page: &Page) {
    let stage = Stage::of(page).await;
    let made = stage.create().await;
    let schema = stage.driver.schema();
    let outputs = made.outputs.clone().expect("outputs");
    for output in schema.outputs {
        assert!(outputs.get(output.name).is_some_and(|value| !value.is_null()), "no output `{}`", output.name);
        let foreseen = foreseen(schema, output, &stage.page.inputs.clone().into());
        assert_eq!(foreseen.is_some(), output.is.is_some(), "`{}` is made of inputs", output.name);
        if let Some(foreseen) = &foreseen {
            assert_eq!(foreseen.shown(), outputs[output.name], "`{}`", output.name);
        }
    }
    assert_eq!(outputs["id"], json!(made.id));
    let observed = stage.read(&made).await.expect("it is there");
    assert_eq!((observed.id.as_str(), plain(&observed.outputs)), (made.id.as_str(), outputs));
    let wrong = not_shown(schema, &stage.page.inputs, &plain(&observed.inputs));
    assert!(wrong.is_empty(), "{wrong:?} of {} against {}", stage.page.inputs, plain(&observed.inputs));
}

pub(crate) async fn absence_and_denial(page: &Page) {
    let stage = Stage::of(page).await;
    let made = stage.create().await;
    let denied = stage.world.denied(page.type_name).read(&made).await.expect_err("it is denied");
    assert_eq!(denied.kind, ErrorKind::Denied);
    stage.driver.delete(&stage.ctx, &made, false).await.expect("it is deleted");
    assert_eq!(stage.read(&made).await, None);
}

pub(crate) async fn find_is_create(page: &Page) {
    let stage = Stage::of(page).await;
    assert_eq!(stage.driver.find(&stage.page.inputs).await.expect("it can be looked for"), []);
    let made = stage.create().await;
    let found = stage.driver.find(&stage.page.inputs).await.expect("it can be looked for");
    assert_eq!(found.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [made.id.as_str()]);
}

pub(crate) async fn update_each_field_alone(page: &Page) {
    let stage = Stage::of(page).await;
    let mut now = stage.create().await;
    for field in stage.page.changing() {
        let mut after = now.inputs.clone().expect("inputs");
        let fields = after.as_object_mut().expect("an object");
        match stage.page.changed.get(&field) {
            Some(value) => fields.insert(field.clone(), value.clone()),
            None => fields.remove(&field),
        };
        let before = stage.shown(&now).await;
        now = stage.update(&now, &after, std::slice::from_ref(&field)).await;
        let shown = stage.shown(&now).await;
        let wrong = not_shown(stage.driver.schema(), &after, &shown);
        assert!(wrong.is_empty(), "after an update of `{field}`, {wrong:?} of {after} against {shown}");
        if stage.page.changed.get(&field).is_none() {
            assert!(shown.get(&field).is_none_or(Value::is_null), "`{field}` is still set: {shown}");
        }
        for (name, value) in before.as_object().expect("an object").iter().filter(|(name, _)| **name != field) {
            assert_eq!(shown.get(name), Some(value), "an update of `{field}` changed `{name}`");
        }
    }
    let outputs = plain(&stage.read(&now).await.expect("it is there").outputs);
    assert_eq!(now.outputs, Some(outputs), "an update gives the outputs that a read gives");
}

pub(crate) async fn delete_twice(page: &Page) {
    let stage = Stage::of(page).await;
    let made = stage.create().await;
    for _ in 0..2 {
        stage.driver.delete(&stage.ctx, &made, false).await.expect("it is deleted");
        assert_eq!(stage.read(&made).await, None);
    }
}

/// The answers to create, update and delete get lost: the first mutation of each, after it was carried out.
pub(crate) async fn lost_answers(page: &Page) {
    let lost = json!({"nth_mutation": {"n": 1, "fault": "reset_after"}});
    let stage = Stage::of(page).await;
    stage.world.faults(&lost).await;
    let made = match stage.driver.create(&stage.ctx, &stage.page.inputs).await {
        Ok((id, outputs)) => Request { id, inputs: Some(stage.page.inputs.clone()), outputs: outputs.plain() },
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Ambiguous, "{error}");
            let found = stage.driver.find(&stage.page.inputs).await.expect("it can be looked for");
            let id = found.first().expect("it was created").id.clone();
            let request = Request { id, inputs: Some(stage.page.inputs.clone()), outputs: None };
            let observed = stage.read(&request).await.expect("it is there");
            Request { outputs: observed.outputs.plain(), ..request }
        }
    };
    let (fields, changed) = (stage.page.changing(), stage.page.changed.clone());
    stage.settle(&made.id).await;
    let before = Request { inputs: Some(stage.shown(&made).await), ..made.clone() };
    stage.world.faults(&lost).await;
    let now = match stage.driver.update(&stage.ctx, &before, &changed, &fields).await {
        Ok((id, outputs)) => Request { id, inputs: Some(changed.clone()), outputs: outputs.plain() },
        // A statement is not sent twice, and what was carried out can leave the object busy; what is left to do is
        // planned again from what is there.
        Err(error) => {
            assert!(matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::NotReady { .. }), "{error}");
            stage.settle(&made.id).await;
            let moved = stage.driver.find(&changed).await.expect("it can be looked for");
            let id = moved.first().map_or(made.id.clone(), |found| found.id.clone());
            stage.update(&Request { id, ..made }, &changed, &fields).await
        }
    };
    let shown = stage.shown(&now).await;
    let wrong = not_shown(stage.driver.schema(), &changed, &shown);
    assert!(wrong.is_empty(), "{wrong:?} of {changed} against {shown}");
    stage.world.faults(&lost).await;
    stage.driver.delete(&stage.ctx, &now, false).await.expect("it is deleted");
    assert_eq!(stage.read(&now).await, None);
}

pub(crate) async fn create_twice(page: &Page) {
    let stage = Stage::of(page).await;
    stage.create().await;
    let second = stage.driver.create(&stage.ctx, &stage.page.inputs).await;
    match second {
        Ok(_) => assert!(!page.exclusive, "a second create is refused"),
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::AlreadyExists, "{error}");
            assert!(error.message.starts_with("create ") && error.message.contains('`'), "{error}");
        }
    }
}

/// What is read is, to the diff, what was asked for: also when nothing says what was last applied.
pub(crate) async fn nothing_differs(page: &Page) {
    let stage = Stage::of(page).await;
    let made = stage.create().await;
    stage.differs_nowhere(&made, &stage.page.inputs).await;
    let changed = stage.update(&made, &stage.page.changed, &stage.page.changing()).await;
    stage.differs_nowhere(&changed, &stage.page.changed).await;
}

pub(crate) async fn changes_behind_our_back(page: &Page) {
    for index in 0..page.behind.len() {
        let stage = Stage::of(page).await;
        let behind = stage.page.behind[index].clone();
        let made = stage.create().await;
        let before = stage.shown(&made).await;
        if let Some(statement) = behind.body.as_str() {
            stage.world.sql(statement).await;
        } else {
            let path = behind.path.replace("$id", &made.id);
            let body = behind.body.to_string().replace("\"$id\"", &id_in_json(&made.id));
            let body = serde_json::from_str(&body).expect("still JSON");
            stage.world.call(behind.method, &path, &body).await;
        }
        let after = stage.shown(&made).await;
        assert_ne!(before.get(behind.field), after.get(behind.field), "a change of `{}` is seen", behind.field);
    }
}
