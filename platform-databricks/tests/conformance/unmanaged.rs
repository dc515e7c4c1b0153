//! What others set in fields that a program does not: told by `drift`, left alone by `up`, and the same by a list as by a
//! read.

use std::{sync::Arc, time::SystemTime};

use platform_databricks::prelude::*;
use platform_sdk::{
    Field, Shape, Unset,
    prelude::*,
    provider::Request,
    state::Memory,
    testing::{Command, Said},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{clauses::Stage, page::Page, world::World};

/// Inputs without what moves by itself.
fn steady(fields: &[Field], inputs: &Value) -> Value {
    let Value::Object(entries) = inputs else { return inputs.clone() };
    let steady = entries.iter().filter_map(|(name, value)| {
        let field = fields.iter().find(|field| field.name == name).filter(|field| !field.volatile && !field.via)?;
        let value = match (field.shape, value) {
            (Shape::Block(fields), value) => self::steady(fields(), value),
            (Shape::Blocks(fields), Value::Array(items)) => {
                items.iter().map(|item| self::steady(fields(), item)).collect()
            }
            (_, value) => value.clone(),
        };
        Some((name.clone(), value))
    });
    Value::Object(steady.collect())
}

pub(crate) async fn a_list_shows_what_a_read_shows(page: &Page) {
    let stage = Stage::of(page).await;
    let fields = stage.driver.schema().fields();
    let made = stage.create().await;
    // As a program knows it that sets no more than it must.
    let mut bare = stage.page.inputs.clone();
    bare.as_object_mut().expect("an object").retain(|name, _| {
        let field = fields.iter().find(|field| field.name == name).expect("a field");
        matches!(field.unset, Unset::Never) || field.via
    });
    let of = |id: String| Request { id, inputs: Some(bare.clone()), outputs: made.outputs.clone() };
    let read = stage.driver.read(&of(made.id.clone())).await.expect("it can be read").expect("it is there");
    // Beside it, where it has a parent: one that stands alone is read.
    let listed =
        stage.driver.list(&[of(made.id.clone()), of(format!("{}2", made.id))]).await.expect("they can be listed");
    let Some(listed) = listed.and_then(|all| all.into_iter().find(|seen| seen.id == made.id)) else { return };
    let [read, listed] = [read, listed].map(|seen| steady(fields, &seen.inputs.plain().expect("all of it is known")));
    assert_eq!(listed, read);
}

fn nightly() -> Program {
    Program::new("jobs", |stack| {
        stack.add("nightly", Job::new("nightly").task(Task::notebook("load", "/Shared/load")));
        Ok(())
    })
    .provider(WorkspaceProvider::from_env())
}

/// A command of the program over a sandbox.
async fn run(world: &World, store: &Arc<Memory>, line: &[&str]) -> (u8, String) {
    let said = Said::default();
    let environment = [("DATABRICKS_HOST", world.url()), ("DATABRICKS_TOKEN", "sandbox")];
    let command = Command {
        program: nightly(),
        line: line.iter().map(|word| (*word).to_owned()).collect(),
        store: store.clone(),
        folder: None,
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        clock: Arc::new(|| SystemTime::now().into()),
        stop: watch::channel(false).1,
        said: said.clone(),
    };
    let exit = command.run().await;
    (exit, said.out() + &said.err())
}

#[tokio::test]
async fn a_schedule_that_is_put_on_a_job_without_one_is_told_and_left() {
    let (world, store) = (World::furnished().await, Arc::<Memory>::default());
    let (exit, said) = run(&world, &store, &["up", "--yes"]).await;
    assert_eq!(exit, 0, "{said}");
    assert_eq!(
        run(&world, &store, &["drift", "--unmanaged"]).await,
        (0, "No drift. Reality is what state says.\n".into())
    );
    let jobs = world.call("GET", "/api/2.2/jobs/list", &Value::Null).await;
    let id = jobs["jobs"][0]["job_id"].clone();
    let schedule = json!({"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC"});
    world.call("POST", "/api/2.2/jobs/update", &json!({"job_id": id, "new_settings": {"schedule": schedule}})).await;
    let (exit, said) = run(&world, &store, &["drift"]).await;
    assert_eq!(exit, 0, "{said}");
    insta::assert_snapshot!(said, @r#"
    * databricks:Job::nightly  unmanaged
        schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: "UTC"}  (was not set)

    No drift in what the program sets.
    1 resource was changed in what the program does not set; `up` leaves that as it is.
    "#);
    assert_eq!(run(&world, &store, &["drift", "--unmanaged"]).await.0, 2);
    let (exit, planned) = run(&world, &store, &["plan", "--detailed-exitcode"]).await;
    assert!(exit == 0 && !planned.contains("schedule"), "{planned}");
    assert_eq!(run(&world, &store, &["up", "--yes"]).await.0, 0);
    let job = world.call("GET", &format!("/api/2.2/jobs/get?job_id={id}"), &Value::Null).await;
    assert_eq!(job["settings"]["schedule"]["quartz_cron_expression"], "0 0 2 * * ?");
    assert_eq!(run(&world, &store, &["drift"]).await, (0, said), "a run takes nothing for granted");
}
