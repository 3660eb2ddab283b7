"""What `make run` deploys is the project's own template and code."""

import io
import zipfile
from pathlib import Path

from tests.support.cloud import FUNCTIONS, ROOT
from tools.local.deploy import fingerprint, zipped
from tools.template import read_template


def members(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_short_forms_are_read_as_long_ones(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("a: !Ref X\nb: !GetAtt X.Y.Z\nc: !Sub 'x${Y}'\nd: !If [C, !Ref X, 1]\ne: 2012-10-17\n")

    assert read_template(path) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Y.Z"]},
        "c": {"Fn::Sub": "x${Y}"},
        "d": {"Fn::If": ["C", {"Ref": "X"}, 1]},
        "e": "2012-10-17",
    }


def test_each_folder_of_code_in_the_template_is_there() -> None:
    resources = read_template(ROOT / "template.yaml")["Resources"].values()
    folders = {r["Properties"].get("CodeUri") or r["Properties"].get("ContentUri") for r in resources} - {None}

    assert folders == {*(f"{folder}/" for folder in FUNCTIONS), "requirements/"}
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_the_same_files_are_the_same_zip_without_what_python_leaves(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "a.pyc").write_bytes(folder.name.encode())
        (folder / ".hidden").write_text(folder.name)
        (folder / "a.py").write_text("x = 1\n")
    (first / "a.py").touch()

    assert zipped({"": first}) == zipped({"": second})
    assert members(zipped({"": first})) == ["a.py"]


def test_a_functions_zip_has_its_own_code_and_that_of_all() -> None:
    found = members(zipped({"": ROOT / "upload", "shared": ROOT / "shared"}))
    assert {"upload_image.py", "shared/errors.py", "shared/api/endpoint.py"} <= set(found)


def test_all_that_a_deployment_depends_on_is_in_its_fingerprint(tmp_path: Path) -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "f/"}}
    template = {"Resources": {"F": function, "Q": {"Type": "AWS::SQS::Queue"}}}
    for folder in ("f", "shared"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("x = 1\n")
    found = [fingerprint(template, tmp_path, {"Labels": "cat"})]

    (tmp_path / "f/__pycache__").mkdir()
    (tmp_path / "f/__pycache__/a.pyc").touch()
    assert fingerprint(template, tmp_path, {"Labels": "cat"}) == found[0]

    found.append(fingerprint(template, tmp_path, {"Labels": "dog"}))
    found.append(fingerprint({**template, "Description": "another"}, tmp_path, {"Labels": "cat"}))
    for folder in ("f", "shared"):
        (tmp_path / folder / "a.py").write_text("x = 2\n")
        found.append(fingerprint(template, tmp_path, {"Labels": "cat"}))
    assert len(set(found)) == 5
