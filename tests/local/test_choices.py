"""What `make run` makes of its environment variables, and what it prints."""

import shlex
from pathlib import Path

import pytest

from tests.support import documents
from tools.local import data_folder, terminal
from tools.local.choices import PARAMETERS, hint, read_choices
from tools.local.refusals import Refusal


def test_without_any_variable_writes_are_open_and_every_label_is_allowed() -> None:
    choices = read_choices({})

    assert (choices.url, choices.data) == ("http://127.0.0.1:3000", Path(".local").resolve())
    assert (choices.tokens, choices.warm, choices.issuer_command) == (False, True, "")
    assert choices.parameters["Labels"] == "*"
    assert choices.parameters["PublicWrites"] == "true"


VALUES = {
    "WRITES": "closed",
    "ENCODER": "none",
    "RECOGNISER": "onnx",
    "JWT_ISSUER": "https://issuer.test/",
    **dict.fromkeys(("RECOGNISE_ALL", "CALLBACK_HTTP", "CALLBACK_LOOPBACK"), "true"),
    "CALLBACK_TIMEOUT": "7",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_variable_sets_its_parameter(name: str) -> None:
    value = VALUES.get(name, "owl")
    assert read_choices({name: value}).parameters[PARAMETERS[name]] == value
    assert read_choices({name: ""}) == read_choices({})


@pytest.mark.parametrize("variables", [{"TOKENS": "1"}, {"JWT_ISSUER": "https://issuer.test/"}])
def test_with_an_issuer_writes_need_a_token(variables: dict[str, str]) -> None:
    assert read_choices(variables).parameters["PublicWrites"] == "false"


@pytest.mark.parametrize("labels", ["cat", "cat,dog", " Cat , DOG ", "*", "cat,*", "a" + "-" * 31, "cat,"])
def test_labels_are_passed_on(labels: str) -> None:
    assert read_choices({"LABELS": labels}).parameters["Labels"] == labels


@pytest.mark.parametrize(
    "labels", ["Cat Dog", "cat;dog", "cat,-dog", "2cats", "a" * 33, ",", " ", "cat,chouette-épervière"]
)
def test_labels_that_no_upload_could_have_are_refused(labels: str) -> None:
    with pytest.raises(Refusal, match=r"^LABELS is .*LABELS=cat,dog"):
        read_choices({"LABELS": labels})


def test_label_without_labels_gets_a_hint() -> None:
    assert hint({"LABEL": "cat"}).endswith("make run LABELS=cat")
    assert hint({"LABEL": "cat", "LABELS": "cat,dog"}) == hint({"LABELS": "cat"}) == hint({"LABEL": ""}) == ""


@pytest.mark.parametrize("name", ["TOKENS", "WARM"])
def test_a_switch_is_0_or_1(name: str) -> None:
    with pytest.raises(Refusal, match=f"{name} is 'yes'. Use {name}=1 or {name}=0."):
        read_choices({name: "yes"})


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_value_that_the_template_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match=f"^{name} is 'no such thing'"):
        read_choices({name: "no such thing"})


def test_a_data_folder_that_is_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(Refusal, match="loop cannot be written"):
        data_folder.claim(read_choices({"DATA": str(tmp_path / "loop")}).data)


@pytest.mark.parametrize("name", ["PORT", "RESPONSE_SECONDS"])
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "٣", "9" * 5_000])
def test_what_is_no_such_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(Refusal, match=f"^{name} is '{text}'. It must be a number from 1 to "):
        read_choices({name: text})


@pytest.mark.parametrize(("name", "value"), [("JWT_ISSUER", "https://issuer.test/"), ("JWT_AUDIENCE", "pets")])
def test_two_issuers_are_refused(name: str, value: str) -> None:
    with pytest.raises(Refusal, match="its own issuer"):
        read_choices({"TOKENS": "1", name: value})


def test_the_command_for_a_token_names_other_data() -> None:
    assert read_choices({"TOKENS": "1"}).issuer_command == "make -s token"
    assert read_choices({"TOKENS": "1", "DATA": "/a b"}).issuer_command == "make -s token DATA='/a b'"


def test_the_printed_lines_are_those_of_the_readme() -> None:
    (block,) = [block for block in documents.blocks(documents.README) if "127.0.0.1:3000/upload" in block.text]

    printed = terminal.first_steps("http://127.0.0.1:3000", {"Labels": "*"}, issuer_command="")

    assert [line.strip() for line in printed.splitlines()[1:]] == block.text.splitlines()


def test_the_printed_lines_use_the_port_and_an_allowed_label() -> None:
    printed = terminal.first_steps("http://127.0.0.1:5", {"Labels": "Owl,dog"}, issuer_command="")

    assert "curl -F label=owl" in printed
    assert "http://127.0.0.1:5/labels/owl" in printed
    assert "boat" not in printed.replace("images", "")
    assert "boat" in terminal.first_steps("http://127.0.0.1:5", {"Labels": "owl, boat"}, issuer_command="")


def test_the_printed_uploads_send_a_token_where_one_is_needed() -> None:
    parameters = {"Labels": "*", "JwtIssuer": "http://127.0.0.1:3000"}

    printed = terminal.first_steps("http://127.0.0.1:3000", parameters, issuer_command="make -s token")

    assert "  TOKEN=$(make -s token)\n" in printed
    uploads = [shlex.split(line) for line in printed.splitlines() if line.endswith("/upload")]
    assert len(uploads) == 2
    assert all("Authorization: Bearer $TOKEN" in upload for upload in uploads)
