"""`make sam-test`: the commands of developers and operators on the real SAM CLI, from validation to HTTP in containers.

Functions run in Docker and find S3, DynamoDB and SSM in an emulator on this host, at the address that the Docker
bridge gives it, for this run only.  Whatever this starts, it ends: processes, and containers by SAM's label.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.support import cloud
from tests.support.cloud import ROOT
from tests.support.events import EVENTS, EXPECTED, module_of, outcome
from tests.support.local_service import free_port
from tools.template import read_template

BUILT = ROOT / ".aws-sam/build"
IN_CONTAINER = ROOT / ".aws-sam/container"
RUN_IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"  # the names that SAM gives them
BUILD_IMAGE = "public.ecr.aws/sam/build-python3.13:latest-x86_64"
OURS = "label=sam.cli.container.type=lambda"
READY_MAX = 120.0  # seconds; the first start makes an image
HTTP_TESTS = (
    "tests/api/test_http.py",
    "tests/api/test_bad_uploads.py",
    "tests/api/test_large_pictures.py",
    "tests/docs/test_openapi.py",
)
OWNER = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
}


def main(sam: str) -> None:
    """Run all steps in the order in which people use them. Exit at the first that fails."""
    if not said("docker", "info"):
        sys.exit("make sam-test needs Docker, and `docker info` gets no answer; start it, or do without: make test")
    os.environ.update({**OWNER, "SAM_CLI_TELEMETRY": "0"})
    step("sam validate --lint", sam, "validate", "--lint")
    step("sam build", sam, "build")
    step("the built tree", sys.executable, "-m", "pytest", "-q", "tests/cloud/test_build.py")
    with emulator() as endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint  # for us, and for SAM, which would look for AWS's STS
        cloud.create()
        template = declaring_the_endpoint(endpoint)
        options = ["--template", str(template), *skip_pull(RUN_IMAGE)]
        invoke_events([sam, "local", "invoke", "--parameter-overrides", "Encoder=none", *options])
        everyone = ["--parameter-overrides", "PublicWrites=true Encoder=none"]
        with api([sam, "local", "start-api", "--warm-containers", "LAZY", *options, *everyone]) as url:
            os.environ["PETAPI_URL"] = url
            step("HTTP over sam local start-api", sys.executable, "-m", "pytest", "-q", *HTTP_TESTS)
        check_tokens(sam, options, endpoint)
    step(
        "sam build --use-container",
        *(sam, "build", "--use-container", "--build-dir", str(IN_CONTAINER), *skip_pull(BUILD_IMAGE)),
    )
    os.environ["PETAPI_BUILT"] = str(IN_CONTAINER)
    step("the tree built in a container", sys.executable, "-m", "pytest", "-q", "tests/cloud/test_build.py")
    print("make sam-test: all is well")


def step(name: str, *command: str) -> None:
    """Run a command. If it fails, show its output and exit."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nmake sam-test: {name} failed, as it says above.")
    last = done.stdout.strip().splitlines()[-1] if "pytest" in command else "ok"
    print(f"{name}: {last} ({time.monotonic() - started:.0f} s)", flush=True)


def said(*command: str) -> str:
    """Return the output of a command, or an empty text if it failed or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def skip_pull(image: str) -> list[str]:
    """Return the option that keeps SAM from pulling an image, if this machine has it."""
    return ["--skip-pull-image"] if said("docker", "image", "inspect", image) else []


def declaring_the_endpoint(endpoint: str) -> Path:
    """Add AWS_ENDPOINT_URL to the built template, because SAM passes on only the variables that a template declares."""
    template = read_template(BUILT / "template.yaml")
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = endpoint
    path = BUILT / "template-on-emulator.json"
    path.write_text(json.dumps(template))
    return path


def check_tokens(sam: str, options: Sequence[str], endpoint: str) -> None:
    """Run the tests of tokens. They start the issuer beside the emulator, where containers reach it."""
    issuer = f"{endpoint.rpartition(':')[0]}:{free_port()}/"
    parameters = f"PublicWrites=false JwtIssuer={issuer} JwtAudience=petapi Encoder=none"
    command = [sam, "local", "start-api", "--warm-containers", "LAZY", *options, "--parameter-overrides", parameters]
    with api(command) as url:
        os.environ |= {"PETAPI_URL": url, "PETAPI_ISSUER": issuer}
        step("tokens over sam local start-api", sys.executable, "-m", "pytest", "-q", "tests/api/test_authorize.py")


def invoke_events(command: Sequence[str]) -> None:
    """Call `sam local invoke` with each of events/*.json, in the order of their story."""
    functions = {
        resource["Properties"]["Handler"].partition(".")[0]: name
        for name, resource in cloud.template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    for event, expected in EXPECTED.items():
        path, function = ROOT / f"events/{event}.json", functions[module_of(EVENTS[event])]
        done = subprocess.run(
            [*command, function, "--event", path], cwd=ROOT, capture_output=True, text=True, check=False
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
        if outcome(answer) != expected:
            sys.exit(
                f"{done.stderr}\n{done.stdout}\nmake sam-test: events/{event}.json is not answered with {expected}."
            )
    print(f"sam local invoke: {len(EXPECTED)} events answered", flush=True)


@contextmanager
def emulator() -> Iterator[str]:
    """Start an empty ministack that containers reach, with S3, DynamoDB and SSM for any key. Yield its address."""
    gateway = said("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    address = gateway or "172.17.0.1"
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "BIND_HOST": address,
            "GATEWAY_PORT": str(port),
            "SERVICES": "s3,dynamodb,sqs,ssm,sts",  # and no Lambda, which would run anyone's code
            "TMPDIR": folder,
            "STATE_DIR": folder,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{folder}/no-docker",
            "LOG_LEVEL": "WARNING",
        }
        with running([sys.executable, "-m", "ministack"], environment, f"http://{address}:{port}/_ministack/health"):
            yield f"http://{address}:{port}"


@contextmanager
def api(command: Sequence[str]) -> Iterator[str]:
    """Start `sam local start-api` and yield its address. Remove its containers afterwards."""
    port = free_port()
    before = set(containers())
    try:
        with running([*command, "--port", str(port)], dict(os.environ), f"http://127.0.0.1:{port}/"):
            yield f"http://127.0.0.1:{port}"
    finally:
        for container in set(containers()) - before:
            said("docker", "rm", "--force", container)


def containers() -> list[str]:
    """Return all containers of SAM, also those of other runs."""
    return said("docker", "ps", "--all", "--quiet", "--filter", OURS).split()


@contextmanager
def running(command: Sequence[str], environment: dict[str, str], ready: str) -> Iterator[None]:
    """Run a process during the block, which begins when this URL answers. If anything fails, show its output."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            await_answer(process, ready)
            yield
        except BaseException:
            output.seek(0)
            print(output.read()[-20_000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the URL answers with success."""
    give_up = time.monotonic() + READY_MAX
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(URLError, OSError), urlopen(url, timeout=60):  # noqa: S310 (ours)
            return
        time.sleep(0.1)
    sys.exit(f"make sam-test: {process.args!r} did not become ready, as it says above.")


if __name__ == "__main__":
    main(sys.argv[1])
