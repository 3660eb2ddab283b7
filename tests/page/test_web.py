"""The page, its files, the samples, the contract and its documentation over HTTP, in every host."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import page_files
from shared.images import TAGS_MAX, parse_tags, parse_weight
from shared.limits import BODY_MAX
from tests.support.answers import conforms, problem
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Running, json_of
from tools import openapi_json

pytestmark = pytest.mark.also_in_make_run(why="the files go through a gateway in base64")

PAGES = ("/", "/docs")
LIBRARY = "/web/{version}/library/swagger-ui.css"


def policy(answer: Any) -> dict[str, list[str]]:
    """Parse the Content-Security-Policy by directive."""
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, directives)}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_only_our_files(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    given = policy(answer)
    assert given["default-src"] == given["base-uri"] == given["frame-ancestors"] == ["'none'"]
    for name in ("script-src", "style-src", "form-action"):
        assert given[name] == ["'self'"]
    asked, *s3 = given["connect-src"]
    assert asked == "'self'"
    if isinstance(api.host, Running):
        assert s3 == [api.host.service.aws_endpoint]  # the address that large files go to
    text = answer.body.decode()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text)
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""] * text.count("<script")
    assert not re.search(r'(src|href|action)="(https?:|/)', text), "a stage may stand before each address"


@pytest.mark.parametrize("path", PAGES)
def test_every_file_of_a_page_is_served_and_cached_for_a_year(api: Api, path: str) -> None:
    names = set(re.findall(r'(?:src|href)="(web/[^"]*)"', api.get(path).body.decode()))
    assert len(names) >= 3
    for name in names:
        answer = api.get(f"/{name}")
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].partition(";")[0] == {
            "css": "text/css",
            "js": "text/javascript",
            "svg": "image/svg+xml",
        }.get(name.rpartition(".")[2])
        files = page_files.LIBRARY if "/library/" in name else page_files.files()
        file = files[name.rpartition("/")[2]]
        assert answer.body.decode() == (ROOT / "web" / file).read_text()


SAMPLES = sorted(path.name for path in (ROOT / "web/samples").glob("*.jpg"))


def test_every_sample_photograph_is_served_byte_for_byte(api: Api) -> None:
    assert len(SAMPLES) == 24
    for name in SAMPLES:
        answer = api.get(f"/web/samples/{name}")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.body == (ROOT / "web/samples" / name).read_bytes()


def test_the_list_of_the_samples_is_served_and_names_each_photograph(api: Api) -> None:
    answer = api.get("/web/samples/samples.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    conforms(json_of(answer), "SampleList")
    assert sorted(sample["name"] for sample in json_of(answer)["samples"]) == SAMPLES


def test_the_samples_teach_weights_labels_and_tags() -> None:
    """Where a service takes one label, all go to it with their label as a further tag, so they have four at most."""
    given = json.loads((ROOT / "web/samples/samples.json").read_text())
    assert given["source"].removesuffix("; free to use.") in " ".join(
        (ROOT / "web/samples/SOURCES.md").read_text().split()
    )
    samples = given["samples"]
    of = {label: [each for each in samples if each["label"] == label] for label in {each["label"] for each in samples}}
    assert set(of) == {"houses", "vehicles", "people", "nature"}
    for label, some in of.items():
        weights = [parse_weight(str(each["weight"])) for each in some]
        assert len(set(weights)) == len(some), label
        assert max(weights) > 5 * min(weights), label
    weights = [each["weight"] for each in samples]
    assert (min(weights), max(weights)) == (0.05, 0.95)
    tags = Counter(tag for each in samples for tag in each["tags"])
    for each in samples:
        assert parse_tags(each["tags"]) == tuple(each["tags"])
        assert 1 <= len(each["tags"]) < TAGS_MAX
        assert not set(each["tags"]) & set(of)
    assert len([tag for tag, count in tags.items() if count > 1]) >= 8  # so that a tag draws among several


@pytest.mark.parametrize(
    "path", [*PAGES, "/openapi.json", "/web/samples/lighthouse-on-cape.jpg", "/web/samples/samples.json"]
)
def test_caches_ask_for_a_page_each_time_and_get_it_if_it_has_changed(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.headers["cache-control"] == "no-cache"
    unchanged = api.get(path, if_none_match=answer.headers["etag"])
    assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert api.get(path, if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    "path", [*PAGES, "/openapi.json", "/web/{version}/start.js", LIBRARY, "/web/samples/red-barn.jpg"]
)
def test_a_page_takes_no_other_methods(api: Api, path: str) -> None:
    path = path.replace("{version}", page_files.version())
    head = api.host.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = api.host.request(method, path)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert api.host.request("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", [*PAGES, "/web/{version}/start.js", LIBRARY, "/web/samples/red-barn.jpg"])
def test_a_page_ignores_the_parameters_that_others_add(api: Api, path: str) -> None:
    path = path.replace("{version}", page_files.version())
    plain = api.get(path)
    for query in ("utm_source=mail&utm_medium=x", "fbclid=1", "x=1&x=2", "=", "*", "size=1", "a" * 5000):
        answer = api.get(f"{path}?{query}")
        assert (answer.status, answer.body) == (200, plain.body)
    problem(api.get("/openapi.json?fbclid=1"), 400, field="fbclid")


@pytest.mark.parametrize(
    "path",
    [
        "/web/0123456789abcdef/start.js",
        "/web/{version}/web_page.py",
        "/web/{version}/IAM__policy.json",
        "/web/{version}/..%2Fweb_page.py",
        "/web/{version}/vendor",
        "/web/{version}/red-barn.jpg",
        "/web/{version}/samples.json",
        "/web/{version}/swagger-ui.css",
        "/web/{version}/library/start.js",
        "/web/{version}/library/LICENSE",
        "/web/{version}/library/",
        "/web/samples/library/swagger-ui.css",
        "/web/0123456789abcdef/library/swagger-ui.css",
        "/web/{version}/openapi.json",
        "/web/{version}/page.html",
        "/web/samples/start.js",
        "/web/samples/unknown.jpg",
        "/web/samples/SOURCES.md",
        "/web/samples/..%2Fweb_page.py",
        "/web/samples/..%2Fsamples%2Fred-barn.jpg",
        "/web/samples/%2E%2E",
        "/web/samples/red-barn.jpg%00",
        "/web/samples/RED-BARN.JPG",
        "/web/samples/",
        "/web/samples",
        "/web/start.js",
        "/start.js",
    ],
)
def test_nothing_else_of_the_folder_is_served(api: Api, path: str) -> None:
    assert api.get(path.replace("{version}", page_files.version())).status == 404


def test_the_version_changes_with_each_file_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_files.version()
    shutil.copytree(ROOT / "web", tmp_path / "web")
    monkeypatch.setattr(page_files, "FOLDER", tmp_path / "web")
    assert fresh_version() == before
    (tmp_path / "web/samples/red-barn.jpg").unlink()
    assert fresh_version() == before, "the sample photographs are no part of the version"
    (tmp_path / "web/docs.css").write_text("body {}")
    changed = fresh_version()
    assert changed != before
    (tmp_path / "web/page").mkdir(exist_ok=True)
    (tmp_path / "web/page/new.js").write_text("")
    assert fresh_version() not in (before, changed)
    monkeypatch.undo()
    assert fresh_version() == before


def fresh_version() -> str:
    """Compute the version as a new container does."""
    page_files.read.cache_clear()
    page_files.version.cache_clear()
    page_files.files.cache_clear()
    return page_files.version()


def test_the_served_contract_names_the_requests_host(api: Api) -> None:
    answer = api.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    served = json_of(answer)
    (server,) = served.pop("servers")
    assert f"{server['url']}/images/" in json_of(api.upload((ROOT / "tests/images/rocket.jpg").read_bytes()))["url"]
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text().replace("http://127.0.0.1:3000", server["url"]))
    del contract["servers"]
    assert served == contract


def test_the_contract_in_json_equals_that_in_yaml() -> None:
    assert openapi_json.JSON.read_text() == openapi_json.converted(), "make openapi"


def test_the_vendored_library_has_its_licence_and_is_named_among_the_dependencies() -> None:
    licence = (ROOT / "web/vendor/swagger-ui/LICENSE").read_text()
    assert "Apache License" in licence
    bundle = (ROOT / "web/vendor/swagger-ui/swagger-ui-bundle.js").read_text()
    (version,) = re.findall(r"Swagger UI (\d+\.\d+\.\d+)", (ROOT / "CONTRIBUTING.md").read_text())
    assert f'PACKAGE_VERSION:"{version}"' in bundle


def test_every_file_fits_into_an_answer_of_lambda() -> None:
    for path in (page_files.files() | page_files.LIBRARY).values():
        assert len(json.dumps((ROOT / "web" / path).read_text())) < BODY_MAX


def test_the_sample_photographs_keep_the_package_small() -> None:
    sizes = [(ROOT / "web/samples" / name).stat().st_size for name in SAMPLES]
    assert max(sizes) < 150_000
    assert sum(sizes) < 2_500_000
