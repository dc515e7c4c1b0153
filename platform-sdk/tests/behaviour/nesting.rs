//! Values that nest deeper than state can be read back: refused where they are declared or answered, by their path.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use async_trait::async_trait;
use platform_sdk::{
    Expr, Provider, ToExpr as _,
    derive::{Outputs, Resource},
    prelude::*,
    provider::{Change, Connector, Context, Drivers, Existing, Found, Made, Manage, Observed, ProviderResult, Read},
    testing::{Harness, OneClient},
};
use serde_json::{Map, Value, json};

use super::{
    commands::Commands,
    support::{fails, program, refused, settled, up},
    yard::World,
};

/// How deep a value may nest.
const DEPTH: usize = 64;

/// What is too deep: just so, past the parser's own bound, past a thread's stack, past any stack.
const TOO_DEEP: [usize; 4] = [DEPTH + 1, 130, 5_000, 1_000_000];

fn lists(depth: usize) -> Value {
    (1..depth).fold(json!([]), |inner, _| Value::Array(vec![inner]))
}

fn maps(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| Value::Object(Map::from_iter([("a".to_owned(), inner)])))
}

/// The refusal names all of these, and this file.
fn names(said: &str, all: &[&str]) {
    assert!(all.iter().all(|part| said.contains(part)), "{said}");
    assert!(said.contains("nesting.rs:"), "the line of the program: {said}");
}

#[test]
fn an_input_that_nests_too_deep_is_refused_where_it_is_declared() {
    for depth in TOO_DEEP {
        for value in [lists, maps] {
            let deep = program(&World::default(), move |stack| {
                stack.add("deep", Data::new(value(depth)));
                Ok(())
            });
            let said = refused(&Harness::new(), &deep);
            names(&said, &["platform:Data::deep", "`input", "more than 64 deep"]);
        }
    }
    for value in [lists, maps] {
        let harness = Harness::new();
        let just = program(&World::default(), move |stack| {
            let data = stack.add("just", Data::new(value(DEPTH)));
            stack.export("just", &data.output);
            Ok(())
        });
        up(&harness, &just);
        settled(&harness, &just);
    }
}

#[test]
fn so_are_triggers_secrets_blocks_and_outputs_of_the_stack() {
    let world = World::default();
    let said = refused(
        &Harness::new(),
        &program(&world, |stack| {
            stack.add("x", Data::new(json!(1)).trigger(&lists(DEPTH + 1)));
            Ok(())
        }),
    );
    names(&said, &["platform:Data::x", "`triggers", "more than 64 deep"]);
    let said = refused(
        &Harness::new(),
        &program(&world, |stack| {
            stack.add("x", Data::new(Output::from_expr(Secret::new(lists(DEPTH + 1)).to_expr())));
            Ok(())
        }),
    );
    names(&said, &["platform:Data::x", "`input", "more than 64 deep"]);
    let said = refused(
        &Harness::new(),
        &program(&world, |stack| {
            stack.export("depth", lists(5_000));
            Ok(())
        }),
    );
    names(&said, &["output `depth`", "more than 64 deep"]);
}

#[test]
fn so_is_a_value_of_the_configuration() {
    let harness = Harness::new().with_variable("PLATFORM_CONFIG_SHAPE", &lists(100).to_string());
    let said = refused(
        &harness,
        &program(&World::default(), |stack| {
            let _shape: Vec<Value> = stack.config("shape")?;
            Ok(())
        }),
    );
    assert!(said.contains("`shape`") && said.contains("PLATFORM_CONFIG_SHAPE") && said.contains("64"), "{said}");
}

#[test]
fn what_a_function_makes_too_deep_fails_its_step_and_nothing_else() {
    for depth in TOO_DEEP {
        let (harness, world) = (Harness::new(), World::default());
        let deep = program(&world, move |stack| {
            let one = stack.add("one", Data::new(json!(1)));
            stack.add("two", Data::new(one.output.map(move |_: Value| lists(depth))));
            Ok(())
        });
        let said = fails(&harness, &deep).join("\n");
        names(&said, &["platform:Data::two", "more than 64 deep"]);
        let kept: Vec<String> = harness.snapshot().resources.keys().map(ToString::to_string).collect();
        assert_eq!(kept, ["platform:Data::one"]);
    }
}

#[test]
fn values_that_are_put_into_each_other_run_after_run_end_at_the_bound() {
    let harness = Harness::new();
    let around = program(&World::default(), |stack| {
        let one = stack.add("one", Data::new(lists(DEPTH)));
        stack.add("two", Data::new(Output::<Vec<Value>>::from_expr(Expr::list([one.output.to_expr()])).json()));
        Ok(())
    });
    let said = fails(&harness, &around).join("\n");
    names(&said, &["platform:Data::two", "`input[0]", "more than 64 deep"]);
}

#[test]
fn outputs_made_of_each_other_without_end_are_refused() {
    let said = refused(
        &Harness::new(),
        &program(&World::default(), |stack| {
            let mut text = stack.add("one", Data::new(json!("x"))).output.map(|value: Value| value.to_string());
            for _ in 0..5_000 {
                text = text.map(|text: String| text);
            }
            stack.add("two", Data::new(text.json()));
            Ok(())
        }),
    );
    names(&said, &["platform:Data::two", "`input`", "made of"]);
}

#[test]
fn a_stack_that_was_refused_works_as_before() {
    let mut commands = Commands::of(|world| {
        program(world, |stack| {
            stack.add("deep", Data::new(lists(5)));
            Ok(())
        })
    });
    assert_eq!(commands.run(&["up", "--yes"]).0, 0);
    commands.program = |world| {
        program(world, |stack| {
            stack.add("deep", Data::new(lists(130)));
            Ok(())
        })
    };
    let (exit, said) = commands.look(&["up", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    names(&said, &["platform:Data::deep", "more than 64 deep"]);
    let (exit, said) = commands.look(&["state", "list"]);
    assert_eq!(exit, 0, "{said}");
}

/// An object of a service that answers as deep as it likes.
#[derive(Resource)]
#[resource(type = "test:Well", outputs = WellOutputs, provider = Ground, identity = key)]
struct Well<S: Stage = Declared> {
    #[field(required, key, replace)]
    name: S::In<String>,
}

#[derive(Outputs)]
struct WellOutputs<S: Stage = Declared> {
    id: S::Out<Id<Well>>,
    shaft: S::Out<Option<Value>>,
}

#[derive(Clone)]
struct Ground(Arc<AtomicUsize>);

impl Provider for Ground {
    const KIND: &'static str = "ground";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(self.clone(), || Drivers::default().with::<Well>()))
    }
}

impl Ground {
    fn outputs(&self, id: &str) -> WellOutputs<platform_sdk::Resolved> {
        WellOutputs { id: Id::new(id), shaft: Some(lists(self.0.load(Relaxed))) }
    }
}

#[async_trait]
impl Manage for Well {
    type Client = Ground;

    async fn read(ground: &Ground, existing: &Existing<Self>) -> Read<Self> {
        let (id, outputs) = (existing.id.clone(), ground.outputs(&existing.id));
        let inputs = Well { name: existing.id.clone() };
        Ok((ground.0.load(Relaxed) > 0).then_some(Observed { id, inputs, outputs, tainted: None }))
    }

    async fn find(_ground: &Ground, _inputs: &Well<platform_sdk::Resolved>) -> ProviderResult<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn create(
        ground: &Ground,
        _ctx: &Context,
        inputs: Well<platform_sdk::Resolved>,
    ) -> ProviderResult<Made<Self>> {
        Ok(Made { outputs: ground.outputs(&inputs.name), id: inputs.name })
    }

    async fn update(ground: &Ground, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        Ok(Made { outputs: ground.outputs(&change.id), id: change.id })
    }

    async fn delete(ground: &Ground, _ctx: &Context, _existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        ground.0.store(0, Relaxed);
        Ok(())
    }
}

#[test]
fn an_answer_that_nests_too_deep_loses_that_output_and_not_the_object() {
    for depth in [DEPTH + 1, 130, 2_000] {
        let (harness, ground) = (Harness::new(), Ground(Arc::new(AtomicUsize::new(depth))));
        let of = |wants: bool| {
            Program::new("demo", move |stack| {
                let well = stack.add("well", Well::new("w"));
                if wants {
                    stack.add("copy", Data::new(well.shaft.json()));
                }
                Ok(())
            })
            .provider(ground.clone())
        };
        up(&harness, &of(false));
        let kept = harness.snapshot().resources[&"test:Well::well".parse().expect("an address")].clone();
        assert_eq!(kept.id, "w");
        assert!(!kept.outputs.is_known(), "{:?}", kept.outputs);
        settled(&harness, &of(false));
        let said = fails(&harness, &of(true)).join("\n");
        names(&said, &["platform:Data::copy", "more than 64 deep"]);
        let nothing = Program::new("demo", |_| Ok(())).provider(ground.clone());
        up(&harness, &nothing);
        assert!(harness.snapshot().resources.is_empty());
        assert_eq!(ground.0.load(Relaxed), 0, "it was deleted");
    }
}
