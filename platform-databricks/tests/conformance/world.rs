//! A sandbox of one test's own, furnished with a small lake, and what the test sees of the requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use platform_databricks::{
    auth::{Environment, LoginConfig},
    client::{Client, ClientOptions},
    provider::{account_drivers, workspace_drivers},
    sandbox::{ACCOUNT_ID, DatabricksSandbox, REGION, facts},
};
use platform_sdk::{
    provider::Driver,
    sandbox::{Endpoint, Options, attach_or_start},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A furnished sandbox.
pub(crate) struct World {
    endpoint: Endpoint,
    client: Arc<Client>,
    wrong: Arc<Mutex<Vec<String>>>,
    /// The id of the warehouse that runs SQL.
    warehouse: String,
    _folder: tempfile::TempDir,
}

const UNITY: &str = "/api/2.1/unity-catalog";

impl World {
    /// A sandbox with the credential `cred`, the location `landing` on `s3://landing`, the catalog `lake`, the schema
    /// `lake.sales`, and a warehouse.
    pub(crate) async fn furnished() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let endpoint =
            attach_or_start(folder.path(), Arc::new(DatabricksSandbox), Options::default()).expect("a sandbox");
        let wrong = Arc::new(Mutex::new(Vec::new()));
        let client = client(&endpoint.url, "sandbox", &wrong);
        let mut world = Self { endpoint, client, wrong, warehouse: String::new(), _folder: folder };
        let role = json!({"role_arn": "arn:aws:iam::123456789012:role/lake"});
        world
            .post("storage-credentials", &json!({"name": "cred", "aws_iam_role": role, "skip_validation": true}))
            .await;
        let other = json!({"role_arn": "arn:aws:iam::123456789012:role/other"});
        world
            .post("storage-credentials", &json!({"name": "cred2", "aws_iam_role": other, "skip_validation": true}))
            .await;
        world
            .post("external-locations", &json!({"name": "landing", "url": "s3://landing", "credential_name": "cred"}))
            .await;
        world.post("catalogs", &json!({"name": "lake", "storage_root": "s3://landing/lake"})).await;
        world.post("schemas", &json!({"catalog_name": "lake", "name": "sales"})).await;
        let warehouse = json!({"name": "sql", "cluster_size": "2X-Small"});
        let made = world.call("POST", "/api/2.0/sql/warehouses", &warehouse).await;
        made["id"].as_str().expect("an id").clone_into(&mut world.warehouse);
        world
    }

    /// The ids of what a page names; what no page names is not made.
    pub(crate) async fn ids(&self, names: &BTreeSet<String>) -> BTreeMap<String, String> {
        let mut ids = BTreeMap::new();
        for name in names {
            ids.insert(name.clone(), self.id(name).await);
        }
        ids
    }

    /// Makes what this name stands for: its id.
    async fn id(&self, name: &str) -> String {
        let account = format!("/api/2.0/accounts/{ACCOUNT_ID}");
        let (path, body, id) = match name {
            "warehouse" => return self.warehouse.clone(),
            "second_warehouse" => {
                ("/api/2.0/sql/warehouses".to_owned(), json!({"name": name, "cluster_size": "2X-Small"}), "id")
            }
            "cluster" | "second_cluster" => {
                let body = json!({"spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large", "num_workers": 1});
                ("/api/2.1/clusters/create".to_owned(), body, "cluster_id")
            }
            "policy" | "second_policy" => {
                let body = json!({"name": name, "definition": "{}"});
                ("/api/2.0/policies/clusters/create".to_owned(), body, "policy_id")
            }
            "pool" | "second_pool" => {
                let body = json!({"instance_pool_name": name, "node_type_id": "m5d.large"});
                ("/api/2.0/instance-pools/create".to_owned(), body, "instance_pool_id")
            }
            // A workspace beside the default one, which no metastore is assigned to.
            "workspace" => {
                let body = json!({"workspace_name": "beside", "aws_region": REGION, "compute_mode": "SERVERLESS"});
                (format!("{account}/workspaces"), body, "workspace_id")
            }
            "credentials" | "second_credentials" => {
                let role = json!({"sts_role": {"role_arn": "arn:aws:iam::123456789012:role/cross"}});
                let body = json!({"credentials_name": name, "aws_credentials": role});
                (format!("{account}/credentials"), body, "credentials_id")
            }
            "storage" => {
                let body = json!({"storage_configuration_name": name, "root_bucket_info": {"bucket_name": "root"}});
                (format!("{account}/storage-configurations"), body, "storage_configuration_id")
            }
            "network" | "second_network" => {
                let body = json!({
                    "network_name": name, "vpc_id": "vpc-1", "subnet_ids": ["s-1", "s-2"], "security_group_ids": ["sg-1"],
                });
                (format!("{account}/networks"), body, "network_id")
            }
            _ => panic!("nothing is called `${name}`"),
        };
        let made = self.call("POST", &path, &body).await;
        made[id].as_str().map_or_else(|| made[id].to_string(), str::to_owned)
    }

    async fn post(&self, collection: &str, body: &Value) -> Value {
        self.call("POST", &format!("{UNITY}/{collection}"), body).await
    }

    /// A request of somebody else, which must succeed.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.endpoint.url);
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request =
            reqwest::Client::new().request(method, url).bearer_auth("sandbox").header("X-Platform-Sandbox", "1");
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Runs a statement of somebody else to its end.
    pub(crate) async fn sql(&self, statement: &str) {
        let body = json!({"warehouse_id": self.warehouse, "statement": statement, "wait_timeout": "30s"});
        let answer = self.call("POST", "/api/2.0/sql/statements", &body).await;
        assert_ne!(answer["status"]["state"], "FAILED", "{answer}");
    }

    /// Where the sandbox answers.
    pub(crate) fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// What goes wrong from here on.
    pub(crate) async fn faults(&self, faults: &Value) {
        self.call("PUT", "/_sandbox/faults", faults).await;
    }

    /// The driver of a type.
    pub(crate) fn driver(&self, type_name: &str) -> Arc<dyn Driver> {
        driver(type_name, &self.client)
    }

    /// The driver of a type over a login that is refused everything.
    pub(crate) fn denied(&self, type_name: &str) -> Arc<dyn Driver> {
        let client = client(&self.endpoint.url, "denied", &self.wrong);
        driver(type_name, &client)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let wrong = self.wrong.lock().expect("no test panicked in it");
        assert!(std::thread::panicking() || wrong.is_empty(), "not as the API's facts say:\n{}", wrong.join("\n"));
    }
}

/// The driver of a type of either level: the sandbox serves both at one address.
fn driver(type_name: &str, client: &Arc<Client>) -> Arc<dyn Driver> {
    let of_account = account_drivers().driver(type_name, client);
    workspace_drivers().driver(type_name, client).or(of_account).expect("a driver")
}

fn client(url: &str, token: &str, wrong: &Arc<Mutex<Vec<String>>>) -> Arc<Client> {
    let explicit = LoginConfig {
        host: Some(url.to_owned()),
        token: Some(token.into()),
        account_id: Some(ACCOUNT_ID.to_owned()),
        ..LoginConfig::default()
    };
    let login = LoginConfig::resolve(explicit, &Environment::empty()).expect("a login");
    let wrong = wrong.clone();
    let tap = move |method: &str, path: &str, query: &[(String, String)], body: Option<&Value>| {
        let body = body.map(Value::to_string).unwrap_or_default();
        if let Err(violations) = facts::check(method, path, query, body.as_bytes()) {
            let mut wrong = wrong.lock().expect("no test panicked in it");
            wrong.extend(violations.iter().map(|violation| format!("{method} {path}: {violation}")));
        }
    };
    let options = ClientOptions { tap: Some(Arc::new(tap)), seed: Some(1), ..ClientOptions::default() };
    Arc::new(Client::new(login, options).expect("a client"))
}
