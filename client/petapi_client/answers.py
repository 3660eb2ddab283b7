"""Answers of the API as values.  What is not as petAPI sends it is Unreachable, not an error of ours."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import requests

from petapi_client.problem import Problem, Unreachable, problem_of
from petapi_client.values import Draw, Hit, Image, State

Value = TypeVar("Value")


def read(parse: Callable[[Any], Value], document: Any) -> Value:
    """Parse the JSON of an answer.  Raise Unreachable if it is not what petAPI sends."""
    try:
        return parse(document)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Unreachable(200, "The answer is not that of a petAPI; check the URL.") from error


def upload_form(json: Any) -> tuple[str, str, dict[str, str]]:
    """Read a new upload: its id, and the URL and the fields of its form."""
    into = json["upload_info"]
    return str(json["id"]), str(into["url"]), {str(name): str(text) for name, text in into["fields"].items()}


def upload(json: Any) -> tuple[str, Image | None, Problem | None]:
    """Read an upload: its state, and the image or the refusal if it has one."""
    image = Image.of_json({"labels": json.get("labels", ()), **json["image"]}) if "image" in json else None
    return (
        str(json["state"]),
        image,
        problem_of(int(json["error"]["status"]), json["error"]) if "error" in json else None,
    )


def state(asked: tuple[Any, requests.Response]) -> State:
    """Read an image as it is now from an answer and its header."""
    document, answer = asked
    etag = answer.headers.get("ETag", "")
    return read(lambda json: State(Image.of_json(json), float(json["probability"]), etag), document)


def draw(json: Any, total_weight: Decimal) -> Draw:
    """Read a drawn image."""
    return Draw(Image.of_json(json), float(json["probability"]), Decimal(total_weight))


def hits(document: Any) -> list[Hit]:
    """Read what a search found."""
    return read(lambda json: [Hit.of_json(each) for each in json["images"]], document)
