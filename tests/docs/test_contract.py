"""`make run` answers as openapi.yaml says, whatever Schemathesis asks; `make contract` prints its report."""

from pathlib import Path

import pytest

from tests import contract

EXAMPLES = "150"  # of each operation; `make contract` sends twice as many

pytestmark = pytest.mark.usefixtures("slow_tier")


def test_every_answer_conforms_to_the_contract() -> None:
    code, report = contract.run(contract.ROOT / "openapi.yaml", "--max-examples", EXAMPLES)
    assert code == 0, report


def test_an_answer_outside_the_contract_is_noticed(tmp_path: Path) -> None:
    promises = (contract.ROOT / "openapi.yaml").read_text()
    wrong = tmp_path / "openapi.yaml"
    assert promises.count("exclusiveMaximum: 1\n") == 1
    wrong.write_text(promises.replace("exclusiveMaximum: 1\n", "exclusiveMaximum: 2\n"))
    code, report = contract.run(wrong, "--phases", "coverage", "--include-operation-id", "uploadImage")
    assert code == 1
    assert "Schema-valid request rejected" in report
