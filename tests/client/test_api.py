"""PetApi: where the token goes, what is waited for, and what a server that is no petAPI gets."""

import json
import os
import re
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from petapi_client import BadInput, PetApi, Problem, Unreachable, transport
from petapi_client.commands import main
from petapi_client.problem import Stopped
from petapi_client.workers import Crew
from tests.support import documents
from tests.support.cloud import ROOT
from tests.support.faulty_proxy import FaultyProxy
from tests.support.hosts import new_label
from tests.support.local_service import Answer, LocalService
from tests.support.petapi_command import petapi
from tests.support.pictures import tiny

Capture = pytest.CaptureFixture[str]
JSON = {"Content-Type": "application/json"}


class Server(FaultyProxy):
    """A server that gives these answers, one after the other, and the last again and again."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__("http://127.0.0.1:1")
        self._answers = list(answers)
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> Answer:
        """Give the next answer."""
        self.seen.append((method, path, headers.get("Authorization", "")))
        self.headers.append(dict(headers))
        self.bodies.append(body)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def waits() -> list[float]:
    return []


def api_of(server: Server, waits: list[float], token: str | None = None) -> PetApi:
    return PetApi(server.url, token, pause=waits.append)


LABELS = Answer(200, JSON, b'{"labels": []}')


def test_a_server_that_gives_one_page_for_ever_is_left(waits: list[float]) -> None:
    with Server(Answer(200, JSON, b'{"labels": [], "cursor": "x"}')) as server:
        with pytest.raises(Unreachable, match="again and again"):
            list(api_of(server, waits).labels())
        assert len(server.seen) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_waited_for_as_it_says(waits: list[float], status: int) -> None:
    busy = Answer(status, {"Retry-After": "7", **JSON}, b'{"detail": "Busy."}')
    with Server(busy, busy, LABELS) as server:
        assert list(api_of(server, waits).labels()) == []
    assert len(waits) == 2
    assert all(7 <= wait <= 7 + transport.JITTER for wait in waits)


def test_a_service_that_says_to_wait_for_years_is_waited_for_two_minutes(waits: list[float]) -> None:
    with Server(Answer(503, {"Retry-After": "99999999", **JSON}, b"{}"), LABELS) as server:
        assert list(api_of(server, waits).labels()) == []
    assert waits[0] <= transport.WAIT_MAX + transport.JITTER


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Fri, 31 Dec 9999 23:59:59 GMT", transport.WAIT_MAX),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("soon", 0),
        ("-1", 0),
        ("9" * 5000, 0),
        ("Mon, 01 Jan 99999 00:00:00 GMT", 0),
    ],
)
def test_a_date_is_waited_for_and_what_cannot_be_read_is_as_if_it_were_not_there(
    waits: list[float], said: str, seconds: float
) -> None:
    with Server(Answer(503, {"Retry-After": said, **JSON}, b"{}"), LABELS) as server:
        assert list(api_of(server, waits).labels()) == []
    assert seconds <= sum(waits) <= seconds + transport.JITTER


def test_a_service_that_stays_busy_is_a_problem_with_its_sentence(waits: list[float]) -> None:
    closed = Answer(503, {"Retry-After": "1", **JSON}, b'{"detail": "Writes are closed."}')
    with Server(closed) as server, pytest.raises(Problem, match=r"Writes are closed\.") as problem:
        list(api_of(server, waits).labels())
    assert problem.value.status == 503
    assert 10 <= len(waits) <= 30


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(200, {"Content-Type": "text/html"}, b"<html>"), "returned 200 without JSON; check that the URL is"),
        (Answer(200, JSON, b'{"other": 1}'), "The answer is not that of a petAPI; check the URL."),
        (Answer(200, JSON, b"[]"), "The answer is not that of a petAPI; check the URL."),
        (Answer(200, JSON, b'{"labels": [], "cursor": {}, "more": 1e99999999999999999999}'), "without JSON"),
        (Answer(200, JSON, b"[" * 100_000), "without JSON"),
        (Answer(404, JSON, b'"no object"'), "Not Found"),
        (Answer(301, {"Location": "https://example.com/"}, b""), "leads to https://example.com/; name that."),
        (Answer(403, JSON, b'{"message": "Missing Authentication Token"}'), "Missing Authentication Token"),
    ],
)
def test_what_is_no_petapi_is_one_sentence(waits: list[float], answer: Answer, sentence: str) -> None:
    with Server(answer) as server, pytest.raises(Problem, match=re.escape(sentence)):
        list(api_of(server, waits).labels())


@pytest.mark.parametrize("host", ["pets..example", "a" * 64])
def test_a_name_that_cannot_be_that_of_a_host_is_one_sentence(capsys: Capture, host: str) -> None:
    ran = petapi(capsys, "labels", url=f"http://{host}")
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(rf"{host} cannot be reached \(.*\); start it, or check the URL\.\n", ran.err)


@pytest.mark.parametrize("location", ["http://[", "http://pets..example/"])
def test_a_redirect_to_no_address_is_a_problem(waits: list[float], location: str) -> None:
    with Server(Answer(307, {"Location": location}, b"")) as server:
        with pytest.raises(Unreachable):
            api_of(server, waits).picture(f"cat/{'0' * 32}.png")
        with pytest.raises(Unreachable):
            api_of(server, waits)._http.post_form(server.url, b"", "text/plain")


IMAGE = {"id": f"cat/{'0' * 32}.png", "label": "cat", "weight": 0.5, "contentType": "image/png", "bytes": 1, "width": 1}
IMAGE |= {"height": 1, "created": "", "tags": [], "url": ""}
FAILED = {"state": "failed", "error": {"status": 422, "detail": "It cannot be recognised."}}


@pytest.mark.parametrize(
    ("upload", "until", "ends"),
    [
        ({**FAILED, "image": IMAGE}, "stored", IMAGE["id"]),
        ({**FAILED, "image": IMAGE}, "recognised", "It cannot be recognised."),
        (FAILED, "stored", "It cannot be recognised."),
        ({"state": "waiting"}, "stored", f"The upload {'0' * 32} was not stored in 600 seconds; try again later."),
        ({"state": "stored", "image": {}}, "stored", "The answer is not that of a petAPI; check the URL."),
        ([], "stored", "The answer is not that of a petAPI; check the URL."),
        ({"error": 1, "state": 2}, "stored", "The answer is not that of a petAPI; check the URL."),
    ],
)
def test_a_direct_upload_ends_as_its_image_or_its_reason(
    waits: list[float], upload: Any, until: str, ends: str
) -> None:
    form: dict[str, Any] = {"id": "0" * 32, "upload_info": {"fields": {}}}
    with Server(Answer(204, {}, b"")) as s3, Server(LABELS) as server:
        form["upload_info"]["url"] = s3.url
        server._answers = [Answer(201, JSON, json.dumps(form).encode()), Answer(200, JSON, json.dumps(upload).encode())]
        try:
            ended = api_of(server, waits).upload_directly(b"x", "cat", until=until).image.id
        except Problem as problem:
            ended = problem.detail
    assert ended == ends


@pytest.mark.parametrize("weight", [0.123456789, Decimal("0.123456789"), 1e-9, Decimal("1E-9")])
def test_a_weight_is_sent_with_all_its_digits(waits: list[float], weight: Decimal | float) -> None:
    refusal = Answer(422, JSON, b'{"detail": "No."}')
    with Server(refusal) as server, pytest.raises(Problem, match=r"No\."):
        api_of(server, waits).upload(b"x", "cat", weight=weight)
    assert f"\r\n\r\n{Decimal(str(weight)):f}\r\n".encode() in server.bodies[0]


def test_a_form_follows_s3_to_another_address_and_goes_nowhere_else(waits: list[float]) -> None:
    shown = {"id": f"cat/{'0' * 32}.jpg", "label": "cat", "weight": 0.5, "contentType": "image/jpeg", "bytes": 1}
    stored = {"state": "stored", "image": {**shown, "width": 1, "height": 1, "created": "", "tags": [], "url": ""}}
    with Server(Answer(204, {}, b"")) as region, Server() as s3, Server() as server:
        form = {"id": "0", "upload_info": {"url": s3.url, "fields": {"key": "k"}}}
        begun, followed = (Answer(200, JSON, json.dumps(each).encode()) for each in (form, stored))
        s3._answers = [Answer(307, {"Location": f"{region.url}/bucket"}, b"")]
        server._answers = [begun, followed]
        assert api_of(server, waits, "secret").upload_directly(b"bytes", "cat").image.label == "cat"
        assert region.seen == [("POST", "/bucket", "")]
        assert region.bodies == s3.bodies
        for status in (302, 307):
            s3._answers, server._answers = [Answer(status, {"Location": s3.url}, b"")], [begun, followed]
            with pytest.raises(Problem, match="refused the file"):
                api_of(server, waits).upload_directly(b"bytes", "cat")


def test_the_token_goes_with_writes_to_the_api_only(
    waits: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to S3, not after a redirect, and nothing from .netrc."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password other-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    form = {"id": "0" * 32, "upload_info": {"url": "", "fields": {"key": "k"}}}
    stored = json.dumps({"state": "failed", "error": {"status": 415, "detail": "No picture."}}).encode()
    with Server(Answer(204, {}, b"")) as s3, Server(LABELS) as server:
        form["upload_info"]["url"] = f"{s3.url}/bucket"  # type: ignore[index]
        server._answers = [Answer(201, JSON, json.dumps(form).encode()), Answer(200, JSON, stored)]
        api = api_of(server, waits, "secret")
        with pytest.raises(Problem, match=r"No picture\."):
            api.upload_directly(b"x", "cat")
        server._answers = [Answer(302, {"Location": f"{s3.url}/picture"}, b"")]
        s3._answers = [Answer(200, {}, b"bytes")]
        assert api.picture(f"cat/{'0' * 32}.png") == b"bytes"
    assert [token for _, _, token in server.seen] == ["Bearer secret", "", ""]
    assert [token for _, _, token in s3.seen] == ["", ""]


def test_the_proxy_of_the_environment_is_used_except_for_this_machine(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(LABELS) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert list(PetApi("http://petapi.example").labels()) == []
        assert [path for _, path, _ in proxy.seen] == ["http://petapi.example/labels?limit=100"]
        with Server(LABELS) as server:
            assert list(api_of(server, waits, "secret").labels()) == []
        assert len(proxy.seen) == len(server.seen) == 1


def test_redirects_in_a_circle_end(waits: list[float]) -> None:
    circle, sentence = Answer(302, {"Location": "/again"}, b""), "leads from one address to another"
    with Server(circle) as server, pytest.raises(Unreachable, match=sentence):
        api_of(server, waits).picture(f"cat/{'0' * 32}.png")


def test_a_picture_without_an_end_is_not_kept_in_memory(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DOWNLOAD_MAX", 1000)
    with Server(Answer(200, {}, bytes(1001))) as server, pytest.raises(Unreachable, match="has no end"):
        api_of(server, waits).picture(f"cat/{'0' * 32}.png")


def test_a_long_wait_is_told_once(capsys: Capture) -> None:
    crew = Crew(1)
    crew._stop.set()
    for seconds in (1.0, 60.4, 60.4):
        with pytest.raises(Stopped):
            crew.pause(seconds)
    assert capsys.readouterr().err == "The service asks to wait 60 seconds.\n"


@pytest.mark.parametrize(
    "url",
    [
        "cat",
        "ftp://127.0.0.1",
        "http://",
        "http://u:p@127.0.0.1",
        "http://127.0.0.1/?a=1",
        "http://[",
        "http://a:99999",
    ],
)
def test_what_is_no_url_of_a_petapi_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="is not the URL of a petAPI"):
        PetApi(url)


def test_a_token_does_not_travel_unencrypted_to_another_machine() -> None:
    for url in ("https://example.com/Prod/", "http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"):
        assert PetApi(url, "token").url == url.rstrip("/")
    assert PetApi("http://example.com").url == "http://example.com"
    with pytest.raises(BadInput, match="must not travel unencrypted"):
        PetApi("http://example.com", "token")


def test_the_token_comes_from_a_file_or_a_variable(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token.txt"
    file.write_text("from-file\n")
    monkeypatch.setenv("PETAPI_TOKEN", " from-variable\n")
    place = tmp_path / "photos"
    place.mkdir()
    (place / "a.png").write_bytes(tiny(1))
    refusal = Answer(401, JSON, b'{"status": 401, "detail": "The token is invalid."}')
    for options, token in ((["--token-file", str(file)], "from-file"), ([], "from-variable")):
        with Server(Answer(404, JSON, b"{}"), refusal) as server:
            ran = petapi(capsys, "import", place, "--label", "cat", *options, url=server.url)
        assert (ran.code, ran.err.splitlines()[0]) == (2, "The token is invalid.")
        assert "takes the token from the file of --token-file, or from PETAPI_TOKEN" in ran.err
        assert server.seen[-1] == ("GET", "/mine?label=cat&limit=1", f"Bearer {token}")
        assert not (place / "imported.csv").exists()
    for content in ("two words", "", "ümlaut", "line\nline"):
        file.write_text(content)
        ran = petapi(capsys, "labels", "--token-file", file)
        assert (ran.code, ran.err) == (2, f"{file} must have one token and nothing else; put it there again.\n")
    ran = petapi(capsys, "labels", "--token-file", tmp_path)
    assert (ran.code, ran.err.count("\n"), "cannot be read (Is a directory)" in ran.err) == (2, 1, True)


def test_all_that_the_api_does_can_be_done(running: LocalService) -> None:
    api, label = PetApi(running.url), new_label()
    first = api.upload(tiny(1), label, weight=Decimal("0.000000001"), tags=["b", "a"], filename='"ü%22=.png').image
    again = api.upload(tiny(1), label, weight=Decimal("0.000000001"))
    assert (again.is_new, again.image) == (False, first)
    assert (first.weight, first.tags, first.filename) == (Decimal("1e-9"), ("a", "b"), '"ü%22=.png')
    with pytest.raises(Problem) as conflict:
        api.upload(tiny(1), label, weight=Decimal("0.5"))
    assert (conflict.value.status, conflict.value.fields) == (409, {"weight"})
    assert conflict.value.existing
    assert conflict.value.existing["id"] == first.id
    state = api.change(first.id, weight=Decimal("0.123456789"), tags=[], filename="")
    assert (state.image.weight, state.image.tags, state.image.filename) == (Decimal("0.123456789"), (), "")
    with pytest.raises(Problem) as changed:
        api.change(first.id, weight=Decimal("0.5"), if_match='"0"')
    assert changed.value.status == 412
    assert api.image(first.id) == state
    second = api.upload(tiny(2), label, weight=Decimal("0.123456789")).image
    assert api.random(label).probability == 0.5
    assert api.random(label, seed="x") == api.random(label, seed="x")
    assert {api.random(label, session="s", position=n).image for n in (0, 1)} == {state.image, second}
    assert {draw.image.id for draw in api.random_many(label, 2, distinct=True)} == {first.id, second.id}
    assert api.random(label, exclude=[first.id]).image == second
    assert api.random([label, "no-such-label"], exclude=second.id).probability == 1
    many = api.random_many(f"{label},no-such-label", 3, exclude=[first.id])
    assert [draw.image for draw in many] == [second] * 3
    assert [len(page.images) for page in api.law(label)] == [2]
    assert label in {each.label for each in api.labels()}
    assert list(api.images(label)) == sorted([state.image, second], key=lambda image: image.name)
    assert api.picture(second.id).startswith(b"\x89PNG")
    assert api.picture(second.id, size=256)
    api.delete(first.id)
    with pytest.raises(Problem, match="no image"):
        api.image(first.id)


@pytest.mark.usefixtures("slow_tier")
def test_a_direct_upload_is_followed_until_its_labels_are_known(running: LocalService) -> None:
    picture, label = (ROOT / "tests/images/rocket.jpg").read_bytes(), new_label()
    sent = PetApi(running.url).upload_directly(
        picture, label, weight=Decimal("0.000000003"), tags=["b", "a"], filename="ü.jpg", until="recognised"
    )
    assert (sent.is_new, sent.image.weight, sent.image.tags) == (None, Decimal("3e-9"), ("a", "b"))
    assert (sent.image.filename, bool(sent.image.labels)) == ("ü.jpg", True)
    assert all(name and 0 < confidence <= 100 for name, confidence in sent.image.labels)


@pytest.mark.usefixtures("slow_tier")
def test_a_service_without_an_encoder_refuses_searches(running: LocalService) -> None:
    api = PetApi(running.url)
    image = api.upload(tiny(1), new_label()).image
    for search in (lambda: api.search("x", k=1), lambda: api.similar(image.id), lambda: api.search_by_picture(tiny(1))):
        with pytest.raises(Problem) as refused:
            search()
        assert refused.value.status == 422


def test_hits_are_typed(waits: list[float], capsys: Capture) -> None:
    shown = {"id": f"cat/{'0' * 32}.jpg", "label": "cat", "weight": 0.5, "contentType": "image/jpeg", "bytes": 1}
    shown |= {"width": 1, "height": 1, "created": "", "tags": [], "url": "", "similarity": 1, "error": 0, "by": "words"}
    answer = Answer(200, JSON, json.dumps({"images": [{**shown, "matched": ["x"]}], "encoder": "lite0"}).encode())
    with Server(answer) as server:
        (hit,) = api_of(server, waits).search("x & y", k=3, label=None)
        assert server.seen[0][1] == "/search?q=x+%26+y&k=3"
        assert petapi(capsys, "search", "meadow", url=server.url).out == f"{shown['id']}\t1.0000\twords\n"
        assert petapi(capsys, "similar", shown["id"], "-k", "2", url=server.url).code == 0
        assert server.seen[-1][1] == f"/images/{shown['id']}/similar?k=2"
    assert (hit.image.id, hit.similarity, hit.by, hit.matched) == (shown["id"], 1.0, "words", ("x",))


def test_a_mosaic_and_a_drawn_picture_are_saved_whole(running: LocalService, tmp_path: Path, capsys: Capture) -> None:
    label = new_label()
    assert running.upload(tiny(3), label=label).status == 201
    ran = petapi(capsys, "random", label, "-o", tmp_path / "drawn.png", url=running.url)
    image, probability = ran.out.split()
    assert (float(probability), (tmp_path / "drawn.png").read_bytes()[:4]) == (1.0, b"\x89PNG")
    ran = petapi(capsys, "random", f"{label},no-such-label", "--exclude", f"{label}/{'0' * 32}.png", url=running.url)
    assert ran.out == f"{image}\t{probability}\n"
    ran = petapi(capsys, "random", label, "--exclude", image, url=running.url)
    assert (ran.code, "exclude names all images" in ran.err) == (2, True)
    ran = petapi(capsys, "random", label, "-o", tmp_path / "no/drawn.png", url=running.url)
    assert (
        ran.code,
        ran.err.endswith("cannot be written (No such file or directory); name another file with -o.\n"),
    ) == (
        2,
        True,
    )
    with Server(Answer(200, {"Content-Type": "image/jpeg"}, b"mosaic")) as server:
        command = ("mosaic", image, "-o", tmp_path / "mosaic.jpg", "--columns", "40", "--tiles", "*")
        assert petapi(capsys, *command, url=server.url).code == 0
        assert server.seen[0][1] == f"/images/{image}/mosaic?columns=40&tiles=%2A"
    assert (tmp_path / "mosaic.jpg").read_bytes() == b"mosaic"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.png", "mosaic.jpg"]


def test_a_device_and_a_link_are_written_into_and_stay(tmp_path: Path, capsys: Capture) -> None:
    pipe, link, folder = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "mosaic.jpg")
    folder.mkdir()
    with (
        Server(Answer(200, {"Content-Type": "image/jpeg"}, b"mosaic")) as server,
        os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader,
    ):
        codes = [
            petapi(capsys, "mosaic", f"cat/{'0' * 32}.jpg", "-o", to, url=server.url).code
            for to in (pipe, link, folder)
        ]
        assert (codes, reader.read()) == ([0, 0, 2], b"mosaic")
    assert (pipe.is_fifo(), link.is_symlink(), (tmp_path / "mosaic.jpg").read_bytes()) == (True, True, b"mosaic")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--distinct"], "--distinct needs --count; say how many images to draw.\n"),
        (["--count", "2", "--session", "s"], "--session and --position draw one image; leave out --count.\n"),
    ],
)
def test_options_of_a_draw_that_do_not_go_together_are_refused(
    capsys: Capture, options: list[str], sentence: str
) -> None:
    ran = petapi(capsys, "random", "cat", *options, url="http://127.0.0.1:1")
    assert (ran.code, ran.out, ran.err) == (2, "", sentence)


def test_the_python_of_the_documentation_works_as_printed(
    running: LocalService, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = documents.text_of(ROOT / "docs/how-to/import-and-export.md")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/palm-island.jpg").write_bytes(tiny(4))
    monkeypatch.chdir(tmp_path)
    exec(textwrap.dedent(code).replace(documents.PRINTED_URL, running.url), {})  # noqa: S102 (ours)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r'1\.0 "[0-9a-f]{16}"', first)
    assert second.startswith("404 ")


def test_a_reader_that_has_enough_is_no_error(running: LocalService, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["labels", "--url", running.url]) == 0
    assert capfd.readouterr().err == ""


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PETAPI_TOKEN", raising=False)


def test_what_is_no_list_no_id_and_no_picture_is_refused_before_anything_is_sent() -> None:
    with Server(Answer(500, {}, b"")) as server:
        api = PetApi(server.url)
        wrong: list[Callable[[], object]] = [
            lambda: api.upload(b"picture", "cat", tags="bird"),
            lambda: api.upload_directly(b"picture", "cat", tags="bird"),
            lambda: api.change("cat/1.jpg", tags="bird"),
            lambda: api.upload("cat.jpg", "cat"),  # type: ignore[arg-type]
            lambda: api.upload_directly(Path("cat.jpg"), "cat"),  # type: ignore[arg-type]
            lambda: api.delete(object()),  # type: ignore[arg-type]
        ]
        said = []
        for request in wrong:
            with pytest.raises(TypeError) as refused:
                request()
            said.append(str(refused.value))
    assert [sentence.split()[0] for sentence in said] == ["Tags", "Tags", "Tags", "The", "The", "An"]
    assert "tags=['bird']" in said[0]
    assert server.seen == []
