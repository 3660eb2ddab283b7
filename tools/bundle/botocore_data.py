"""Cut botocore down to the data of our services and operations and to AWS's certificates, and remove help().

botocore describes 400 services in 31 MB, and reads what it needs of that at each cold start.
"""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

# service -> what we call (tests/cloud/test_build.py compares it with the code), and what botocore calls for it
OPERATIONS = {
    "bedrock-runtime": {"InvokeModel"},
    "dynamodb": {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"}
    | {"TransactGetItems", "TransactWriteItems"},
    "rekognition": {"DetectLabels"},
    "s3": {"DeleteObject", "DeleteObjects", "GetObject", "HeadObject", "ListObjectVersions", "PutObject"}
    | {"HeadBucket", "CreateBucket"},
    "s3vectors": {"DeleteVectors", "GetVectors", "ListVectors", "PutVectors", "QueryVectors"},
    "secretsmanager": {"GetSecretValue"},
    "sqs": {"ChangeMessageVisibility", "GetQueueAttributes", "SendMessage", "SendMessageBatch"},
    "ssm": {"GetParameters"},
}
KEPT = re.compile(r"(service-2|endpoint-rule-set-1|paginators-1)(\.sdk-extras)?\.json(\.gz)?")
CERTIFICATE = re.compile(r"# Subject: (?P<subject>.*?)\n.*?(?P<pem>-----BEGIN.*?-----END CERTIFICATE-----\n)", re.S)
AMAZON = re.compile(r"CN=Amazon Root CA \d|Starfield ")  # https://www.amazontrust.com/repository/: 4 and 3
NO_DOCSTRING = """class NoDocstring(str):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = NoDocstring
"""


def prune(packages: Path) -> None:
    """Prune botocore in this folder."""
    data = packages / "botocore/data"
    for service in data.iterdir():
        if service.is_dir() and service.name not in OPERATIONS:
            shutil.rmtree(service)
    for name, operations in OPERATIONS.items():
        *old, newest = sorted((data / name).iterdir())
        for version in old:
            shutil.rmtree(version)
        for path in list(newest.iterdir()):
            _prune_file(path, operations)
    endpoints = data / "endpoints.json"
    _write(endpoints, of_our_services(_read(endpoints)))
    _keep_amazons_roots(packages / "botocore/cacert.pem")
    _leave_help_out(packages / "botocore/docs")


def of_our_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Return the endpoints of our services in each partition. Some lack a service: China has no Rekognition."""
    partitions = [
        {**partition, "services": {name: found for name, found in partition["services"].items() if name in OPERATIONS}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _prune_file(path: Path, operations: set[str]) -> None:
    if KEPT.fullmatch(path.name):
        document = _read(path)
        if path.name.startswith("service-2.json"):
            document = _of_operations(document, operations)
        _write(path.with_name(path.name.removesuffix(".gz")), document)
    if path.name.endswith(".gz") or not KEPT.fullmatch(path.name):
        path.unlink()


def _of_operations(model: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Return the model of a service with these operations and the shapes that they need."""
    operations = {name: model["operations"][name] for name in sorted(wanted)}
    shapes: dict[str, Any] = {}
    missing = _named(operations)
    while missing:
        shapes |= {name: model["shapes"][name] for name in sorted(missing)}  # the same bytes in each build
        missing = {name for shape in shapes.values() for name in _named(shape)} - shapes.keys()
    return {**model, "operations": _undocumented(operations), "shapes": _undocumented(shapes)}


def _named(part: Any) -> set[str]:
    """Return the shapes that a part of a model refers to."""
    if isinstance(part, list):
        return {name for item in part for name in _named(item)}
    if not isinstance(part, dict):
        return set()
    own = {part["shape"]} if isinstance(part.get("shape"), str) else set()
    return own | {name for item in part.values() for name in _named(item)}


def _undocumented(part: Any) -> Any:
    """Remove the texts for people. A member called `documentation` is not a text and stays."""
    if isinstance(part, list):
        return [_undocumented(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _undocumented(value)
        for name, value in part.items()
        if not (name == "documentation" and isinstance(value, str))
    }


def _keep_amazons_roots(bundle: Path) -> None:
    """Keep the seven roots of AWS's certificates. Loading the whole bundle takes 14 ms for each client.

    This is botocore's own file, so AWS_CA_BUNDLE has its usual meaning, and plain HTTP does not use it.
    """
    found = [(m["subject"], m["pem"]) for m in CERTIFICATE.finditer(bundle.read_text(encoding="utf-8"))]
    roots = [f"# {subject}\n{pem}" for subject, pem in found if AMAZON.search(subject)]
    if len(roots) != 7:
        raise ValueError(f"{bundle} has {len(roots)} of Amazon's 7 roots. Look at its repository and correct AMAZON.")
    bundle.write_text("\n".join(roots), encoding="utf-8")


def _leave_help_out(docs: Path) -> None:
    """Remove what generates the text of help(client.get_item).

    The generators, with an HTML parser, start with every client and take a thirtieth of a cold start. The texts that
    they would show are not in the pruned data.
    """
    for path in docs.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "utils.py":  # botocore/handlers.py uses it
            path.unlink()
    (docs / "__init__.py").touch()
    (docs / "docstring.py").write_text(NO_DOCSTRING, encoding="utf-8")


def _read(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
