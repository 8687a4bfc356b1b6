"""Compares the template with the code: names, keys, event types, log lines, permissions. check_names.py [--prune] [TEMPLATE.json]

--prune takes out of names.toml what is awaited there and has come.

Each check is a function that gives the differences it found, as sentences. infra/tests breaks each of them on purpose.
"""

import fnmatch
import functools
import json
import pathlib
import re
import sys
import tomllib

import botocore.session
from resolve import Template

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
REGION, OTHER = "eu-central-1", "eu-west-1"
# Everything that can be switched on is.
EVERYTHING = {
    "OtherRegion": OTHER,
    "WitnessRegion": "eu-west-3",
    "Replicate": "yes",
    "ReplicationTimeControl": "yes",
    "PermittedChannels": "C0BATCH",
    "JobStateMachines": f"arn:aws:states:{REGION}:123456789012:stateMachine:nightly",
    "JobExecutions": f"arn:aws:states:{REGION}:123456789012:execution:nightly:*",
    "MailIdentityArn": f"arn:aws:ses:{REGION}:123456789012:identity/example.com",
    "RoutingAccessPointArn": "arn:aws:s3::123456789012:accesspoint/abc.mrap",
    "RegionSwitchPlanArn": "arn:aws:arc-region-switch::123456789012:plan/switchman:abc",
    "FrontDoorReserved": 20,
    "RunsKeptDays": 90,
}
# IAM's limit of a managed policy, without blanks.
LARGEST_POLICY = 6144
ROLES = {
    "FrontDoorRole": "front-door",
    "CommandsRole": "commands",
    "SignalsRole": "signals",
    "TickRole": "tick",
    "BatchRole": "batch",
    "BatchesRole": "batches",
    "EachMinuteRole": "schedule",
    "CopyRole": "copy",
}
SERVE = ("AskPolicy", "BotPolicy", "ServePolicy")
# The crates of the SDK: the service as IAM and as botocore name it.
SERVICES = {
    "dynamodb": ("dynamodb", "dynamodb"),
    "eventbridge": ("events", "events"),
    "sqs": ("sqs", "sqs"),
    "s3": ("s3", "s3"),
    "s3control": ("s3", "s3control"),
    "ssm": ("ssm", "ssm"),
    "secretsmanager": ("secretsmanager", "secretsmanager"),
    "sfn": ("states", "stepfunctions"),
    "sesv2": ("ses", "sesv2"),
    "arcregionswitch": ("arc-region-switch", "arc-region-switch"),
}
# What recorded calls may call a service.
ALIASES = {"sfn": "states", "stepfunctions": "states", "eventbridge": "events", "sesv2": "ses", "s3control": "s3"}


class World:
    """What is compared: the template, the code, the tables of permissions and of names."""

    def __init__(self, template, sources, permissions, names, machine=None, recorded=None):
        self.raw = template
        self.template = Template(template, EVERYTHING, REGION)
        self.sources = sources
        self.permissions = permissions
        self.names = names
        self.machine = machine
        self.recorded = recorded

    def source(self, *parts):
        """The texts of files whose paths begin with one of `parts`."""
        return "\n".join(text for path, text in self.sources.items() if path.startswith(parts))

    def awaited(self, what):
        return set(self.names["awaited"].get(what, ()))


def differ(what, wanted, found, awaited=(), kept=()):
    """Sentences about what is only in the code (`wanted`) or only in the template (`found`)."""
    wanted, found, awaited, kept = set(wanted), set(found), set(awaited), set(kept)
    yield from (f"{what}: the code has {name!r}, the template has not" for name in sorted(wanted - found - kept))
    yield from (f"{what}: the template has {name!r}, the code has not" for name in sorted(found - wanted - awaited))
    yield from (f"{what}: names.toml keeps {name!r}, which is of no use" for name in sorted(kept - wanted))


def tables(world):
    """Keys, indexes and the attribute of time to live."""
    schema, item = world.source("src/aws/store/schema.rs"), world.source("src/aws/table/item.rs")
    sorts = dict(re.findall(r'Self::(\w+) => "(\w+)"', schema))
    indexes = {
        (name, name, sorts[sort])
        for name, sort in re.findall(r'Index \{ name: "(\w+)", sort: SortedBy::(\w+) \}', schema)
    }
    ((_, _, record),) = (one for one in world.template.resources("AWS::DynamoDB::GlobalTable") if one[0] == "Record")
    key = tuple(part["AttributeName"] for part in record["KeySchema"])
    own = tuple(re.search(rf'{name}: &str = "(\w+)"', item)[1] for name in ("PARTITION", "SORT"))
    yield from differ("key of the record", [own], [key])
    there = {
        (one["IndexName"], *(part["AttributeName"] for part in one["KeySchema"]))
        for one in record["GlobalSecondaryIndexes"]
    }
    yield from differ("index of the record", indexes, there)
    wrong = [one["IndexName"] for one in record["GlobalSecondaryIndexes"] if one["Projection"] != {"ProjectionType": "KEYS_ONLY"}]
    yield from (f"index of the record: {name} holds more than keys" for name in wrong)
    numbers = {one["AttributeName"] for one in record["AttributeDefinitions"] if one["AttributeType"] == "N"}
    yield from differ("number of the record", sorts.values(), numbers)
    expires = re.search(r'EXPIRES: &str = "(\w+)"', schema)[1]
    yield from differ("time to live", [expires], [record["TimeToLiveSpecification"]["AttributeName"]])
    actor = re.search(r'ACTOR: &str = "(\w+)"', world.source("src/aws/directory.rs"))[1]
    ((_, _, people),) = (one for one in world.template.resources("AWS::DynamoDB::GlobalTable") if one[0] == "People")
    yield from differ("key of people", [actor], [people["KeySchema"][0]["AttributeName"]])
    found = re.search(r'const KEY: &str = "(\w+)"', world.source("src/aws/regions/rows.rs"))
    ((_, _, active),) = (one for one in world.template.resources("AWS::DynamoDB::GlobalTable") if one[0] == "Active")
    if found:
        yield from differ("key of the active region", [found[1]], [active["KeySchema"][0]["AttributeName"]])


def detail_types(world):
    """A rule for each action and each thing that happened, and one for everything else."""
    actions = re.findall(r'Self::\w+ => "([a-z-]+)"', re.search(
        r"pub fn name\(self\).*?\n    }", world.source("src/domain/command.rs"), re.S)[0])
    happened = re.findall(r'Event::\w+.*? => "([a-z-]+)"', re.search(
        r"pub fn detail_type.*?\n    }", world.source("src/domain/envelope.rs"), re.S)[0])
    sources = set(re.findall(r'const SOURCE_\w+: &str = "([a-z-]+)"', world.source("src/domain/envelope.rs")))
    ruled, rest = [], None
    for name, _, rule in world.template.resources("AWS::Events::Rule"):
        if "EventBusName" not in rule:
            continue
        pattern = rule["EventPattern"]
        yield from (f"rule {name}: sources are {pattern['source']}, the code's are {sorted(sources)}" for _ in [0] if set(pattern["source"]) != sources)
        yield from (f"rule {name}: a target has no dead letters" for target in rule["Targets"] if "DeadLetterConfig" not in target)
        (kind,) = pattern["detail-type"]
        if isinstance(kind, dict):
            rest = kind["anything-but"]
        else:
            ruled.append(kind)
    wanted = {*actions, *happened}
    yield from differ("event with a rule", wanted, ruled, world.awaited("detail-types"))
    yield from differ("event left to OnAnythingElse", set(ruled), rest or [])
    yield from (f"event {kind!r} has two rules" for kind in set(ruled) if ruled.count(kind) > 1)


def environment(world):
    """Variables of the functions, and which part each plays."""
    code = world.source("src/")
    read = set(re.findall(r'"((?:SWITCHMAN|SLACK)_[A-Z_]+)"', re.sub(r"#\[cfg\(test\)\].*", "", world.source("src/config/environment.rs"), flags=re.S)))
    read |= {name for name in ("SWITCHMAN_ROLE", "SWITCHMAN_CONFIG") if f'"{name}"' in code}
    given, roles = set(), set()
    for _, _, function in world.template.resources("AWS::Lambda::Function"):
        variables = function["Environment"]["Variables"]
        given |= set(variables)
        roles.add(variables["SWITCHMAN_ROLE"])
    yield from differ("variable", read, given, world.awaited("environment"), world.names["environment"])
    where = "\n".join(text for text in world.sources.values() if "SWITCHMAN_ROLE" in text)
    played = {role for role in roles if f'"{role}"' in where}
    yield from differ("part of SWITCHMAN_ROLE", played, roles, world.awaited("roles"))


def keys(world):
    """Keys of the configuration that the stack prints, and its usual names."""
    outputs = world.template.outputs()
    code = world.source("src/config/aws.rs")
    backend, region = tomllib.loads(outputs["Backend"])["backend"], tomllib.loads(outputs["Region"])["region"][0]
    backend.pop("kind")
    whole = re.sub(r"#\[cfg\(test\)\].*", "", code, flags=re.S)
    read = set(re.findall(r'\b(?:required|text|given)\(\s*(?:section,\s*)?"(\w+)"', whole))
    for several in re.findall(r'\[((?:"\w+"(?:, )?)+)\]\s*\.map\(\|key\|', whole):
        read |= set(re.findall(r'"(\w+)"', several))
    # The regions are read in a file of their own, which is the one that asks for the state machine; the routing is read there, too.
    of_region = set()
    for text in world.sources.values():
        if 'section.required("state_machine"' in text:
            of_region = set(re.findall(r'section\.(?:required|text)\("(\w+)"', text)) - {"multi_region_access_point", "region_switch_plan"}
    if not of_region:
        read.discard("bucket")
        of_region = {"name"}
    yield from differ("key of [backend]", read, backend, world.awaited("backend"), set(world.names["backend"]) & read)
    yield from differ("key of [[region]]", of_region, region, world.awaited("region"))
    for key, usual in re.findall(r'given\(\s*section,\s*"(\w+)",\s*"([^"]+)"', whole):
        if key in backend and backend[key] != usual:
            yield f"usual name: the code calls {key} {usual!r}, the template {backend[key]!r}"


def log_lines(world):
    """What alarms look for in the log is what the code writes."""
    lines = world.source("src/").splitlines()
    literals = (literal for line in lines for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', line))
    written = {re.sub(r"\{[^}]*\}", "*", literal) for literal in literals}
    for name, _, metric in world.template.resources("AWS::Logs::MetricFilter"):
        sentence = re.search(r'message = "([^"]+)"', metric["FilterPattern"])[1]
        # What the log has in the place of a variable may begin with a word that the filter asks for.
        shape = re.sub(r"\bstart:\*", "*", sentence)
        if not any(fnmatch.fnmatchcase(line, shape) for line in written):
            yield f"{name}: nothing in src/ logs {sentence!r}"


def machine(world):
    """What the definition of the state machine leaves open is filled in."""
    if world.machine is None:
        return
    ((_, _, batches),) = world.template.resources("AWS::StepFunctions::StateMachine")
    wanted = set(re.findall(r"\$\{([A-Za-z]+)\}", world.machine))
    yield from differ("substitution of batch.asl.json", wanted, batches["DefinitionSubstitutions"])


@functools.cache
def operations(service):
    """The calls of a service, by the names of the SDK's methods."""
    session = botocore.session.Session()
    names = session.get_service_model(service).operation_names
    words = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
    return {re.sub(r"_v_?(\d)$", r"_v\1", words.sub("_", name).lower()): name for name in names}


def calls(world):
    """The calls in the code, as `service:Operation`."""
    found = {}
    for path, text in world.sources.items():
        crates = set(re.findall(r"\baws_sdk_(\w+)", text))
        if not (path.startswith("src/aws/") or crates):
            continue
        text = re.sub(r"#\[cfg\(test\)\].*", "", text, flags=re.S)
        folder = path.rsplit("/", 1)[0]
        if not crates:
            crates = set(re.findall(r"\baws_sdk_(\w+)", world.source(f"{folder}/")))
        for method in re.findall(r"\.\s*([a-z0-9_]+)\(\)", text):
            for crate in crates & set(SERVICES):
                iam, boto = SERVICES[crate]
                if method in operations(boto):
                    found.setdefault(f"{iam}:{operations(boto)[method]}", path)
    return found


def granted(world):
    """What the template grants without a condition, as (role, permission, resource)."""
    for role, own in statements(world).items():
        for one in own:
            # What is allowed under a condition only is none of it: see `readers`.
            if one["Effect"] != "Allow" or "Condition" in one:
                continue
            for action in aslist(one["Action"]):
                for resource in aslist(one["Resource"]):
                    yield role, action, resource


def statements(world):
    """The statements of each role's policies."""
    statements, policies = {}, {}
    for name, _, policy in world.template.resources("AWS::IAM::ManagedPolicy"):
        policies[name] = policy["PolicyDocument"]["Statement"]
    for name, _, role in world.template.resources("AWS::IAM::Role"):
        own = [one for policy in role.get("Policies", ()) for one in policy["PolicyDocument"]["Statement"]]
        for arn in role.get("ManagedPolicyArns", ()):
            own += policies.get(arn.rsplit("/", 1)[1], [{"Effect": "Allow", "Action": [f"all of {arn}"], "Resource": "*"}])
        statements[ROLES.get(name, name)] = own
    statements["serve"] = [one for name in SERVE for one in policies.get(name, ())]
    return statements


def aslist(value):
    return value if isinstance(value, list) else [value]


def wanted(world):
    """What the table of permissions asks for, as (role, permission, resource)."""
    table = world.permissions
    for grant in table["grant"]:
        resources = [place(arn) for name in grant["on"] for arn in table["resources"][name]]
        for call in grant["calls"]:
            for action in table["actions"].get(call, [call]):
                for role in grant["roles"]:
                    for resource in resources:
                        yield role, action, resource


def place(arn):
    """`here` and `there` as the regions that are compared with."""
    return re.sub(r"\bthere\b", OTHER, re.sub(r"\bhere\b", REGION, arn))


def permissions(world):
    """Each permission that is asked for is granted, and no more; no star without a reason."""
    asked, there = set(wanted(world)), set(granted(world))
    yield from (f"permission: {role} lacks {action} on {on}" for role, action, on in sorted(asked - there))
    yield from (f"permission: {role} has {action} on {on}, which permissions.toml does not ask for" for role, action, on in sorted(there - asked))
    everywhere = world.permissions["everywhere"]
    for role, action, on in sorted(there):
        if "*" in action:
            yield f"permission: {role} has the star {action}"
        if on == "*" and action not in everywhere:
            yield f"permission: {role} has {action} on everything, without a reason under [everywhere]"
    starred = {name for name, arns in world.permissions["resources"].items() if any("*" in arn for arn in arns)}
    yield from (f"resource: {name} has a star without a reason under [stars]" for name in sorted(starred - set(world.permissions["stars"])))
    yield from (f"resource: {name} has no star" for name in sorted(set(world.permissions["stars"]) - starred))
    used = {name for grant in world.permissions["grant"] for name in grant["on"]}
    yield from (f"resource: {name} is used by no grant" for name in sorted(set(world.permissions["resources"]) - used))
    for name, _, policy in world.template.resources("AWS::IAM::ManagedPolicy"):
        size = len(json.dumps(policy["PolicyDocument"], separators=(",", ":")))
        if size > LARGEST_POLICY:
            yield f"policy: {name} has {size} characters, IAM takes {LARGEST_POLICY}"


def readers(world):
    """Who reads objects may list the whole bucket: anybody else is answered 403 instead of 404 for what is not there.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions".
    """
    may = {(role, on) for role, action, on in granted(world) if action == "s3:ListBucket"}
    read = {(role, on.split("/")[0]) for role, action, on in granted(world) if action == "s3:GetObject"}
    yield from (f"bucket: {role} reads {bucket} and may not list all of it, so S3 tells it 403 of what is not there" for role, bucket in sorted(read - may))
    for role, own in statements(world).items():
        for one in own:
            if one["Effect"] == "Allow" and "Condition" in one:
                yield f"permission: {role} has {', '.join(aslist(one['Action']))} under a condition only, which is not counted"


def copies(world):
    """What S3 copies to the other region, and what its role may copy: the heartbeat that measures it, nothing of a drill."""
    rows = world.source("src/aws/regions/heartbeat.rs")
    heartbeat = re.search(r'const HEARTBEAT: &str = "([a-z]+)"', rows)[1]
    ((_, _, bucket),) = world.template.resources("AWS::S3::Bucket")
    prefixes = {rule["Filter"]["Prefix"] for rule in bucket["ReplicationConfiguration"]["Rules"]}
    yield from differ("name that is copied to the other region", {"input/", "runs/", heartbeat}, prefixes)
    priorities = [rule["Priority"] for rule in bucket["ReplicationConfiguration"]["Rules"]]
    if len(set(priorities)) < len(priorities):
        yield "two rules of S3's copies have one priority"
    may = {on.split("/", 1)[1].rstrip("*") for role, action, on in granted(world) if (role, action) == ("copy", "s3:ReplicateObject")}
    yield from differ("name that S3 may copy", prefixes, may)


def ours(world):
    """Calls of our own code that the table grants, with the roles that have them."""
    found = {}
    for grant in world.permissions["grant"]:
        if "by" not in grant:
            for call in grant["calls"]:
                found.setdefault(call, set()).update(grant["roles"])
    return found


def code_calls(world):
    """Each call in src/ is granted to somebody, and what is granted is called."""
    in_code, table = calls(world), ours(world)
    yield from (f"call: {call} in {path} is granted to nobody" for call, path in sorted(in_code.items()) if call not in table)
    yield from (f"call: {call} is granted, and nothing in src/ calls it" for call in sorted(set(table) - set(in_code) - world.awaited("calls")))


def recorded(world):
    """What tests saw the roles call is granted to them, and what is granted was seen."""
    if not world.recorded:
        return
    table, seen = ours(world), {}
    for line in world.recorded:
        role, call = line.split()
        service, operation = call.split(":", 1)
        service = service.lower()
        seen.setdefault(role, set()).add(f"{ALIASES.get(service, service)}:{operation}")
    for role, own in sorted(seen.items()):
        may = {call for call, roles in table.items() if role in roles}
        yield from (f"recorded: {role} called {call}, which it may not" for call in sorted(own - may))
    everybody = set().union(*seen.values())
    unseen, sometimes = (set(world.permissions.get(name, ())) for name in ("not-recorded", "sometimes-recorded"))
    yield from (f"recorded: no test saw {call}; test it, or give the reason under [not-recorded]" for call in sorted(set(table) - everybody - unseen - sometimes))
    yield from (f"recorded: {call} was seen; remove it from [not-recorded]" for call in sorted(everybody & unseen))


CHECKS = (tables, detail_types, environment, keys, log_lines, machine, permissions, readers, copies, code_calls, recorded)


def problems(world):
    return [problem for check in CHECKS for problem in check(world)]


def come(world):
    """What is awaited and is there by now, as (list, name): without the entry nothing would differ."""
    before = problems(world)
    for what, names in world.names["awaited"].items():
        for name in names:
            world.names["awaited"][what] = [other for other in names if other != name]
            if problems(world) == before:
                yield what, name
            world.names["awaited"][what] = names


def read_world(template):
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.rs"))}
    definition = HERE / "asl" / "batch.asl.json"
    records = sorted((ROOT / "target" / "aws-calls").glob("*.txt"))
    lines = sorted({line for record in records for line in record.read_text(encoding="utf-8").splitlines() if line.strip()})
    return World(
        template,
        sources,
        tomllib.loads((HERE / "permissions.toml").read_text(encoding="utf-8")),
        tomllib.loads((HERE / "names.toml").read_text(encoding="utf-8")),
        definition.read_text(encoding="utf-8") if definition.exists() else None,
        lines,
    )


def main(path, prune=False):
    world = read_world(json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
    found = problems(world)
    for problem in found:
        print(problem)
    if not world.recorded:
        print("note: there is no target/aws-calls, so permissions were not compared with recorded calls")
    for what, awaited in world.names["awaited"].items():
        if awaited:
            print(f"note: awaited {what}: {', '.join(awaited)}")
    if prune:
        text = (HERE / "names.toml").read_text(encoding="utf-8")
        for what, name in list(come(world)):
            print(f"note: {what} {name} has come and is awaited no more")
            start = re.search(rf"^{what} = \[", text, re.M).end()
            end = text.index("]", start)
            rest = re.sub(rf'\s*"{re.escape(name)}",?', "", text[start:end])
            text = text[:start] + rest.lstrip() + text[end:]
        (HERE / "names.toml").write_text(text, encoding="utf-8")
    print(f"{len(found)} differences between the template and the code")
    return 1 if found else 0


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--prune"]
    sys.exit(main(words[0] if words else ROOT / "target" / "infra" / "template.json", "--prune" in sys.argv))
