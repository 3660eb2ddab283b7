"""What a deploy will be: the stack, its region, and its parameters, found out as `sam deploy` does."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.deploy_check.stacks import parameters_of
from tools.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "template.yaml"


@dataclass(frozen=True, slots=True)
class Deploy:
    """The stack, its account and region, and the parameters that it will have."""

    stack: str
    account: str
    region: str
    parameters: Mapping[str, str]


def planned(
    config: Mapping[str, Any], stack: str, overrides: str, account: str, cloudformation: "CloudFormationClient"
) -> Deploy:
    """Find out the deploy as `sam deploy` does.

    Overrides stand for all of samconfig.toml's. What neither names stays as the present stack has it.
    """
    name = stack or options(config).get("stack_name", "petapi")
    declared = read_template(TEMPLATE)["Parameters"]
    defaults = {each: str(declared[each].get("Default", "")) for each in declared}
    chosen = given(overrides or written(config))
    present = parameters_of(cloudformation, name)
    return Deploy(name, account, cloudformation.meta.region_name, {**defaults, **present, **chosen})


def written(config: Mapping[str, Any]) -> str:
    """Return the parameter overrides of samconfig.toml as one text."""
    found = options(config).get("parameter_overrides", "")
    if isinstance(found, Mapping):
        found = [f"{each}={value}" for each, value in found.items()]
    return found if isinstance(found, str) else " ".join(map(shlex.quote, found))


def given(text: str) -> dict[str, str]:
    """Parse parameter overrides as the SAM CLI does: `Name=value`, or `ParameterKey=Name,ParameterValue=value`."""
    found = {}
    for word in shlex.split(text):
        long_form = re.fullmatch(r"ParameterKey=([^,]*),ParameterValue=(.*)", word, re.DOTALL)
        name, value = long_form.groups() if long_form else word.partition("=")[::2]
        found[name] = value
    return found


def options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what samconfig.toml has for `sam deploy`: its own options count more than those of all commands."""
    sections = (config.get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    return {name: value for section in sections for name, value in section.items()}


def read_config(file: Path, environment: str) -> Mapping[str, Any]:
    """Return an environment of samconfig.toml. Raise ValueError if the file cannot be read, or lacks one that is named.

    Without a name it is `default`, which may be missing, as the file may.
    """
    written = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    config = written.get(environment or "default", None if environment else {})
    if not isinstance(config, Mapping):
        known = ", ".join(name for name, each in written.items() if isinstance(each, Mapping))
        raise ValueError(f"it has no environment {environment}, only: {known or 'none'}")
    return config
