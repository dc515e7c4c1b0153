#!/usr/bin/env python3
"""The Databricks sandbox serves the official client: databricks-sdk, unchanged, as workspace and account client.

usage: conformance.py URL   (or DATABRICKS_HOST)

Every function whose name starts with `check_` is one check on a sandbox of its own making: it leaves nothing behind that
another would trip over. Prints a line for each, then `N passed, M failed`; exits 1 when one failed.
"""
import base64
import os
import sys
import time
import traceback
from datetime import timedelta

from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.errors import (
    AlreadyExists, BadRequest, InvalidParameterValue, InvalidState, NotFound, PermissionDenied, ResourceAlreadyExists, ResourceConflict,
    ResourceDoesNotExist, Unauthenticated,
)
from databricks.sdk.service import catalog, compute, iam, jobs, provisioning, sql, workspace
from databricks.sdk.version import __version__

HOST = sys.argv[1] if len(sys.argv) > 1 else os.environ["DATABRICKS_HOST"]
ACCOUNT = "5a4d0b0c-ac00-4000-8000-000000000001"
CLIENT_ID = "5a4d0b0c-5b00-4000-8000-000000000003"
CLIENT_SECRET = "sandbox-secret"
REGION = "eu-west-1"
SOON = timedelta(seconds=30)

# The environment's own settings must not reach these clients.
for name in [name for name in os.environ if name.startswith("DATABRICKS_")]:
    del os.environ[name]
os.environ["DATABRICKS_CONFIG_FILE"] = os.devnull

w = WorkspaceClient(host=HOST, token="sandbox")
a = AccountClient(host=HOST, account_id=ACCOUNT, token="sandbox")


def refused(kind, call, *args, **kwargs):
    """The call must raise exactly this class, or one below it."""
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def poll(call, done):
    deadline = time.time() + SOON.total_seconds()
    while time.time() < deadline:
        value = call()
        if done(value):
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


# Logging in


def check_personal_access_token():
    me = w.current_user.me()
    assert me.user_name == "admin@sandbox.example", me
    assert "admins" in [group.display for group in me.groups]


def check_oauth_for_machines_in_a_workspace():
    client = WorkspaceClient(host=HOST, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    assert client.config.auth_type == "oauth-m2m"
    assert client.current_user.me().user_name == CLIENT_ID


def check_oauth_for_machines_in_the_account():
    client = AccountClient(host=HOST, account_id=ACCOUNT, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    assert [space for space in client.workspaces.list() if space.workspace_name == "sandbox"]


def check_wrong_client_secret():
    try:
        WorkspaceClient(host=HOST, client_id=CLIENT_ID, client_secret="wrong").current_user.me()
    except Exception as error:
        assert "invalid_client" in str(error), error
        return
    raise AssertionError("a wrong secret was taken")


def check_revoked_and_denied_tokens():
    refused(Unauthenticated, WorkspaceClient(host=HOST, token="revoked").current_user.me)
    refused(PermissionDenied, WorkspaceClient(host=HOST, token="denied").current_user.me)


# Unity Catalog


def with_lake(name):
    """A credential, a location, and in it a catalog of this name; removed by calling what is returned."""
    role = catalog.AwsIamRoleRequest(role_arn="arn:aws:iam::123456789012:role/lake")
    made = w.storage_credentials.create(name=f"{name}-cred", aws_iam_role=role, skip_validation=True)
    assert made.aws_iam_role.external_id and made.aws_iam_role.unity_catalog_iam_arn
    w.external_locations.create(name=f"{name}-raw", url=f"s3://{name}/", credential_name=f"{name}-cred", skip_validation=True)
    w.catalogs.create(name=name, storage_root=f"s3://{name}/root")

    def remove():
        w.catalogs.delete(name, force=True)
        w.external_locations.delete(f"{name}-raw")
        w.storage_credentials.delete(f"{name}-cred")

    return remove


def check_catalog_life():
    refused(BadRequest, w.catalogs.create, name="homeless")
    remove = with_lake("life")
    refused(BadRequest, w.catalogs.create, name="life", storage_root="s3://life/root")
    changed = w.catalogs.update("life", owner="pipeline", isolation_mode=catalog.CatalogIsolationMode.ISOLATED)
    assert (changed.owner, changed.isolation_mode) == ("pipeline", catalog.CatalogIsolationMode.ISOLATED)
    refused(PermissionDenied, w.catalogs.get, "life")
    here = catalog.WorkspaceBinding(workspace_id=w.get_workspace_id())
    w.workspace_bindings.update_bindings("catalog", "life", add=[here])
    assert w.catalogs.update("life", new_name="living").name == "living"
    assert [schema.name for schema in w.schemas.list("living")] == ["default", "information_schema"]
    w.catalogs.update("living", new_name="life")
    refused(InvalidState, w.external_locations.delete, "life-raw")
    refused(InvalidState, w.storage_credentials.delete, "life-cred")
    remove()
    error = refused(NotFound, w.catalogs.get, "life")
    assert error.error_code == "CATALOG_DOES_NOT_EXIST", error


def check_lists_longer_than_a_page():
    remove = with_lake("long")
    for n in range(60):
        w.schemas.create(name=f"s{n:02}", catalog_name="long")
    names = [schema.name for schema in w.schemas.list("long")]
    assert len(names) == 62 == len(set(names)), len(names)
    assert len(list(w.schemas.list("long", max_results=7))) == 62
    remove()


def check_schema_and_volume_life():
    remove = with_lake("vol")
    made = w.schemas.create(name="Bronze", catalog_name="vol", comment="raw")
    assert made.full_name == "vol.bronze"
    refused(InvalidParameterValue, w.schemas.update, "vol.bronze", comment="raw")
    assert w.schemas.update("vol.bronze", comment="rawer").comment == "rawer"
    external = w.volumes.create("vol", "bronze", "dump", catalog.VolumeType.EXTERNAL, storage_location="s3://vol/dump/")
    assert external.storage_location == "s3://vol/dump"
    w.volumes.create("vol", "bronze", "own", catalog.VolumeType.MANAGED)
    assert w.volumes.update("vol.bronze.own", new_name="mine", comment="c").full_name == "vol.bronze.mine"
    assert [volume.name for volume in w.volumes.list("vol", "bronze")] == ["dump", "mine"]
    refused(InvalidState, w.schemas.delete, "vol.bronze")
    w.volumes.delete("vol.bronze.mine")
    refused(NotFound, w.volumes.read, "vol.bronze.mine")
    remove()


def check_credential_and_location_life():
    role = catalog.AwsIamRoleRequest(role_arn="arn:aws:iam::123456789012:role/lake")
    for n in range(5):
        w.storage_credentials.create(name=f"paged-{n}", aws_iam_role=role, skip_validation=True)
        w.external_locations.create(name=f"paged-{n}", url=f"s3://paged-{n}/", credential_name="paged-0", skip_validation=True)
    paged = {f"paged-{n}" for n in range(5)}
    for api in (w.storage_credentials, w.external_locations):
        names = [found.name for found in api.list(max_results=2)]
        assert paged <= set(names) and len(names) == len(set(names)), names
    changed = w.storage_credentials.update("paged-1", comment="c", owner="pipeline", read_only=True, skip_validation=True)
    assert (changed.comment, changed.owner, changed.read_only) == ("c", "pipeline", True)
    assert w.storage_credentials.update("paged-1", new_name="renamed", skip_validation=True).name == "renamed"
    refused(NotFound, w.storage_credentials.get, "paged-1")
    changed = w.external_locations.update("paged-1", comment="c", credential_name="renamed", read_only=True, skip_validation=True)
    assert (changed.comment, changed.credential_name, changed.read_only) == ("c", "renamed", True)
    assert w.external_locations.update("paged-1", url="s3://paged-1/in", force=True, skip_validation=True).url == "s3://paged-1/in"
    refused(InvalidState, w.storage_credentials.delete, "renamed")
    for n in range(5):
        w.external_locations.delete(f"paged-{n}")
        refused(NotFound, w.external_locations.get, f"paged-{n}")
    for n in range(5):
        w.storage_credentials.delete("renamed" if n == 1 else f"paged-{n}")


def check_volumes_and_tables_longer_than_a_page():
    remove = with_lake("many")
    warehouse = w.warehouses.create(name="many", cluster_size="2X-Small").id
    for n in range(5):
        w.volumes.create("many", "default", f"v{n}", catalog.VolumeType.MANAGED)
        ddl = f"CREATE TABLE many.default.t{n} (id BIGINT)"
        made = w.statement_execution.execute_statement(statement=ddl, warehouse_id=warehouse, wait_timeout="30s")
        assert made.status.state == sql.StatementState.SUCCEEDED, made
    assert [volume.name for volume in w.volumes.list("many", "default", max_results=2)] == [f"v{n}" for n in range(5)]
    assert [table.name for table in w.tables.list("many", "default", max_results=2)] == [f"t{n}" for n in range(5)]
    w.warehouses.delete(warehouse)
    remove()


def check_grants():
    remove = with_lake("granted")
    change = catalog.PermissionsChange(principal="analysts", add=[catalog.Privilege.USE_CATALOG, catalog.Privilege.SELECT])
    w.grants.update("catalog", "granted", changes=[change])
    held = w.grants.get("catalog", "granted", principal="analysts").privilege_assignments
    assert set(held[0].privileges) == {catalog.Privilege.USE_CATALOG, catalog.Privilege.SELECT}
    passed = w.grants.get_effective("schema", "granted.default", principal="analysts").privilege_assignments[0].privileges
    assert [p.inherited_from_name for p in passed if p.privilege == catalog.Privilege.SELECT] == ["granted"]
    nobody = catalog.PermissionsChange(principal="nobody", add=[catalog.Privilege.SELECT])
    refused(NotFound, w.grants.update, "catalog", "granted", changes=[nobody])
    both = catalog.PermissionsChange(principal="analysts", add=[catalog.Privilege.SELECT], remove=[catalog.Privilege.SELECT])
    refused(InvalidParameterValue, w.grants.update, "catalog", "granted", changes=[both])
    less = catalog.PermissionsChange(principal="analysts", remove=[catalog.Privilege.SELECT])
    left = w.grants.update("catalog", "granted", changes=[less]).privilege_assignments
    assert [(held.principal, held.privileges) for held in left] == [("analysts", [catalog.Privilege.USE_CATALOG])], left
    remove()


def check_metastore():
    summary = w.metastores.summary()
    assert summary.region == REGION
    assert w.metastores.current().metastore_id == summary.metastore_id
    assert summary.metastore_id in [metastore.metastore_id for metastore in a.metastores.list()]
    assert a.metastores.get(summary.metastore_id).metastore_info.name == summary.name


# Compute


def check_cluster_life():
    cluster = w.clusters.create(
        spark_version="16.4.x-scala2.12", cluster_name="conformance", node_type_id="i3.xlarge", num_workers=1, autotermination_minutes=30
    ).result(timeout=SOON)
    assert cluster.state == compute.State.RUNNING and cluster.driver_node_type_id == "i3.xlarge"
    id = cluster.cluster_id
    edited = w.clusters.edit(id, spark_version="16.4.x-scala2.12", cluster_name="edited", node_type_id="i3.xlarge", num_workers=2)
    assert edited.result(timeout=SOON).cluster_name == "edited"
    assert w.clusters.resize(id, num_workers=3).result(timeout=SOON).num_workers == 3
    mask = w.clusters.update(id, "cluster_name", cluster=compute.UpdateClusterResource(cluster_name="masked"))
    assert mask.result(timeout=SOON).cluster_name == "masked"
    assert w.clusters.delete(id).result(timeout=SOON).state == compute.State.TERMINATED
    assert w.clusters.start(id).result(timeout=SOON).state == compute.State.RUNNING
    assert list(w.clusters.events(id))
    assert id in [cluster.cluster_id for cluster in w.clusters.list()]
    w.clusters.permanent_delete(id)
    refused(ResourceDoesNotExist, w.clusters.get, id)


def check_clusters_longer_than_a_page():
    ids = set()
    for n in range(23):
        made = w.clusters.create(spark_version="16.4.x-scala2.12", cluster_name=f"c{n}", node_type_id="i3.xlarge", num_workers=1)
        ids.add(made.cluster_id)
    listed = [cluster.cluster_id for cluster in w.clusters.list(page_size=10)]
    assert ids <= set(listed) and len(listed) == len(set(listed))
    for id in ids:
        w.clusters.permanent_delete(id)


def check_cluster_refusals():
    refused(InvalidParameterValue, w.clusters.create, spark_version="newest", node_type_id="i3.xlarge", num_workers=1)
    made = w.clusters.create(spark_version="16.4.x-scala2.12", node_type_id="i3.xlarge", num_workers=1)
    spec = dict(spark_version="16.4.x-scala2.12", node_type_id="i3.xlarge", num_workers=2)
    refused(InvalidState, w.clusters.edit, made.cluster_id, **spec)
    w.clusters.permanent_delete(made.cluster_id)
    assert w.clusters.select_spark_version(long_term_support=True)
    assert w.clusters.select_node_type(min_cores=4)


def check_warehouse_life():
    made = w.warehouses.create(name="conformance", cluster_size="2X-Small", auto_stop_mins=10).result(timeout=SOON)
    assert (made.state, made.auto_stop_mins) == (sql.State.RUNNING, 10)
    refused(ResourceAlreadyExists, w.warehouses.create, name="conformance", cluster_size="2X-Small")
    edited = w.warehouses.edit(made.id, name="conformance", cluster_size="Small").result(timeout=SOON)
    assert edited.cluster_size == "Small"
    assert w.warehouses.stop(made.id).result(timeout=SOON).state == sql.State.STOPPED
    assert w.warehouses.start(made.id).result(timeout=SOON).state == sql.State.RUNNING
    assert made.id in [warehouse.id for warehouse in w.warehouses.list()]
    w.warehouses.delete(made.id)
    refused(NotFound, w.warehouses.get, made.id)


def check_statements_make_tables():
    warehouse = w.warehouses.create(name="statements", cluster_size="2X-Small").id
    ddl = "CREATE TABLE main.default.conformance (id BIGINT NOT NULL COMMENT 'key', tags ARRAY<STRING>) USING DELTA COMMENT 'c'"
    sent = w.statement_execution.execute_statement(statement=ddl, warehouse_id=warehouse, wait_timeout="0s")
    over = lambda answer: answer.status.state not in (sql.StatementState.PENDING, sql.StatementState.RUNNING)
    ended = poll(lambda: w.statement_execution.get_statement(sent.statement_id), over)
    assert ended.status.state == sql.StatementState.SUCCEEDED, ended
    table = w.tables.get("main.default.conformance")
    assert [(c.name, c.type_text, c.nullable) for c in table.columns] == [("id", "bigint", False), ("tags", "array<string>", True)]
    assert table.columns[0].type_name == catalog.ColumnTypeName.LONG and table.table_type == catalog.TableType.MANAGED
    again = w.statement_execution.execute_statement(statement=ddl, warehouse_id=warehouse)
    assert again.status.state == sql.StatementState.FAILED
    assert again.status.error.message.startswith("[TABLE_OR_VIEW_ALREADY_EXISTS]")
    one = w.statement_execution.execute_statement(statement="SELECT 1", warehouse_id=warehouse)
    assert one.result.data_array == [["1"]]
    assert w.tables.exists("main.default.conformance").table_exists
    assert "conformance" in [table.name for table in w.tables.list("main", "default")]
    w.tables.delete("main.default.conformance")
    refused(NotFound, w.tables.get, "main.default.conformance")
    w.warehouses.delete(warehouse)


def check_job_life():
    w.workspace.import_("/Shared/job", format=workspace.ImportFormat.SOURCE, language=workspace.Language.PYTHON, content="cHJpbnQoMSk=")
    task = jobs.Task(task_key="load", notebook_task=jobs.NotebookTask(notebook_path="/Shared/job"))
    made = w.jobs.create(name="conformance", tasks=[task], schedule=jobs.CronSchedule("0 0 2 * * ?", "UTC"))
    job = w.jobs.get(made.job_id)
    assert (job.settings.max_concurrent_runs, job.settings.format) == (1, jobs.Format.MULTI_TASK)
    assert job.settings.schedule.pause_status == jobs.PauseStatus.UNPAUSED
    w.jobs.update(made.job_id, new_settings=jobs.JobSettings(max_concurrent_runs=2), fields_to_remove=["schedule"])
    job = w.jobs.get(made.job_id)
    assert job.settings.max_concurrent_runs == 2 and job.settings.schedule is None
    w.jobs.reset(made.job_id, new_settings=jobs.JobSettings(name="reset", tasks=[task]))
    assert w.jobs.get(made.job_id).settings.max_concurrent_runs == 1
    run = w.jobs.run_now(made.job_id).result(timeout=SOON)
    assert run.state.result_state == jobs.RunResultState.SUCCESS
    assert [r.run_id for r in w.jobs.list_runs(job_id=made.job_id)] == [run.run_id]
    w.jobs.delete(made.job_id)
    refused(ResourceDoesNotExist, w.jobs.get, made.job_id)
    lost = jobs.Task(task_key="load", existing_cluster_id="none", notebook_task=jobs.NotebookTask(notebook_path="/Shared/job"))
    refused(InvalidParameterValue, w.jobs.create, name="lost", tasks=[lost])
    w.workspace.delete("/Shared/job")


def check_jobs_longer_than_a_page():
    made = {w.jobs.create(name=f"page-{n}").job_id for n in range(45)}
    listed = [job.job_id for job in w.jobs.list()]
    assert made <= set(listed) and len(listed) == len(set(listed))
    assert [job.settings.name for job in w.jobs.list(name="page-7")] == ["page-7"]
    for job_id in made:
        w.jobs.delete(job_id)


def check_a_wide_job_is_read_whole():
    tasks = [jobs.Task(task_key=f"t{n:03}", notebook_task=jobs.NotebookTask(notebook_path="/x")) for n in range(120)]
    job_id = w.jobs.create(name="wide", tasks=tasks).job_id
    assert len(w.jobs.get(job_id).settings.tasks) == 120
    w.jobs.delete(job_id)


# Workspace objects


def check_notebooks_and_folders():
    refused(NotFound, w.workspace.upload, "/Shared/none/a.txt", b"x", format=workspace.ImportFormat.RAW)
    w.workspace.mkdirs("/Shared/conformance/deep")
    source = b"# Databricks notebook source\nprint(1)\n"
    w.workspace.upload("/Shared/conformance/n", source, format=workspace.ImportFormat.SOURCE, language=workspace.Language.PYTHON)
    refused(ResourceAlreadyExists, w.workspace.import_, "/Shared/conformance/n", content=base64.b64encode(source).decode(),
            format=workspace.ImportFormat.SOURCE, language=workspace.Language.PYTHON)
    status = w.workspace.get_status("/Workspace/Shared/conformance/n")
    assert (status.object_type, status.language) == (workspace.ObjectType.NOTEBOOK, workspace.Language.PYTHON)
    exported = w.workspace.export("/Shared/conformance/n", format=workspace.ExportFormat.SOURCE)
    assert base64.b64decode(exported.content) == source.rstrip()
    assert {o.path for o in w.workspace.list("/Shared/conformance", recursive=True)} == {"/Shared/conformance/n"}
    refused(BadRequest, w.workspace.delete, "/Shared/conformance")
    w.workspace.delete("/Shared/conformance", recursive=True)
    refused(NotFound, w.workspace.get_status, "/Shared/conformance/n")


def check_queries():
    query = sql.CreateQueryRequestQuery(display_name="daily", query_text="SELECT 1")
    made = w.queries.create(query=query)
    changed = w.queries.update(made.id, "query_text", query=sql.UpdateQueryRequestQuery(query_text="SELECT 2"))
    assert (changed.query_text, changed.display_name) == ("SELECT 2", "daily")
    assert made.id in [query.id for query in w.queries.list()]
    w.queries.delete(made.id)
    assert w.queries.get(made.id).lifecycle_state == sql.LifecycleState.TRASHED
    assert made.id not in [query.id for query in w.queries.list()]


def check_secrets():
    w.secrets.create_scope("conformance")
    refused(ResourceAlreadyExists, w.secrets.create_scope, "conformance")
    w.secrets.put_secret("conformance", "key", string_value="canary-of-the-conformance")
    assert [secret.key for secret in w.secrets.list_secrets("conformance")] == ["key"]
    w.secrets.put_acl("conformance", "analysts", workspace.AclPermission.READ)
    assert {acl.principal for acl in w.secrets.list_acls("conformance")} == {"admin@sandbox.example", "analysts"}
    w.secrets.delete_scope("conformance")
    refused(NotFound, w.secrets.list_secrets, "conformance")


def check_identities():
    group = w.groups.create(display_name="team")
    refused(ResourceConflict, w.groups.create, display_name="team")
    operation = iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": "1"}])
    w.groups.patch(group.id, operations=[operation], schemas=[iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP])
    assert [member.value for member in w.groups.get(group.id).members] == ["1"]
    assert [found.id for found in w.groups.list(filter='displayName eq "team"')] == [group.id]
    w.groups.delete(group.id)
    refused(NotFound, w.groups.get, group.id)
    users = {w.users.create(user_name=f"u{n}@sandbox.example").id for n in range(105)}
    listed = [user.id for user in w.users.list(count=50)]
    assert users <= set(listed) and len(listed) == len(set(listed))
    for user in users:
        w.users.delete(user)


def check_object_permissions():
    job_id = str(w.jobs.create(name="permitted").job_id)
    entry = iam.AccessControlRequest(group_name="analysts", permission_level=iam.PermissionLevel.CAN_VIEW)
    merged = w.permissions.update("jobs", job_id, access_control_list=[entry])
    assert "analysts" in [entry.group_name for entry in merged.access_control_list]
    refused(InvalidParameterValue, w.permissions.set, "jobs", job_id, access_control_list=[entry])
    w.jobs.delete(int(job_id))


# Account


def check_workspace_is_made_and_filled():
    mode = provisioning.CustomerFacingComputeMode.SERVERLESS
    made = a.workspaces.create_and_wait(workspace_name="conformance", aws_region=REGION, compute_mode=mode, timeout=SOON)
    assert made.workspace_status == provisioning.WorkspaceStatus.RUNNING
    refused(ResourceAlreadyExists, a.workspaces.create, workspace_name="conformance", aws_region=REGION, compute_mode=mode)
    inside = WorkspaceClient(host=HOST, token="sandbox", workspace_id=str(made.workspace_id))
    refused(NotFound, lambda: list(inside.catalogs.list()))
    metastore = w.metastores.summary().metastore_id
    assignment = catalog.CreateMetastoreAssignment(workspace_id=made.workspace_id, metastore_id=metastore, default_catalog_name="main")
    a.metastore_assignments.create(made.workspace_id, metastore, metastore_assignment=assignment)
    assert made.workspace_id in list(a.metastore_assignments.list(metastore))
    assert "main" in [found.name for found in inside.catalogs.list()]
    default = catalog.UpdateMetastoreAssignment(workspace_id=made.workspace_id, default_catalog_name="system")
    a.metastore_assignments.update(made.workspace_id, metastore, metastore_assignment=default)
    assert a.metastore_assignments.get(made.workspace_id).metastore_assignment.default_catalog_name == "system"
    job = inside.jobs.create(name="inside").job_id
    refused(ResourceDoesNotExist, w.jobs.get, job)
    tagged = a.workspaces.update(
        made.workspace_id, customer_facing_workspace=provisioning.Workspace(custom_tags={"team": "data"}), update_mask="custom_tags"
    ).result(timeout=SOON)
    assert tagged.custom_tags == {"team": "data"}
    group = next(iter(a.groups_v2.list(filter='displayName eq "analysts"')))
    a.workspace_assignment.update(made.workspace_id, int(group.id), permissions=[iam.WorkspacePermission.USER])
    assert [p.principal.group_name for p in a.workspace_assignment.list(made.workspace_id)] == ["analysts"]
    a.metastore_assignments.delete(made.workspace_id, metastore)
    a.workspaces.delete(made.workspace_id)
    refused(NotFound, a.workspaces.get, made.workspace_id)


def check_parts_of_a_workspace():
    role = provisioning.CreateCredentialAwsCredentials(provisioning.CreateCredentialStsRole("arn:aws:iam::123456789012:role/x"))
    credentials = a.credentials.create(credentials_name="conformance", aws_credentials=role)
    storage = a.storage.create(storage_configuration_name="conformance", root_bucket_info=provisioning.RootBucketInfo("root"))
    network = a.networks.create(network_name="conformance", vpc_id="vpc-1", subnet_ids=["s-1", "s-2"], security_group_ids=["sg-1"])
    made = a.workspaces.create_and_wait(
        workspace_name="own", aws_region=REGION, credentials_id=credentials.credentials_id,
        storage_configuration_id=storage.storage_configuration_id, network_id=network.network_id, timeout=SOON,
    )
    refused(ResourceConflict, a.credentials.delete, credentials.credentials_id)
    a.workspaces.delete(made.workspace_id)
    a.credentials.delete(credentials.credentials_id)
    a.storage.delete(storage.storage_configuration_id)
    a.networks.delete(network.network_id)
    assert credentials.credentials_id not in [found.credentials_id for found in a.credentials.list()]
    refused(NotFound, a.storage.get, storage.storage_configuration_id)


# Strictness


def check_unknown_fields_and_paths():
    error = refused(InvalidParameterValue, w.api_client.do, "POST", "/api/2.0/sql/warehouses", body={"name": "x", "sise": "Small"})
    assert "`sise`" in str(error), error
    refused(NotFound, w.api_client.do, "GET", "/api/2.0/sql/warehousez")


def main():
    checks = [(name, check) for name, check in globals().items() if name.startswith("check_")]
    failed = 0
    for name, check in checks:
        started = time.time()
        try:
            check()
            print(f"ok      {name} ({time.time() - started:.1f} s)")
        except Exception:
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}")
    print(f"databricks-sdk {__version__}: {len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
