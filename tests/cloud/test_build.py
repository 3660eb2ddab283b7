"""What `sam build` left in .aws-sam/build starts alone, has all that the code calls, and is small."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import xform_name

from tests.support import cloud, pictures
from tests.support.cloud import ROOT
from tools.bundle import interpreters
from tools.bundle.botocore_data import OPERATIONS, of_our_services

BUILT = ROOT / os.environ.get("PETAPI_BUILT", ".aws-sam/build")  # `make sam-test` has another, made in a container
LAYER = BUILT / "LibrariesLayer/python"
FUNCTIONS = cloud.functions()
SIZE_MAX = 60_000_000  # bytes, unzipped, of a function and the layer; a quarter of Lambda's limit
SIZES_MAX = {"MosaicFunction": 85_000_000}  # a third; numpy has 45 MB, half of them OpenBLAS
HELPERS = {"get_paginator", "generate_presigned_url"}  # of clients; their first argument names the operation
FOR_BOTOCORE = {"head_bucket", "create_bucket"}  # for the region of a bucket; for the address of a form
NEWER = {"bedrock-runtime", "s3vectors"}  # services that only rules give an address: endpoint-rule-set-1.json
NO_CALL = {"generate_presigned_post"}  # it makes a form

built = pytest.mark.skipif(
    not (BUILT / "template.yaml").exists(),
    reason="THE BUILT TREE IS NOT TESTED: there is no .aws-sam/build; `make sam-test` builds and tests it",
)


def called(source: str) -> set[str]:
    """List the operations that a module calls on `self._client` or on a client that a function returns."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            client = ast.unparse(node.func.value)
            if client in ("self._client", "self._client()", "client()"):
                name = node.func.attr
                if name in HELPERS:
                    assert isinstance(node.args[0], ast.Constant)
                    name = str(node.args[0].value)
                found.add(name)
    return found


def test_the_listed_operations_are_the_called_ones() -> None:
    folders = {*cloud.FUNCTIONS, "shared"}
    calls = {name for folder in folders for path in (ROOT / folder).rglob("*.py") for name in called(path.read_text())}
    listed = {xform_name(operation) for operations in OPERATIONS.values() for operation in operations}
    assert listed == calls - NO_CALL | FOR_BOTOCORE
    clients = set(re.findall(r'create_client\("([\w-]+)"', (ROOT / "shared/aws.py").read_text()))
    assert clients == set(OPERATIONS)


def isolated(code: str, *path: Path) -> str:
    """Return what this code prints in a Python of the runtime's version that has only these folders."""
    environment = {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "alone"}
    environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    # The site-packages of the interpreter itself are taken off, for what Lambda's lacks must not be found there.
    code = "import sys\nsys.path = [p for p in sys.path if not p.endswith('-packages')]\n" + code
    command = [interpreters.find(), "-s", "-c", code]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@built
def test_callbacks_are_sent_with_the_public_authorities_by_what_was_built() -> None:
    code = "import notify_receivers, delivery; print(len(delivery.trust(insecure=False).get_ca_certs()) > 100)"
    assert isolated(code, BUILT / "NotifyFunction", LAYER) == "True\n"


@built
@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"NotifyFunction"}))
def test_a_built_function_starts_alone_and_answers(name: str) -> None:
    module, _, handler = FUNCTIONS[name]["Properties"]["Handler"].partition(".")
    event = {"resource": "/none", "path": "/none", "httpMethod": "GET", "requestContext": {"requestId": "id"}}
    event["methodArn"] = "arn:aws:execute-api:::api/Prod/GET/none"  # for the authorizer
    event["Records"] = []  # for those that a queue calls
    answer, collects = isolated(
        f"import {module}, gc, json\n"
        "off = not gc.isenabled()\n"
        f"answer = {module}.{handler}({event}, None)\n"
        "print(json.dumps(answer)); print(off and gc.isenabled())",
        BUILT / name,
        LAYER,
    ).splitlines()
    if name in ("IngestFunction", "IndexFunction"):
        assert json.loads(answer) == {"batchItemFailures": []}
    elif name == "AuthorizeFunction":
        assert json.loads(answer)["context"] == {"subject": "", "scope": ""}
    else:
        assert json.loads(answer)["statusCode"] == 404
    assert collects == "True"


@built
def test_a_picture_is_recognised_by_what_was_built() -> None:
    path = ROOT / "tests/images/rocket.jpg"
    code = "from shared.recognition import recognisers\n"
    code += f"labels = recognisers.chosen()(open({str(path)!r}, 'rb').read(), 'image/jpeg')\n"
    code += "print(labels[0].name)"
    assert isolated(code, BUILT / "IngestFunction", LAYER) == "black\n"


@built
def test_a_token_is_checked_by_what_was_built() -> None:
    (subject,) = isolated(
        "import jwt, tokens\n"
        "from cryptography.hazmat.primitives.asymmetric import ec\n"
        "from issuer import Keys\n"
        "key = ec.generate_private_key(ec.SECP256R1())\n"
        "jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {'kid': 'k'}\n"
        "found = {'issuer': 'https://issuer.test/', 'jwks_uri': 'https://issuer.test/keys', 'keys': [jwk]}\n"
        "keys = Keys('https://issuer.test/', fetch=lambda url: found)\n"
        "claims = {'iss': keys.issuer, 'aud': 'petapi', 'sub': 'alice', 'exp': 4102444800}\n"
        "print(tokens.verify(jwt.encode(claims, key, 'ES256', {'kid': 'k'}), keys, 'petapi')[0])",
        BUILT / "AuthorizeFunction",
        LAYER,
    ).splitlines()
    assert subject == "alice"


@built
def test_a_form_for_s3_is_made_by_what_was_built() -> None:
    code = "from shared import aws\nfrom shared.uploads.incoming import IncomingBucket\n"
    code += "form = IncomingBucket(aws.s3(), 'bucket').create_form('incoming/x', 60)\n"
    code += "print(form['url'], form['fields']['key'])"
    assert isolated(code, BUILT / "PresignFunction", LAYER).split() == [
        "https://bucket.s3.amazonaws.com/",
        "incoming/x",
    ]


@built
def test_no_client_brings_the_generators_of_help() -> None:
    code = "from shared import aws\nimport sys\nclient = aws.dynamodb()\n"
    code += "print(repr(client.get_item.__doc__), repr(client.get_paginator('query').paginate.__doc__))\n"
    code += "print([name for name in ('html.parser', 'botocore.docs.method') if name in sys.modules])"
    assert isolated(code, BUILT / "RandomFunction", LAYER).splitlines() == ["'' ''", "[]"]


@built
def test_nothing_looks_for_versions_and_files_at_the_start() -> None:
    code = "import upload_image, sys\nfrom shared import aws\naws.s3()\n"
    code += "unneeded = ('importlib.metadata', 'importlib.resources', 'zipfile', 'PIL.ExifTags', 'magic.compat')\n"
    code += "print([name for name in unneeded if name in sys.modules])"
    assert isolated(code, BUILT / "UploadFunction", LAYER) == "[]\n"


@built
@pytest.mark.parametrize("function", ["BrowseFunction", "IngestFunction"])
def test_a_picture_is_turned_upright_by_what_was_built(function: str, tmp_path: Path) -> None:
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(pictures.jpeg_with(pictures.jpeg(size=(60, 40)), pictures.exif_segment(6)))
    code = "import io\nfrom PIL import Image\nfrom shared.pictures import scaling\n"
    code += f"content = open({str(turned)!r}, 'rb').read()\n"
    code += "print([Image.open(io.BytesIO(scaling.scaled(content, 256, each))).size for each in ('webp', 'jpg')])\n"
    code += "print(dict(Image.open(io.BytesIO(content)).getexif()), Image.ExifTags.Base.Orientation.value)"
    assert isolated(code, BUILT / function, LAYER) == "[(40, 60), (40, 60)]\n{274: 6} 274\n"


@built
def test_an_animation_can_be_written_by_what_was_built(tmp_path: Path) -> None:
    """Nobody here does, but what is imported later has to be there then."""
    code = "from PIL import Image\nframes = [Image.new('RGB', (8, 8), colour) for colour in ('red', 'blue')]\n"
    code += f"frames[0].save({str(tmp_path / 'a.png')!r}, save_all=True, append_images=frames[1:], duration=[70, 33])\n"
    code += f"print(Image.open({str(tmp_path / 'a.png')!r}).n_frames)"
    assert isolated(code, BUILT / "UploadFunction", LAYER) == "2\n"


@built
def test_an_upload_is_checked_by_what_was_built() -> None:
    files = [str(ROOT / "tests/images" / name) for name in ("chelsea.png", "rocket.jpg")]
    code = "from shared.pictures.check import check_picture\n"
    code += f"for path in {files}: print(check_picture(open(path, 'rb').read()).extension)"
    assert isolated(code, BUILT / "UploadFunction", LAYER).split() == ["png", "jpg"]


@built
def test_the_libraries_for_pictures_are_where_they_are_needed_alone() -> None:
    every = {"PIL", "magic", "pylibmagic", "multipart.py", "numpy"}
    needed = {
        **dict.fromkeys(("UploadFunction", "SearchFunction"), every - {"numpy"}),
        "IngestFunction": {"PIL", "magic", "pylibmagic"},
        "BrowseFunction": {"PIL"},
        "IndexFunction": {"PIL"},
        "MosaicFunction": {"PIL", "numpy"},
    }
    for name in FUNCTIONS:
        assert {path.name for path in (BUILT / name).iterdir()} & every == needed.get(name, set())


@built
def test_a_thumbnail_is_made_by_what_was_built_and_pillow_is_imported_only_then() -> None:
    code = f"content = open({str(ROOT / 'tests/images/rocket.jpg')!r}, 'rb').read()\n"
    code += "import browse_images, sys; print('PIL' in sys.modules)\n"
    code += "from shared.pictures.scaling import scaled\n"
    code += "print(*(scaled(content, 256, kind)[:4] for kind in ('webp', 'jpg')))"
    assert isolated(code, BUILT / "BrowseFunction", LAYER).splitlines() == ["False", r"b'RIFF' b'\xff\xd8\xff\xe0'"]


@built
def test_a_mosaic_and_a_file_of_tiles_are_made_by_what_was_built_and_numpy_is_imported_only_then() -> None:
    code = f"content = open({str(ROOT / 'tests/images/rocket.jpg')!r}, 'rb').read()\n"
    code += "import mosaic_images, sys; print({'PIL', 'numpy'} & set(sys.modules))\n"
    code += "import packed_tiles\nfrom shared.tiles import Tile\n"
    code += "print(packed_tiles.packed([Tile('cat', 'name', 'v', bytes(3072))])[:2], 'PIL' in sys.modules)\n"
    code += "import mosaic_making\n"
    code += "made = mosaic_making.make(content, [bytes([n * 15]) * 3072 for n in range(16)], 80)\n"
    code += "print(made.jpeg[:4], tuple(made.grid))"
    assert isolated(code, BUILT / "MosaicFunction", LAYER).splitlines() == [
        *("set()", "b'PK' False", r"b'\xff\xd8\xff\xe0' (80, 53)")
    ]


@built
def test_every_operation_is_as_in_the_whole_botocore() -> None:
    from botocore.session import Session  # the whole, of requirements/run.txt: the same version

    code = "import json\nfrom botocore.session import Session\nsession = Session()\nshown = {}\n"
    code += "def members(shape, seen=()):\n"
    code += "    if shape is None or shape.name in seen: return shape and shape.name\n"
    code += "    seen = (*seen, shape.name)\n"
    code += "    inner = getattr(shape, 'members', {}) or {k: getattr(shape, k) for k in ('member', 'key', 'value')"
    code += " if hasattr(shape, k)}\n"
    code += "    return [shape.name, shape.type_name, json.dumps(shape.serialization, sort_keys=True),"
    code += " {n: members(s, seen) for n, s in inner.items()}]\n"
    code += f"for service, operations in { ({s: sorted(o) for s, o in OPERATIONS.items()})!r}.items():\n"
    code += "    model = session.get_service_model(service)\n"
    code += "    for name in operations:\n"
    code += "        op = model.operation_model(name)\n"
    code += "        shown[service + name] = [op.http, members(op.input_shape), members(op.output_shape),"
    code += " [members(e) for e in op.error_shapes], op.has_streaming_output, op.http_checksum]\n"
    code += "print(json.dumps(shown))"
    pruned = json.loads(isolated(code, LAYER))
    # In a process of its own: clients that other tests have made here change the descriptions that this process keeps.
    whole = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert Session().get_service_model("s3").operation_names != sorted(OPERATIONS["s3"])
    assert pruned == json.loads(whole)
    assert len(pruned) == sum(map(len, OPERATIONS.values()))


def test_no_partition_of_aws_is_lost_for_a_service_that_it_lacks() -> None:
    from botocore.session import Session

    whole = Session().get_component("data_loader").load_data("endpoints")
    kept = {partition["partition"]: partition["services"] for partition in of_our_services(whole)["partitions"]}
    assert kept.keys() == {partition["partition"] for partition in whole["partitions"]}
    assert kept["aws"].keys() == set(OPERATIONS) - NEWER
    assert kept["aws-cn"].keys() == set(OPERATIONS) - NEWER - {"rekognition"}
    named = {service for partition in whole["partitions"] for service in partition["services"]}
    assert not named & NEWER


def layer_of(copy: Path, *, hash_seed: str) -> dict[str, bytes]:
    """Return the files of the layer that `sam build` makes from a copy of the project."""
    target = copy / "layer"
    command = ["make", "-s", "build-LibrariesLayer", f"PYTHON={sys.executable}", f"ARTIFACTS_DIR={target}"]
    subprocess.run(command, cwd=copy, env={**os.environ, "PYTHONHASHSEED": hash_seed}, check=True)
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


@built
def test_a_change_of_our_code_leaves_the_layer_as_it_is(tmp_path: Path) -> None:
    """So that a deploy makes a new version of the layer only if a library changes."""
    for name in ("before", "after"):
        for folder in ("tools", "requirements", "shared"):
            shutil.copytree(ROOT / folder, tmp_path / name / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("Makefile", "template.yaml"):
            shutil.copy(ROOT / file, tmp_path / name)
    with (tmp_path / "after/shared/errors.py").open("a") as changed:
        changed.write("CHANGED = True\n")

    before = layer_of(tmp_path / "before", hash_seed="1")
    after = layer_of(tmp_path / "after", hash_seed="2")

    assert len(before) > 100
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()


@built
def test_every_source_has_its_bytecode() -> None:
    sources = list(BUILT.rglob("*.py"))
    assert len(sources) > 100
    tag = "cpython-" + interpreters.VERSION.replace(".", "")
    for path in sources:
        bytecode = path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc"
        assert bytecode.exists(), path
        assert bytecode.read_bytes()[4:8] == b"\1\0\0\0", "it must be taken unseen: hash-based, unchecked (PEP 552)"


@built
def test_trust_is_in_amazons_roots_alone() -> None:
    assert (LAYER / "botocore/cacert.pem").read_text().count("BEGIN CERTIFICATE") == 7
    code = "import ssl; print(len(ssl.create_default_context(cafile=__import__('botocore.httpsession').httpsession"
    assert isolated(code + ".where()).get_ca_certs()))", LAYER) == "7\n"


@built
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_with_its_layer_is_small(name: str) -> None:
    files = [path for place in (BUILT / name, BUILT / "LibrariesLayer") for path in place.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= SIZES_MAX.get(name, SIZE_MAX)
