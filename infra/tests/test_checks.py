"""Each check has been seen to fail: the template, the code or a table is broken on purpose, and the check has to say so."""

import copy
import json
import pathlib
import subprocess
import sys

import check_names
import check_policy
import pytest
import transform
from resolve import Template

INFRA = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plain():
    return transform.plain((INFRA / "template.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def world(plain):
    world = check_names.read_world(copy.deepcopy(plain))
    world.recorded = None
    return world


def properties(world, name):
    return world.raw["Resources"][name]["Properties"]


def statement(world, policy, sid):
    """The statement of that name, and the list it stands in."""
    own = properties(world, policy)
    own = own.get("PolicyDocument") or own["Policies"][0]["PolicyDocument"]
    for number, one in enumerate(own["Statement"]):
        inner = one["Fn::If"][1] if "Fn::If" in one else one
        if inner["Sid"] == sid:
            return own["Statement"], number, inner
    raise KeyError(sid)


def edit(world, path, before, after):
    assert before in world.sources[path], f"{path} has changed: this test breaks nothing any more"
    world.sources[path] = world.sources[path].replace(before, after)


def one(problems, *words):
    """There is a problem with all these words."""
    problems = list(problems)
    assert any(all(word in problem for word in words) for problem in problems), problems


def test_as_they_are_template_and_code_agree(world):
    assert check_names.problems(world) == []


def test_a_permission_that_was_removed_is_missed(world):
    _, _, publish = statement(world, "AskPolicy", "Publish")
    publish["Action"] = "events:DescribeEventBus"
    found = list(check_names.permissions(world))
    one(found, "front-door lacks events:PutEvents")
    one(found, "front-door has events:DescribeEventBus", "does not ask for")


def test_a_permission_that_nobody_asked_for_is_found(world):
    _, _, runs = statement(world, "BatchRole", "Write")
    runs["Action"] = [*runs["Action"], "s3:DeleteObjectVersion"]
    one(check_names.permissions(world), "batch has s3:DeleteObjectVersion", "does not ask for")


def test_a_resource_that_is_too_wide_is_found(world):
    _, _, record = statement(world, "AskPolicy", "Record")
    record["Resource"] = "*"
    found = list(check_names.permissions(world))
    one(found, "front-door has dynamodb:PutItem on everything")
    one(found, "front-door lacks dynamodb:PutItem")


def test_a_star_for_an_action_is_found(world):
    _, _, write = statement(world, "BatchRole", "Write")
    write["Action"] = "s3:*"
    one(check_names.permissions(world), "batch has the star s3:*")


def test_a_policy_of_aws_is_found(world):
    properties(world, "TickRole")["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/AdministratorAccess")
    one(check_names.permissions(world), "tick has", "AdministratorAccess")


def test_a_role_that_no_table_knows_is_found(world):
    world.raw["Resources"]["ExtraRole"] = copy.deepcopy(world.raw["Resources"]["EachMinuteRole"])
    one(check_names.permissions(world), "ExtraRole has lambda:InvokeFunction")


def test_a_star_without_a_reason_is_found(world):
    del world.permissions["stars"]["secret"]
    one(check_names.permissions(world), "secret has a star without a reason")


def test_a_policy_that_has_grown_too_large_is_found(world):
    statements, _, runs = statement(world, "BotPolicy", "Runs")
    statements.extend(copy.deepcopy(runs) for _ in range(40))
    one(check_names.permissions(world), "BotPolicy has", "IAM takes 6144")


def test_a_new_call_without_a_grant_is_found(world):
    edit(world, "src/aws/directory.rs", ".get_item()", ".describe_table()")
    one(check_names.code_calls(world), "dynamodb:DescribeTable", "granted to nobody")


def test_a_grant_that_nothing_calls_is_found(world):
    world.permissions["grant"].append({"roles": ["tick"], "calls": ["sqs:PurgeQueue"], "on": ["commands"], "why": ""})
    one(check_names.code_calls(world), "sqs:PurgeQueue is granted, and nothing in src/ calls it")


def test_recorded_calls_are_compared_both_ways(world):
    world.recorded = ["front-door dynamodb:PutItem", "front-door sfn:StartExecution"]
    found = list(check_names.recorded(world))
    one(found, "front-door called states:StartExecution, which it may not")
    one(found, "no test saw dynamodb:Query")
    world.permissions["not-recorded"] = {"dynamodb:PutItem": "for no reason"}
    one(check_names.recorded(world), "dynamodb:PutItem was seen")


def test_an_action_without_a_rule_is_found(world):
    del world.raw["Resources"]["OnCancelBatch"]
    found = list(check_names.detail_types(world))
    one(found, "event with a rule", "'cancel-batch'")
    one(found, "OnAnythingElse", "'cancel-batch'")


def test_a_new_event_of_the_code_is_found(world):
    edit(world, "src/domain/envelope.rs", '"start-refused",', '"start-declined",')
    found = list(check_names.detail_types(world))
    one(found, "the code has 'start-declined'")
    one(found, "the template has 'start-refused'")


def test_a_rule_without_dead_letters_is_found(world):
    del properties(world, "OnWhy")["Targets"][0]["DeadLetterConfig"]
    one(check_names.detail_types(world), "rule OnWhy", "no dead letters")


def test_a_renamed_index_and_a_renamed_key_are_found(world):
    edit(world, "src/aws/store/schema.rs", 'name: "due"', 'name: "pending"')
    edit(world, "src/aws/store/schema.rs", 'EXPIRES: &str = "expires"', 'EXPIRES: &str = "ends"')
    edit(world, "src/aws/directory.rs", 'ACTOR: &str = "actor"', 'ACTOR: &str = "who"')
    found = list(check_names.tables(world))
    one(found, "index of the record", "pending")
    one(found, "time to live", "'ends'")
    one(found, "key of people", "'who'")


def test_an_index_that_holds_more_than_keys_is_found(world):
    properties(world, "Record")["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "ALL"}
    one(check_names.tables(world), "holds more than keys")


def test_a_renamed_variable_is_found(world):
    variables = properties(world, "Tick")["Environment"]["Variables"]
    variables["SWITCHMAN_LOGS"] = variables.pop("SWITCHMAN_LOG_FORMAT")
    one(check_names.environment(world), "the template has 'SWITCHMAN_LOGS'")
    edit(world, "src/config/environment.rs", '"SWITCHMAN_LOG_FORMAT"', '"SWITCHMAN_FORMAT"')
    one(check_names.environment(world), "the code has 'SWITCHMAN_FORMAT'")


def test_a_renamed_key_of_the_configuration_is_found(world):
    edit(world, "src/config/aws.rs", '"dead_letter_url"', '"dead_url"')
    found = list(check_names.keys(world))
    one(found, "the code has 'dead_url'")
    one(found, "the template has 'dead_letter_url'")


def test_another_usual_name_is_found(world):
    edit(world, "src/config/aws.rs", '"command-event-bus"', '"commands"')
    one(check_names.keys(world), "the code calls event_bus 'commands'")


def test_an_alarm_on_a_sentence_that_nobody_logs_is_found(world):
    edit(world, "src/processor/retry.rs", "is given up and lies with the dead letters", "is buried")
    one(check_names.log_lines(world), "CommandGivenUpFilter")


def test_a_substitution_that_nobody_fills_in_is_found(world):
    world.machine = '{"Resource": "${BatchFunction}", "Bucket": "${Buckets}"}'
    found = list(check_names.machine(world))
    one(found, "the code has 'Buckets'")
    one(found, "the template has 'Bucket'")


def test_a_finding_without_a_reason_and_a_reason_without_a_finding_are_found():
    found = [{"check_id": "CKV_1", "check_name": "Ensure so", "resource": "AWS::SQS::Queue.Commands"}]
    left = [{"check": "CKV_2", "on": ["Signals"], "why": "because it is right like that"}]
    problems = list(check_policy.compare(found, left))
    one(problems, "CKV_1 on Commands")
    one(problems, "CKV_2 on Signals", "was not found")
    one(check_policy.compare([], [{"check": "CKV_2", "on": [], "why": ""}]), "has no reason")


def lint(template, path):
    path.write_text(json.dumps(template), encoding="utf-8")
    linter = pathlib.Path(sys.executable).parent / "cfn-lint"
    return subprocess.run([linter, "--", path], capture_output=True, text=True, check=False)


def test_cfn_lint_finds_a_property_that_does_not_exist(plain, tmp_path):
    broken = copy.deepcopy(plain)
    broken["Resources"]["Commands"]["Properties"]["VisibilityTimeOut"] = 360
    ended = lint(broken, tmp_path / "broken.json")
    assert ended.returncode != 0 and "VisibilityTimeOut" in ended.stdout


def test_a_standby_has_no_tables_and_no_secret_and_everything_else(plain):
    names = {}
    for role in ("primary", "standby"):
        worked_out = Template(plain, {**check_names.EVERYTHING, "Role": role}, "eu-west-1")
        names[role] = {name for name, _, _ in worked_out.resources()}
    assert names["primary"] - names["standby"] == {"Record", "People", "Active", "SlackSecret"}
    assert names["standby"] < names["primary"]


def test_one_region_alone_names_no_other(plain):
    alone = Template(plain, {"PermittedChannels": "C0BATCH"}, "eu-central-1")
    everything = json.dumps([*alone.resources()])
    assert "eu-west" not in everything and "GlobalTableWitnesses" not in everything
    assert '"MultiRegionConsistency"' not in everything and "ReplicationConfiguration" not in everything


def test_what_is_awaited_and_has_come_is_known(world):
    world.names["awaited"]["detail-types"] = ["status", "tomorrow"]
    world.names["awaited"]["calls"] = [*world.names["awaited"]["calls"], "dynamodb:GetItem"]
    came = set(check_names.come(world))
    assert {("detail-types", "status"), ("calls", "dynamodb:GetItem")} <= came
