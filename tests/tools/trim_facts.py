#!/usr/bin/env python3
"""Derives the request facts that the project carries from a full extraction of the Databricks REST surface.

usage: trim_facts.py SOURCE.json OUT.json

SOURCE.json is what the extraction of the official SDK's interface gives: services with their methods, messages and
enums. OUT.json keeps the services below, one line an entry, sorted, so that a new version shows as a small diff:

  operations  "VERB path" -> {"query": fields, "body": fields or "message", "returns": type}
  messages    name -> fields
  enums       name -> values

A field is "name": "type", with "!" after the type when it must be given. Types: string int int64 bool double any binary
timestamp duration fieldmask list<T> map<K,V> msg:Name enum:Name. A trailing "*" in a path parameter means that the value
may contain slashes.
"""
import json
import re
import sys

# What is carried; None is every API of the service. Left out are APIs whose paths hide others (`PATCH .../{name}`).
CARRIED = {
    "apps": None,
    "billing": ["BudgetsAPI", "BudgetPolicyAPI", "LogDeliveryAPI"],
    "catalog": [
        "AccountMetastoreAssignmentsAPI", "AccountMetastoresAPI", "AccountStorageCredentialsAPI", "ArtifactAllowlistsAPI",
        "CatalogsAPI", "ConnectionsAPI", "CredentialsAPI", "EntityTagAssignmentsAPI", "ExternalLocationsAPI", "FunctionsAPI",
        "GrantsAPI", "MetastoresAPI", "ModelVersionsAPI", "PoliciesAPI", "QualityMonitorsAPI", "RegisteredModelsAPI",
        "SchemasAPI", "StorageCredentialsAPI", "SystemSchemasAPI", "TableConstraintsAPI", "TablesAPI", "VolumesAPI",
        "WorkspaceBindingsAPI",
    ],
    "compute": ["ClusterPoliciesAPI", "ClustersAPI", "GlobalInitScriptsAPI", "InstancePoolsAPI", "InstanceProfilesAPI", "LibrariesAPI"],
    "dashboards": ["LakeviewAPI"],
    "dataquality": None,
    "files": None,
    "iam": None,
    "jobs": ["JobsAPI"],
    "ml": ["ExperimentsAPI"],
    "oauth2": None,
    "pipelines": None,
    "provisioning": None,
    "serving": ["ServingEndpointsAPI"],
    "settings": [
        "AccountIpAccessListsAPI", "IpAccessListsAPI", "NetworkConnectivityAPI", "NetworkPoliciesAPI",
        "NotificationDestinationsAPI", "TokenManagementAPI", "TokensAPI", "WorkspaceConfAPI", "WorkspaceNetworkConfigurationAPI",
    ],
    "sharing": ["ProvidersAPI", "RecipientsAPI", "SharesAPI"],
    "sql": ["AlertsV2API", "QueriesAPI", "StatementExecutionAPI", "WarehousesAPI"],
    "tags": None,
    "vectorsearch": None,
    "workspace": None,
}
# Where two APIs share a verb and path, the later name wins: `GroupsV2API` over `GroupsAPI`. Where only the names of path
# parameters differ, the first template is kept.
REFERENCE = re.compile(r"(msg|enum):([\w.]+)")


def fields(source, required):
    return {name: field["t"] + ("!" if required(field) else "") for name, field in sorted(source.items())}


def main():
    source = json.load(open(sys.argv[1]))
    services = source["services"]
    operations, shapes, wanted = {}, {}, set()
    for service, apis in sorted(CARRIED.items()):
        for api, definition in sorted(services[service]["apis"].items()):
            if apis is not None and api not in apis:
                continue
            for method in definition["methods"].values():
                if not method["path"].startswith("/"):
                    continue
                operation = {}
                if "query" in method:
                    operation["query"] = fields(method["query"], lambda field: field["req"])
                if method.get("body_is", {}).get("raw"):
                    operation["body"] = "binary"
                elif "body_is" in method:
                    operation["body"] = method["body_is"]["t"]
                elif "body" in method:
                    operation["body"] = fields(method["body"], lambda field: field["req"])
                if method.get("returns"):
                    operation["returns"] = method["returns"]
                if items := (method.get("paginated") or {}).get("items"):
                    operation["items"] = items
                key = f"{method['verb']} {method['path']}"
                if shapes.setdefault(re.sub(r"\{\w+", "{", key), key) != key:
                    continue
                operations[key] = operation
                wanted.update(REFERENCE.findall(json.dumps(operation)))

    messages, enums, seen = {}, {}, set()
    while wanted:
        kind, name = entry = wanted.pop()
        if entry in seen:
            continue
        seen.add(entry)
        service, local = name.split(".")
        if kind == "enum":
            enums[name] = sorted(services[service]["enums"][local])
        else:
            messages[name] = fields(services[service]["messages"][local], lambda field: not field["opt"])
            wanted.update(REFERENCE.findall(json.dumps(messages[name])))

    with open(sys.argv[2], "w") as out:
        out.write('{\n"source": ' + json.dumps(f"databricks-sdk {source['sdk_version']}"))
        for section, entries in (("operations", operations), ("messages", messages), ("enums", enums)):
            lines = (f"{json.dumps(key)}:{json.dumps(entries[key], separators=(',', ':'), sort_keys=True)}" for key in sorted(entries))
            out.write(f',\n"{section}": {{\n' + ",\n".join(lines) + "\n}")
        out.write("\n}\n")


main()
