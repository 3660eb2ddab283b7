"""`make openapi`: write openapi.yaml as web/openapi.json, because the function has no library for YAML."""

import json

import yaml

from tests.support.cloud import ROOT

JSON = ROOT / "web/openapi.json"


def converted() -> str:
    """Return the contract as JSON. Aliases and merges of the YAML are written out."""
    return json.dumps(yaml.safe_load((ROOT / "openapi.yaml").read_text()), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    JSON.write_text(converted(), encoding="utf-8")
