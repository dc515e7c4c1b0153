//! Topological order: dependencies first, otherwise as given; and the name of a cycle where there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::{Address, Node};

/// The addresses in dependency order, ties in the order given; or one cycle.
pub(super) fn order(declared: &[Address], nodes: &BTreeMap<Address, Node>) -> Result<Vec<Address>, Vec<Address>> {
    topological(declared, |address| {
        nodes.get(address).into_iter().flat_map(|node| &node.dependencies).filter(|to| nodes.contains_key(*to))
    })
}

/// Kahn's algorithm over any graph; takes the earliest given address that is free. `dependencies` must stay within
/// `given`.
pub(crate) fn topological<'a, I: Iterator<Item = &'a Address>>(
    given: &'a [Address],
    dependencies: impl Fn(&'a Address) -> I,
) -> Result<Vec<Address>, Vec<Address>> {
    let position: BTreeMap<&Address, usize> =
        given.iter().enumerate().map(|(index, address)| (address, index)).collect();
    let mut waiting = vec![0_usize; given.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); given.len()];
    for (index, address) in given.iter().enumerate() {
        for dependency in dependencies(address) {
            waiting[index] += 1;
            dependents[position[dependency]].push(index);
        }
    }
    let mut free: BTreeSet<usize> = (0..given.len()).filter(|index| waiting[*index] == 0).collect();
    let mut order = Vec::with_capacity(given.len());
    while let Some(index) = free.pop_first() {
        order.push(given[index].clone());
        for dependent in &dependents[index] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                free.insert(*dependent);
            }
        }
    }
    if order.len() == given.len() { Ok(order) } else { Err(cycle(given, &waiting, &position, dependencies)) }
}

/// Walks from a blocked address along blocked dependencies until one repeats.
fn cycle<'a, I: Iterator<Item = &'a Address>>(
    given: &'a [Address],
    waiting: &[usize],
    position: &BTreeMap<&Address, usize>,
    dependencies: impl Fn(&'a Address) -> I,
) -> Vec<Address> {
    let mut at = waiting.iter().position(|count| *count > 0).unwrap_or_default();
    let mut walked: Vec<usize> = Vec::new();
    loop {
        if let Some(start) = walked.iter().position(|index| *index == at) {
            return walked[start..].iter().map(|index| given[*index].clone()).collect();
        }
        walked.push(at);
        let next = dependencies(&given[at]).map(|address| position[address]).find(|index| waiting[*index] > 0);
        match next {
            Some(next) => at = next,
            None => return walked.iter().map(|index| given[*index].clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str) -> Address {
        Address::new("platform:Data", name).expect("an address")
    }

    fn sorted(edges: &[(&str, &str)], names: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let given: Vec<Address> = names.iter().map(|name| address(name)).collect();
        let edges: Vec<(Address, Address)> = edges.iter().map(|(from, to)| (address(from), address(to))).collect();
        let text = |all: Vec<Address>| all.into_iter().map(|a| a.path().to_owned()).collect();
        let of = |from: &Address| {
            edges.iter().filter(move |(f, _)| f == from).map(|(_, to)| to).collect::<Vec<_>>().into_iter()
        };
        let edges_of = |from: &Address| of(from);
        topological(&given, |from| {
            let all: Vec<&Address> = edges_of(from).collect();
            all.into_iter().filter_map(|to| given.iter().find(|a| *a == to))
        })
        .map(text)
        .map_err(text)
    }

    #[test]
    fn dependencies_come_first_and_ties_keep_their_order() {
        assert_eq!(sorted(&[("a", "c")], &["a", "b", "c"]), Ok(vec!["b".into(), "c".into(), "a".into()]));
    }

    #[test]
    fn a_cycle_is_named_without_what_hangs_on_it() {
        let cycle = sorted(&[("tail", "a"), ("a", "b"), ("b", "a")], &["tail", "a", "b"]).expect_err("a cycle");
        assert_eq!(cycle, ["a", "b"]);
    }
}
