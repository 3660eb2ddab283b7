"""Searches that are refused in every host, also without an encoder: each with its status and the field at fault."""

from typing import Any

from tests.support.pictures import File, png

WRONG = {
    "/search": (400, "q"),
    "/search?q=": (422, "q"),
    "/search?q=%20": (422, "q"),
    "/search?q=!%3F": (422, "q"),
    "/search?q=a%00b": (422, "q"),
    "/search?q=a%0Ab": (422, "q"),
    "/search?q=%FF%00": (422, "q"),
    "/search?q=" + "a" * 201: (422, "q"),
    "/search?q=a&q=b": (400, "q"),
    "/search?q=a&limit=3": (400, "limit"),
    "/search?q=a&k=0": (422, "k"),
    "/search?q=a&k=101": (422, "k"),
    "/search?q=a&k=1.5": (422, "k"),
    "/search?q=a&label=a_b": (422, "label"),
    "/search?q=a&tag=": (422, "tag"),
    "/search?q=a&without=a+b": (422, "without"),
    "/search?q=a&least=-0.1": (422, "least"),
    "/search?q=a&least=1.01": (422, "least"),
    "/search?q=a&least=nan": (422, "least"),
    "/images/cat/" + "0" * 32 + ".png/similar?q=a": (400, "q"),
    "/images/cat/" + "0" * 32 + ".png/similar?k=x": (422, "k"),
    "/images/cat/" + "0" * 32 + ".png/similar": (404, None),
    "/images/cat/x.png/similar": (404, None),
}

FORMS: dict[str, tuple[list[Any], int, str]] = {
    "no picture": ([("k", "3")], 400, "img"),
    "the picture as text": ([("img", "cat.jpg")], 400, "img"),
    "two pictures": ([("img", File(png(1))), ("img", File(png(1)))], 400, "img"),
    "an empty picture": ([("img", File(b""))], 415, "img"),
    "a label and a weight as for an upload": (
        [("img", File(png(1))), ("label", "cat"), ("weight", "0.5")],
        400,
        "weight",
    ),
    "k of words": ([("img", File(png(1))), ("k", "ten")], 422, "k"),
    "least above 1": ([("img", File(png(1))), ("least", "1.5")], 422, "least"),
}
