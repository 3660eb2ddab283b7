"""Searches without an encoder, in every host: what is wrong is refused all the same. tests/search has the rest."""

import pytest

from shared.limits import BODY_MAX
from tests.support import hostile_pictures
from tests.support.answers import problem
from tests.support.hosts import Api, json_of
from tests.support.pictures import multipart_body, png
from tests.support.search_refusals import FORMS, WRONG
from tests.support.search_scene import by_picture

pytestmark = pytest.mark.also_in_make_run(why="the front and the gateway get it first", slow=True)

NO_ENCODER = "has no encoder"


def test_a_wrong_search_names_the_parameter(api: Api, subtests: pytest.Subtests) -> None:
    for path, (status, field) in WRONG.items():
        with subtests.test(path[:60]):
            if status != 404:
                problem(api.get(path), status, field=field)


def test_a_wrong_form_is_refused(api: Api, subtests: pytest.Subtests) -> None:
    for what, (fields, status, field) in FORMS.items():
        body, content_type = multipart_body(fields)
        with subtests.test(what):
            answer = api.host.request("POST", "/search", body, {"Content-Type": content_type})
            problem(answer, status, field=field)


def test_a_body_that_is_no_form_or_too_large_is_refused(api: Api) -> None:
    problem(api.host.request("POST", "/search", b"{}", {"Content-Type": "application/json"}), 415)
    problem(api.host.request("POST", "/search"), 415)
    assert "4,500,000" in problem(by_picture(api, bytes(BODY_MAX)), 413)


def test_what_is_right_says_what_the_operator_can_do(api: Api) -> None:
    image = json_of(api.upload(png(1)))
    for answer in (
        api.get(f"/images/{image['id']}/similar?k=3"),
        api.get("/search?q=cat&least=0.5"),
        by_picture(api, png(1)),
        by_picture(api, hostile_pictures.EICAR),
    ):
        assert NO_ENCODER in problem(answer, 422)
    assert api.host.request("HEAD", "/search?q=cat").status == 422


def test_other_methods_are_405(api: Api) -> None:
    image = f"/images/{api.label}/{'0' * 32}.png/similar"
    for method in ("PUT", "PATCH", "DELETE"):
        assert problem(api.host.request(method, "/search"), 405).endswith("use one of GET, HEAD, OPTIONS, POST.")
        assert problem(api.host.request(method, image), 405).endswith("use one of GET, HEAD, OPTIONS.")
