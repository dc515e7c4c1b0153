//! Whatever is written can be read, and says the same: odd keys, numbers at the edges, values as deep as they may be.

use std::collections::BTreeMap;

use platform_sdk::{
    desired::{Address, Tree},
    state::{FORMAT_VERSION, Record, Snapshot, World, export, exported, lease, read},
};
use proptest::prelude::*;
use serde_json::{Number, Value, json};

use super::fixture::{ana, intent, location, no_environment, put, resource};

/// Keys that state, JSON or TOML could take for their own.
const KEYS: [&str; 14] = [
    "",
    "$",
    "$$",
    "$ref",
    "$secret",
    "$sealed",
    "$unknown",
    "$hmac",
    "a.b",
    "x[0]",
    "\u{0}",
    "ö😀",
    "\u{2028}",
    "$serde_json::private::Number",
];

fn leaves() -> impl Strategy<Value = Tree> {
    let edges = [
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(0),
        json!(-1),
        json!(f64::MAX),
        json!(f64::MIN),
        json!(f64::MIN_POSITIVE),
        json!(5e-324),
        json!(0.1),
        json!(1e21),
        json!(1e-7),
        json!(9_007_199_254_740_993_i64),
        json!(null),
        json!(true),
        json!(""),
        json!("\u{0}\u{7f}\u{85}\"\\/"),
        json!("$ref"),
    ];
    let floats = any::<f64>().prop_filter_map("a number", |float| Number::from_f64(float).map(Value::Number));
    prop_oneof![
        prop::sample::select(edges.to_vec()).prop_map(Tree::Leaf),
        floats.prop_map(Tree::Leaf),
        any::<u64>().prop_map(|number| Tree::Leaf(number.into())),
        ".*".prop_map(|text| Tree::Leaf(text.into())),
        ".{0,8}".prop_map(Tree::Unknown),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    leaves().prop_recursive(5, 24, 4, |inner| {
        let keys = prop_oneof![prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), ".{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::btree_map(keys, inner.clone(), 0..4)
                .prop_map(|entries| Tree::Map(entries.into_iter().collect())),
            inner.prop_map(secret),
        ]
    })
}

fn secret(tree: Tree) -> Tree {
    if matches!(tree, Tree::Secret(_)) { tree } else { Tree::Secret(Box::new(tree)) }
}

/// A tree at the bottom of a well: of lists, maps and secrets in turns.
fn wells() -> impl Strategy<Value = Tree> {
    (trees(), 0..140_usize, 0..7_u8).prop_map(|(bottom, depth, kinds)| {
        (0..depth).fold(bottom, |inner, level| match (usize::from(kinds) + level) % 3 {
            0 if kinds & 1 == 0 => Tree::List(vec![inner]),
            1 if kinds & 2 == 0 => secret(inner),
            _ => Tree::Map([("$secret".to_owned(), inner)].into()),
        })
    })
}

/// A number as canonical JSON knows it: `1.0` and `1` are one.
fn canonical(tree: &Tree) -> Tree {
    match tree {
        Tree::Leaf(Value::Number(number)) if number.is_f64() => {
            let text = serde_json::to_string(&canonical_number(number.as_f64().unwrap_or_default()));
            Tree::Leaf(serde_json::from_str(&text.expect("a number")).expect("a number"))
        }
        Tree::Leaf(_) | Tree::Unknown(_) => tree.clone(),
        Tree::List(items) => Tree::List(items.iter().map(canonical).collect()),
        Tree::Map(entries) => Tree::Map(entries.iter().map(|(name, entry)| (name.clone(), canonical(entry))).collect()),
        Tree::Secret(inner) => Tree::Secret(Box::new((**inner).clone())),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "whether it is whole is what is asked")]
fn canonical_number(float: f64) -> Value {
    if float.trunc() == float && float.abs() < 1e18 { json!(float as i64) } else { json!(float) }
}

async fn check(tree: Tree) {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let state = resource("a", Tree::Map([("input".to_owned(), tree.clone())].into()));
    let exports: BTreeMap<String, Tree> = [("$ref".to_owned(), tree.clone())].into();
    let looked_up: BTreeMap<Address, Tree> = [("sdk:Data::?b".parse().expect("an address"), tree)].into();
    let mut written = Snapshot { exports, lookups: looked_up, ..Snapshot::default() };
    written.resources.insert(state.address.clone(), state.clone().into());
    let records = [
        intent("1", state.clone()),
        put(state),
        Record::Exports(written.exports.clone()),
        Record::Lookups(written.lookups.clone()),
    ];
    let mut all = true;
    for record in records {
        all &= lease.journal().append(record).await.map_err(|refused| told(&refused.to_string())).is_ok();
    }
    // What was journalled is read; what was refused was refused by name.
    let reading = read(&place, World::Real, &no_environment()).await.expect("what was written is read");
    if all {
        same(&reading.snapshot, &written);
        assert_eq!(reading.open.len(), 1);
    }
    (snapshot.resources, snapshot.exports, snapshot.lookups) =
        (written.resources.clone(), written.exports.clone(), written.lookups.clone());
    let committed = lease.commit(&snapshot).await.map_err(|refused| told(&refused.to_string())).is_ok();
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, &no_environment()).await.expect("what was written is read");
    if committed {
        same(&reading.snapshot, &written);
        let text = export(&place, None).await.expect("exported");
        let taken = exported(&place, &text, "x.json", &no_environment()).await.expect("what was exported is read");
        same(&taken.snapshot, &written);
    }
    assert_eq!(FORMAT_VERSION, 6, "a new version is to be tested here, too");
}

fn told(refused: &str) {
    assert!(refused.contains("nest"), "{refused}");
}

fn same(read: &Snapshot, written: &Snapshot) {
    let of = |snapshot: &Snapshot| {
        let resources = snapshot.resources.values();
        let trees = resources.flat_map(|state| [state.inputs.clone(), state.outputs.clone()]);
        let exports = snapshot.exports.values().chain(snapshot.lookups.values()).cloned();
        trees.chain(exports).map(|tree| canonical(&tree)).collect::<Vec<_>>()
    };
    assert_eq!(of(read), of(written));
}

fn run(tree: Tree) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(check(tree));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_is_read_and_says_the_same(tree in prop_oneof![trees(), wells()]) {
        run(tree);
    }
}

#[test]
fn what_nests_deeper_than_it_is_read_is_not_written() {
    for depth in [63, 64, 65, 100, 115, 120, 125, 126, 127, 128, 129, 130, 200, 400] {
        let list = (0..depth).fold(Tree::Leaf(json!(1)), |inner, _| Tree::List(vec![inner]));
        run(list.clone());
        run(secret(list));
    }
}
