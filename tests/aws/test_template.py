"""The template on the emulator, with a stub in the place of the program: everything is made, and each part reaches the next.

Run by `tests/run aws-template`, which starts the emulator. What the emulator does otherwise than AWS stands in deploy.py.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import deploy  # noqa: E402 (it lies beside this file)

ENDPOINT = os.environ["SWITCHMAN_AWS_EMULATOR"]
# An account of its own, so that nothing is left from another test.
ACCOUNT = "210987654321"
DEFINITION = {"StartAt": "Plan", "States": {"Plan": {"Type": "Task", "Resource": "${BatchFunction}", "End": True}}}
PATIENCE = 30


class Given:
    endpoint = ENDPOINT
    account = ACCOUNT


class World:
    def __init__(self, made, calls):
        self.made = made
        self.calls_file = calls
        self.primary, self.standby = (deploy.Place(Given, made[name]["region"]) for name in ("primary", "standby"))

    def calls(self, role, *words):
        """What a function was called with so far, where it has all these words."""
        lines = self.calls_file.read_text(encoding="utf-8").splitlines() if self.calls_file.exists() else []
        return [line for line in map(json.loads, lines) if line["role"] == role and all(word in json.dumps(line["event"]) for word in words)]

    def until(self, role, *words):
        """Waits for such a call."""
        end = time.monotonic() + PATIENCE
        while not (found := self.calls(role, *words)):
            assert time.monotonic() < end, f"{role} was not called with {words}"
            time.sleep(0.05)
        return found[0]


def run(what, *more):
    words = [sys.executable, HERE / "deploy.py", what, "--endpoint", ENDPOINT, "--account", ACCOUNT, *more]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deployed")
    calls = folder / "calls.jsonl"
    (folder / "batch.asl.json").write_text(json.dumps(DEFINITION), encoding="utf-8")
    stub = (HERE / "stub.py").read_text(encoding="utf-8").replace('os.environ["CALLS_FILE"]', repr(str(calls)))
    (folder / "bootstrap").write_text(stub.replace("/usr/bin/env python3", sys.executable, 1), encoding="utf-8")
    config = folder / "config"
    config.mkdir()
    (config / "switchman.toml").write_text('[slack]\ncommand = "/my-slack-bot"\n', encoding="utf-8")
    made = run(
        "up", "--program", folder / "bootstrap", "--definition", folder / "batch.asl.json", "--config", config,
        "--slack-api", "http://127.0.0.1:4000/api", "--enforced",
    )
    yield World(json.loads(made), calls)
    run("down")


def ask(door, path, data=None):
    request = urllib.request.Request(door["front_door"] + path, data=data, headers=door["headers"])
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("name", ["primary", "standby"])
def test_the_front_door_has_three_ways_in_and_no_more(world, name):
    door = world.made[name]
    for data, path in [(b"payload=x", "/slack/events"), (None, "/healthz"), (None, "/readyz")]:
        assert ask(door, path, data) == (200, "front-door")
    assert ask(door, "/slack/events")[0] == 404, "a GET"
    assert ask(door, "/metrics")[0] == 404


def test_a_function_is_told_its_part_and_where_the_configuration_is(world):
    ask(world.made["primary"], "/healthz")
    seen = world.until("front-door")["environment"]
    assert seen["SWITCHMAN_CONFIG"] == f"s3://switchman-{ACCOUNT}-{deploy.PRIMARY}/config/switchman.toml"
    assert seen["SWITCHMAN_LOG_FORMAT"] == "json" and seen["SLACK_API_URL"] == "http://127.0.0.1:4000/api"
    assert seen["AWS_ENDPOINT_URL"] == ENDPOINT


@pytest.mark.parametrize("name", ["primary", "standby"])
def test_the_configuration_names_what_was_deployed(world, name):
    place, outputs = getattr(world, name), world.made[name]["outputs"]
    text = place.s3.get_object(Bucket=outputs["Bucket"], Key="config/switchman.toml")["Body"].read().decode()
    config = tomllib.loads(text)
    assert config["slack"]["command"] == "/my-slack-bot"
    assert config["backend"]["region"] == place.region
    assert [region["name"] for region in config["region"]] == [deploy.PRIMARY, deploy.STANDBY]
    for key in ("queue_url", "dead_letter_url", "signals_url"):
        place.sqs.get_queue_attributes(QueueUrl=config["backend"][key], AttributeNames=["All"])
    for region in config["region"]:
        deploy.Place(Given, region["name"]).stepfunctions.describe_state_machine(stateMachineArn=region["state_machine"])
    place.ssm.get_parameter(Name=config["backend"]["channels_parameter"])
    value = place.secretsmanager.get_secret_value(SecretId=config["backend"]["slack_access"], VersionStage="AWSCURRENT")
    assert json.loads(value["SecretString"]) == deploy.SECRET


def kinds():
    """The names of events in the code."""
    source = HERE.parent.parent / "src" / "domain"
    command, envelope = ((source / file).read_text(encoding="utf-8") for file in ("command.rs", "envelope.rs"))
    named = re.search(r"pub fn name\(self\).*?\n    }", command, re.S)[0]
    happened = re.search(r"pub fn detail_type.*?\n    }", envelope, re.S)[0]
    return [*re.findall(r'=> "([a-z-]+)"', named), *re.findall(r'=> "([a-z-]+)"', happened)]


def publish(place, kind, source="slack-app"):
    entry = {"EventBusName": "command-event-bus", "Source": source, "DetailType": kind, "Detail": json.dumps({"test": f"{kind} {source}"})}
    assert place.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_every_event_of_the_code_reaches_the_commands_and_once(world):
    for kind in kinds():
        publish(world.primary, kind)
    for kind in kinds():
        world.until("commands", f'\\"{kind} slack-app\\"')
    records = [one for call in world.calls("commands", "slack-app") for one in call["event"]["Records"]]
    assert sorted(json.loads(one["body"])["detail-type"] for one in records) == sorted(kinds())


def test_an_event_that_no_rule_knows_lies_with_the_dead_letters(world):
    publish(world.primary, "self-destruct", "switchman")
    publish(world.primary, "status", "somebody-else")
    dead = world.made["primary"]["outputs"]["CommandsDeadUrl"]
    got = world.primary.sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=10)["Messages"]
    assert len(got) == 1 and json.loads(got[0]["Body"])["detail-type"] == "self-destruct"
    world.primary.sqs.delete_message(QueueUrl=dead, ReceiptHandle=got[0]["ReceiptHandle"])
    assert world.calls("commands", "somebody-else") == []


def test_an_input_that_is_written_and_a_run_that_ends_are_signals(world):
    outputs = world.made["primary"]["outputs"]
    for key in ("runs/r-1.1/request.json", "input/sales/a b.csv"):
        world.primary.s3.put_object(Bucket=outputs["Bucket"], Key=key, Body=b"x")
    machine = outputs["StateMachineArn"]
    started = world.primary.stepfunctions.start_execution(stateMachineArn=machine, name="r-1_1", input='{"key": "r-1.1"}')
    call = world.until("signals", "Step Functions Execution Status Change", "SUCCEEDED", started["executionArn"])
    assert call["event"]["Records"]
    assert world.until("batch", '"r-1.1"')["event"] == {"key": "r-1.1"}
    world.until("signals", "Object Created", "input/sales/a")
    assert world.calls("signals", "request.json") == []


def under(world, role, service, method, **arguments):
    """What a call meets under the role of a function."""
    payload = json.dumps({"try": [service, method, arguments]}).encode()
    answer = json.load(world.primary.client("lambda").invoke(FunctionName=f"switchman-{role}", Payload=payload)["Payload"])
    return answer["met"]


def test_each_function_may_do_its_own_and_not_what_is_anothers(world):
    outputs = world.made["primary"]["outputs"]
    bucket, machine = outputs["Bucket"], outputs["StateMachineArn"]
    record = {"pk": {"S": "test"}, "sk": {"S": "test"}}
    start = ("stepfunctions", "start_execution", {"stateMachineArn": machine, "name": "r-2_1", "input": "{}"})
    event = {"EventBusName": "command-event-bus", "Source": "test", "DetailType": "test", "Detail": "{}"}
    publish = ("events", "put_events", {"Entries": [event]})
    write = ("dynamodb", "put_item", {"TableName": "switchman", "Item": record})
    promote = ("dynamodb", "put_item", {"TableName": "authorized-users", "Item": {"actor": {"S": "T0#U0"}}})
    scan = ("dynamodb", "scan", {"TableName": "switchman"})
    result = ("s3", "put_object", {"Bucket": bucket, "Key": "runs/r-2.1/output.csv", "Body": "x"})
    configure = ("s3", "put_object", {"Bucket": bucket, "Key": "config/switchman.toml", "Body": "x"})
    forge = ("s3", "put_object", {"Bucket": bucket, "Key": "input/sales/x.csv", "Body": "x"})
    secret = ("secretsmanager", "get_secret_value", {"SecretId": "switchman/slack"})
    may = {"front-door": [write, publish, secret], "commands": [write, publish, secret, start], "tick": [write, secret, result], "batch": [result]}
    everything = [start, publish, write, promote, scan, result, configure, forge, secret]
    may["commands"] += [result]
    may["tick"] += [publish, start]
    for role, own in may.items():
        for service, method, arguments in everything:
            met = under(world, role, service, method, **arguments)
            wanted = (service, method, arguments) in own
            refused = met in ("AccessDenied", "AccessDeniedException")
            assert refused != wanted, f"{role}: {method} {arguments} met {met}"
    world.primary.dynamodb.delete_item(TableName="switchman", Key=record)


def test_what_is_written_in_one_region_is_there_in_the_other(world):
    item = {"pk": {"S": "run#r-1"}, "sk": {"S": "run"}, "all": {"S": "run"}, "created": {"N": "1"}}
    world.primary.dynamodb.put_item(TableName="switchman", Item=item)
    found = world.standby.dynamodb.query(
        TableName="switchman", IndexName="all", KeyConditionExpression="#a = :a",
        ExpressionAttributeNames={"#a": "all"}, ExpressionAttributeValues={":a": {"S": "run"}},
    )
    assert [one["pk"]["S"] for one in found["Items"]] == ["run#r-1"]
    world.standby.dynamodb.put_item(TableName="switchman-active", Item={"pk": {"S": "lead"}})
    assert "Item" in world.primary.dynamodb.get_item(TableName="switchman-active", Key={"pk": {"S": "lead"}}, ConsistentRead=True)
    world.standby.dynamodb.describe_table(TableName="authorized-users")


def test_the_queues_give_up_where_they_should(world):
    for queue in ("switchman-commands", "switchman-signals"):
        url = world.primary.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        attributes = world.primary.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{queue}-dead")
        assert int(attributes["VisibilityTimeout"]) >= 6 * 60
    for source in world.primary.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_tick_answers_and_every_alarm_is_there(world):
    answer = world.primary.client("lambda").invoke(FunctionName="switchman-tick", Payload=b"{}")
    assert "FunctionError" not in answer
    world.until("tick")
    alarms = world.primary.cloudwatch.describe_alarms(AlarmNamePrefix="switchman-", MaxRecords=100)["MetricAlarms"]
    assert len(alarms) >= 20
