"""The commands that need an account: each call of `aws` is one, and names what the template and the code have."""

import logging
import re
from functools import cache
from pathlib import Path

import pytest

from shared import metrics
from tests.support import aws_commands, documents
from tests.support.aws_commands import Call
from tests.support.documents import PAGES, ROOT, Block
from tests.support.hosts import Api, Handlers, new_label
from tests.support.pictures import png
from tests.support.transformed import resources
from tools.template import read_template

FIRST_HOUR = ROOT / "docs/how-to/first-hour.md"
TEMPLATE = read_template(ROOT / "template.yaml")
WITH_AWS = [page for page in PAGES if any("aws" in block.marks for block in documents.blocks(page))]


LEFT_OUT = [page for page in PAGES if any(block.marks & {"aws", "slow"} for block in documents.blocks(page))]


def blocks_of(page: Path) -> list[Block]:
    return [block for block in documents.blocks(page) if "aws" in block.marks]


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[Call]]:
    """Return the calls of each page."""
    return {page: aws_commands.calls(blocks_of(page), tmp_path_factory.mktemp("page")) for page in WITH_AWS}


@pytest.mark.parametrize("page", WITH_AWS, ids=documents.name_of)
def test_each_call_of_aws_is_one_that_the_cli_has(page: Path, called: dict[Path, list[Call]]) -> None:
    found = [call for call in called[page] if call.program == "aws"]
    written = re.findall(r"(?:^|\$\()\s*aws \w", "\n".join(block.text for block in blocks_of(page)), re.MULTILINE)
    assert len(found) >= len([each for each in written if each])
    wrong = {" ".join(call.arguments): faults for call in found if (faults := aws_commands.faults(call))}
    assert wrong == {}


@pytest.mark.parametrize("page", LEFT_OUT, ids=documents.name_of)
def test_a_command_uses_variables_that_a_line_before_it_sets_or_the_page_explains(page: Path, tmp_path: Path) -> None:
    """Also in blocks that are not run because they take minutes."""
    aws_commands.calls([block for block in documents.blocks(page) if block.marks & {"aws", "slow"}], tmp_path)


def test_the_calls_are_found(called: dict[Path, list[Call]]) -> None:
    assert sum(call.program == "aws" for calls in called.values() for call in calls) > 50
    assert sum(call.program == "curl" for calls in called.values() for call in calls) > 20


@pytest.mark.parametrize("page", WITH_AWS, ids=documents.name_of)
def test_each_output_parameter_and_resource_that_a_call_names_is_in_the_template(
    page: Path, called: dict[Path, list[Call]]
) -> None:
    for call in called[page]:
        text = " ".join(call.arguments)
        assert set(re.findall(r"OutputKey=='(\w*)'", text)) <= set(TEMPLATE["Outputs"]), text
        assert set(re.findall(r"ParameterKey=='(\w*)'", text)) <= set(TEMPLATE["Parameters"]), text
        assert set(re.findall(r"--logical-resource-id (\S+)", text)) <= set(resources()), text
        if call.arguments[:1] == ("cloudformation",):
            assert re.search(r"--stack-name (http-)?petapi\b", text), text


@cache
def fields() -> frozenset[str]:
    """Return the members of the line of a request."""
    found: set[str] = set()

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.update(record.__dict__)

    logger, noting = logging.getLogger("petapi"), Noting()
    logger.addHandler(noting)
    try:
        api = Api(Handlers(), new_label())
        api.upload(png(1))
        api.random()
        api.get("/nowhere")
    finally:
        logger.removeHandler(noting)
    return frozenset(found)


def test_each_field_and_metric_that_is_searched_for_is_written(called: dict[Path, list[Call]], moto_aws: None) -> None:
    everything = [" ".join(call.arguments) for calls in called.values() for call in calls if call.program == "aws"]
    searched = {field for text in everything for field in re.findall(r"\$\.(\w+)", text)}
    assert searched
    assert searched <= fields()
    namespaces = {name for text in everything for name in re.findall(r"--namespace (\S+)", text)}
    assert namespaces == {metrics.NAMESPACE, "AWS/CloudFront"}
    prose = documents.prose_of(FIRST_HOUR)
    for names in (r"with `request`, `status` and `_aws`", r"prints `Draws`, `Darts`, `BytesOut` and others"):
        assert names in prose
        assert set(re.findall(r"`(\w+)`", names)) <= fields() | set(metrics.UNITS)


def test_each_sentence_of_the_log_that_is_searched_for_is_in_the_code(called: dict[Path, list[Call]]) -> None:
    texts = [text for call in called[FIRST_HOUR] for text in re.findall(r'"([^"${}]+)"', " ".join(call.arguments))]
    searched = [text for text in texts if text in ("settings from SSM", "S3 denied each drawn picture")]
    code = "".join(path.read_text() for folder in ("shared", "random") for path in (ROOT / folder).rglob("*.py"))
    assert len(set(searched)) == 2
    assert all(text in code for text in searched)


# -- every point of which only other people's reports, or a suspicion, say what AWS does -------------------------

POINTS = {
    "parameters behind an alias": "A changed parameter reaches the functions",
    "code and variables in two calls": "A deploy leaves no gap",
    "the layer stays": "A deploy without changed libraries keeps the layer",
    "a token passes CloudFront": "A token passes",
    "overridden methods at an edge": "No request blanks a picture",
    "Accept at an edge": "A thumbnail has two copies",
    "draws at an edge": "Draws are never kept",
    "which response a throttled function becomes": "A throttled function is 503",
    "which response a throttled authorizer becomes": "A throttled authorizer is 503",
    "CloudFront before CloudFront": "The endpoint is regional",
    "bodies of more than 10 MB": "A body that is too large",
    "SSM that refuses": "Draws go on without SSM",
    "ten calls at a time": "How many calls at a time",
    "queues that take all calls": "Queues leave four of ten",
    "the stage without a slash": "The stage without its slash",
    "the stage behind a domain": "Links",
    "S3 that takes a file": "A form works",
    "a parameter behind CloudFront": "A changed parameter reaches CloudFront",
    "methods that nobody named": "No response repeats a request",
    "forms that end with the role's session": "A form works for as long as it says",
    "S3 that denies": "Pictures that S3 denies are an outage, and not gone",
    "headers of gateway responses": "The gateway's own errors",
    "ACLs of the log's bucket": "The log arrives",
    "secrets that are looked up": "A rotation ends the old secret",
    "plans that wait for approval": "The flat-rate plan has begun",
    "tags that are not active": "The budget counts",
    "mails that nobody confirmed": "Alarms notify you",
    "metrics in log lines": "CloudWatch takes the metrics",
    "fields of log lines": "A line has fields",
    "rights to write traces": "Traces arrive",
    "access to the model": "The model and the index answer",
    "the whole way": "Upload, draw, read, delete",
    "graphs": "The dashboard shows them",
    "metrics that were never written": "CloudWatch fills what was never written",
}
CHECK = re.compile(
    r"^\*\*(?P<name>[^*]+)\.\*\* (?P<text>.*?)^```sh aws\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL
)


def checks() -> dict[str, str]:
    """Return the text of each check by its name."""
    return {found["name"]: " ".join(found["text"].split()) for found in CHECK.finditer(documents.text_of(FIRST_HOUR))}


def test_every_such_point_has_a_check_and_every_check_a_point() -> None:
    assert sorted(checks()) == sorted(POINTS.values())


@pytest.mark.parametrize("name", checks())
def test_a_check_says_what_it_prints_and_what_to_do_if_it_prints_something_else(name: str) -> None:
    text = checks()[name]
    assert re.search(r"\bprints?\b|S3 answers", text)
    otherwise = re.search(r"\bIf (it|they|an answer|the|none|a)\b[^.]*?(?:[.]|,|:)", text)
    assert otherwise, text
    assert text.startswith(("This ", "With ", "The ", "`TOKEN` ", "A new ", "Some ", "Keep ", "CloudFormation ")), text


def test_the_page_ends_with_the_way_back() -> None:
    page = documents.text_of(FIRST_HOUR)
    last = page[page.rindex("\n## ") :]
    assert last.startswith("\n## Back to the release before\n")
    assert 'git worktree add --detach ../petapi-before "$BEFORE" && ' in last
    assert "](#back-to-the-release-before)" in page[: page.index("## Names")]


def test_whatever_a_check_forbids_or_bounds_it_gives_back() -> None:
    commands = {found["name"]: found["commands"] for found in CHECK.finditer(documents.text_of(FIRST_HOUR))}
    for text in commands.values():
        assert text.count("put-function-concurrency") == text.count("delete-function-concurrency")
        assert text.count("put-role-policy") == text.count("delete-role-policy")
        assert text.count("ImageMaxAge=86400") == text.count("ImageMaxAge=$BEFORE")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("aws lambda get-function-configuration --function-name f --query Layers[0].Arn", None),
        ("aws lambda get-function-configuration --function f", "has no --function"),
        ("aws lambda get-function-configuration", "Missing required parameter"),
        ("aws lambda get-function-configuration f", "takes no f"),
        ("aws lambda get-function-configuration --function-name f --query Layers[0].Name", "there is no Name"),
        ("aws lambda get-functions", "has no operation get-functions"),
        ("aws lambdas list-functions", "no service lambdas"),
        ("aws lambda wait function-gone --function-name f", "has no waiter function-gone"),
        ("aws cloudwatch set-alarm-state --alarm-name a --state-value LOUD --state-reason r", "has no LOUD"),
        ("aws cloudwatch set-alarm-state --alarm-name a --state-value OK --state-reason r", None),
        ("aws dynamodb update-continuous-backups --table-name t --point-in-time-recovery-specification On=true", "On"),
        ("aws dynamodb update-time-to-live --table-name t --time-to-live-specification On", "On is no name=value"),
        ("aws cloudformation describe-stacks --query Stacks[].Outputs[?Key=='a'].OutputValue", "there is no Key"),
        ("aws cloudformation deploy --stack petapi --template-file deployer.yaml", "has no --stack"),
        ("aws s3 ls s3://b --recurse", "has no --recurse"),
    ],
)
def test_a_call_that_the_cli_does_not_have_is_found(line: str, fault: str | None, tmp_path: Path) -> None:
    assert_fault(re.sub(r"(\S*\[\S*)", r'"\1"', line), fault, tmp_path)


def assert_fault(line: str, fault: str | None, folder: Path) -> None:
    (call,) = aws_commands.calls([Block(FIRST_HOUR, 1, frozenset({"aws"}), line + "\n")], folder)
    found = " ".join(aws_commands.faults(call))
    assert (fault in found) if fault else (found == "")


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ('{"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {}}]}', None),
        ('{"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {}]}', "is no JSON"),
        ('{"Rules": [{"Id": "a", "Status": "Enabled", "Filter": {}}]}', "Unknown parameter"),
        ('{"Rules": [{"ID": "a", "Filter": {}}]}', "Missing required parameter"),
        ('{"Rules": [{"Status": "On", "Filter": {}}]}', "has no On"),
        ('{"Rules": {"Status": "Enabled"}}', "Invalid type"),
    ],
)
def test_json_is_read_as_the_structure_that_it_is(rules: str, fault: str | None, tmp_path: Path) -> None:
    option = f"--lifecycle-configuration '{rules}'"
    assert_fault(f"aws s3api put-bucket-lifecycle-configuration --bucket b {option}", fault, tmp_path)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ('{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}', None),
        ('{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"', "is no JSON"),
        ('{"Effect": "Deny", "Actions": "s3:GetObject", "Resource": "*"}', "Syntax errors in policy"),
        ('{"Effect": "Deny", "Action": "s3:GetObject"}', "Policy statement must contain resources"),
    ],
)
def test_a_policy_in_an_argument_is_one(statement: str, fault: str | None, tmp_path: Path) -> None:
    policy = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
    names = "--role-name r --policy-name p"
    assert_fault(f"aws iam put-role-policy {names} --policy-document '{policy}'", fault, tmp_path)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("Aliases[].[Name, FunctionVersion]", None),
        ("Aliases[].[Name, Version]", "there is no Version"),
        ("Aliases[?Name=='a' && Version=='1'].Name", "there is no Version"),
        ("Aliases[?Version].Name", "there is no Version"),
        ("Aliases[?starts_with(Version, 'a')].Name", "there is no Version"),
        ("Aliases[].{a: Name} | [].a", None),
        ("Aliases[].{a: Name} | [].b", "there is no b"),
        ("Aliases[].{a: Version}", "there is no Version"),
        ("sort_by(Aliases, &Name)[-1].FunctionVersion", None),
        ("sort_by(Aliases, &Version)[-1].Name", "there is no Version"),
        ("sort_by(Aliases, &Name)[-1].Version", "there is no Version"),
        ("length(Alias)", "there is no Alias"),
        ("Aliases[0] | Version", "there is no Version"),
        ("Aliases[0].RoutingConfig.AdditionalVersionWeights.*", None),
        ("Aliases[:2].Name", None),
        ("Aliases.Name", "there is no Name"),
        ("NextMarker[0]", "is no list"),
        ("NextMarker || Marker", "there is no Marker"),
        ("Aliases[", "is no query"),
    ],
)
def test_a_query_finds_what_the_answer_has(query: str, fault: str | None, tmp_path: Path) -> None:
    assert_fault(f'aws lambda list-aliases --function-name f --query "{query}"', fault, tmp_path)


@pytest.mark.parametrize(("state", "fault"), [("ALARM", None), ("LOUD", "StateValue is never LOUD")])
def test_a_query_compares_with_what_can_be_there(state: str, fault: str | None, tmp_path: Path) -> None:
    query = f"MetricAlarms[?StateValue=='{state}'].AlarmName"
    assert_fault(f'aws cloudwatch describe-alarms --query "{query}"', fault, tmp_path)


PAGE = """## One

```sh aws
```

`$TOLD` and `ALSO` are names.

## Two

`LATER` is a name.
"""


@pytest.mark.parametrize(
    ("commands", "is_set"),
    [
        ("echo $TOLD ${ALSO}", True),
        ("SET=1; echo $SET", True),
        ("echo $LATER", False),
        ("echo $UNSET; UNSET=1", False),
        ('echo "${UNSET}"', False),
        ("(INNER=1); echo $INNER", False),
        ("use() { echo $1 $UNSET; }; use it", False),
        ("echo '$UNSET'", True),
    ],
)
def test_a_variable_that_nobody_sets_is_found(commands: str, is_set: bool, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    block = Block(page, 3, frozenset({"aws"}), commands + "\n")
    if is_set:
        aws_commands.calls([block], tmp_path)
    else:
        with pytest.raises(AssertionError, match="unbound variable"):
            aws_commands.calls([block], tmp_path)
