"""`make deploy-check` asks services what CloudFormation would learn halfway, and looks at what was built."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from numpy._core import _multiarray_umath

from tests.support.certificates import imported, requested
from tests.support.cloud import ROOT
from tools.deploy_check.__main__ import main
from tools.deploy_check.architecture import BUILT, built
from tools.deploy_check.certificate import covers

DOMAIN = "pets.example.com"
STAGE = "Stage=another"


def refused(folder: Path, capsys: pytest.CaptureFixture[str], parameters: str = "", **variables: str) -> list[str]:
    """Return the sentences with which these parameters are refused."""
    code = main({"STACK": "petapi", "PARAMETERS": f"{STAGE} {parameters}", **variables}, folder)
    sentences = capsys.readouterr().err.splitlines()
    assert code == int(bool(sentences)), sentences
    return sentences


# -- the certificate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "domain", "is_covered"),
    [
        ("pets.example.com", "pets.example.com", True),
        ("Pets.Example.com", "pets.example.com", True),
        ("*.example.com", "pets.example.com", True),
        ("*.EXAMPLE.com", "pets.example.com", True),
        ("example.com", "pets.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "my.pets.example.com", False),
        ("*.com", "pets.example.com", False),
        ("*.pets.example.com", "pets.example.com", False),
        ("*.example.com", "pets.example.org", False),
        ("pets.example.com", "mypets.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, domain: str, is_covered: bool) -> None:
    assert covers(name, domain) == is_covered


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("names", [(DOMAIN,), ("*.example.com",), ("example.com", "*.example.com")], ids=str)
@pytest.mark.parametrize("cdn", ["false", "true"])
def test_an_issued_certificate_for_the_domain_is_taken(
    names: tuple[str, ...],
    cdn: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the region that needs it, which is us-east-1 behind CloudFront."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    arn = imported("us-east-1" if cdn == "true" else "eu-west-1", *names)
    assert refused(tmp_path, capsys, f"DomainName={DOMAIN} CertificateArn={arn} Cdn={cdn}") == []


@pytest.mark.usefixtures("moto_aws")
def test_a_certificate_for_another_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = imported("us-east-1", "example.com", "*.pets.example.com")
    (sentence,) = refused(tmp_path, capsys, f"DomainName={DOMAIN} CertificateArn={arn}")
    assert sentence == f"CertificateArn is {arn}, which is for example.com, *.pets.example.com. Set one for {DOMAIN}."


@pytest.mark.usefixtures("moto_aws")
def test_a_certificate_that_waits_for_its_validation_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = requested("us-east-1", DOMAIN)
    (sentence,) = refused(tmp_path, capsys, f"DomainName={DOMAIN} CertificateArn={arn} Cdn=true")
    assert sentence.startswith(f"CertificateArn is {arn}, whose status is PENDING_VALIDATION. Wait until it is ISSUED")


@pytest.mark.usefixtures("moto_aws")
def test_a_certificate_that_is_not_there_is_refused_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for region, reason in (("us-east-1", "which does not exist."), ("eu-west-1", "needs one in us-east-1.")):
        arn = f"arn:aws:acm:{region}:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
        (sentence,) = refused(tmp_path, capsys, f"DomainName={DOMAIN} CertificateArn={arn}")
        assert reason in sentence


# -- the secret --------------------------------------------------------------------------------------------------

ROTATION = "Cdn=true CdnOnly=true CdnSecretRotation=true"


def make_stack(logical_id: str = "CdnSecret") -> None:
    """Make a secret, and the stack `petapi` that has it under this logical id.

    moto's CloudFormation makes no secrets: the name of an SSM parameter stands for the secret's physical id.
    """
    stand_in = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "a-secret", "Value": "x"}}
    body = json.dumps({"Resources": {logical_id: stand_in}})
    boto3.client("cloudformation").create_stack(StackName="petapi", TemplateBody=body)
    boto3.client("secretsmanager").create_secret(Name="a-secret", SecretString="first")


@pytest.mark.usefixtures("moto_aws")
def test_a_rotation_without_a_stack_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sentence,) = refused(tmp_path, capsys, ROTATION)
    assert sentence.startswith("CdnSecretRotation=true lets the stack petapi, which has no secret yet, look for")
    assert sentence.endswith("Deploy with CdnSecretRotation=false, and change the secret first.")


@pytest.mark.usefixtures("moto_aws")
def test_a_rotation_of_a_stack_without_the_secret_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_stack("CallbackSecret")
    (sentence,) = refused(tmp_path, capsys, ROTATION)
    assert "which has no secret yet" in sentence


@pytest.mark.usefixtures("moto_aws")
def test_a_rotation_is_refused_until_the_secret_was_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_stack()
    (sentence,) = refused(tmp_path, capsys, ROTATION)
    assert "the stack petapi, whose secret was never changed, look for the value of before" in sentence
    boto3.client("secretsmanager").put_secret_value(SecretId="a-secret", SecretString="second")
    assert refused(tmp_path, capsys, ROTATION) == []


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("name", ["Cdn", "CdnOnly", "CdnSecretRotation"])
def test_without_a_rotation_the_secret_need_not_have_changed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor if the API takes requests of anybody, for then no function knows the secret."""
    assert refused(tmp_path, capsys, ROTATION.replace(f"{name}=true", f"{name}=false")) == []


# -- the architecture --------------------------------------------------------------------------------------------


def build_for(folder: Path, *machines: int) -> None:
    """Fill the build folder as `sam build` does, with a compiled library for each of these processors."""
    library = folder / BUILT / "LibrariesLayer/python/lib"
    library.mkdir(parents=True)
    (library / "code.py").write_text("")
    (library / "linked.so").symlink_to("nowhere")
    (library / "script.so").write_text("INPUT(libc.so)")
    for number, machine in enumerate(machines):
        head = b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + machine.to_bytes(2, "little")
        (library / f"lib{number}.so.1").write_bytes(head + bytes(40))


X86, ARM = 0x3E, 0xB7


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize(
    ("machines", "variables", "parameter", "reason"),
    [
        ((), {}, "x86_64", None),
        ((), {}, "arm64", "the libraries are built for x86_64. Set both to one: make deploy ARCHITECTURE=arm64"),
        ((), {"ARCHITECTURE": "arm64"}, "arm64", None),
        ((), {"ARCHITECTURE": "arm64"}, "x86_64", "the libraries are built for arm64."),
        ((), {"ARCHITECTURE": ""}, "x86_64", None),
        ((X86,), {}, "x86_64", None),
        ((X86,), {}, "arm64", "has libraries for x86_64. Build it anew: ARCHITECTURE=arm64 sam build"),
        ((X86,), {"ARCHITECTURE": "arm64"}, "arm64", "has libraries for x86_64."),
        ((ARM, ARM), {}, "arm64", None),
        ((ARM,), {}, "x86_64", "has libraries for arm64. Build it anew: ARCHITECTURE=x86_64 sam build"),
        ((X86, ARM), {}, "x86_64", "has libraries for arm64 and x86_64."),
        ((ARM,), {"BUILDS": "1"}, "x86_64", None),
        ((ARM,), {"BUILDS": "1"}, "arm64", "the libraries are built for x86_64."),
        ((X86,), {"BUILDS": "1", "ARCHITECTURE": "arm64"}, "arm64", None),
    ],
)
def test_functions_run_on_what_their_libraries_are_built_for(
    machines: tuple[int, ...],
    variables: dict[str, str],
    parameter: str,
    reason: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build_for(tmp_path, *machines)
    sentences = refused(tmp_path, capsys, f"Architecture={parameter}", **variables)
    assert len(sentences) == (reason is not None)
    assert all(sentence.startswith(f"Architecture is {parameter}, but ") for sentence in sentences)
    assert (reason or "") in "".join(sentences)


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64", "arm64"), reason="Lambda has no such processor")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has libraries as Lambda has them")
def test_a_library_of_this_machine_is_recognised(tmp_path: Path) -> None:
    shutil.copy(str(_multiarray_umath.__file__), tmp_path)
    assert built(tmp_path) == {"x86_64" if os.uname().machine == "x86_64" else "arm64"}


@pytest.mark.parametrize(("target", "will_build"), [("deploy", True), ("deploy-check", False)])
def test_make_deploy_checks_what_it_will_build(target: str, will_build: bool, tmp_path: Path) -> None:
    """Whatever an earlier build left. `make deploy-check` by itself looks at that."""
    (tmp_path / "bin").mkdir()
    for name in ("bin/pip", "petapi.installed", "run.installed"):
        (tmp_path / name).touch()
    python = tmp_path / "bin/python"
    python.write_text('#!/bin/sh\necho "$*, for $ARCHITECTURE, builds: $BUILDS"\nexit 1\n')
    python.chmod(0o755)
    command = ["make", target, f"VENV={tmp_path}", "ARCHITECTURE=arm64"]
    environment = {name: value for name, value in os.environ.items() if name != "BUILDS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == f"-m tools.deploy_check, for arm64, builds: {'1' if will_build else ''}\n", done.stderr


def test_the_workflow_builds_for_the_architecture_that_it_checks() -> None:
    job: Any = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]["deploy"]
    assert job["env"] == {"ARCHITECTURE": "${{ vars.ARCHITECTURE || 'x86_64' }}"}
    assert not [step for step in job["steps"] if "ARCHITECTURE" in step.get("env", {})]
    checked, built_ = (
        next(number for number, step in enumerate(job["steps"]) if command in step.get("run", ""))
        for command in ("make deploy-check", "sam build")
    )
    assert checked < built_
