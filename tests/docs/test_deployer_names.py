"""The names that docs/how-to/deploy.md expects are those at which the rights of deployer.yaml end."""

import json
import re

from tests.support.documents import ROOT, text_of
from tools.template import read_template

DEPLOYER = read_template(ROOT / "deployer.yaml")
PAGE = text_of(ROOT / "docs/how-to/deploy.md")


def test_the_names_of_the_docs_are_those_of_the_policies() -> None:
    """Names are what stands in a resource after its kind and before the asterisk. A stack is named in full."""
    policies = [DEPLOYER["Resources"][name]["Properties"] for name in ("DeployFunctions", "DeployData", "DeployEdge")]
    resources = {each for each in re.findall(r'"(arn:[^"]*)"', json.dumps(policies)) if ":cloudformation:" not in each}
    kinds = r"(?:function|role|table|secret|alarm|log-group|layer|parameter)[:/]"
    named = {re.sub(rf".*?(?:{kinds}|:::|:sqs:.*:|:sns:.*:)(?=[^:]*$)", "", each) for each in resources}
    begin = {each.partition("*")[0] for each in named if re.match(r"[A-Za-z$/][^:]*[-/]\*|LibrariesLayer\*", each)}
    shown = {name.replace("<", "${").replace(">", "}") for name in rows()}
    assert {each for each in begin if not any(standing(each).startswith(standing(name)) for name in shown)} == set()
    assert {name for name in shown if not any(standing(name) in standing(each) for each in resources)} == set()


def standing(name: str) -> str:
    return name.replace("${StackName}", "${stack}").replace("${Stage}", "${stage}").lstrip("/")


def rows() -> list[str]:
    table = re.search(r"\| Names begin with \|.*?\n\n", PAGE, re.DOTALL)
    assert table
    return [name for line in table[0].strip().splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])]


def test_the_longest_name_of_a_stack_is_that_of_the_deployer() -> None:
    (most,) = re.findall(r"`<stack>` has at most (\d+) small letters", PAGE)
    assert DEPLOYER["Parameters"]["StackName"]["AllowedPattern"] == f"[a-z][a-z0-9-]{{0,{int(most) - 1}}}"


def test_the_environment_that_the_role_trusts_is_restricted_before_there_is_a_role() -> None:
    """GitHub makes a missing environment at its first use, and lets every branch use it."""
    trust = json.dumps(DEPLOYER["Resources"]["Deployer"]["Properties"]["AssumeRolePolicyDocument"])
    (environment,) = re.findall(r":environment:(\w+)", trust)
    steps = re.findall(r"^\d\. .*?(?=^\d\. |\n\n)", PAGE[PAGE.index("### From GitHub") :], re.MULTILINE | re.DOTALL)
    (restricts,) = (number for number, step in enumerate(steps) if f"Make the environment `{environment}`" in step)
    (makes,) = (number for number, step in enumerate(steps) if "Make the role" in step)
    assert restricts < makes
    assert "add `main` only" in steps[restricts]
    before = PAGE[: PAGE.index("aws cloudformation deploy --stack-name petapi-deployer")]
    assert "[restrict the environment first](#from-github)" in before
