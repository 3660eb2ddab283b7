"""Deploy template.yaml to the emulator, as `sam package` and `sam deploy` do to AWS.

Folders of code become zips in a bucket. Their names are hashes of their content, so unchanged code leaves the template
unchanged. The template goes there, too: in a request it may have 51,200 bytes only. If nothing has changed since the
last start, nothing is deployed.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from tools.local.refusals import Refusal
from tools.template import Template, read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

STACK = "petapi"
ARTIFACTS = "petapi-artifacts"
DEPLOYED = "/petapi-local/deployed"  # an SSM parameter, because snapshots keep it together with the stack
DEPLOYERS = ("ministack", "aws-sam-translator")
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
LAYER_RULE = "ModelsNeedALayer"  # here, the functions find the libraries and models on the machine
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # as in SAM, so that the same files make the same zip
PACKAGES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class Deployment:
    """The stack in the emulator that the environment names."""

    def __init__(self) -> None:
        session = boto3.Session()
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self._cloudformation: CloudFormationClient = session.client("cloudformation", config=config)
        self._dynamodb: DynamoDBClient = session.client("dynamodb", config=config)
        self._s3: S3Client = session.client("s3", config=config)
        self._ssm: SSMClient = session.client("ssm", config=config)

    def wait_for_emulator(self) -> None:
        """Wait until the emulator answers. It has loaded its state by then."""
        self._s3.list_buckets()

    def functions(self) -> list[str]:
        """Return the names of the stack's functions."""
        resources = self._cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        return [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Lambda::Function"]

    def bring_up(self, root: Path, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create or update the stack from the template and the code under `root`. Return its outputs.

        Raise Refusal if that would lose data or if the template cannot be deployed.
        """
        template = read_template(root / "template.yaml")
        wanted = fingerprint(template, root, parameters)
        if self._deployed() != wanted:
            self._deploy(template, root, parameters)
            self._ssm.put_parameter(Name=DEPLOYED, Value=wanted, Type="String", Overwrite=True)
        stack = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _deployed(self) -> str:
        """Return the fingerprint of what was deployed last, empty if nothing was."""
        try:
            return self._ssm.get_parameter(Name=DEPLOYED)["Parameter"]["Value"]
        except self._ssm.exceptions.ParameterNotFound:
            return ""

    def _deploy(self, template: Template, root: Path, parameters: Mapping[str, str]) -> None:
        template.get("Rules", {}).pop(LAYER_RULE, None)
        self._package(template, root)
        arguments: dict[str, Any] = {
            "StackName": STACK,
            "TemplateURL": self._stored(json.dumps(template)),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            "Capabilities": CAPABILITIES,
        }
        if self._exists():
            self._refuse_loss_of_tables(template)
            self._update(arguments)
        else:
            self._create(arguments)

    def _package(self, template: Template, root: Path) -> None:
        """Store each folder of code as a zip, and write the zip's address into the template."""
        self._s3.create_bucket(Bucket=ARTIFACTS)
        for uri, properties in _packages(template):
            folder = root / properties[uri]
            content = zipped({"": folder, "shared": root / "shared"} if uri == "CodeUri" else {"": folder})
            key = f"{folder.name}/{sha256(content).hexdigest()}.zip"
            self._s3.put_object(Bucket=ARTIFACTS, Key=key, Body=content)
            properties[uri] = f"s3://{ARTIFACTS}/{key}"
        for include in includes(template):
            path = root / include["Location"]
            content = path.read_bytes()
            key = f"{path.parent.name}/{sha256(content).hexdigest()}.json"
            self._s3.put_object(Bucket=ARTIFACTS, Key=key, Body=content)
            include["Location"] = f"s3://{ARTIFACTS}/{key}"

    def _stored(self, template: str) -> str:
        """Store the text of the template, and return its address."""
        key = f"template/{sha256(template.encode()).hexdigest()}.json"
        self._s3.put_object(Bucket=ARTIFACTS, Key=key, Body=template.encode())
        return f"https://s3.amazonaws.com/{ARTIFACTS}/{key}"

    def _exists(self) -> bool:
        try:
            self._cloudformation.describe_stacks(StackName=STACK)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return False
            raise
        return True

    def _create(self, arguments: Mapping[str, Any]) -> None:
        """Create the stack. Refuse if tables exist, because ministack would empty them."""
        if tables := self._dynamodb.list_tables()["TableNames"]:
            raise Refusal(
                f"The data has the tables {', '.join(tables)} but no stack that owns them. "
                "Put a copy of the data folder in its place, or move it away to begin with empty data."
            )
        try:
            self._cloudformation.create_stack(**arguments)
        except ClientError as error:
            raise _refusal(error) from error
        self._await("stack_create_complete")

    def _update(self, arguments: Mapping[str, Any]) -> None:
        try:
            self._cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return
            raise _refusal(error) from error
        self._await("stack_update_complete")

    def _await(self, state: Any) -> None:
        try:
            self._cloudformation.get_waiter(state).wait(
                StackName=STACK, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
            )
        except WaiterError as error:
            raise Refusal(
                f"template.yaml cannot be deployed ({self._reason()}). Correct it and start again. "
                "The data has not changed."
            ) from error

    def _reason(self) -> str:
        """Return why the first failed resource of the last operation failed."""
        events = self._cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in events
            if event.get("ResourceStatus", "").endswith("_FAILED")
        ]
        return reasons[0] if reasons else "no reason was given"

    def _refuse_loss_of_tables(self, template: Template) -> None:
        """Refuse a changed table key: ministack would empty the table, in spite of its policies."""
        for resource in self._cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]:
            if resource["ResourceType"] == "AWS::DynamoDB::Table":
                name = resource["LogicalResourceId"]
                wanted = template["Resources"].get(name, {}).get("Properties", {})
                table = self._dynamodb.describe_table(TableName=resource["PhysicalResourceId"])["Table"]
                if _keys(wanted) != _keys(table):
                    raise Refusal(
                        f"The table {name} has another key in template.yaml than its stored data. Keep this table and "
                        "give the new one another name, or use other data: make run DATA=<folder>"
                    )


def _refusal(error: ClientError) -> Refusal:
    """Return why no deployment begins: what is wrong in the template, or parameters that do not go together."""
    return Refusal(
        f"template.yaml cannot be deployed ({error.response['Error']['Message']}). Correct it, or the variables of "
        "`make run` that set its parameters, and start again."
    )


def includes(node: Any) -> Iterator[dict[str, str]]:
    """Yield the parameters of each AWS::Include in the template."""
    if isinstance(node, dict) and node.get("Fn::Transform", {}).get("Name") == "AWS::Include":
        yield node["Fn::Transform"]["Parameters"]
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from includes(child)


def zipped(folders: Mapping[str, Path]) -> bytes:
    """Return a zip of these folders' files, each folder under its name. The same files make the same zip.

    Hidden files and bytecode are left out.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for under, folder in folders.items():
            for name, path in _files(folder):
                info = zipfile.ZipInfo("/".join(filter(None, (under, name))), ZIP_EPOCH)
                info.external_attr = 0o100644 << 16
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def fingerprint(template: Template, root: Path, parameters: Mapping[str, str]) -> str:
    """Return a hash of all that a deployment depends on: template, code, parameters, and what deploys them."""
    packages = [root / properties[uri] for uri, properties in _packages(template)]
    folders = [root / "shared", *packages, Path(__file__).parent]
    parts: list[object] = [template, sorted(parameters.items()), [version(name) for name in DEPLOYERS]]
    for folder in folders:
        parts += [[f"{folder.name}/{name}", sha256(path.read_bytes()).hexdigest()] for name, path in _files(folder)]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _packages(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the properties of each resource that has a folder of code, with the name of the one that names it."""
    for resource in template["Resources"].values():
        if uri := PACKAGES.get(resource["Type"]):
            yield uri, resource["Properties"]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder with their names in it, sorted, without hidden ones and bytecode."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
            yield "/".join(parts), path


def _keys(table: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, role and type of each part of a table's key."""
    types = {a["AttributeName"]: a["AttributeType"] for a in table.get("AttributeDefinitions", ())}
    return [(k["AttributeName"], k["KeyType"], types[k["AttributeName"]]) for k in table.get("KeySchema", ())]
