"""`make bench-cold`: CPU time of each function's cold start, from the built tree, against stock boto3.

A cold start is a fresh process of the runtime's Python that imports the handler and makes its first calls of SSM,
DynamoDB and S3, which a stub answers at once. It is compared with `import boto3; boto3.client("dynamodb")`, with boto3
as pip installs it, which calls nothing. Both are whole processes, with the interpreter, and end without cleaning up, as
Lambda's do.

With WRITE=1, the figures are written into docs/reference/performance.md.
"""

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support import cloud
from tests.support.cloud import ROOT
from tools.benchmarks import page, results
from tools.bundle import interpreters

Run = tuple[list[str], dict[str, str]]  # a command and its environment
Pair = tuple[float, float]  # milliseconds of a function, and of stock boto3

BUILT = ROOT / ".aws-sam/build"
ROUNDS = 15
ROUNDS_MAX = 45
TARGETS = {"UploadFunction": 1.0, "RandomFunction": 0.9, "DeleteFunction": 0.9}

STOCK = "import os, boto3; boto3.client('dynamodb'); os._exit(0)"
FUNCTION = """
import os, {module}
from shared import aws
aws.ssm().get_parameters(Names=["name"])
aws.dynamodb().query(TableName="table", KeyConditionExpression="label = :label")
aws.s3().get_object(Bucket="bucket", Key="key")["Body"].read()
os._exit(0)
"""


class Stub(BaseHTTPRequestHandler):
    """An AWS that answers everything at once, with nothing."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"Parameters": [], "Items": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        """Log nothing."""


@contextmanager
def stub() -> Iterator[str]:
    """Run a stub and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def cpu_milliseconds(command: list[str], environment: dict[str, str]) -> float:
    """Run a process. Return its CPU time, of user and system."""
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"This command failed: {command}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def megabytes(folder: Path) -> float:
    """Return the size of all files in the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def keep(ratios: dict[str, float], rounds: int) -> None:
    """Keep the ratios and the sizes of all functions in results.json, and write the page of performance."""
    layer = megabytes(BUILT / "LibrariesLayer")
    sizes = {name: megabytes(BUILT / name) + layer for name in cloud.functions()}
    results.update("cold", {"rounds": rounds, "ratios": ratios, "megabytes": sizes, "machine": results.machine()})
    page.write()


def commands(python: str, boto3: str, endpoint: str) -> tuple[Run, dict[str, Run]]:
    """Return what starts stock boto3, and what starts each function that calls AWS."""
    aws = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    aws |= {"AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
    runs: dict[str, Run] = {}
    for name, resource in cloud.functions().items():
        if "Policies" in resource["Properties"]:  # the others call nothing
            path = f"{BUILT / name}:{BUILT / 'LibrariesLayer/python'}"
            own = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "AWS_LAMBDA_FUNCTION_NAME": name}
            module = resource["Properties"]["Handler"].partition(".")[0]
            runs[name] = ([python, "-s", "-c", FUNCTION.format(module=module)], {**aws, **own})
    return ([python, "-s", "-c", STOCK], {**aws, "PYTHONPATH": boto3}), runs


def measured(stock: Run, runs: dict[str, Run]) -> dict[str, list[Pair]]:
    """Return the CPU milliseconds of each command, and of stock boto3 right before it, round by round.

    A neighbour that slows the machine down for some seconds slows both of a pair. Each round has another order, so
    that nothing that recurs meets always the same function. Where a target seems missed, more rounds decide, at most
    ROUNDS_MAX.
    """
    pairs: dict[str, list[Pair]] = {name: [] for name in runs}
    for done in range(ROUNDS_MAX):
        if done >= ROUNDS and not missed(ratios_of(pairs)):
            break
        for name in random.sample(list(runs), len(runs)):
            compared = cpu_milliseconds(*stock)
            pairs[name].append((cpu_milliseconds(*runs[name]), compared))
    return pairs


def ratios_of(pairs: dict[str, list[Pair]]) -> dict[str, float]:
    """Return the median ratio of each function to stock boto3."""
    return {name: statistics.median(own / stock for own, stock in found) for name, found in pairs.items()}


def missed(ratios: dict[str, float]) -> list[str]:
    """Return the functions whose ratio is above their target."""
    return [name for name, target in TARGETS.items() if ratios[name] > target]


def main() -> int:
    """Print the table. Return the exit code: 1 if a target is missed."""
    if not (BUILT / "template.yaml").exists():
        sys.exit("There is no .aws-sam/build. Run `sam build` first.")
    python = interpreters.find()
    with tempfile.TemporaryDirectory() as boto3, stub() as endpoint:
        (version,) = re.findall(r"^boto3==\S+", (ROOT / "requirements/run.txt").read_text(), re.M)
        command = [python, "-m", "pip", "install", "--quiet", "--target", boto3, version]
        subprocess.run(command, check=True)
        pairs = measured(*commands(python, boto3, endpoint))
    ratios, rounds = ratios_of(pairs), max(map(len, pairs.values()))
    if os.environ.get("WRITE") == "1":
        keep(ratios, rounds)
    print(f"CPU time of a cold start, median of {rounds} rounds, as a ratio to stock boto3 right before it")
    for name, ratio in ratios.items():
        target = f"(at most {TARGETS[name]})" if name in TARGETS else ""
        print(f"{name:16} {statistics.median(own for own, _ in pairs[name]):6.0f} ms {ratio:6.2f} {target}")
    return int(bool(missed(ratios)))


if __name__ == "__main__":
    sys.exit(main())
