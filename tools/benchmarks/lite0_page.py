"""The figures of `lite0` as docs/reference/performance.md shows them."""

from collections.abc import Mapping
from typing import Any

TIMES = ("import", "load_network", "load_sentences", "picture", "network", "text")
LANGUAGES = {"en": "English", "de": "German"}


def lite0(found: Mapping[str, Any]) -> dict[str, object]:
    """Return the figures that `make measure-models` found: processor time, memory, and what is found."""
    count, altered, texts = found["pictures"], found["altered"], found["texts"]

    def of_texts(kind: str) -> str:
        return " and ".join(f"{each[kind]} of {each['of']} {LANGUAGES[name]}" for name, each in texts.items())

    return {
        "cores": found["machine"]["cores"],
        **{name: f"{found[name]:.0f}" if found[name] >= 10 else f"{found[name]:.1f}" for name in TIMES},
        **{f"{name}_megabytes": f"{found[f'{name}_megabytes']:.0f}" for name in ("recogniser", "encoder")},
        "pictures": count,
        "copies": count * len(altered),
        "copies_first": f"{sum(altered.values()) / count / len(altered):.1%}",
        "altered": ", ".join(f"{kind} {first}" for kind, first in altered.items()),
        "texts_first": of_texts("first"),
        "texts_five": of_texts("within_five"),
    }
