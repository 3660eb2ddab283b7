"""What CloudFormation makes of template.yaml with chosen parameters: its refusals, or resources with their values.

References to other resources stay as they are, but for the values of SSM parameters.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tests.support.cloud import ROOT
from tests.support.transformed import resources
from tools.template import read_template

NO_VALUE = object()
PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "petapi",
    "AWS::NoValue": NO_VALUE,
}


@cache
def _written() -> dict[str, Any]:
    return read_template(ROOT / "template.yaml")


class Deployed:
    """The stack with these parameters; the others have their defaults."""

    def __init__(self, **parameters: str) -> None:
        self._template = _written()
        declared = self._template["Parameters"]
        assert set(parameters) - set(PSEUDO) <= set(declared)
        defaults = {name: str(each["Default"]) for name, each in declared.items()}
        self._values: dict[str, Any] = {**PSEUDO, **defaults, **parameters}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Fn::Equals": lambda pair: self.value(pair[0]) == self.value(pair[1]),
            "Fn::Not": lambda one: not self.value(one[0]),
            "Fn::And": lambda all_of: all(map(self.value, all_of)),
            "Fn::Or": lambda any_of: any(map(self.value, any_of)),
            "Fn::Contains": lambda pair: self.value(pair[1]) in pair[0],
            "Fn::If": lambda three: self.value(three[1] if self.holds(three[0]) else three[2]),
            "Fn::Sub": self._substituted,
            "Fn::GetAtt": self._attribute,
            "Condition": self.holds,
            "Ref": lambda name: self._values.get(name, {"Ref": name}),
        }

    def refusals(self) -> list[str]:
        """Return the sentences with which CloudFormation refuses these parameters, before it makes anything."""
        declared = self._template["Parameters"].items()
        found = [self._refused(name, rule) for name, rule in declared if self._refused(name, rule) is not None]
        for rule in self._template["Rules"].values():
            if self.value(rule.get("RuleCondition", {"Fn::Not": [False]})):
                found += [each["AssertDescription"] for each in rule["Assertions"] if not self.value(each["Assert"])]
        return [str(each) for each in found]

    def _refused(self, name: str, rule: Mapping[str, Any]) -> str | None:
        value = self._values[name]
        allowed = value in map(str, rule.get("AllowedValues", [value]))
        allowed = allowed and len(value) <= rule.get("MaxLength", 4096) and _is_number(value, rule)
        if allowed and re.fullmatch(rule.get("AllowedPattern", ".*"), value, re.DOTALL):
            return None
        return str(rule.get("ConstraintDescription", name))

    def holds(self, condition: str) -> bool:
        """Return whether a condition is true."""
        return bool(self.value(self._template["Conditions"][condition]))

    def resources(self) -> dict[str, Any]:
        """Return the properties of the resources that are made."""
        return {name: self.properties(name) for name in resources() if self.makes(name)}

    def makes(self, name: str) -> bool:
        """Return whether a resource is made."""
        each = resources()[name]
        return "Condition" not in each or self.holds(each["Condition"])

    def properties(self, name: str) -> Any:
        """Return the properties of a resource, as if it were made."""
        return self.value(resources()[name].get("Properties", {}))

    def outputs(self) -> dict[str, Any]:
        """Return the outputs."""
        written = self._template["Outputs"].items()
        return {
            name: self.value(each["Value"])
            for name, each in written
            if "Condition" not in each or self.holds(each["Condition"])
        }

    def value(self, node: Any) -> Any:
        """Return a value of the template with all functions of parameters and conditions computed."""
        if isinstance(node, list):
            return [found for each in node if (found := self.value(each)) is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        (name, inner), *others = node.items() or [("", None)]
        if not others and name in self._functions:
            return self._functions[name](inner)
        return {key: found for key, each in node.items() if (found := self.value(each)) is not NO_VALUE}

    def _attribute(self, of: list[str]) -> Any:
        """Return the value of an SSM parameter, which is known. Other attributes stay as they are."""
        logical, name = of
        made = resources()[logical]
        if (made["Type"], name) != ("AWS::SSM::Parameter", "Value"):
            return {"Fn::GetAtt": of}
        return self.value(made["Properties"]["Value"])

    def _substituted(self, text: Any) -> Any:
        if not isinstance(text, str):
            return {"Fn::Sub": text}
        return re.sub(r"\$\{([\w:]+)\}", lambda found: str(self._values.get(found[1], found[0])), text)


def _is_number(value: str, rule: Mapping[str, Any]) -> bool:
    """Return whether a text is a number within the bounds, if the parameter has to be one."""
    if rule["Type"] != "Number":
        return True
    try:
        return bool(rule.get("MinValue", -math.inf) <= float(value) <= rule.get("MaxValue", math.inf))
    except ValueError:
        return False
