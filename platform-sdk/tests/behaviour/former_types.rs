//! A type that got another name: what state knows under the former one is the same object, and nothing is done about it.

use std::collections::BTreeMap;

use platform_sdk::{Program, desired::Address, state::Snapshot, testing::Harness};

use super::{
    commands::Commands,
    support::{fails, nothing, owned, program, settled, steps, up},
    yard::{Fault, House, Lock, Sign, World},
};

/// A lock in a house, and a sign that tells of the lock.
fn locked(world: &World, address: &'static str, note: &'static str, moved_from: Option<&'static str>) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home"));
        let lock = stack.add(address, Lock::new().house(&house).note(note));
        let lock = moved_from.iter().fold(lock, |lock, old| lock.moved_from(old));
        stack.add("sign", Sign::new("sign").words(&lock.serial));
        Ok(())
    })
}

/// State as an SDK left it that called a lock a bolt.
fn as_before(snapshot: Snapshot) -> Snapshot {
    let locks = snapshot.all().map(|state| &state.address).filter(|address| address.type_name() == "yard:Lock");
    let bolt = |lock: &Address| Address::new("yard:Bolt", lock.path()).expect("an address");
    let names: BTreeMap<Address, Address> = locks.map(|lock| (lock.clone(), bolt(lock))).collect();
    snapshot.readdressed(&names)
}

fn with_a_bolt(world: &World) -> Harness {
    let harness = Harness::new();
    up(&harness, &locked(world, "lock", "x", None));
    harness.restore(as_before(harness.snapshot()));
    assert_eq!(owned(&harness)[0], "yard:Bolt::lock 2");
    world.calls();
    harness
}

#[test]
fn another_name_is_no_change() {
    let world = World::default();
    let harness = with_a_bolt(&world);
    settled(&harness, &locked(&world, "lock", "x", None));
}

/// A stack whose state is of an SDK that called a lock a bolt.
fn commands_with_a_bolt() -> Commands {
    let commands = Commands::of(|world| locked(world, "lock", "x", None));
    assert_eq!(commands.run(&["up", "--yes"]).0, 0);
    let (_, exported) = commands.run(&["state", "export"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.json");
    std::fs::write(&file, exported.replace("yard:Lock", "yard:Bolt")).expect("written");
    let (exit, said) = commands.run(&["state", "import", file.to_str().expect("text"), "--yes"]);
    assert_eq!(exit, 0, "{said}");
    assert!(commands.run(&["state", "list"]).1.contains("yard:Bolt::lock"));
    commands
}

#[test]
fn nothing_is_written_for_another_name() {
    let commands = commands_with_a_bolt();
    for line in [&["plan", "--detailed-exitcode"][..], &["drift"], &["up", "--yes"]] {
        let (exit, said) = commands.look(line);
        assert_eq!(exit, 0, "{line:?}: {said}");
    }
}

#[test]
fn it_is_moved_by_hand_to_an_address_of_its_name_of_today_and_of_no_other() {
    let commands = commands_with_a_bolt();
    let (exit, said) = commands.run(&["state", "mv", "yard:Bolt::lock", "yard:House::lock"]);
    assert!(exit == 1 && said.contains("can't become a yard:House"), "{said}");
    let (exit, said) = commands.run(&["state", "mv", "yard:Bolt::lock", "yard:Lock::lock"]);
    assert_eq!(exit, 0, "{said}");
    assert!(commands.run(&["state", "list"]).1.contains("yard:Lock::lock"));
    assert_eq!(commands.look(&["up", "--yes"]).0, 0);
}

#[test]
fn the_next_change_is_an_update_under_the_name_of_today() {
    let world = World::default();
    let harness = with_a_bolt(&world);
    let run = up(&harness, &locked(&world, "lock", "y", None));
    assert_eq!(run.steps(), ["update yard:Lock::lock"]);
    let snapshot = harness.snapshot();
    assert_eq!(owned(&harness), ["yard:House::home home", "yard:Lock::lock 2", "yard:Sign::sign sign"]);
    let sign = &snapshot.resources[&"yard:Sign::sign".parse::<Address>().expect("an address")];
    let lock: Address = "yard:Lock::lock".parse().expect("an address");
    assert!(sign.dependencies.contains(&lock) && sign.references.get("words").is_some_and(|of| of.to == lock));
    settled(&harness, &locked(&world, "lock", "y", None));
}

#[test]
fn what_the_program_drops_is_deleted_in_order() {
    let world = World::default();
    let harness = with_a_bolt(&world);
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
    assert!(owned(&harness).is_empty());
}

#[test]
fn it_moves_from_an_address_of_either_name() {
    for old in ["yard:Bolt::lock", "yard:Lock::lock", "lock"] {
        let world = World::default();
        let harness = with_a_bolt(&world);
        let run = up(&harness, &locked(&world, "new", "x", Some(old)));
        assert_eq!(run.steps(), ["move yard:Lock::new"]);
        assert!(world.calls().is_empty());
        settled(&harness, &locked(&world, "new", "x", Some(old)));
    }
}

#[test]
fn what_awaits_its_end_is_ended() {
    let world = World::default();
    let made_of = |make: &'static str| {
        program(&world, move |stack| {
            stack.add("lock", Lock::new().make(make));
            Ok(())
        })
    };
    let harness = Harness::new();
    up(&harness, &made_of("iron"));
    world.fault("delete Lock", Fault::Refused);
    fails(&harness, &made_of("brass"));
    assert_eq!(harness.snapshot().pending_deletes.len(), 1);
    harness.restore(as_before(harness.snapshot()));
    let run = up(&harness, &made_of("brass"));
    assert_eq!(steps(&run.plan), ["delete yard:Lock::lock"]);
    assert_eq!(world.objects().len(), 1);
    settled(&harness, &made_of("brass"));
}

#[test]
fn one_whose_new_place_is_taken_is_refused_by_name() {
    let world = World::default();
    let harness = with_a_bolt(&world);
    let mut snapshot = harness.snapshot();
    let bolt = snapshot.resources[&"yard:Bolt::lock".parse::<Address>().expect("an address")].clone();
    let lock: Address = "yard:Lock::lock".parse().expect("an address");
    snapshot
        .resources
        .insert(lock.clone(), platform_sdk::state::ResourceState { address: lock, ..(*bolt).clone() }.into());
    harness.restore(snapshot);
    let said = harness.plan(&locked(&world, "lock", "x", None)).expect_err("refused").to_string();
    assert!(said.contains("`yard:Bolt::lock`"), "{said}");
}
