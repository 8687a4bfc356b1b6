#!/usr/bin/env python3
"""Checks Slack app manifests (YAML) against Slack's limits, and against Slack's own JSON schema where a copy is given.

    validate.py [--schema manifest.schema.1.0.0.json ...] MANIFEST.yaml ...

Slack publishes the schemas as slackapi/manifest-schema (schemas/*.json). Exit code 1 names every violation.
Needs PyYAML, and jsonschema for --schema.
"""

import argparse
import json
import sys

import yaml

# Where, longest (characters), from Slack's manifest reference.
LIMITS = [
    ("display_information.name", 35),
    ("display_information.description", 140),
    ("display_information.long_description", 4000),
    ("features.bot_user.display_name", 80),
    ("features.slash_commands.*.command", 32),
    ("features.slash_commands.*.description", 2000),
    ("features.slash_commands.*.usage_hint", 1000),
]


def values(node, path):
    """Every (place, value) that the dotted path leads to; * stands for every item of a list."""
    if not path:
        yield "", node
        return
    head, *rest = path
    pairs = enumerate(node) if head == "*" else [(head, node[head])] if head in node else []
    for key, child in pairs:
        for place, value in values(child, rest):
            yield f"{key}.{place}".rstrip("."), value


def violations(manifest, schemas):
    for path, longest in LIMITS:
        for place, value in values(manifest, path.split(".")):
            if len(value) > longest:
                yield f"{place}: {len(value)} characters, at most {longest}"
    long_description = manifest.get("display_information", {}).get("long_description")
    if long_description is not None and len(long_description) < 175:
        yield "display_information.long_description: at least 175 characters"
    for _, command in values(manifest, ["features", "slash_commands", "*", "command"]):
        if not command.startswith("/"):
            yield f"{command}: a slash command starts with a slash"
    if schemas:
        import jsonschema

        for name, schema in schemas:
            for error in jsonschema.Draft7Validator(schema).iter_errors(manifest):
                yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--schema", action="append", default=[])
    parser.add_argument("manifest", nargs="+")
    arguments = parser.parse_args()
    schemas = []
    for name in arguments.schema:
        with open(name, encoding="utf-8") as file:
            schemas.append((name, json.load(file)))
    failed = False
    for name in arguments.manifest:
        with open(name, encoding="utf-8") as file:
            manifest = yaml.safe_load(file)
        for violation in violations(manifest, schemas):
            failed = True
            print(f"{name}: {violation}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
