#!/usr/bin/env python3
"""Derives the facts about inputs that the project carries from an extraction of another tool's Databricks resources.

usage: trim_inputs.py SOURCE.json OUT.json

SOURCE.json is what the extraction of the Databricks Terraform provider gives: resources with their inputs, nested types.
OUT.json keeps the kinds that have a page here, one line an input, sorted. Of each input it says, where it is so, that it
is required, that it is secret, whether its change needs a new resource ("always", "conditional"), and whether the server
chooses when it is unset. Inputs of nested types are not carried: of them the source says nothing but their names.
"""
import json
import sys

KINDS = [
    "catalog", "cluster", "external_location", "grant", "job", "metastore_assignment", "mws_workspaces", "notebook", "schema",
    "sql_endpoint", "sql_table", "storage_credential", "volume",
]


def facts(given):
    known = {
        "required": given["required"],
        "secret": given["secret"],
        "replace": given["replace"],
        "computed_when_unset": given["computed_when_unset"],
    }
    return {name: fact for name, fact in known.items() if fact}


def main():
    source = json.load(open(sys.argv[1]))
    resources = {resource["terraform"]: resource for resource in source["resources"]}
    kinds = {f"databricks_{kind}": resources[f"databricks_{kind}"]["inputs"] for kind in KINDS}
    with open(sys.argv[2], "w") as out:
        out.write('{\n"source": ' + json.dumps(source["_meta"]["source"]))
        for kind in sorted(kinds):
            inputs = {given["tf_name"]: facts(given) for given in kinds[kind]}
            lines = (f"{json.dumps(name)}:{json.dumps(inputs[name], separators=(',', ':'), sort_keys=True)}" for name in sorted(inputs))
            out.write(f",\n{json.dumps(kind)}: {{\n" + ",\n".join(lines) + "\n}")
        out.write("\n}\n")


main()
