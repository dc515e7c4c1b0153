//! The pages of compute, jobs, notebooks, and of what an account has above them.

use platform_databricks::{Language, Notebook, sandbox::ADMIN};
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
    }
}

pub(crate) fn cluster() -> Page {
    let update = |cluster: Value, mask: &str, field| {
        let body = json!({"cluster_id": "$id", "cluster": cluster, "update_mask": mask});
        behind("POST", "/api/2.1/clusters/update", body, field)
    };
    let login = json!({"username": "robot", "password": "canary"});
    Page {
        type_name: "databricks:Cluster",
        inputs: json!({
            "name": "etl", "spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large",
            "autoscale": {"min_workers": 1, "max_workers": 2}, "autotermination_minutes": 20,
            "driver_node_type_id": "m5d.large", "data_security_mode": "SINGLE_USER", "single_user_name": ADMIN,
            "runtime_engine": "STANDARD", "spark_conf": {"a": "1", "b": "2"}, "spark_env_vars": {"A": "1"},
            "custom_tags": {"a": "1", "b": "2"}, "init_scripts": [{"volumes": {"destination": "/Volumes/a"}}],
            "aws_attributes": {"availability": "SPOT", "zone_id": "auto", "first_on_demand": 1},
            "docker_image": {"url": "ghcr.io/acme/etl:1", "basic_auth": login},
            "enable_elastic_disk": true, "enable_local_disk_encryption": false,
        }),
        changed: json!({
            "name": "load", "spark_version": "16.4.x-scala2.12", "node_type_id": "r5d.xlarge",
            "autoscale": {"min_workers": 2, "max_workers": 5}, "autotermination_minutes": 60,
            "driver_node_type_id": "r5d.xlarge", "data_security_mode": "USER_ISOLATION", "single_user_name": ADMIN,
            "runtime_engine": "PHOTON", "spark_conf": {"a": "3"},
            "custom_tags": {"a": "3"}, "init_scripts": [{"workspace": {"destination": "/Shared/a"}}],
            "aws_attributes": {"availability": "ON_DEMAND", "zone_id": "auto", "first_on_demand": 2},
            "docker_image": {"url": "ghcr.io/acme/etl:2", "basic_auth": login},
            "enable_elastic_disk": false, "enable_local_disk_encryption": true,
        }),
        behind: vec![
            update(json!({"autotermination_minutes": 0}), "autotermination_minutes", "autotermination_minutes"),
            update(json!({"custom_tags": {"x": "y"}}), "custom_tags", "custom_tags"),
            update(json!({"num_workers": 8}), "num_workers", "autoscale"),
            update(json!({"spark_version": "17.3.x-scala2.13"}), "spark_version", "spark_version"),
        ],
        exclusive: false,
    }
}

pub(crate) fn job() -> Page {
    let update = |settings: Value, field| {
        behind("POST", "/api/2.2/jobs/update", json!({"job_id": "$id", "new_settings": settings}), field)
    };
    let cluster = |workers: u32| json!({"spark_version": "15.4.x-scala2.12", "node_type_id": "m5d.large", "num_workers": workers});
    Page {
        type_name: "databricks:Job",
        inputs: json!({
            "name": "nightly", "description": "d",
            "tasks": [
                {"task_key": "load", "notebook_task": {"notebook_path": "/Shared/load", "base_parameters": {"k": "v"}},
                 "timeout_seconds": 60, "max_retries": 2, "run_if": "ALL_DONE"},
                {"task_key": "check", "spark_python_task": {"python_file": "/Shared/c.py", "parameters": ["-x"]},
                 "environment_key": "default", "depends_on": [{"task_key": "load"}]},
                {"task_key": "report", "sql_task": {"file": {"path": "/r.sql"}, "warehouse_id": "$warehouse"}},
                {"task_key": "big", "notebook_task": {"notebook_path": "/Shared/b"}, "job_cluster_key": "main"},
            ],
            "job_clusters": [{"job_cluster_key": "main", "new_cluster": cluster(2)}],
            "environments": [{"environment_key": "default", "environment_version": "3", "dependencies": ["pandas"]}],
            "parameters": [{"name": "region", "default": "eu"}],
            "schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
            "max_concurrent_runs": 2, "timeout_seconds": 600, "queue": {"enabled": true},
            "run_as": {"user_name": ADMIN}, "edit_mode": "EDITABLE", "performance_target": "STANDARD",
            "email_notifications": {"on_failure": ["a@example.com"]},
            "webhook_notifications": {"on_failure": [{"id": "w1"}]},
            "tags": {"a": "1", "b": "2"},
        }),
        changed: json!({
            "name": "hourly",
            "tasks": [
                {"task_key": "load", "notebook_task": {"notebook_path": "/Shared/load2"}, "max_retries": 1},
                {"task_key": "report", "sql_task": {"file": {"path": "/s.sql"}, "warehouse_id": "$warehouse"}},
                {"task_key": "big", "notebook_task": {"notebook_path": "/Shared/b"}, "job_cluster_key": "main"},
            ],
            "job_clusters": [{"job_cluster_key": "main", "new_cluster": cluster(4)}],
            "environments": [{"environment_key": "default", "environment_version": "4"}],
            "parameters": [{"name": "region", "default": "us"}],
            "schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"},
            "max_concurrent_runs": 3, "timeout_seconds": 60, "queue": {"enabled": false},
            "run_as": {"user_name": ADMIN}, "edit_mode": "UI_LOCKED", "performance_target": "PERFORMANCE_OPTIMIZED",
            "webhook_notifications": {"on_failure": [{"id": "w2"}]},
            "tags": {"a": "3"},
        }),
        behind: vec![
            update(json!({"name": "other"}), "name"),
            update(json!({"tasks": [{"task_key": "load", "notebook_task": {"notebook_path": "/x"}}]}), "tasks"),
            update(json!({"schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}}), "schedule"),
            update(json!({"tags": {"a": "x"}}), "tags"),
            update(json!({"email_notifications": {"on_failure": ["b@example.com"]}}), "email_notifications"),
        ],
        exclusive: false,
    }
}

fn notebook_inputs(language: Language) -> Value {
    let notebook = Notebook::from_source("/Shared/conformance", language, "select 1\r\n");
    Tree::of_known(&notebook.to_expr()).plain().expect("all of it is known")
}

/// Content and its hash change together: the walk through the engine in `compute_pages.rs` changes them.
pub(crate) fn notebook() -> Page {
    let body = json!({"path": "$id", "format": "SOURCE", "language": "PYTHON", "overwrite": true, "content": "eA=="});
    Page {
        type_name: "databricks:Notebook",
        inputs: notebook_inputs(Language::Python),
        changed: notebook_inputs(Language::Sql),
        behind: vec![behind("POST", "/api/2.0/workspace/import", body, "content_hash")],
        exclusive: true,
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
    }
}
