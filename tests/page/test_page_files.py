"""The modules and styles of the page: few, small, of our own, and each under its version."""

import gzip
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import page_files
import web_page
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Handlers

FILES_MAX = 14  # a browser asks for all of them at once, and three browsers must not meet the throttle
BYTES_MAX, GZIPPED_MAX = 132_500, 47_100  # of HTML, style sheets and scripts together; docs/decisions.md has why
DEPENDENCY = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*(["'`])(.*?)\1""")


def files_of_the_page() -> dict[str, str]:
    """Return the styles and scripts of the page alone: name -> text."""
    return {
        name: page_files.read(path)
        for name, path in page_files.files().items()
        if not path.startswith("docs.") and not name.endswith(".svg")
    }


def test_the_page_has_few_and_small_files() -> None:
    texts = [page_files.read("page.html"), *files_of_the_page().values()]
    assert 1 < len(texts) <= FILES_MAX + 1
    assert sum(len(text.encode()) for text in texts) < BYTES_MAX
    assert sum(len(gzip.compress(text.encode())) for text in texts) < GZIPPED_MAX


def test_each_module_imports_only_its_neighbours() -> None:
    names = page_files.files()
    for name, text in files_of_the_page().items():
        if name.endswith(".js"):
            for _, imported in DEPENDENCY.findall(text):
                assert imported.startswith("./"), (name, imported)
                assert imported.removeprefix("./") in names, (name, imported)
            dynamic = re.findall(r"\bimport\s*\((?!\s*[\"'`])", text)
            assert not dynamic, f"{name} imports what no test can see"
        else:
            assert "@import" not in text, name


def test_no_file_of_the_page_names_another_host() -> None:
    for name, text in {"page.html": page_files.read("page.html"), **files_of_the_page()}.items():
        hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", text))
        assert hosts <= {"www.w3.org"}, (name, hosts)  # the name of SVG, which nobody asks for


def test_no_two_files_have_one_name() -> None:
    """All of them are side by side under the version."""
    folders = (page_files.FOLDER, page_files.FOLDER / page_files.PAGE)
    paths = [path for folder in folders if folder.exists() for path in folder.iterdir() if path.is_file()]
    names = Counter(path.name for path in paths if path.suffix.removeprefix(".") in page_files.CONTENT_TYPES)
    assert names
    assert not [name for name, count in names.items() if count > 1]


@pytest.fixture
def of_three_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_aws: None) -> Iterator[Api]:
    """Serve a page of three modules."""
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=shutil.ignore_patterns("page*", "*.pyc"))
    (tmp_path / "web/page").mkdir()
    for name in ("start.js", "api.js", "light-box.js"):
        (tmp_path / "web/page" / name).write_text(f"// {name}")
    (tmp_path / "web/page/start.css").write_text("body {}")
    (tmp_path / "web/page/notes.md").write_text("No page loads it.")
    (tmp_path / "web/page.html").write_text("<head>\n  {modulepreload}\n</head>\n")
    monkeypatch.setattr(page_files, "FOLDER", tmp_path / "web")
    forget()
    yield Api(Handlers(), "cat")
    monkeypatch.undo()
    forget()


def forget() -> None:
    """Let the files be read anew."""
    for each in (page_files.files, page_files.read, page_files.version):
        each.cache_clear()


def test_the_page_preloads_each_of_its_modules(of_three_modules: Api) -> None:
    text, version = of_three_modules.get("/").body.decode(), page_files.version()
    links = "".join(f'  <link rel="modulepreload" href="web/{version}/{name}">\n' for name in page_files.modules())
    assert page_files.modules() == ["api.js", "light-box.js", "start.js"]
    assert text == f"<head>\n{links}</head>\n"


def test_the_files_of_the_folder_are_served_without_a_list_of_them(of_three_modules: Api) -> None:
    for name, kind in (("light-box.js", "text/javascript"), ("start.css", "text/css")):
        answer = of_three_modules.get(f"/web/{page_files.version()}/{name}")
        assert (answer.status, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    for name in ("notes.md", "page.html", "web_page.py", "openapi.json"):
        assert of_three_modules.get(f"/web/{page_files.version()}/{name}").status == 404
    assert web_page.PRELOAD.count("%s") == 1
