//! A provider that can't be reached, a login that ends, a lookup that fails: what hangs on it waits, the others go on, and
//! the cause is told once.

use platform_sdk::{
    Program,
    provider::ErrorKind,
    testing::{Harness, Run},
};
use tokio::runtime::Builder;

use super::{
    commands::Commands,
    support::{program, refused, settled, steps, up},
    yard::{House, Room, World, Yard},
};

/// In virtual time: a service that can't be reached is waited for.
fn harness() -> Harness {
    Harness::new().with_runtime(|| Builder::new_current_thread().enable_time().start_paused(true).build())
}

/// Many houses in the yard, with a room in each third.
fn many(world: &World) -> Program {
    program(world, |stack| {
        for n in 0..1_500 {
            let house = stack.add(&format!("house-{n}"), House::new(format!("house-{n}")));
            if n % 3 == 0 {
                stack.add(&format!("room-{n}"), Room::new(&house, "room"));
            }
        }
        Ok(())
    })
}

fn told_once(run: &Run) -> String {
    let told: Vec<String> = run.failures.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    told[0].clone()
}

#[test]
fn a_login_that_ends_is_told_once_holds_back_the_rest_unsent_and_the_next_run_goes_on() {
    for (how, what) in [(ErrorKind::Denied, "refuses its login"), (ErrorKind::Unavailable, "can't be reached any more")]
    {
        let (world, harness) = (World::default(), harness());
        world.ends_after("yard-1", 100, how.clone());
        let run = harness.up(&many(&world)).expect("a plan");
        let told = told_once(&run);
        assert!(told.contains(&format!("the provider `yard` {what}")), "{told}");
        assert!(told.contains("yard `yard-1` does not answer to this login"), "{told}");
        assert!(told.contains("1900 steps wait for it, and nothing of them was sent"), "{told}");
        assert!(told.contains("run the command again"), "{told}");
        assert_eq!(world.objects().len(), 100);
        let vain = world.answers_again();
        assert!(vain <= 400, "{vain} requests were sent in vain");
        assert!(how != ErrorKind::Denied || vain <= 50, "{vain} requests were sent in vain");
        assert_eq!(world.calls().len(), 100);
        up(&harness, &many(&world));
        assert_eq!((world.objects().len(), world.calls().len()), (2_000, 1_900));
        settled(&harness, &many(&world));
    }
}

#[test]
fn a_login_that_ends_during_deletes_is_told_once() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &many(&world));
    world.ends_after("yard-1", 100, ErrorKind::Denied);
    let run = harness.destroy(&many(&world)).expect("a plan");
    assert!(told_once(&run).contains("refuses its login"));
    world.answers_again();
    let run = harness.destroy(&many(&world)).expect("a plan");
    assert_eq!(run.failures, []);
    assert_eq!(world.objects(), Vec::<String>::new());
}

#[test]
fn one_object_that_is_denied_is_a_failure_of_its_own_and_the_others_go_on() {
    use super::yard::Fault;

    let (world, harness) = (World::default(), harness());
    world.fault("create House", Fault::Refused);
    let run = harness.up(&many(&world)).expect("a plan");
    let told = told_once(&run);
    assert!(told.contains("cannot create") && told.contains("refused on purpose"), "{told}");
    assert!(world.objects().len() >= 1_998, "{}", world.objects().len());
}

/// Three houses here and three in the yard behind `north`.
fn two(world: &World) -> Program {
    both(world, "x", 3)
}

fn both(world: &World, comment: &'static str, count: usize) -> Program {
    let north = Yard::of(world).over("north");
    world.leads_to("north", "yard-2");
    program(world, move |stack| {
        for n in 0..count {
            stack.add(&format!("here-{n}"), House::new(format!("here-{n}")).comment(comment));
            stack.within(&north).add(&format!("there-{n}"), House::new(format!("there-{n}")).comment(comment));
        }
        Ok(())
    })
}

#[test]
fn an_apply_goes_on_where_providers_answer() {
    let (world, harness) = (World::default(), harness());
    world.ends_after("yard-2", 0, ErrorKind::Unavailable);
    let run = harness.up(&two(&world)).expect("a plan");
    assert!(told_once(&run).contains("3 steps wait for it"), "{:?}", run.failures);
    assert_eq!(world.objects_of("yard-1").len(), 3);
    world.answers_again();
    up(&harness, &two(&world));
    assert_eq!(world.objects_of("yard-2").len(), 3);
}

#[test]
fn what_lies_behind_a_provider_that_can_t_be_reached_waits_and_the_others_go_on() {
    for how in [ErrorKind::Denied, ErrorKind::Unavailable] {
        let (world, harness) = (World::default(), harness());
        up(&harness, &two(&world));
        world.ends_after("yard-2", 0, how);
        let run = up(&harness, &both(&world, "y", 4));
        let mut done = steps(&run.plan);
        done.sort();
        let here = ["here-0", "here-1", "here-2"].map(|name| format!("update yard:House::{name}"));
        assert_eq!(done, [&["create yard:House::here-3".to_owned()][..], &here].concat());
        let warnings: Vec<String> = run.plan.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert!(warnings[0].contains("cannot reach the provider `yard`"), "{warnings:#?}");
        assert!(warnings[0].contains("4 resources lie behind it"), "{warnings:#?}");
        world.answers_again();
        assert_eq!(up(&harness, &both(&world, "y", 4)).plan.changes().count(), 4);
        settled(&harness, &both(&world, "y", 4));
    }
}

#[test]
fn where_nothing_else_is_left_it_is_an_error_that_is_told_once() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &many(&world));
    world.ends_after("yard-1", 0, ErrorKind::Denied);
    let said = refused(&harness, &many(&world));
    assert_eq!(said.matches("cannot reach the provider `yard`").count(), 1, "{said}");
    assert!(said.len() < 500, "{said}");
}

#[test]
fn a_destroy_ends_what_can_be_reached_and_leaves_the_rest() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &two(&world));
    world.ends_after("yard-2", 0, ErrorKind::Unavailable);
    let run = harness.destroy(&two(&world)).expect("a plan");
    assert_eq!(run.failures, []);
    assert_eq!((world.objects_of("yard-1").len(), world.objects_of("yard-2").len()), (0, 3));
    world.answers_again();
    assert_eq!(harness.destroy(&two(&world)).expect("a plan").failures, []);
    assert_eq!(world.objects(), Vec::<String>::new());
}

#[test]
fn a_target_contacts_only_what_it_needs() {
    let (world, harness) = (World::default(), harness());
    up(&harness, &two(&world));
    world.ends_after("yard-2", 0, ErrorKind::Unavailable);
    for (targets, exclude) in [(&["here-*"][..], &[][..]), (&[], &["there-*"])] {
        harness.want(targets, exclude, &[]).expect("globs");
        let plan = harness.plan(&both(&world, "y", 3)).expect("a plan");
        assert_eq!(plan.changes().count(), 3);
        assert_eq!(plan.warnings, []);
    }
    assert_eq!(world.answers_again(), 0, "nobody asked there");
}

#[test]
fn commands_say_it_once_and_by_their_exit_code() {
    let stack = Commands::of(two);
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
    stack.world.ends_after("yard-2", 0, ErrorKind::Denied);
    let once = |said: &str| said.matches("cannot reach the provider `yard`").count() == 1;
    for line in [&["plan", "--detailed-exitcode"][..], &["drift"], &["up", "--yes"]] {
        let (exit, said) = stack.run(line);
        assert!(exit == 1 && once(&said), "{line:?}: {exit} {said}");
    }
    let (exit, said) = stack.run(&["plan", "--detailed-exitcode", "--target", "here-*"]);
    assert!(exit == 0 && !said.contains("cannot reach"), "{exit} {said}");
    stack.world.answers_again();
    assert_eq!(stack.run(&["up", "--yes"]).0, 0);
}

#[test]
fn a_lookup_that_fails_holds_back_what_hangs_on_it_and_nothing_else() {
    let (world, harness) = (World::default(), harness());
    let inside = |key: &'static str| {
        program(&world, move |stack| {
            let attic = stack.lookup::<House>(key);
            stack.add("room", Room::new(&attic, "room"));
            stack.export("serial", &attic.serial);
            stack.add("home", House::new("home"));
            Ok(())
        })
    };
    let run = up(&harness, &inside("attic"));
    assert_eq!(steps(&run.plan), ["create yard:House::home"]);
    assert!(run.plan.warnings[0].to_string().contains("there is no yard:House `attic`"), "{:?}", run.plan.warnings);
    assert_eq!(world.objects(), ["House home"]);
    let run = up(&harness, &inside("home"));
    assert_eq!(steps(&run.plan), ["create yard:Room::room"]);
    assert!(harness.snapshot().exports.contains_key("serial"));
    // What was known of it once is kept while it can't be read.
    let before = harness.snapshot();
    up(&harness, &inside("attic"));
    assert_eq!(harness.snapshot().exports, before.exports);
}
