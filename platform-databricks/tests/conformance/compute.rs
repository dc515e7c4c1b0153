//! The pages of compute, jobs, notebooks, and of what an account has above them.

use platform_databricks::{
    Language, Notebook,
    sandbox::{ADMIN, CLIENT_ID},
};
use platform_sdk::{ToExpr, desired::Tree};
use serde_json::{Value, json};

use crate::page::{Behind, Page};

fn behind(method: &'static str, path: &'static str, body: Value, field: &'static str) -> Behind {
    Behind { method, path: path.to_owned(), body, field }
}

pub(crate) fn warehouse() -> Page {
    let edit = |body, field| behind("POST", "/api/2.0/sql/warehouses/$id/edit", body, field);
    Page {
        type_name: "databricks:SqlWarehouse",
        inputs: json!({
            "name": "queries", "size": "Small", "auto_stop_mins": 20, "serverless": true, "min_num_clusters": 1,
            "max_num_clusters": 2, "warehouse_type": "PRO", "channel": "CHANNEL_NAME_PREVIEW", "enable_photon": true,
            "spot_instance_policy": "RELIABILITY_OPTIMIZED", "tags": {"a": "1", "b": "2"},
            "instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/one",
        }),
        changed: json!({
            "name": "reports", "size": "Large", "auto_stop_mins": 0, "serverless": false, "min_num_clusters": 2,
            "max_num_clusters": 4, "warehouse_type": "PRO", "channel": "CHANNEL_NAME_CURRENT", "enable_photon": false,
            "spot_instance_policy": "COST_OPTIMIZED", "tags": {"a": "3"},
        }),
        behind: vec![
            edit(json!({"auto_stop_mins": 60}), "auto_stop_mins"),
            edit(json!({"cluster_size": "Medium"}), "size"),
            edit(json!({"tags": {"custom_tags": [{"key": "a", "value": "x"}]}}), "tags"),
            edit(json!({"name": "other"}), "name"),
        ],
        exclusive: true,
        together: false,
    }
}

/// One without serverless compute, which alone may be of another type.
pub(crate) fn classic_warehouse() -> Page {
    let inputs = |kind: &str| json!({"name": "classic", "serverless": false, "warehouse_type": kind});
    let edit = json!({"warehouse_type": "PRO"});
    Page {
        type_name: "databricks:SqlWarehouse",
        inputs: inputs("CLASSIC"),
        changed: inputs("PRO"),
        behind: vec![behind("POST", "/api/2.0/sql/warehouses/$id/edit", edit, "warehouse_type")],
        exclusive: true,
        together: false,
    }
}

/// What clusters of both kinds have in common, before and after a change of everything.
fn machines(changed: bool) -> Value {
    let profile = |name: &str| format!("arn:aws:iam::123456789012:instance-profile/{name}");
    if changed {
        return json!({
            "spark_version": "16.4.x-scala2.12", "node_type_id": "r5d.xlarge",
            "autoscale": {"min_workers": 2, "max_workers": 5}, "driver_node_type_id": "r5d.xlarge",
            "data_security_mode": "USER_ISOLATION", "single_user_name": "analysts", "policy_id": "$second_policy",
            "runtime_engine": "PHOTON", "spark_conf": {"a": "3"}, "spark_env_vars": {"A": "2"}, "custom_tags": {"a": "3"},
            "init_scripts": [
                {"workspace": {"destination": "/Shared/b"}},
                {"volumes": {"destination": "/Volumes/b"}},
                {"s3": {"destination": "s3://b", "region": "eu-west-2"}},
            ],
            "aws_attributes": {
                "availability": "ON_DEMAND", "zone_id": "eu-west-1a", "first_on_demand": 2, "spot_bid_price_percent": 90,
                "instance_profile_arn": profile("two"), "ebs_volume_type": "THROUGHPUT_OPTIMIZED_HDD",
                "ebs_volume_count": 2, "ebs_volume_size": 200, "ebs_volume_iops": 4000, "ebs_volume_throughput": 300,
            },
            "docker_image": {"url": "ghcr.io/acme/etl:2", "basic_auth": {"username": "human", "password": "canary"}},
            "enable_elastic_disk": false,
        });
    }
    json!({
        "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large",
        "autoscale": {"min_workers": 1, "max_workers": 3}, "driver_node_type_id": "m5d.large",
        "data_security_mode": "SINGLE_USER", "single_user_name": ADMIN, "policy_id": "$policy",
        "runtime_engine": "STANDARD", "spark_conf": {"a": "1", "b": "2"}, "spark_env_vars": {"A": "1"},
        "custom_tags": {"a": "1", "b": "2"},
        "init_scripts": [
            {"workspace": {"destination": "/Shared/a"}},
            {"volumes": {"destination": "/Volumes/a"}},
            {"s3": {"destination": "s3://a", "region": "eu-west-1"}},
        ],
        "aws_attributes": {
            "availability": "SPOT", "zone_id": "auto", "first_on_demand": 1, "spot_bid_price_percent": 80,
            "instance_profile_arn": profile("one"), "ebs_volume_type": "GENERAL_PURPOSE_SSD",
            "ebs_volume_count": 1, "ebs_volume_size": 100, "ebs_volume_iops": 3000, "ebs_volume_throughput": 200,
        },
        "docker_image": {"url": "ghcr.io/acme/etl:1", "basic_auth": {"username": "robot", "password": "canary"}},
        "enable_elastic_disk": true,
    })
}

/// Both: `{"a": 1}` and `{"b": 2}` are `{"a": 1, "b": 2}`.
fn and(mut one: Value, other: Value) -> Value {
    let (Value::Object(fields), Value::Object(others)) = (&mut one, other) else { panic!("objects") };
    fields.extend(others);
    one
}

pub(crate) fn cluster() -> Page {
    let own = |name: &str, minutes: u32, encrypted: bool| json!({"name": name, "autotermination_minutes": minutes, "enable_local_disk_encryption": encrypted});
    Page {
        type_name: "databricks:Cluster",
        inputs: and(machines(false), own("etl", 20, false)),
        changed: and(machines(true), own("load", 60, true)),
        behind: vec![
            cluster_update(
                &json!({"autotermination_minutes": 0}),
                "autotermination_minutes",
                "autotermination_minutes",
            ),
            cluster_update(&json!({"custom_tags": {"x": "y"}}), "custom_tags", "custom_tags"),
            cluster_update(&json!({"num_workers": 8}), "num_workers", "autoscale"),
            cluster_update(&json!({"spark_version": "17.3.x-scala2.13"}), "spark_version", "spark_version"),
        ],
        exclusive: false,
        together: false,
    }
}

pub(crate) fn single_node_cluster() -> Page {
    let machine = json!({"name": "alone", "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large"});
    let alone = json!({"num_workers": 0, "is_single_node": true, "kind": "CLASSIC_PREVIEW"});
    Page {
        type_name: "databricks:Cluster",
        inputs: and(machine.clone(), alone),
        changed: and(machine, json!({"num_workers": 2})),
        behind: vec![cluster_update(
            &json!({"num_workers": 8, "is_single_node": false}),
            "num_workers,is_single_node",
            "num_workers",
        )],
        exclusive: false,
        together: false,
    }
}

/// One whose machines come from pools.
pub(crate) fn pooled_cluster() -> Page {
    let inputs = |pool: &str, driver: &str, mode: &str| {
        json!({
            "name": "pooled", "spark_version": "15.4.x-scala2.12", "num_workers": 1, "instance_pool_id": pool,
            "driver_instance_pool_id": driver, "data_security_mode": mode,
        })
    };
    Page {
        type_name: "databricks:Cluster",
        inputs: inputs("$pool", "$pool", "DATA_SECURITY_MODE_DEDICATED"),
        changed: inputs("$second_pool", "$second_pool", "DATA_SECURITY_MODE_STANDARD"),
        behind: vec![cluster_update(
            &json!({"data_security_mode": "NONE"}),
            "data_security_mode",
            "data_security_mode",
        )],
        exclusive: false,
        together: false,
    }
}

fn cluster_update(cluster: &Value, mask: &str, field: &'static str) -> Behind {
    let body = json!({"cluster_id": "$id", "cluster": cluster, "update_mask": mask});
    behind("POST", "/api/2.1/clusters/update", body, field)
}

/// Who hears of what, before and after a change of everything.
fn notifications(changed: bool) -> Value {
    let (who, where_to) = if changed { ("b@example.com", "w2") } else { ("a@example.com", "w1") };
    json!({
        "email_notifications": {
            "on_start": [who], "on_success": [who], "on_failure": [who],
            "on_duration_warning_threshold_exceeded": [who], "no_alert_for_skipped_runs": changed,
        },
        "webhook_notifications": {
            "on_start": [{"id": where_to}], "on_success": [{"id": where_to}], "on_failure": [{"id": where_to}],
        },
    })
}

/// When a run is not well, before and after a change of everything.
fn health(changed: bool) -> Value {
    json!({"rules": [{"metric": "RUN_DURATION_SECONDS", "value": if changed { 60 } else { 30 }}]})
}

/// A task of each kind on compute of each kind, before and after a change of everything.
fn tasks(changed: bool) -> Value {
    let source = if changed { "GIT" } else { "WORKSPACE" };
    let value = if changed { "2" } else { "1" };
    let warehouse = if changed { "$second_warehouse" } else { "$warehouse" };
    let cluster = if changed { "$second_cluster" } else { "$cluster" };
    let load = json!({
        "task_key": "load", "description": value,
        "notebook_task": {
            "notebook_path": format!("/Shared/{value}"), "source": source, "base_parameters": {"k": value}, "warehouse_id": warehouse,
        },
        "timeout_seconds": if changed { 30 } else { 60 }, "max_retries": if changed { 1 } else { 2 },
        "min_retry_interval_millis": if changed { 2000 } else { 1000 }, "retry_on_timeout": !changed,
        "run_if": if changed { "NONE_FAILED" } else { "ALL_DONE" },
        "health": health(changed),
    });
    let key = if changed { "other" } else { "default" };
    let mut all = vec![
        and(load, notifications(changed)),
        json!({
            "task_key": "check", "environment_key": key, "depends_on": [{"task_key": "load", "outcome": value}],
            "spark_python_task": {"python_file": format!("/Shared/{value}.py"), "source": source, "parameters": [value]},
        }),
        json!({
            "task_key": "report",
            "sql_task": {"file": {"path": format!("/{value}.sql"), "source": source}, "warehouse_id": warehouse, "parameters": {"p": value}},
        }),
        json!({
            "task_key": "big", "notebook_task": {"notebook_path": "/Shared/b", "source": "WORKSPACE"},
            "job_cluster_key": if changed { "single" } else { "main" },
        }),
        json!({"task_key": "tidy", "notebook_task": {"notebook_path": "/Shared/t", "source": "WORKSPACE"}, "existing_cluster_id": cluster}),
    ];
    if !changed {
        all.push(json!({"task_key": "extra", "notebook_task": {"notebook_path": "/Shared/e", "source": "WORKSPACE"}}));
    }
    all.into()
}

pub(crate) fn job() -> Page {
    let update = |settings: Value, field| {
        behind("POST", "/api/2.2/jobs/update", json!({"job_id": "$id", "new_settings": settings}), field)
    };
    let single = |changed: bool| {
        let machine = json!({"spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large"});
        let alone = json!({"num_workers": 0, "is_single_node": true, "kind": "CLASSIC_PREVIEW"});
        and(machine, if changed { json!({"num_workers": 2}) } else { alone })
    };
    let pooled = |changed: bool| {
        let pool = if changed { "$second_pool" } else { "$pool" };
        json!({
            "spark_version": "15.4.x-scala2.12", "num_workers": 1, "instance_pool_id": pool,
            "driver_instance_pool_id": pool, "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
        })
    };
    let clusters = |changed: bool| {
        json!([
            {"job_cluster_key": "main", "new_cluster": machines(changed)},
            {"job_cluster_key": "single", "new_cluster": single(changed)},
            {"job_cluster_key": "pooled", "new_cluster": pooled(changed)},
        ])
    };
    let inputs = json!({
        "name": "nightly", "description": "d", "tasks": tasks(false), "job_clusters": clusters(false),
        "environments": [
            {"environment_key": "default", "environment_version": "3", "dependencies": ["pandas"]},
            {"environment_key": "other", "environment_version": "3"},
        ],
        "parameters": [{"name": "region", "default": "eu"}], "health": health(false),
        "git_source": {"git_url": "https://a.example/x", "git_provider": "gitHub", "git_branch": "main", "git_commit": "c0"},
        "schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
        "max_concurrent_runs": 2, "timeout_seconds": 600, "queue": {"enabled": true},
        "run_as": {"user_name": ADMIN}, "edit_mode": "EDITABLE", "performance_target": "STANDARD",
        "tags": {"a": "1", "b": "2"},
    });
    let changed = json!({
        "name": "hourly", "tasks": tasks(true), "job_clusters": clusters(true),
        "environments": [
            {"environment_key": "default", "environment_version": "4", "dependencies": ["polars"]},
            {"environment_key": "other", "environment_version": "3"},
        ],
        "parameters": [{"name": "region", "default": "us"}], "health": health(true),
        "git_source": {"git_url": "https://b.example/x", "git_provider": "gitLab", "git_branch": "dev", "git_tag": "v1"},
        "schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "Europe/Paris", "pause_status": "UNPAUSED"},
        "max_concurrent_runs": 3, "timeout_seconds": 60, "queue": {"enabled": false},
        "run_as": {"service_principal_name": CLIENT_ID}, "edit_mode": "UI_LOCKED",
        "performance_target": "PERFORMANCE_OPTIMIZED", "tags": {"a": "3"},
    });
    Page {
        type_name: "databricks:Job",
        inputs: and(inputs, notifications(false)),
        changed: and(changed, notifications(true)),
        behind: vec![
            update(json!({"name": "other"}), "name"),
            update(json!({"tasks": [{"task_key": "load", "notebook_task": {"notebook_path": "/x"}}]}), "tasks"),
            update(json!({"schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}}), "schedule"),
            update(json!({"tags": {"a": "x"}}), "tags"),
            update(json!({"email_notifications": {"on_failure": ["c@example.com"]}}), "email_notifications"),
        ],
        exclusive: false,
        together: false,
    }
}

fn notebook_inputs(language: Language, source: &str) -> Value {
    let notebook = Notebook::from_source("/Shared/conformance", language, source);
    Tree::of_known(&notebook.to_expr()).plain().expect("all of it is known")
}

/// Content and its hash change together: the walk through the engine in `compute_pages.rs` changes them.
pub(crate) fn notebook() -> Page {
    let body = json!({"path": "$id", "format": "SOURCE", "language": "PYTHON", "overwrite": true, "content": "eA=="});
    Page {
        type_name: "databricks:Notebook",
        inputs: notebook_inputs(Language::Python, "print(1)\r\n"),
        changed: notebook_inputs(Language::Sql, "select 1\r\n"),
        behind: vec![behind("POST", "/api/2.0/workspace/import", body, "content_hash")],
        exclusive: true,
        together: true,
    }
}

pub(crate) fn workspace() -> Page {
    let patch = |body, field| {
        behind("PATCH", "/api/2.0/accounts/5a4d0b0c-ac00-4000-8000-000000000001/workspaces/$id", body, field)
    };
    let inputs = |ncc: &str, tags: Value| {
        json!({
            "name": "lake", "aws_region": platform_databricks::sandbox::REGION, "compute_mode": "SERVERLESS",
            "network_connectivity_config_id": ncc, "private_access_settings_id": "p", "custom_tags": tags,
            "managed_services_customer_managed_key_id": "k",
        })
    };
    Page {
        type_name: "databricks:Workspace",
        inputs: inputs("ncc-1", json!({"a": "1", "b": "2"})),
        changed: inputs("ncc-2", json!({"a": "3"})),
        behind: vec![
            patch(json!({"network_connectivity_config_id": "x"}), "network_connectivity_config_id"),
            patch(json!({"custom_tags": {"x": "y"}}), "custom_tags"),
        ],
        exclusive: true,
        together: false,
    }
}

/// One on the account's own AWS: with credentials, a root bucket and a network.
pub(crate) fn classic_workspace() -> Page {
    let inputs = |credentials: &str, network: &str, value: &str| {
        json!({
            "name": "own", "aws_region": platform_databricks::sandbox::REGION, "credentials_id": credentials,
            "storage_configuration_id": "$storage", "network_id": network, "private_access_settings_id": value,
            "managed_services_customer_managed_key_id": value, "storage_customer_managed_key_id": value,
            "pricing_tier": "PREMIUM", "deployment_name": "acme",
        })
    };
    let path = "/api/2.0/accounts/5a4d0b0c-ac00-4000-8000-000000000001/workspaces/$id";
    Page {
        type_name: "databricks:Workspace",
        inputs: inputs("$credentials", "$network", "one"),
        changed: inputs("$second_credentials", "$second_network", "two"),
        behind: vec![
            behind("PATCH", path, json!({"credentials_id": "$second_credentials"}), "credentials_id"),
            behind("PATCH", path, json!({"network_id": "$second_network"}), "network_id"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn metastore_assignment() -> Page {
    let metastore = platform_databricks::sandbox::METASTORE_ID;
    let other = json!({"metastore_id": metastore, "default_catalog_name": "other"});
    let inputs = |catalog: &str| json!({"workspace_id": "$workspace", "metastore_id": metastore, "default_catalog_name": catalog});
    Page {
        type_name: "databricks:MetastoreAssignment",
        inputs: inputs("lake"),
        changed: inputs("pond"),
        behind: vec![behind(
            "PUT",
            "/api/2.1/unity-catalog/workspaces/$workspace/metastore",
            other,
            "default_catalog_name",
        )],
        exclusive: false,
        together: false,
    }
}
