"""Make tests/data/<version>/: what `make run` leaves in its data folder, for tests/local/test_old_data.py.

data.tar.gz    one snapshot and the objects, without the functions' code
expected.json  what the API answered about them

The archive of version 0.1 has the data of commit e6b8ee2, the last one before the folders got their present names.
This command made it at that time:

    make old-data COMMIT=e6b8ee2

The service starts from a copy of the commit's code, by the names that the code has today. So the command works for
today's commits only. It never replaces an archive.

The data have two labels with images of several weights, tags and owners, a direct upload in each state, one that the
service gave up, and callbacks that wait in their queue. The states that pass are real ones. A policy denies one call to
the function that receives files, so that it fails there, as it does when AWS fails. The callbacks go to a port where no
server listens.

Each folder of code gets one more file before the start. No other code is like that, so each start on the archive
replaces all functions and the layer, and the archive can leave their code out. It also leaves out a private key that
the emulator makes again at its next start. The key that signs the callbacks is for tests only, and its text says so.
"""

import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from tests.support import pictures
from tests.support.direct import client, curl, files, resource
from tests.support.hosts import Api, Running, json_of
from tests.support.local_service import ROOT, LocalService
from tests.support.pictures import File
from tests.support.token_issuer import AUDIENCE, Issuer

DATA = ROOT / "tests/data"
HOST = "127.0.0.1:3000"  # the host of every request, so that links do not depend on the service's port
RECEIVER = "http://127.0.0.1:9/done"  # port 9 discards what it gets (RFC 863); nearly no machine serves it today
CALLBACKS = {"CALLBACK_HTTP": "true", "CALLBACK_LOOPBACK": "true"}
CALLBACK_KEY = "throwAwaySecretForTestsOnlyNeverUseItAnywhereNow"  # base64 of 36 bytes
MARK = "left_out_of_the_archive.txt"
LEFT_OUT = ("cognito-rsa-key.pem", "lambda-blobs/")
PATIENCE = 120.0  # seconds until an upload or a callback is where it should be
LARGE = pictures.jpeg(6, (320, 200))  # larger than its thumbnail of 256 pixels

Json = Any


def main(commit: str) -> None:
    """Write the archive of this commit and the expected answers. Refuse to replace those that are there."""
    with TemporaryDirectory() as folder:
        code, data = Path(folder) / "code", Path(folder) / "data"
        check_out(commit, code)
        target = DATA / version_of(code)
        if target.exists():
            sys.exit(f"{target} is there already; change the version in pyproject.toml for an archive of its own.")
        expected = {"about": "Made by tests/make_old_data.py; its key is for tests only.", "commit": full(commit)}
        expected |= fill(data, code)
        target.mkdir(parents=True)
        (target / "data.tar.gz").write_bytes(packed(data))
    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    (target / "expected.json").write_text(text + "\n", encoding="utf-8")
    print(f"{target} is made.")


def check_out(commit: str, code: Path) -> None:
    """Copy the commit's files to the folder, with a mark in each folder of code that is deployed."""
    code.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(code, filter="data")
    for folder in re.findall(r"(?:CodeUri|ContentUri): (\S+)", (code / "template.yaml").read_text()):
        (code / folder / MARK).write_text("No later version has this file.\n")


def version_of(code: Path) -> str:
    """Return the version as major.minor, such as 0.1."""
    version = tomllib.loads((code / "pyproject.toml").read_text())["project"]["version"]
    return ".".join(version.split(".")[:2])


def full(commit: str) -> str:
    """Return the commit's whole name."""
    found = subprocess.run(["git", "rev-parse", commit], cwd=ROOT, check=True, capture_output=True, text=True)
    return found.stdout.strip()


# -- the data ---------------------------------------------------------------------------------------------------------


def fill(data: Path, code: Path) -> dict[str, Json]:
    """Fill the data folder by two runs of the service, the first one with tokens. Return the expected answers."""
    issuer = Issuer()
    tokens = {**CALLBACKS, "JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE}
    with LocalService(data, root=code, variables=tokens) as service:
        mine = add_images_of_alice(Caller(service, Authorization=f"Bearer {issuer.token(sub='alice')}"))
    issuer.close()
    with LocalService(data, root=code, variables=CALLBACKS) as service:
        throw_away_the_key(service)
        caller = Caller(service)
        add_images(caller)
        uploads = add_uploads(caller, data)
        return {
            "answers": answers(caller),
            "callback_key": CALLBACK_KEY,
            "made": time.time(),
            "mine": mine,
            "pictures": picture_digests(caller),
            "receiver": RECEIVER,
            "uploads": uploads,
        }


class Caller:
    """Requests to one run of the service, with these headers."""

    def __init__(self, service: LocalService, **headers: str) -> None:
        self.service, self.headers = service, {"Host": HOST, **headers}
        self._api = Api(Running(service), "cat")

    def json(self, path: str) -> Json:
        """Return the JSON of GET."""
        answer = self._api.get(path, **self.headers)
        assert answer.status == 200, answer.body
        return json_of(answer)

    def add(self, content: bytes, weight: str, *, label: str = "cat", tags: str = "", name: str = "a.png") -> str:
        """Upload a picture; return its path."""
        fields = [("label", label), ("weight", weight), ("tags", tags), ("img", File(content, name))]
        answer = self._api.post(fields, **self.headers)
        assert answer.status == 201, answer.body
        return urlsplit(answer.headers["location"]).path

    def change(self, path: str, **members: Json) -> None:
        """Change the image by PATCH."""
        answer = self._api.patch(path, members, **self.headers)
        assert answer.status == 200, answer.body

    def delete(self, path: str) -> None:
        """Delete the image."""
        answer = self._api.delete(path, **self.headers)
        assert answer.status == 204, answer.body

    def ask(self, **members: Json) -> tuple[str, Json]:
        """Ask for a direct upload to the label cat; return its id and its form."""
        body = json.dumps({"label": "cat", **members}).encode()
        headers = {**self.headers, "Content-Type": "application/json"}
        answer = self.service.send("POST", "/uploads", body, headers)
        assert answer.status == 201, answer.body
        upload = json_of(answer)
        return upload["id"], upload["upload_info"]

    def send(self, content: bytes, **members: Json) -> str:
        """Ask for a direct upload and send its file; return its id."""
        upload, form = self.ask(**members)
        with TemporaryDirectory() as folder:
            status, body = curl(form["url"], form["fields"], content, Path(folder))
        assert status == 204, body
        return upload

    def reaches(self, upload: str, state: str) -> bool:
        """Tell whether the upload is in this state."""
        return bool(self.json(f"/uploads/{upload}")["state"] == state)


def throw_away_the_key(service: LocalService) -> None:
    """Replace the generated key that signs callbacks. Do it twice, because the version before the last is kept, too."""
    secrets, secret = client(service, "secretsmanager"), resource(service, "CallbackSecret")
    for _ in range(2):
        secrets.put_secret_value(SecretId=secret, SecretString=CALLBACK_KEY)


def add_images_of_alice(caller: Caller) -> dict[str, Json]:
    """Add images that have an owner, one of them by a direct upload. Return the owner's lists of them."""
    caller.add(pictures.jpeg(10), "0.35", tags="fluffy, mine", name="alice.jpg")
    caller.add(pictures.webp(11), "0.45", label="dog", tags="fluffy", name="alice's dog.webp")
    upload = caller.send(pictures.png(12), weight=0.2, tags=["mine"], filename="direct.png")
    wait_until(lambda: caller.reaches(upload, "recognised"))
    return {path: caller.json(path) for path in ("/mine?label=cat", "/mine?label=dog")}


def add_images(caller: Caller) -> None:
    """Add images of several classes of weight, some of which change later.

    Four lanes share the thirteen images of one class that stay, so one lane has at least four of them. The third chunk
    of that lane has two.
    """
    many = [caller.add(pictures.tiny(seed), f"0.{600 + seed}") for seed in range(14)]
    caller.delete(many[0])
    caller.add(pictures.jpeg(1), "0.3", tags="fluffy", name="fluffy.jpg")
    caller.add(pictures.png(2), "0.000000001", name="a \N{CAT FACE} näme.png")
    caller.add(pictures.webp(3), "0.999999999", tags="a1, b2, c3, d4, fluffy", name="five-tags.webp")
    changed = caller.add(pictures.png(4), "0.5", tags="fluffy, old", name="changed.png")
    caller.change(changed, weight=0.0625, tags=["fluffy", "new"], filename="changed later.png")
    caller.delete(caller.add(pictures.png(5), "0.5", tags="fluffy"))
    large = caller.add(LARGE, "0.125", name="large.jpg")
    caller.service.get(f"{large}?size=256")
    caller.add(pictures.jpeg(1), "0.7", label="dog", name="the same as a cat.jpg")


def add_uploads(caller: Caller, data: Path) -> dict[str, Json]:
    """Add a direct upload in each state, and one that is given up. Return what was asked and answered, by state."""
    service = caller.service
    calls_back = {"callback_url": RECEIVER}
    asked: dict[str, Json] = {
        "failed": {},
        "given up": {"weight": 0.1, "filename": "given up.png", **calls_back},
        "received": {"weight": 0.15, "tags": ["came"], "tag_from_labels": True, **calls_back},
        "stored": {"weight": 0.2, "tags": ["kept"], **calls_back},
        "recognised": {"weight": 0.4, "tags": ["fluffy"], "tag_from_labels": True, **calls_back},
        "waiting": {"weight": 0.25, "tags": ["late"], "filename": "late.png", **calls_back},
    }
    ids = {"failed": caller.send(b"no picture at all", **asked["failed"])}
    with denied(service, "s3:PutObject"):
        ids["given up"] = given_up(caller, pictures.png(21), asked["given up"])
        ids["received"] = stopped(caller, data, pictures.png(22), asked["received"])
    with denied(service, "dynamodb:GetItem", table=resource(service, "RecognitionsTable")):
        ids["stored"] = stopped(caller, data, pictures.png(23), asked["stored"])
    ids["recognised"] = caller.send(pictures.jpeg(24), **asked["recognised"])
    ids["waiting"], _ = caller.ask(**asked["waiting"])
    for state in ("given up", "recognised"):
        wait_until(partial(is_logged, data, f"callback {ids[state]}, attempt 1 of"))
    kept = {f"incoming/{ids[state]}" for state in ("given up", "received", "stored")}
    wait_until(lambda: set(files(service)) == kept)
    found = {state: caller.json(f"/uploads/{upload}") for state, upload in ids.items()}
    shown = {state: "failed" if state == "given up" else state for state in found}
    assert {state: upload["state"] for state, upload in found.items()} == shown
    return {state: {"asked": asked[state], "answer": found[state]} for state in found}


@contextmanager
def denied(service: LocalService, action: str, *, table: str = "*") -> Iterator[None]:
    """Deny this action to the function that receives files, on this table if the action is one of DynamoDB."""
    iam, role = client(service, "iam"), role_of_receiver(service)
    on = f"arn:aws:dynamodb:*:*:table/{table}" if action.startswith("dynamodb:") else "*"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": on}]}
    iam.put_role_policy(RoleName=role, PolicyName="Stop", PolicyDocument=json.dumps(policy))
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="Stop")


def role_of_receiver(service: LocalService) -> str:
    """Return the name of the role of the function that takes messages from the queue of incoming files."""
    functions, queue = client(service, "lambda"), resource(service, "IncomingQueue").rpartition("/")[2]
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    (function,) = [found["FunctionArn"] for found in mappings if found["EventSourceArn"].endswith(f":{queue}")]
    return str(functions.get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2])


def given_up(caller: Caller, content: bytes, asked: Json) -> str:
    """Return a direct upload whose message is in the dead-letter queue, after six receives a second apart."""
    service = caller.service
    queue, dead = resource(service, "IncomingQueue"), resource(service, "IncomingDeadLetterQueue")
    sqs = client(service, "sqs")
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    upload = caller.send(content, **asked)
    names = ["ApproximateNumberOfMessages"]
    wait_until(lambda: sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=names)["Attributes"][names[0]] == "1")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)
    return upload


def stopped(caller: Caller, data: Path, content: bytes, asked: Json) -> str:
    """Return a direct upload that stays in its state because the function that receives it failed."""
    failures = log(data).count(" failed\n")
    upload = caller.send(content, **asked)
    wait_until(lambda: log(data).count(" failed\n") > failures)
    return upload


def is_logged(data: Path, text: str) -> bool:
    """Tell whether a function logged this text."""
    return text in log(data)


def log(data: Path) -> str:
    """Return the functions' log."""
    return (data / "emulator.log").read_text()


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until this is true; fail after PATIENCE."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.1)


# -- what is expected of it -------------------------------------------------------------------------------------------


def answers(caller: Caller) -> dict[str, Json]:
    """Return the answer to each request for JSON that depends on the data only."""
    listed = (
        *("/labels", "/labels/cat?limit=100", "/labels/dog?limit=100"),
        *("/images?label=cat&limit=100", "/images?label=dog&limit=100"),
        *("/images?label=cat&tag=fluffy", "/images?label=cat&tag=new", "/images?label=cat&tag=old"),
        *("/images?label=cat&filename=a", "/images?label=dog&tag=fluffy"),
        # A seed and a session give the same until the images change.
        "/random?label=cat&seed=then&format=json",
        "/random?label=cat&tag=fluffy&count=3&seed=then",
        "/random?label=cat&session=then&position=3&format=json",
    )
    infos = [f"{path}/info" for path in paths(caller)]
    return {path: caller.json(path) for path in (*listed, *infos)}


def paths(caller: Caller) -> list[str]:
    """Return the path of each image."""
    shown = [image for label in ("cat", "dog") for image in caller.json(f"/images?label={label}&limit=100")["images"]]
    return [urlsplit(image["url"]).path for image in shown]


def picture_digests(caller: Caller) -> dict[str, str]:
    """Return the SHA-256 of each picture, and of each thumbnail that is kept."""
    (large,) = [path for path in paths(caller) if pictures.name_of(LARGE, "jpg") in path]
    found = {path: caller.service.get(path) for path in (*paths(caller), f"{large}?size=256")}
    assert {answer.status for answer in found.values()} == {200}
    return {path: sha256(answer.body).hexdigest() for path, answer in found.items()}


# -- the archive ------------------------------------------------------------------------------------------------------


def packed(data: Path) -> bytes:
    """Return the newest snapshot and the objects as a tar.gz that has neither times nor users of this machine."""
    snapshot = max((data / "snapshots").iterdir())
    strip(snapshot)
    artifacts = data / "objects/000000000000/petapi-artifacts"
    objects = [path for path in (data / "objects").rglob("*") if artifacts not in path.parents]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for path in sorted(path for path in (*objects, *snapshot.rglob("*")) if path.is_file()):
            member = tarfile.TarInfo(str(path.relative_to(data)))
            member.size, member.mode = path.stat().st_size, 0o600
            tar.addfile(member, io.BytesIO(path.read_bytes()))
    return gzip.compress(content.getvalue(), mtime=0)


def strip(snapshot: Path) -> None:
    """Remove the functions' code, the layer's, and the key that the emulator makes anew."""
    state = json.loads((snapshot / "lambda.json").read_text())
    for function in state["payload"]["functions"]["data"].values():
        for record in (function, *function["versions"].values()):
            record["code_zip"] = None
    for layer in state["payload"]["layers"]["data"].values():
        for version in layer["versions"]:
            version["_zip_data"] = None
    (snapshot / "lambda.json").write_text(json.dumps(state))
    manifest = json.loads((snapshot / "manifest.json").read_text())
    for name in [name for name in manifest if name.startswith(LEFT_OUT)]:
        del manifest[name]
        (snapshot / name).unlink()
    content = (snapshot / "lambda.json").read_bytes()
    manifest["lambda.json"] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    (snapshot / "manifest.json").write_text(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "HEAD")
