"""`make env STACK=name` prints the names of a stack's resources for `sam local`."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from shared.settings import PARAMETERS
from tests.support.cloud import ROOT, functions, template
from tests.support.local_service import LocalService
from tools import sam_env


def printed(stack: str, service: LocalService) -> "subprocess.CompletedProcess[str]":
    """Run the command for a stack in the emulator of this service."""
    lines = (service.data / "aws.env").read_text().splitlines()
    environment = {**os.environ, **dict(line.split("=", 1) for line in lines)}
    command = [sys.executable, "-m", "tools.sam_env", stack]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_names_what_the_stack_has(running: LocalService) -> None:
    variables = json.loads(printed("petapi", running).stdout)["Parameters"]

    client = running.aws().client
    endpoint = {"endpoint_url": running.aws_endpoint}
    tables = client("dynamodb", **endpoint).list_tables()["TableNames"]
    buckets = [bucket["Name"] for bucket in client("s3", **endpoint).list_buckets()["Buckets"]]
    queues = [url.rpartition("/")[2] for url in client("sqs", **endpoint).list_queues()["QueueUrls"]]
    places = {
        **dict.fromkeys(_named("Table", variables), tables),
        **dict.fromkeys(_named("Bucket", variables), buckets),
    }
    assert len(places) == 8
    assert all(variables[name] in existing for name, existing in places.items())
    assert variables["fb_callbackQueueUrl"].rpartition("/")[2] in queues
    assert client("secretsmanager", **endpoint).describe_secret(SecretId=variables["CALLBACK_SECRET_ID"])["Name"]
    assert variables["fb_labels"] == "*"


def _named(part: str, variables: dict[str, str]) -> list[str]:
    return [name for name in variables if part in name]


def test_every_fallback_of_the_settings_is_named() -> None:
    assert {variable for _, variable in PARAMETERS.values()} <= {*sam_env.OUTPUTS, *sam_env.PARAMETERS}


def test_every_variable_that_holds_a_name_of_a_resource_is_named() -> None:
    """Functions have other variables, too: parameters, which `sam local` fills, and the origins for the page."""
    resources = template()["Resources"].keys()

    def names_a_resource(value: Any) -> bool:
        reference = value.get("Ref") or value.get("Fn::GetAtt") if isinstance(value, dict) else None
        return (reference[0] if isinstance(reference, list) else reference) in resources

    variables = {
        name
        for function in functions().values()
        for name, value in function["Properties"].get("Environment", {}).get("Variables", {}).items()
        if names_a_resource(value)
    }
    assert variables <= sam_env.OUTPUTS.keys()


def test_every_output_is_one_of_the_template() -> None:
    assert set(sam_env.OUTPUTS.values()) <= template()["Outputs"].keys()


def test_an_unknown_stack_is_said(running: LocalService) -> None:
    done = printed("others", running)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The stack others cannot be read (")
    assert done.stderr.count("\n") == 1


def test_without_a_name_it_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert sam_env.main("") == 2
    assert "make env STACK=petapi" in capsys.readouterr().err
