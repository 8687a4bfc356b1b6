"""Compares what checkov found with what is left as it is: check_policy.py FOUND.json."""

import json
import pathlib
import sys
import tomllib

HERE = pathlib.Path(__file__).parent


def compare(found, exceptions):
    """Sentences about findings without a reason and reasons without a finding."""
    names = {one["check_id"]: one["check_name"] for one in found}
    there = {(one["check_id"], one["resource"].rsplit(".", 1)[1]) for one in found}
    left = {(one["check"], resource) for one in exceptions for resource in one["on"]}
    yield from (f"{check} on {on}: {names[check]}" for check, on in sorted(there - left))
    yield from (f"{check} on {on}: is in exceptions.toml and was not found" for check, on in sorted(left - there))
    yield from (f"{one['check']}: has no reason in exceptions.toml" for one in exceptions if len(one.get("why", "")) < 20)


def main(path):
    report = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    if not report["results"]["passed_checks"]:
        print("checkov checked nothing")
        return 1
    exceptions = tomllib.loads((HERE / "exceptions.toml").read_text(encoding="utf-8"))["exception"]
    problems = list(compare(report["results"]["failed_checks"], exceptions))
    print("\n".join(problems + [f"checkov: {report['summary']['passed']} passed, {len(problems)} findings without a reason"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
