"""Works a CloudFormation template out for given parameters: what its conditions, references and texts come to.

Enough of CloudFormation for this template and its checks. What is not known is an error, never a guess.
"""

import re

ACCOUNT = "123456789012"


class Template:
    """A transformed template with values for its parameters."""

    def __init__(self, template, parameters, region):
        self.template = template
        self.region = region
        self.given = {
            name: parameters.get(name, known.get("Default")) for name, known in template["Parameters"].items()
        }
        for name, known in template["Parameters"].items():
            if known["Type"] == "CommaDelimitedList":
                self.given[name] = [text for text in self.given[name].split(",") if text]

    def holds(self, condition):
        """Whether a condition of the template holds."""
        return self._test(self.template["Conditions"][condition])

    def _test(self, test):
        ((word, parts),) = test.items()
        if word == "Fn::Equals":
            left, right = (str(self.value(part)) for part in parts)
            return left == right
        if word == "Fn::Not":
            return not self._test(parts[0])
        if word == "Fn::And":
            return all(self._test(part) for part in parts)
        if word == "Condition":
            return self.holds(parts)
        raise ValueError(f"{word} is not known here")

    def resources(self, kind=None):
        """Resources that exist with these parameters, worked out: (name, type, properties)."""
        for name, resource in self.template["Resources"].items():
            if kind not in (None, resource["Type"]) or not self._there(resource):
                continue
            yield name, resource["Type"], self.value(resource.get("Properties", {}))

    def _there(self, resource):
        return "Condition" not in resource or self.holds(resource["Condition"])

    def outputs(self):
        return {name: self.value(output["Value"]) for name, output in self.template["Outputs"].items()}

    def value(self, node):
        """A part of the template, worked out. `AWS::NoValue` is left out where it stands."""
        if isinstance(node, list):
            parts = (self.value(part) for part in node)
            flat = []
            for part in parts:
                if part is not None:
                    flat.append(part)
            return flat
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((word, inner),) = node.items()
            if word == "Ref":
                return self._ref(inner)
            if word == "Fn::GetAtt":
                return self._attribute(*(inner if isinstance(inner, list) else inner.split(".", 1)))
            if word == "Fn::Sub":
                return re.sub(r"\$\{([^}!]+)\}", lambda found: self._in_text(found[1]), inner)
            if word == "Fn::If":
                return self.value(inner[1] if self.holds(inner[0]) else inner[2])
            if word == "Fn::FindInMap":
                table, first, second = (str(self.value(part)) for part in inner)
                return self.template["Mappings"][table][first][second]
            if word == "Fn::Join":
                return inner[0].join(str(part) for part in self.value(inner[1]))
            if word.startswith("Fn::"):
                raise ValueError(f"{word} is not known here")
        worked_out = ((key, self.value(inner)) for key, inner in node.items())
        return {key: inner for key, inner in worked_out if inner is not None}

    def _in_text(self, name):
        return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

    def _ref(self, name):
        fixed = {
            "AWS::NoValue": None,
            "AWS::Region": self.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
        }
        if name in fixed:
            return fixed[name]
        if name in self.given:
            return self.given[name]
        kind = self.template["Resources"][name]["Type"]
        own = self._name(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{ACCOUNT}/{own}"
        if kind in ("AWS::StepFunctions::StateMachine", "AWS::IAM::ManagedPolicy"):
            return self._arn(name)
        return own

    def _attribute(self, name, attribute):
        if attribute == "Arn":
            return self._arn(name)
        if attribute == "QueueName":
            return self._name(name)
        if attribute == "ApiEndpoint":
            return f"https://{name}.execute-api.{self.region}.amazonaws.com"
        raise ValueError(f"{name}.{attribute} is not known here")

    def _name(self, name):
        properties = self.template["Resources"][name].get("Properties", {})
        for key in ("QueueName", "BucketName", "FunctionName", "StateMachineName", "LogGroupName", "TableName", "Name"):
            if key in properties:
                return self.value(properties[key])
        return name

    def _arn(self, name):
        kind = self.template["Resources"][name]["Type"]
        own = self._name(name)
        here = f"{self.region}:{ACCOUNT}"
        return {
            "AWS::SQS::Queue": f"arn:aws:sqs:{here}:{own}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{own}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{here}:function:{own}",
            "AWS::StepFunctions::StateMachine": f"arn:aws:states:{here}:stateMachine:{own}",
            "AWS::Events::EventBus": f"arn:aws:events:{here}:event-bus/{own}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{here}:log-group:{own}:*",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{own}",
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{own}",
        }[kind]
