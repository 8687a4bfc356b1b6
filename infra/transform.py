"""Turns the SAM template into plain CloudFormation: transform.py [--code s3://BUCKET/KEY] [--definition s3://BUCKET/KEY] > template.json.

The same transform that AWS applies when the template is deployed, so that checks and the emulator see what AWS will make of it. As
`sam package` does, it first puts addresses in S3 in the place of files of this machine.
"""

import argparse
import json
import os
import pathlib
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

HERE = pathlib.Path(__file__).parent


class NoPolicies:
    """The template names no policy by a SAM template of policies."""

    @staticmethod
    def load():
        return {}


def packaged(template, code, definition):
    """The template with the addresses of what was uploaded."""
    functions = template["Globals"]["Function"]
    functions["CodeUri"] = code
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = definition
    return template


def plain(text, code="s3://code/switchman.zip", definition="s3://code/batch.asl.json"):
    """Plain CloudFormation of the template in `text`."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    return transform(packaged(yaml_parse(text), code, definition), {}, NoPolicies)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--code", default="s3://code/switchman.zip")
    arguments.add_argument("--definition", default="s3://code/batch.asl.json")
    given = arguments.parse_args()
    made = plain((HERE / "template.yaml").read_text(encoding="utf-8"), given.code, given.definition)
    json.dump(made, sys.stdout, indent=1)
