//! Lifecycles in memory: what a program's runs do to a cloud, read as a specification.

use std::collections::BTreeMap;

use platform_sdk::{
    Program, Provider as _, Result, Stack,
    desired::Tree,
    plan::Op,
    prelude::*,
    provider::{Connect, Context, ErrorKind, Request},
    testing::{Call, Cloud, Fault, Harness, Machine, Room, Run},
};
use serde_json::json;

const ROOM: &str = "test:Room";
const MACHINE: &str = "test:Machine";

fn program(cloud: &Cloud, declare: impl Fn(&Stack) -> Result<()> + 'static) -> Program {
    Program::new("demo", declare).provider(cloud.provider())
}

fn lab(cloud: &Cloud, size: i64) -> Program {
    program(cloud, move |stack| {
        let room = stack.add("lab", Room::new("lab").floor(1));
        let machine = stack.add("one", Machine::new(&room).size(size));
        stack.export("address", &machine.address);
        Ok(())
    })
}

fn mutations(cloud: &Cloud) -> Vec<String> {
    let calls = cloud.take_calls().into_iter().filter(Call::mutates);
    calls.map(|call| format!("{} {}", call.verb, call.type_name)).collect()
}

fn up(harness: &Harness, program: &Program) -> Run {
    let run = harness.up(program).expect("a plan");
    assert_eq!(run.failures, [], "{:?}", run.steps());
    run
}

fn settled(harness: &Harness, program: &Program) {
    let plan = harness.plan(program).expect("a plan");
    assert!(plan.is_empty(), "refreshed: {:#?}", plan.changes().collect::<Vec<_>>());
    let plan = harness.plan_offline(program).expect("a plan");
    assert!(plan.is_empty(), "offline: {:#?}", plan.changes().collect::<Vec<_>>());
}

#[test]
fn up_creates_in_order_and_a_second_one_does_nothing() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let run = up(&harness, &lab(&cloud, 4));
    assert_eq!(run.steps(), ["create test:Room::lab", "create test:Machine::one"]);
    assert_eq!(mutations(&cloud), ["create test:Room", "create test:Machine"]);
    settled(&harness, &lab(&cloud, 4));
    up(&harness, &lab(&cloud, 4));
    assert_eq!(mutations(&cloud), Vec::<String>::new());
    assert_eq!(harness.snapshot().exports["address"].plain(), Some(json!("10.0.0.2")));
}

#[test]
fn a_changed_field_is_updated_in_place() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &lab(&cloud, 4));
    let run = up(&harness, &lab(&cloud, 5));
    let step = run.step("test:Machine::one").expect("a step");
    assert_eq!((step.op.name(), step.changes.len()), ("update", 1));
    assert_eq!((&step.changes[0].before, &step.changes[0].after), (&Some(json!(4).into()), &Some(json!(5).into())));
    settled(&harness, &lab(&cloud, 5));
}

#[test]
fn a_field_that_the_program_drops_goes_back_to_its_default() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &lab(&cloud, 4));
    let without = program(&cloud, |stack| {
        let room = stack.add("lab", Room::new("lab").floor(1));
        let machine = stack.add("one", Machine::new(&room));
        stack.export("address", &machine.address);
        Ok(())
    });
    let run = up(&harness, &without);
    let step = run.step("test:Machine::one").expect("a step");
    assert_eq!((&step.changes[0].before, &step.changes[0].after), (&Some(json!(4).into()), &Some(json!(3).into())));
    settled(&harness, &without);
}

#[test]
fn drift_is_seen_and_healed() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &lab(&cloud, 4));
    cloud.tamper(MACHINE, "2", "size", json!(9));
    cloud.take_calls();
    let run = up(&harness, &lab(&cloud, 4));
    assert_eq!(run.steps(), ["update test:Machine::one"]);
    assert_eq!(cloud.objects()["test:Machine::2"]["size"], json!(4));
    cloud.lose(MACHINE, "2");
    let run = up(&harness, &lab(&cloud, 4));
    assert_eq!(run.step("test:Machine::one").map(|step| step.reasons.clone()), Some(vec!["gone from reality".into()]));
    settled(&harness, &lab(&cloud, 4));
}

#[test]
fn destroy_deletes_in_reverse_order_and_leaves_nothing() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &lab(&cloud, 4));
    cloud.take_calls();
    let run = harness.destroy(&lab(&cloud, 4)).expect("a plan");
    assert_eq!(run.failures, []);
    assert_eq!(mutations(&cloud), ["delete test:Machine", "delete test:Room"]);
    assert!(cloud.objects().is_empty() && harness.snapshot().resources.is_empty());
    assert_eq!(
        run.step("test:Machine::one").map(|step| step.destroys.clone()),
        Some(vec!["machine `2` with its data".into()])
    );
}

fn on_floor(cloud: &Cloud, floor: i64, name: &'static str) -> Program {
    program(cloud, move |stack| {
        let room = stack.add("lab", Room::new(name).floor(floor));
        stack.add("one", Machine::new(&room));
        Ok(())
    })
}

#[test]
fn replacing_a_parent_under_its_key_replaces_its_children_delete_first() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &on_floor(&cloud, 1, "lab"));
    cloud.take_calls();
    let run = up(&harness, &on_floor(&cloud, 2, "lab"));
    assert_eq!(run.step("test:Room::lab").map(|step| step.op.clone()), Some(Op::Replace { create_first: false }));
    let machine = run.step("test:Machine::one").expect("a step");
    assert_eq!(machine.op, Op::Replace { create_first: false });
    assert_eq!(machine.reasons, ["lives in test:Room::lab, which is replaced"]);
    assert_eq!(
        mutations(&cloud),
        ["delete test:Machine", "delete test:Room", "create test:Room", "create test:Machine"]
    );
    settled(&harness, &on_floor(&cloud, 2, "lab"));
}

#[test]
fn a_replacement_under_another_key_creates_first() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let alone = |floor: i64, name: &'static str| {
        program(&cloud, move |stack| {
            stack.add("lab", Room::new(name).floor(floor));
            Ok(())
        })
    };
    up(&harness, &alone(1, "lab"));
    cloud.take_calls();
    up(&harness, &alone(2, "studio"));
    assert_eq!(mutations(&cloud), ["create test:Room", "delete test:Room"]);
    assert_eq!(cloud.objects().keys().collect::<Vec<_>>(), ["test:Room::studio"]);
    settled(&harness, &alone(2, "studio"));
}

#[test]
fn a_rename_is_in_place_and_children_are_found_again() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &on_floor(&cloud, 1, "lab"));
    cloud.take_calls();
    let run = up(&harness, &on_floor(&cloud, 1, "studio"));
    assert_eq!(run.steps(), ["update test:Room::lab", "update test:Machine::one"]);
    assert_eq!(mutations(&cloud), ["update test:Room"]);
    settled(&harness, &on_floor(&cloud, 1, "studio"));
}

#[test]
fn a_protected_resource_is_neither_deleted_nor_replaced() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let guarded = |floor: i64| {
        program(&cloud, move |stack| {
            stack.add("lab", Room::new("lab").floor(floor)).protect();
            Ok(())
        })
    };
    up(&harness, &guarded(1));
    let before = cloud.objects();
    for refused in [harness.up(&guarded(2)), harness.destroy(&guarded(1))] {
        let error = refused.expect_err("a guard").to_string();
        assert!(error.contains("`test:Room::lab` is protected"), "{error}");
    }
    assert_eq!(cloud.objects(), before);
}

#[test]
fn a_retained_resource_is_forgotten() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let kept = program(&cloud, |stack| {
        stack.add("lab", Room::new("lab")).retain_on_delete();
        Ok(())
    });
    up(&harness, &kept);
    let run = harness.destroy(&kept).expect("a plan");
    assert_eq!(run.steps(), ["forget test:Room::lab"]);
    assert_eq!(cloud.objects().len(), 1);
}

#[test]
fn ignored_changes_are_left_alone_even_by_other_updates() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let ignoring = |size: i64, note: &'static str| {
        program(&cloud, move |stack| {
            let room = stack.add("lab", Room::new("lab"));
            stack.add("one", Machine::new(&room).size(size).note(note)).ignore_changes(["size"]);
            Ok(())
        })
    };
    up(&harness, &ignoring(4, "a"));
    cloud.tamper(MACHINE, "2", "size", json!(9));
    settled_refreshed(&harness, &ignoring(5, "a"));
    up(&harness, &ignoring(5, "b"));
    assert_eq!(cloud.objects()["test:Machine::2"]["size"], json!(9));
    assert_eq!(cloud.objects()["test:Machine::2"]["note"], json!("b"));
}

fn settled_refreshed(harness: &Harness, program: &Program) {
    let plan = harness.plan(program).expect("a plan");
    assert!(plan.is_empty(), "{:#?}", plan.changes().collect::<Vec<_>>());
}

#[test]
fn a_moved_resource_keeps_its_object() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let named = |name: &'static str, old: &'static str| {
        program(&cloud, move |stack| {
            stack.add(name, Room::new("lab")).moved_from(old);
            Ok(())
        })
    };
    up(&harness, &named("a", "z"));
    cloud.take_calls();
    let run = up(&harness, &named("b", "a"));
    assert_eq!(run.steps(), ["move test:Room::b"]);
    assert_eq!(mutations(&cloud), Vec::<String>::new());
    settled(&harness, &named("b", "a"));
}

#[test]
fn two_resources_swap_their_addresses() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let two = |first: &'static str, second: &'static str, swap: bool| {
        program(&cloud, move |stack| {
            let a = stack.add("a", Room::new(first));
            let b = stack.add("b", Room::new(second));
            if swap {
                a.moved_from("b");
                b.moved_from("a");
            }
            Ok(())
        })
    };
    up(&harness, &two("one", "two", false));
    cloud.take_calls();
    up(&harness, &two("two", "one", true));
    assert_eq!(mutations(&cloud), Vec::<String>::new());
    assert_eq!(harness.snapshot().resources[&"test:Room::a".parse().expect("an address")].id, "two");
}

#[test]
fn an_object_of_somebody_else_is_never_taken_over_unasked() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    cloud.plant(ROOM, "lab", &json!({"name": "lab", "serial": "foreign", "comment": "theirs"}));
    let wanting = |adopt: bool| {
        program(&cloud, move |stack| {
            let room = stack.add("lab", Room::new("lab").comment("ours"));
            if adopt {
                room.adopt_existing();
            }
            Ok(())
        })
    };
    let run = harness.up(&wanting(false)).expect("a plan");
    assert!(run.failures[0].to_string().contains("exists already"), "{}", run.failures[0]);
    assert_eq!(cloud.objects()["test:Room::lab"]["comment"], json!("theirs"));
    let run = up(&harness, &wanting(true));
    assert_eq!(run.step("test:Room::lab").map(|step| step.op.name()), Some("adopt"));
    assert_eq!(cloud.objects()["test:Room::lab"], json!({"name": "lab", "serial": "foreign", "comment": "ours"}));
    settled(&harness, &wanting(true));
}

#[test]
fn an_import_takes_the_named_object() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    cloud.plant(ROOM, "lab", &json!({"name": "lab", "serial": "foreign"}));
    let importing = |id: &'static str| {
        program(&cloud, move |stack| {
            stack.add("lab", Room::new("lab")).import(id);
            Ok(())
        })
    };
    let error = harness.up(&importing("attic")).expect_err("nothing to import").to_string();
    assert!(error.contains("there is no `attic` to import"), "{error}");
    cloud.take_calls();
    up(&harness, &importing("lab"));
    assert_eq!(mutations(&cloud), Vec::<String>::new());
    settled(&harness, &importing("lab"));
}

#[test]
fn a_failure_stops_only_what_depends_on_it_and_the_next_run_finishes() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let two = program(&cloud, |stack| {
        let a = stack.add("a", Room::new("a"));
        stack.add("in-a", Machine::new(&a));
        let b = stack.add("b", Room::new("b"));
        stack.add("in-b", Machine::new(&b));
        Ok(())
    });
    cloud.fault(1, Fault::Before(ErrorKind::Denied));
    let run = harness.up(&two).expect("a plan");
    assert_eq!(run.failures.len(), 1);
    assert_eq!(harness.snapshot().resources.len(), 2, "one room and its machine");
    let run = up(&harness, &two);
    assert_eq!(run.steps().len(), 2);
    settled(&harness, &two);
}

#[test]
fn a_lost_answer_of_a_create_is_recognised_and_never_repeated() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    for nth in [1, 2] {
        cloud.fault(nth, Fault::After);
    }
    up(&harness, &lab(&cloud, 4));
    assert_eq!(mutations(&cloud), ["create test:Room", "create test:Machine"]);
    settled(&harness, &lab(&cloud, 4));
}

#[test]
fn a_dropped_reference_and_the_delete_of_its_target_go_together() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let with = |reference: bool| {
        program(&cloud, move |stack| {
            let home = stack.add("home", Room::new("home"));
            let machine = Machine::new(&home);
            if reference {
                let other = stack.add("other", Room::new("other"));
                stack.add("one", machine.note(&other.serial));
            } else {
                stack.add("one", machine.note("none"));
            }
            Ok(())
        })
    };
    up(&harness, &with(true));
    cloud.take_calls();
    up(&harness, &with(false));
    assert_eq!(mutations(&cloud), ["update test:Machine", "delete test:Room"]);
    settled(&harness, &with(false));
}

#[test]
fn a_key_that_one_gives_up_can_be_taken_by_another_in_the_same_run() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let held_by = |name: &'static str| {
        program(&cloud, move |stack| {
            stack.add(name, Room::new("lab"));
            Ok(())
        })
    };
    up(&harness, &held_by("old"));
    cloud.take_calls();
    up(&harness, &held_by("new"));
    assert_eq!(mutations(&cloud), ["delete test:Room", "create test:Room"]);
    settled(&harness, &held_by("new"));
}

#[test]
fn a_step_that_may_replace_replaces_only_when_the_value_differs() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let imaged = |trigger: i64, image: &'static str| {
        program(&cloud, move |stack| {
            let source = stack.add("source", Data::new(json!({"image": image, "other": trigger})));
            let name =
                source.output.map(|value: serde_json::Value| value["image"].as_str().unwrap_or_default().to_owned());
            let room = stack.add("lab", Room::new("lab"));
            stack.add("one", Machine::new(&room).image(name));
            Ok(())
        })
    };
    up(&harness, &imaged(1, "x"));
    cloud.take_calls();
    let run = up(&harness, &imaged(2, "x"));
    let step = run.step("test:Machine::one").expect("a step");
    assert!(step.condition.is_some() && matches!(step.op, Op::Replace { .. }), "{step:?}");
    assert_eq!(mutations(&cloud), Vec::<String>::new(), "the image turned out to be the same");
    settled(&harness, &imaged(2, "x"));
    up(&harness, &imaged(2, "y"));
    assert_eq!(mutations(&cloud), ["create test:Machine", "delete test:Machine"]);
    settled(&harness, &imaged(2, "y"));
}

#[test]
fn secrets_are_shown_nowhere() {
    let canary = "canary-4711";
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let secretive = program(&cloud, move |stack| {
        let room = stack.add("lab", Room::new("lab"));
        let secret = Secret::from(canary);
        stack.add("one", Machine::new(&room).password(&secret).note(&secret));
        let kept = stack.add("kept", Data::new(interpolate!("<{}>", secret).json()));
        stack.export("kept", &kept.output);
        Ok(())
    });
    cloud.fault(2, Fault::Before(ErrorKind::Invalid { field: Some(canary.to_owned()) }));
    let run = harness.up(&secretive).expect("a plan");
    assert!(!format!("{:?}", run.failures).contains(canary), "{:?}", run.failures);
    let run = up(&harness, &secretive);
    let plan = serde_json::to_string(&run.plan).expect("a plan");
    assert!(!plan.contains(canary), "{plan}");
    settled(&harness, &secretive);
    let state = harness.snapshot();
    assert!(state.exports["kept"].has_secrets(), "an output made from a secret is secret");
    let shown = state.resources.values().map(|r| r.outputs.shown().to_string()).collect::<String>();
    assert!(!shown.contains(canary), "{shown}");
}

#[test]
fn targets_take_what_they_need_along() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let two = program(&cloud, |stack| {
        let a = stack.add("a", Room::new("a"));
        stack.add("in-a", Machine::new(&a));
        stack.add("b", Room::new("b"));
        Ok(())
    });
    harness.want(&["in-a"], &[], &[]).expect("targets");
    up(&harness, &two);
    assert_eq!(harness.snapshot().resources.len(), 2);
    harness.want(&["in-a"], &["a"], &["test:Room::a"]).expect("targets");
    harness.want(&[], &[], &[]).expect("targets");
    up(&harness, &two);
    settled(&harness, &two);
}

#[test]
fn a_chain_and_a_diamond_of_data_need_no_provider() {
    let harness = Harness::new();
    let chain = |length: usize| {
        Program::new("demo", move |stack| {
            let mut last = stack.add("d0", Data::new(json!(0)));
            for index in 1..length {
                last = stack.add(&format!("d{index}"), Data::new(last.output.clone()));
            }
            stack.export("last", &last.output);
            Ok(())
        })
    };
    up(&harness, &chain(200));
    settled(&harness, &chain(200));
    assert_eq!(harness.snapshot().exports["last"].plain(), Some(json!(0)));
    let run = up(&harness, &chain(150));
    assert_eq!(run.steps().len(), 50);
}

#[test]
fn foreign_contents_are_listed_and_forbid_the_delete() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let room = |force: bool| {
        program(&cloud, move |stack| {
            stack.add("lab", Room::new("lab")).force_destroy(force);
            Ok(())
        })
    };
    up(&harness, &room(false));
    cloud.plant(MACHINE, "77", &json!({"room": "lab"}));
    let error = harness.destroy(&room(false)).expect_err("foreign contents").to_string();
    assert!(error.contains("test:Machine `77`"), "{error}");
    up(&harness, &room(true));
    let run = harness.destroy(&room(true)).expect("a plan");
    assert_eq!(run.failures, []);
    assert!(run.step("test:Room::lab").is_some_and(|step| step.takes_along == ["test:Machine `77`"]));
    assert!(cloud.objects().is_empty());
}

#[test]
fn another_target_than_the_recorded_one_is_refused_by_name() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    up(&harness, &lab(&cloud, 4));
    cloud.become_another("cloud-2");
    let error = harness.plan(&lab(&cloud, 4)).expect_err("another cloud").to_string();
    assert!(error.contains("`cloud-1`") && error.contains("`cloud-2`"), "{error}");
}

#[test]
fn what_cannot_be_read_holds_back_only_what_depends_on_it() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let sized = |size: i64| {
        program(&cloud, move |stack| {
            let a = stack.add("a", Room::new("a"));
            stack.add("in-a", Machine::new(&a).size(size));
            let b = stack.add("b", Room::new("b"));
            stack.add("in-b", Machine::new(&b).size(size));
            Ok(())
        })
    };
    up(&harness, &sized(1));
    cloud.deny("a");
    let run = harness.up(&sized(2)).expect("a plan");
    assert_eq!(run.steps(), ["update test:Machine::in-b"]);
    assert_eq!(run.plan.warnings.len(), 1);
}

#[test]
fn a_rollback_brings_back_the_inputs_of_then_and_leaves_write_only_fields_alone() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let sized = |size: i64, password: &'static str| {
        program(&cloud, move |stack| {
            let room = stack.add("lab", Room::new("lab"));
            stack
                .add("one", Machine::new(&room).size(size).password(password).note(interpolate!("in {}", room.serial)));
            Ok(())
        })
    };
    up(&harness, &sized(4, "old"));
    let then = harness.snapshot();
    up(&harness, &sized(5, "new"));
    let run = harness.rollback(&sized(5, "new"), &then).expect("a plan");
    assert_eq!(run.failures, []);
    let step = run.step("test:Machine::one").expect("a step");
    assert_eq!(step.changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["size"]);
    assert_eq!(run.step("test:Room::lab"), None);
    let machine = &harness.snapshot().resources[&MACHINE_ONE.parse().expect("an address")];
    assert_eq!(machine.inputs.get("password").and_then(Tree::plain), Some(json!("new")));
    settled(&harness, &sized(4, "new"));
}

const MACHINE_ONE: &str = "test:Machine::one";

#[test]
fn a_rollback_makes_anew_what_was_deleted_since_with_what_it_was_made_with() {
    let (cloud, harness) = (Cloud::new(), Harness::new());
    let with = |machine: bool| {
        program(&cloud, move |stack| {
            let room = stack.add("lab", Room::new("lab"));
            if machine {
                stack.add("one", Machine::new(&room).password("old"));
            }
            Ok(())
        })
    };
    up(&harness, &with(true));
    let then = harness.snapshot();
    up(&harness, &with(false));
    let run = harness.rollback(&with(false), &then).expect("a plan");
    assert_eq!((run.steps(), run.failures), (vec![format!("create {MACHINE_ONE}")], Vec::new()));
    settled(&harness, &with(true));
}

/// Outputs as another version of the page has stored them, and as a create has left them of which only the id is known.
fn misfits() -> [Tree; 4] {
    [json!({"id": "2"}), json!({}), json!({"id": "2", "address": 7}), json!({"id": "2", "port": 80, "note": null})]
        .map(Tree::from)
}

#[test]
fn outputs_that_do_not_fit_the_page_are_read_anew() {
    for outputs in misfits() {
        let (cloud, harness) = (Cloud::new(), Harness::new());
        up(&harness, &lab(&cloud, 4));
        let misfit = || {
            let mut snapshot = harness.snapshot();
            let machine = snapshot.resources.values_mut().find(|state| state.address.type_name() == MACHINE);
            std::sync::Arc::make_mut(machine.expect("a machine")).outputs = outputs.clone();
            harness.restore(snapshot);
        };
        misfit();
        assert_eq!(harness.plan(&lab(&cloud, 4)).expect("a plan").changes().count(), 0, "{outputs:?}");
        up(&harness, &lab(&cloud, 5));
        assert_eq!(cloud.objects()["test:Machine::2"]["size"], json!(5));
        settled(&harness, &lab(&cloud, 5));
        misfit();
        let run = harness.destroy(&lab(&cloud, 5)).expect("a plan");
        assert_eq!((run.failures, cloud.objects().len()), (vec![], 0), "{outputs:?}");
    }
}

#[test]
fn outputs_that_do_not_fit_are_no_obstacle_to_an_update_that_reads_nothing_before() {
    for outputs in misfits() {
        let (cloud, harness) = (Cloud::new(), Harness::new());
        up(&harness, &lab(&cloud, 4));
        let state = harness.snapshot().resources.values().find(|state| state.address.type_name() == MACHINE).cloned();
        let state = state.expect("a machine");
        let asked = Request { id: state.id.clone(), inputs: state.inputs.plain(), outputs: outputs.plain() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let connect = Connect { environment: BTreeMap::new(), sandbox: None };
            let connection = cloud.provider().connector().connect(&json!({}), &connect).await.expect("a connection");
            let driver = connection.driver(MACHINE).expect("machines are registered");
            let mut after = state.inputs.plain().expect("inputs");
            after["size"] = json!(6);
            let paths = ["size".to_owned()];
            let (_, made) = driver.update(&Context::detached(), &asked, &after, &paths).await.expect("it is updated");
            assert_eq!(made.get("address"), state.outputs.get("address"));
            assert!(driver.read(&asked).await.expect("it is read").is_some());
            driver.delete(&Context::detached(), &asked, false).await.expect("it is deleted");
        });
    }
}
