//! Refresh in bulk: what can be listed is listed where that takes fewer calls than reading one by one, and read where not.

use std::{path::Path, sync::Arc};

use platform_databricks::{prelude::*, sandbox::DatabricksSandbox};
use platform_sdk::{
    prelude::*,
    sandbox::{Endpoint, LogEntry, Options, attach_or_start, read_log},
    testing::Harness,
};
use tempfile::TempDir;

/// A sandbox's server with a workspace.
struct Service {
    endpoint: Endpoint,
    worlds: TempDir,
}

impl Service {
    fn start() -> Self {
        let worlds = tempfile::tempdir().expect("a temporary folder");
        let endpoint = attach_or_start(worlds.path(), Arc::new(DatabricksSandbox), Options::default());
        Self { endpoint: endpoint.expect("the sandbox starts"), worlds }
    }

    /// The requests so far.
    fn log(&self) -> Vec<LogEntry> {
        let log: &Path = &self.worlds.path().join("databricks").join("requests.jsonl");
        read_log(log).expect("the log can be read")
    }

    /// A program with this many schemas, each with this many tables.
    fn program(&self, schemas: usize, tables: usize) -> Program {
        let provider = WorkspaceProvider::new(self.endpoint.url.clone()).token("sandbox");
        let declare = move |stack: &Stack| {
            let main = stack.lookup::<Catalog>("main");
            let sql = stack.add("sql", SqlWarehouse::new("sql"));
            for s in 0..schemas {
                let schema = stack.add(&format!("s{s}"), Schema::new(&main, format!("s{s}")));
                for t in 0..tables {
                    let table = Table::new(&schema, format!("t{t}")).via(&sql).columns([Column::bigint("id")]);
                    stack.add(&format!("s{s}-t{t}"), table);
                }
            }
            Ok(())
        };
        Program::new("wide", declare).provider(provider)
    }

    /// The reads of a plan that finds nothing to do.
    fn reads_of_a_plan(&self, harness: &Harness, program: &Program) -> Vec<String> {
        let before = self.log().len();
        let plan = harness.plan(program).expect("a plan");
        assert!(plan.is_empty(), "{:#?}", plan.changes().take(3).collect::<Vec<_>>());
        self.log()[before..].iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect()
    }
}

#[test]
fn a_thousand_tables_in_ten_schemas_take_at_most_forty_calls() {
    let (service, harness) = (Service::start(), Harness::new());
    let program = service.program(10, 100);
    let run = harness.up(&program).expect("a plan");
    assert_eq!(run.failures, []);
    let calls = service.reads_of_a_plan(&harness, &program);
    assert!(calls.len() <= 40, "{} calls: {:#?}", calls.len(), &calls[..50]);
}

#[test]
fn what_stands_alone_in_its_place_is_read_and_what_stands_together_is_listed() {
    let (service, harness) = (Service::start(), Harness::new());
    let program = service.program(5, 1);
    assert_eq!(harness.up(&program).expect("a plan").failures, []);
    let calls = service.reads_of_a_plan(&harness, &program);
    let lists = calls.iter().filter(|call| call.ends_with("/tables")).count();
    let reads = calls.iter().filter(|call| call.contains("/tables/main.")).count();
    assert_eq!((lists, reads), (0, 5), "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| call.ends_with("/schemas")).count(), 1, "{calls:#?}");
}

#[test]
fn a_few_among_very_many_of_others_are_not_paid_for_with_a_list_of_all() {
    let (service, harness) = (Service::start(), Harness::new());
    let others = service.program(1, 300);
    assert_eq!(Harness::new().up(&others).expect("a plan").failures, []);
    let provider = WorkspaceProvider::new(service.endpoint.url.clone()).token("sandbox");
    let ours = Program::new("few", |stack| {
        let (shop, sql) = (Id::<Schema>::new("main.s0"), stack.add("sql", SqlWarehouse::new("ours")));
        for t in 0..6 {
            let table = Table::new(&shop, format!("z{t}")).via(&sql).columns([Column::bigint("id")]);
            stack.add(&format!("z{t}"), table);
        }
        Ok(())
    });
    let ours = ours.provider(provider);
    assert_eq!(harness.up(&ours).expect("a plan").failures, []);
    let calls = service.reads_of_a_plan(&harness, &ours);
    let lists = calls.iter().filter(|call| call.ends_with("/tables")).count();
    let reads = calls.iter().filter(|call| call.contains("/tables/main.")).count();
    assert!(lists <= 3 && reads == 6, "{calls:#?}");
}
