//! The museum: what earlier versions left, as state and as the sandbox's worlds. Today's program finds nothing to do about
//! it, changes it, and takes it down. A room is added with each release; one that stands is never written again.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use platform_aws::prelude::Aws;
use platform_databricks::prelude::{AccountProvider, WorkspaceProvider};
use platform_sdk::{Data, Field, Provider as _, Resource as _, Schema, Shape};
use platform_tests::{Place, Ran, root};
use serde_json::{Value, json};

/// The room that the present version fills.
const NEWEST: &str = "1";

/// Fields that no program of today can set, with why.
const UNSAYABLE: [(&str, &str); 1] =
    [("databricks:Job.tasks.depends_on.outcome", "wants a condition task, which is no field of a task yet")];

const ACCOUNT: &str = "/api/2.0/accounts/5a4d0b0c-ac00-4000-8000-000000000001";

/// A place with what is in a room, or an empty one.
struct Room {
    place: Place,
    config: PathBuf,
}

impl Room {
    fn empty() -> Self {
        let place = Place::running(env!("CARGO_BIN_EXE_museum"));
        let config = place.path().join("room.toml");
        Self { place, config }
    }

    fn of(name: &str) -> Self {
        let room = Self::empty();
        copy(&rooms().join(name), room.place.path());
        room
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[], arguments)
    }

    fn changed(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[("PLATFORM_CONFIG_CHANGED", "true")], arguments)
    }

    fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let config = self.config.to_str().expect("text");
        let own = [("MUSEUM_CONFIG", config), ("PLATFORM_PASSPHRASE", "museum")];
        self.place.run_with(&[&own, variables].concat(), arguments)
    }
}

fn rooms() -> PathBuf {
    root().join("tests/museum")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

fn all_rooms() -> Vec<String> {
    let entries = fs::read_dir(rooms()).expect("there is a museum");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("the entry can be read").file_name().into_string().expect("text")).collect();
    names.sort();
    assert!(names.iter().any(|name| name == NEWEST), "{names:?}");
    names
}

#[test]
fn what_earlier_versions_left_is_found_as_it_should_be_changed_and_taken_down() {
    for name in all_rooms() {
        let room = Room::of(&name);
        for line in [
            &["plan", "--sandbox", "--detailed-exitcode"][..],
            &["plan", "--sandbox", "--detailed-exitcode", "--offline"],
            &["drift", "--sandbox"],
        ] {
            let ran = room.run(line);
            assert_eq!(ran.code, 0, "room {name}: {line:?}: {ran:?}");
        }

        let ran = room.changed(&["up", "--sandbox", "--yes", "--json"]);
        assert_eq!(ran.code, 0, "room {name}: {ran:?}");
        let steps = ran.event("plan")["steps"].as_array().expect("steps").clone();
        let changes = steps.iter().filter(|step| step["op"] != "keep" && step["op"] != "read");
        let updated: BTreeSet<String> = changes
            .map(|step| {
                assert_eq!(step["op"], "update", "room {name}: {step:#}");
                step["address"].as_str().expect("an address").split("::").next().expect("a type").to_owned()
            })
            .collect();
        assert_eq!(updated, types_in(&snapshot_of(&room)), "room {name}");
        let again = room.changed(&["plan", "--sandbox", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "room {name}: {again:?}");

        let gone = room.changed(&["destroy", "--sandbox", "--yes", "--allow-data-loss=all"]);
        assert_eq!(gone.code, 0, "room {name}: {gone:?}");
        assert_eq!(snapshot_of(&room)["resources"].as_object().map_or(0, serde_json::Map::len), 0, "room {name}");
    }
}

/// The snapshot that the head names.
fn snapshot_of(room: &Room) -> Value {
    let read = |path: PathBuf| -> Value {
        serde_json::from_slice(&fs::read(&path).expect("the file can be read")).expect("JSON")
    };
    let folder = room.place.path().join("museum/room");
    let head = read(folder.join("head.json"));
    read(folder.join(format!("snapshots/{}.json", head["snapshot"].as_str().expect("a hash"))))
}

fn types_in(snapshot: &Value) -> BTreeSet<String> {
    let addresses = snapshot["resources"].as_object().expect("resources by address").keys();
    addresses.map(|address| address.split("::").next().expect("a type").to_owned()).collect()
}

/// Every type that the crates register, and the SDK's own.
fn schemas() -> Vec<&'static Schema> {
    let connectors = [
        WorkspaceProvider::from_env().connector(),
        AccountProvider::from_env().connector(),
        Aws::from_env().connector(),
    ];
    connectors.iter().flat_map(|connector| connector.schemas()).chain([Data::schema()]).collect()
}

#[test]
fn the_newest_room_has_every_type_with_every_field() {
    let snapshot = snapshot_of(&Room::of(NEWEST));
    let resources = snapshot["resources"].as_object().expect("resources by address");
    let mut missing = Vec::new();
    for schema in schemas() {
        let of_type = |address: &str| address.split("::").next() == Some(schema.type_name);
        let objects: Vec<&Value> =
            resources.iter().filter(|(a, _)| of_type(a)).map(|(_, state)| &state["in"]).collect();
        unset(schema.fields(), &objects, schema.type_name, &mut missing);
    }
    for (path, why) in UNSAYABLE {
        let at = missing.iter().position(|missing| missing == path);
        missing.remove(at.unwrap_or_else(|| panic!("{path} is set, though it {why}")));
    }
    assert!(missing.is_empty(), "set these in tests/src/samples.rs, and fill the room anew:\n{}", missing.join("\n"));
}

/// The fields that none of these objects has, as paths.
fn unset(fields: &[Field], objects: &[&Value], path: &str, missing: &mut Vec<String>) {
    for field in fields.iter().filter(|field| !field.is_sent_along()) {
        let path = format!("{path}.{}", field.name);
        let values: Vec<&Value> = objects.iter().filter_map(|object| object.get(field.name)).collect();
        if values.is_empty() {
            missing.push(path);
            continue;
        }
        match field.shape {
            Shape::Leaf => {}
            Shape::Block(fields) => unset(fields(), &values, &path, missing),
            Shape::Blocks(fields) => {
                let items: Vec<&Value> = values.iter().filter_map(|list| list.as_array()).flatten().collect();
                unset(fields(), &items, &path, missing);
            }
            Shape::BlockMap(fields) => {
                let items: Vec<&Value> =
                    values.iter().filter_map(|map| map.as_object()).flat_map(serde_json::Map::values).collect();
                unset(fields(), &items, &path, missing);
            }
        }
    }
}

/// Fills the newest room. One that was released is never written again.
#[test]
#[ignore = "writes the room of the present version"]
fn fill_the_newest_room() {
    let room = Room::empty();
    let made = |path: &str, body: Value, id: &str| {
        room.place.databricks("POST", &format!("{ACCOUNT}/{path}"), &body)[id].as_str().expect("an id").to_owned()
    };
    let role = json!({"sts_role": {"role_arn": "arn:aws:iam::123456789012:role/museum"}});
    let credentials = json!({"credentials_name": "museum", "aws_credentials": role});
    let bucket = json!({"storage_configuration_name": "museum", "root_bucket_info": {"bucket_name": "museum-root"}});
    let network = json!({"network_name": "museum", "vpc_id": "vpc-1", "subnet_ids": ["s-1", "s-2"], "security_group_ids": ["g-1"]});
    let config = format!(
        "[default]\ncredentials = {:?}\nstorage_configuration = {:?}\nnetwork = {:?}\n",
        made("credentials", credentials, "credentials_id"),
        made("storage-configurations", bucket, "storage_configuration_id"),
        made("networks", network, "network_id"),
    );
    fs::write(&room.config, config).expect("written");
    let ran = room.run(&["up", "--sandbox", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");

    let target = rooms().join(NEWEST);
    if target.exists() {
        fs::remove_dir_all(&target).expect("removed");
    }
    for part in ["museum", "sandbox/aws/world.jsonl", "sandbox/databricks/world.jsonl", "room.toml"] {
        let (from, to) = (room.place.path().join(part), target.join(part));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            fs::copy(&from, &to).expect("copied");
        }
    }
}
