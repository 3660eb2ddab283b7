"""openapi.yaml is valid, has exactly the routes of the template, and describes the responses."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.support import cloud, pictures
from tests.support.answers import CONTRACT, Validator, at, conforms
from tests.support.hosts import Api, json_of

pytestmark = pytest.mark.also_in_make_run(why="the contract is of what people reach, with the gateway in front")


def test_the_contract_is_valid() -> None:
    validate(CONTRACT)


def test_the_contract_has_the_routes_of_the_template() -> None:
    assert set(CONTRACT["paths"]) == {path for path, _, _ in cloud.routes()} - {"/{proxy+}"}


def test_the_contract_has_the_methods_that_are_allowed(api: Api) -> None:
    for path, operations in CONTRACT["paths"].items():
        target = (
            path.format(label="cat", name="0" * 32 + ".png", version="0" * 16, id="0" * 32) if "{" in path else path
        )
        allowed = set(re.split(", ", api.host.request("OPTIONS", target).headers["allow"]))
        methods = {method.upper() for method in operations if method != "parameters"}
        assert allowed == methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()), path


def test_answers_conform_to_the_contract(api: Api) -> None:
    uploaded = api.upload(pictures.png(1), "0.000000001")
    url = json_of(uploaded)["url"]
    for answer in (
        uploaded,
        api.upload(pictures.png(1), "0.000000001"),
        api.get(url + "/info"),
        api.patch(url, {"weight": 0.3}),
    ):
        conforms(json_of(answer), "ImageWithProbability")
    conforms(json_of(api.random(format="json")), "DrawnImage")
    for answer in (api.random(format="x"), api.get("/nothing"), api.patch(url, {}), api.upload(b"")):
        conforms(json_of(answer), "Problem")


def test_headers_of_pictures_conform_to_the_contract(api: Api) -> None:
    url = json_of(api.upload(pictures.png(1)))["url"]
    for path, answer in (("/images/{label}/{name}", api.get(url)), ("/random", api.random())):
        named = at("paths", path, "get", "responses", "200")["headers"]
        for name in ("Content-Disposition", "Content-Security-Policy", "Cross-Origin-Resource-Policy"):
            assert named[name] == {"$ref": f"#/components/headers/{name}"}
            schema = CONTRACT["components"]["headers"][name]["schema"]
            Draft202012Validator(schema).validate(answer.headers[name.lower()])


@pytest.mark.parametrize("wrong", [{}, {"id": "x"}, {"extra": 1}])
def test_the_schemas_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"required|Unevaluated|Additional"):
        conforms(wrong, "ImageWithProbability")


@pytest.mark.parametrize(
    "values",
    [
        {"callback_url": "https://hooks.example.de/pets"},
        {"callback_url": "https://my-host.example.co.uk:8443/x?y=1&z=%20"},
        {"callback_url": "https://example.com"},
        {"filename": "Café (1).jpg", "tags": ["fluffy", "orange"]},
    ],
)
def test_valid_properties_of_an_upload_conform_to_the_contract(api: Api, values: dict[str, Any]) -> None:
    body = {"label": " Cat ", **values}
    conforms(body, "DirectUpload")
    sent = json.dumps(body).encode()
    assert api.host.request("POST", "/uploads", sent, {"Content-Type": "application/json"}).status == 201


@pytest.mark.parametrize("tags", ["", "fluffy", "fluffy,orange", " Fluffy , orange ", "a,b,c,d,e"])
def test_valid_tags_of_an_upload_conform_to_the_contract(api: Api, tags: str) -> None:
    Validator(at("components", "schemas", "UploadForm", "properties", "tags")).validate(tags)
    fields = [("label", api.label), ("tags", tags), ("img", pictures.File(pictures.png(100 + len(tags))))]
    assert api.post(fields).status == 201
