"""Deploys infra/template.yaml to the emulator in two regions, and takes it down again.

    deploy.py up --endpoint URL --program BOOTSTRAP [--slack-api URL] [--config FOLDER] [--account ID]
              [--road ROLE=URL]... [--machine ARN] [--enforced] > outputs.json
    deploy.py down --endpoint URL [--account ID]

Runs in the environment of infra/check (target/infra-tools/venv). The template is the one that is deployed to AWS, after the same
transform; nothing in it is changed (but see --enforced). `up` prints, for `primary` and `standby`: the region, the outputs of the stack, and `front_door`, the
address of the HTTP API on the emulator. --config names a folder with a switchman.toml without [backend] and [[region]]; they are added
here, and the folder is put into each region's bucket. `headers` has to be sent with each request to `front_door`.

What MiniStack does otherwise than AWS, and what is done about it here:
- It has no TLS. Where it enforces policies (started with AUTH=true) it would refuse everything. --enforced leaves the statements OnlyByTls
  of the bucket and the queues out. Every action and every resource of every role stays.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
- It makes the names of roles and policies of the stack's name alone, so two stacks of one name in two regions share them. The stacks have
  two names here; on AWS one name will do.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
- It ignores Replicas of AWS::DynamoDB::GlobalTable. The replicas are made by UpdateTable, which it knows. AWS makes them with the stack:
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-globaltable.html
- It ignores MultiRegionConsistency and witnesses: the active table is replicated at once, because all is one process, and that is what a
  strongly consistent table looks like from outside.
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
- It drops a table's time to live. It is set by UpdateTimeToLive.
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
- A function finds the emulator by AWS_ENDPOINT_URL alone, which the template does not set: on AWS, nothing does. It is added by
  UpdateFunctionConfiguration. https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
- It takes a number that is a parameter of the stack for a text, and its queue pollers stop at that. Their maximum concurrency is set again
  as a number. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
- It copies nothing from bucket to bucket, whatever ReplicationConfiguration says: a test that needs a copy makes it.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
- It starts nothing by a schedule: a test calls the tick. https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
- It brings no event to a bus of another region, nor to the dead letters of a rule's target.
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
- It tells accounts and regions apart by the credentials of a request, and a request of Slack has none: without the header in `headers`
  it looks for the API in another region and says 404. On AWS the name of the host tells.
  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html
- A secret that is made without a value has an empty version, which then is the one before the first value. On AWS there is none. The value
  is put twice. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
- The secret's value is copied to its replica region when it is put, as on AWS; where it is not, `up` fails and says so.
- What a stack retains stays; `down` deletes it by hand, as infra/README.md says for AWS.
"""

import argparse
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "infra"))

import transform  # noqa: E402 (it lies beside the template)

PRIMARY, STANDBY, WITNESS = "eu-central-1", "eu-west-1", "eu-west-3"
TABLES = ("switchman", "authorized-users", "switchman-active")
FUNCTIONS = ("front-door", "commands", "signals", "tick", "batch")
SECRET = {"SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5", "SLACK_BOT_TOKEN": "xoxb-local"}
CODE, DEFINITION, TEMPLATE = "switchman.zip", "batch.asl.json", "template.json"


class Place:
    """The emulator, in one region."""

    def __init__(self, given, region):
        self.region = region
        self.given = given

    def __getattr__(self, service):
        return self.client(service)

    def client(self, service):
        client = boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.given.endpoint,
            aws_access_key_id=self.given.account,
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 3}, read_timeout=300),
        )
        setattr(self, service, client)
        return client

    @property
    def stack(self):
        return f"switchman-{self.region}"

    @property
    def code_bucket(self):
        return f"code-{self.given.account}-{self.region}"

    def until_stable(self, doing):
        """Waits for the stack; what went wrong with it is an error with the events' reasons."""
        while True:
            (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
            status = stack["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(0.1)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = self.cloudformation.describe_stack_events(StackName=self.stack)["StackEvents"]
            reasons = [f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}" for one in events if "FAILED" in one["ResourceStatus"]]
            raise SystemExit(f"could not {doing} the stack in {self.region}: {status}\n" + "\n".join(reasons))
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def lean(program):
    """The program without what a debugger needs, where there is `strip`: a debug build is four times as large with it."""
    content = pathlib.Path(program).read_bytes()
    tool = shutil.which("strip")
    if tool is None or not content.startswith(b"\x7fELF"):
        return content
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "program"
        subprocess.run([tool, "--strip-debug", "-o", stripped, program], check=True)
        return stripped.read_bytes()


def archive(program):
    """The program as `bootstrap`, lightly packed: it goes nowhere."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as into:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        into.writestr(entry, lean(program))
    return packed.getvalue()


def parameters(given, role, other, replicate):
    values = {
        "Role": role,
        "OtherRegion": other,
        "WitnessRegion": WITNESS if role == "primary" else "",
        "Replicate": replicate,
        "PermittedChannels": given.channels,
        "SlackApiUrl": given.slack_api,
        "JobStateMachines": given.machine,
        "JobExecutions": given.machine and given.machine.replace(":stateMachine:", ":execution:") + ":*",
        # The machine's own; the emulator runs the program as a process of this machine.
        "Architecture": "x86_64",
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def upload(place, code, definition):
    """What `sam package` does: the zip and the definition go to S3, and the template names them there."""
    place.s3.create_bucket(Bucket=place.code_bucket, CreateBucketConfiguration={"LocationConstraint": place.region})
    place.s3.put_object(Bucket=place.code_bucket, Key=CODE, Body=code)
    place.s3.put_object(Bucket=place.code_bucket, Key=DEFINITION, Body=definition)
    text = (ROOT / "infra" / "template.yaml").read_text(encoding="utf-8")
    template = transform.plain(text, f"s3://{place.code_bucket}/{CODE}", f"s3://{place.code_bucket}/{DEFINITION}")
    if place.given.enforced:
        enforceable(template["Resources"])
    place.s3.put_object(Bucket=place.code_bucket, Key=TEMPLATE, Body=json.dumps(template).encode())


def enforceable(resources):
    """Leaves out what the emulator cannot enforce."""
    del resources["BucketPolicy"]
    policy = resources["QueuePolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != "OnlyByTls"]


def stack(place, given, role, other, replicate, doing):
    call = place.cloudformation.create_stack if doing == "create" else place.cloudformation.update_stack
    call(
        StackName=place.stack,
        TemplateURL=f"{given.endpoint}/{place.code_bucket}/{TEMPLATE}",
        Parameters=parameters(given, role, other, replicate),
        Capabilities=["CAPABILITY_IAM"],
    )
    return place.until_stable(doing)


def replicas(place, other):
    """What the emulator leaves out of the tables."""
    for table in TABLES:
        place.dynamodb.update_table(TableName=table, ReplicaUpdates=[{"Create": {"RegionName": other}}])
    place.dynamodb.update_time_to_live(
        TableName="switchman", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )


def secret(primary, standby):
    value = json.dumps(SECRET)
    for _ in range(2):
        primary.secretsmanager.put_secret_value(SecretId="switchman/slack", SecretString=value)
    there = standby.secretsmanager.get_secret_value(SecretId="switchman/slack", VersionStage="AWSCURRENT")
    if there["SecretString"] != value:
        raise SystemExit(f"the secret did not reach {standby.region}")


def endpoints(place):
    roads = dict(road.split("=", 1) for road in place.given.road)
    for role in FUNCTIONS:
        name = f"switchman-{role}"
        variables = place.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables["AWS_ENDPOINT_URL"] = roads.get(role, place.given.endpoint)
        place.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def pollers(place):
    functions = place.client("lambda")
    for source in functions.list_event_source_mappings()["EventSourceMappings"]:
        most = int(source["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": most})


def configure(place, outputs, regions):
    """Puts the configuration where the functions look for it, as `aws s3 sync` would."""
    if place.given.config is None:
        return
    folder = pathlib.Path(place.given.config)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        key, content = file.relative_to(folder).as_posix(), file.read_bytes()
        if key == "switchman.toml":
            content += "\n".join(["", outputs["Backend"], *regions]).encode()
        place.s3.put_object(Bucket=outputs["Bucket"], Key=f"config/{key}", Body=content)


def up(given):
    primary, standby = Place(given, PRIMARY), Place(given, STANDBY)
    code, definition = archive(given.program), pathlib.Path(given.definition).read_bytes()
    for place in (primary, standby):
        upload(place, code, definition)
    stack(primary, given, "primary", STANDBY, "no", "create")
    replicas(primary, STANDBY)
    second = stack(standby, given, "standby", PRIMARY, "yes", "create")
    first = stack(primary, given, "primary", STANDBY, "yes", "update")
    secret(primary, standby)
    regions = [first["Region"], second["Region"]]
    made = {}
    for name, place, outputs in (("primary", primary, first), ("standby", standby, second)):
        endpoints(place)
        pollers(place)
        configure(place, outputs, regions)
        api = outputs["SlackRequestUrl"].split("//", 1)[1].split(".", 1)[0]
        front_door = f"{given.endpoint}/_aws/execute-api/{api}/$default"
        scope = f"{given.account}/20260101/{place.region}/execute-api/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}
        made[name] = {"region": place.region, "front_door": front_door, "headers": headers, "outputs": outputs}
    json.dump(made, sys.stdout, indent=1)


def down(given):
    for place in (Place(given, STANDBY), Place(given, PRIMARY)):
        place.cloudformation.delete_stack(StackName=place.stack)
        bucket = f"switchman-{given.account}-{place.region}"
        for name in (bucket, place.code_bucket):
            empty(place, name)
            place.s3.delete_bucket(Bucket=name)
    # Of the tables, the replica that is not the first one goes first.
    for table in TABLES:
        primary = Place(given, PRIMARY)
        primary.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        primary.dynamodb.update_table(TableName=table, ReplicaUpdates=[{"Delete": {"RegionName": STANDBY}}])
        primary.dynamodb.delete_table(TableName=table)
    primary.secretsmanager.delete_secret(SecretId="switchman/slack", ForceDeleteWithoutRecovery=True)


def empty(place, bucket):
    pages = place.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    for page in pages:
        for one in page.get("Versions", []) + page.get("DeleteMarkers", []):
            place.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


def main():
    usage = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usage.add_argument("what", choices=["up", "down"])
    usage.add_argument("--endpoint", required=True)
    usage.add_argument("--account", default="123456789012")
    usage.add_argument("--program", help="what runs as bootstrap")
    usage.add_argument("--definition", default=ROOT / "infra" / "asl" / "batch.asl.json", help="the state machine of batches")
    usage.add_argument("--config", help="a folder with switchman.toml and what it names")
    usage.add_argument("--road", action="append", default=[], help="ROLE=URL: where the functions of a role find AWS; else the emulator")
    usage.add_argument("--enforced", action="store_true", help="for an emulator that enforces policies")
    usage.add_argument("--machine", default="", help="the ARN of a state machine that is a job")
    usage.add_argument("--channels", default="C0BATCH")
    usage.add_argument("--slack-api", default="https://slack.com/api")
    given = usage.parse_args()
    if given.what == "down":
        down(given)
    elif given.program is None:
        usage.error("up needs --program")
    else:
        up(given)


if __name__ == "__main__":
    main()
