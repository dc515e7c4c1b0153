//! Drives the sandbox in unit tests, without HTTP: one call a line.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::collections::BTreeMap;

use platform_sdk::sandbox::{Request, Service, World};
use serde_json::{Value, json};

use super::{DatabricksSandbox, TOKEN, facts};

/// When every test begins.
const START_MS: u64 = 1_800_000_000_000;

/// A fresh sandbox and what has been done to it.
pub(crate) struct Driver {
    pub(crate) world: World,
    /// The workspace that calls are for; none is the default one.
    pub(crate) workspace: Option<i64>,
    warehouse: Option<String>,
}

impl Driver {
    pub(crate) fn new() -> Self {
        let mut world = World::at(START_MS);
        DatabricksSandbox.seed(&mut world);
        Self { world, workspace: None, warehouse: None }
    }

    /// Sends a call: the answer's status and body. Changes are kept as the kit keeps them. A read must
    /// change nothing, and what is answered must fit the facts.
    pub(crate) fn send(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut headers = BTreeMap::from([
            ("authorization".to_owned(), format!("Bearer {TOKEN}")),
            ("host".to_owned(), "127.0.0.1:8080".to_owned()),
        ]);
        if let Some(workspace) = self.workspace {
            headers.insert("x-databricks-org-id".into(), workspace.to_string());
        }
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (decode(k), decode(v)))
                .collect(),
            headers,
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        };
        let mut world = self.world.clone();
        let response = DatabricksSandbox.handle(&request, &mut world);
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        if DatabricksSandbox.is_read(&request) {
            assert!(world.list("").eq(self.world.list("")), "{method} {target} is a read and changed the world");
        }
        if response.status < 400 {
            self.world = world;
            let operation = facts::find(method, path).unwrap();
            let wrong = facts::check_response(operation, &answer);
            assert!(wrong.is_empty(), "{method} {target} answered what the facts do not know: {wrong:?}\n{answer:#}");
        }
        (response.status, answer)
    }

    fn succeed(&mut self, method: &str, target: &str, body: &Value) -> Value {
        let (status, answer) = self.send(method, target, body);
        assert!(status < 400, "{method} {target}: {status} {answer}");
        answer
    }

    pub(crate) fn get(&mut self, target: &str) -> Value {
        self.succeed("GET", target, &Value::Null)
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Value {
        self.succeed("POST", target, body)
    }

    pub(crate) fn patch(&mut self, target: &str, body: &Value) -> Value {
        self.succeed("PATCH", target, body)
    }

    pub(crate) fn delete(&mut self, target: &str) {
        self.succeed("DELETE", target, &Value::Null);
    }

    /// The call must be refused with this status and error code.
    pub(crate) fn refuses(&mut self, method: &str, target: &str, body: &Value, status: u16, code: &str) {
        let (seen, answer) = self.send(method, target, body);
        assert_eq!((seen, answer["error_code"].as_str()), (status, Some(code)), "{method} {target}: {answer}");
    }

    /// Lets the world's time pass until something is so; none of its changes takes more than a second.
    pub(crate) fn until(&mut self, so: impl Fn(&mut Self) -> bool) {
        for _ in 0..100 {
            if so(self) {
                return;
            }
            self.pass(10);
        }
        panic!("it did not become so within a second");
    }

    /// Lets the world's time pass: the same world, later.
    pub(crate) fn pass(&mut self, ms: u64) {
        let mut later = World::at(self.world.now_ms() + ms);
        for (key, document) in self.world.list("") {
            later.put(key, document.clone());
        }
        let last = self.world.clone().next_id() - 1;
        for _ in 0..last {
            later.next_id();
        }
        self.world = later;
    }

    /// An external location over the credential `cred`, which is made if it is not there.
    pub(crate) fn location(&mut self, name: &str, url: &str) {
        let credentials = "/api/2.1/unity-catalog/storage-credentials";
        if self.send("GET", &format!("{credentials}/cred"), &Value::Null).0 == 404 {
            let role = json!({"role_arn": "arn:aws:iam::123456789012:role/lake"});
            self.post(credentials, &json!({"name": "cred", "aws_iam_role": role, "skip_validation": true}));
        }
        self.post(
            "/api/2.1/unity-catalog/external-locations",
            &json!({"name": name, "url": url, "credential_name": "cred"}),
        );
    }

    /// The location `raw` on `s3://landing`, in it the catalog `lake` with the schema `sales`.
    pub(crate) fn lake(&mut self) {
        self.location("raw", "s3://landing");
        self.post("/api/2.1/unity-catalog/catalogs", &json!({"name": "lake", "storage_root": "s3://landing/lake"}));
        self.post("/api/2.1/unity-catalog/schemas", &json!({"catalog_name": "lake", "name": "sales"}));
    }

    /// Runs a statement on a warehouse of its own, waiting for its end: its status.
    pub(crate) fn sql(&mut self, statement: &str) -> Value {
        let warehouse = if let Some(warehouse) = &self.warehouse {
            warehouse.clone()
        } else {
            let made = self.post("/api/2.0/sql/warehouses", &json!({"name": "driver", "cluster_size": "2X-Small"}));
            let id = made["id"].as_str().unwrap().to_owned();
            self.warehouse = Some(id.clone());
            id
        };
        let body = json!({"warehouse_id": warehouse, "statement": statement, "wait_timeout": "30s"});
        self.post("/api/2.0/sql/statements", &body)["status"].clone()
    }

    /// Runs a statement that must succeed.
    pub(crate) fn table(&mut self, statement: &str) {
        let status = self.sql(statement);
        assert_eq!(status["state"], "SUCCEEDED", "{statement}: {status}");
    }
}
