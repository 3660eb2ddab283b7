"""The forms that take files to S3: each is signed by us, for one file of limited size and one key, for some minutes."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from shared import aws
from shared.limits import FILE_MAX
from shared.uploads.incoming import IncomingBucket
from tests.support import pictures
from tests.support.direct import ask, client, curl, ended, files, resource, state_of
from tests.support.hosts import new_label
from tests.support.local_service import LocalService, send
from tests.support.pictures import File, multipart_body


def form_of(running: LocalService, key: str, session: boto3.Session | None = None, lifetime: int = 60) -> Any:
    """Return a form for this key, signed by the account's owner or by the owner of this session."""
    signer = (session or running.aws()).client("s3", endpoint_url=running.aws_endpoint, config=aws.S3_CONFIG)
    return IncomingBucket(signer, resource(running, "IncomingBucket")).create_form(key, lifetime)


def test_a_file_of_one_byte_too_many_or_none_at_all_is_refused(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    for size, code in ((FILE_MAX + 1, "EntityTooLarge"), (2 * FILE_MAX, ""), (0, "EntityTooSmall")):
        status, body = curl(**upload["upload_info"], content=bytes(size), folder=tmp_path)
        assert status in (400, 403), (size, body)
        assert code in body
    assert state_of(running, upload)["state"] == "waiting"
    assert files(running) == []


def test_a_file_of_exactly_the_limit_is_taken(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    assert curl(**upload["upload_info"], content=bytes(FILE_MAX), folder=tmp_path)[0] == 204
    assert ended(running, upload)["state"] == "failed"


TAMPERED: dict[str, dict[str, str]] = {
    "a key of another upload": {"key": "incoming/0123456789abcdef0123456789abcdef"},
    "a key beside them": {"key": "evil"},
    "a key that the file's name completes": {"key": "incoming/${filename}"},
    "another bucket": {"bucket": "petapi-artifacts"},
    "another signature": {"x-amz-signature": "0" * 64},
    "another credential": {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request"},
    "another token": {"x-amz-security-token": "token"},
    "an open policy": {"policy": "eyJleHBpcmF0aW9uIjogIjIwOTktMDEtMDFUMDA6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbXX0="},
    "a field more": {"acl": "public-read"},
    "a page to lead to": {"success_action_redirect": "https://example.com/"},
}


@pytest.mark.parametrize("content_type", ["image/png", "text/html", "a, b", ""])
def test_a_form_may_name_any_type(running: LocalService, tmp_path: Path, content_type: str) -> None:
    upload = ask(running, label=new_label())
    form = upload["upload_info"]
    fields = form["fields"] | {"Content-Type": content_type}
    assert curl(form["url"], fields, pictures.png(1), tmp_path)[0] == 204
    assert ended(running, upload)["image"]["contentType"] == "image/png"


def test_a_form_has_a_type_because_s3_refuses_one_without(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    form = upload["upload_info"]
    without = {name: value for name, value in form["fields"].items() if name != "Content-Type"}
    status, body = curl(form["url"], without, pictures.png(1), tmp_path)
    assert (status, "$Content-Type" in body) == (403, True)
    assert curl(form["url"], form["fields"], pictures.png(1), tmp_path)[0] == 204
    ended(running, upload)  # the next test wants no file in the bucket


@pytest.mark.parametrize("change", TAMPERED)
def test_a_tampered_form_is_refused(running: LocalService, tmp_path: Path, change: str) -> None:
    upload = ask(running, label=new_label())
    form = upload["upload_info"]
    status, body = curl(form["url"], form["fields"] | TAMPERED[change], pictures.png(1), tmp_path)
    assert status in (400, 403), body
    assert state_of(running, upload)["state"] == "waiting"
    assert files(running) == []


def test_a_form_is_good_for_its_bucket_alone(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    form = upload["upload_info"]
    for other in ("petapi-artifacts", resource(running, "Bucket"), resource(running, "ThumbnailBucket")):
        url = form["url"].replace(resource(running, "IncomingBucket"), other)
        assert url != form["url"]
        assert curl(url, form["fields"], pictures.png(1), tmp_path)[0] == 403
        with pytest.raises(ClientError, match="404"):
            client(running, "s3").head_object(Bucket=other, Key=form["fields"]["key"])
    assert state_of(running, upload)["state"] == "waiting"


def test_an_expired_form_is_refused_and_said_to_be(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    expired = form_of(running, f"incoming/{upload['id']}", lifetime=-1)
    status, body = curl(**expired, content=pictures.png(1), folder=tmp_path)
    assert status == 403
    assert "expired" in body
    assert state_of(running, upload)["state"] == "waiting"
    assert files(running) == []


def test_a_form_that_nobody_or_somebody_else_signed_is_refused(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    form = upload["upload_info"]
    unsigned = {name: value for name, value in form["fields"].items() if not name.startswith("x-amz-")}
    without_policy = {"key": form["fields"]["key"]}
    others = form_of(running, form["fields"]["key"], boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret"))["fields"]
    for fields in (unsigned, without_policy, others):
        assert curl(form["url"], fields, pictures.png(1), tmp_path)[0] == 403
    assert state_of(running, upload)["state"] == "waiting"
    assert files(running) == []


def test_a_form_of_a_function_that_may_not_store_files_is_refused(running: LocalService, tmp_path: Path) -> None:
    upload = ask(running, label=new_label())
    sts, role = client(running, "sts"), resource(running, "RandomFunctionRole")
    given = sts.assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="test")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    form = form_of(running, f"incoming/{upload['id']}", session)
    assert curl(**form, content=pictures.png(1), folder=tmp_path)[0] == 403
    assert files(running) == []


# -- the guard of `make run` ------------------------------------------------------------------------------------------


def posted(running: LocalService, target: str, body: bytes, content_type: str, **headers: str) -> tuple[int, bytes]:
    """Return the response of the AWS endpoints to a form."""
    host = running.aws_endpoint.removeprefix("http://")
    answer = send(host, "POST", target, body, {"Content-Type": content_type, **headers})
    return answer.status, answer.body


BY_THE_GUARD = b"Sign the request; see aws.env."
A_CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request"


@pytest.mark.parametrize("key", ["", "test", "000000000000"])
def test_a_form_with_a_key_that_everybody_knows_is_refused(running: LocalService, key: str) -> None:
    bucket = resource(running, "IncomingBucket")
    fields = form_of(running, "incoming/x", boto3.Session(key or "x", "test"))["fields"]
    fields["x-amz-credential"] = f"{key}/20260101/us-east-1/s3/aws4_request"
    body, content_type = multipart_body([*fields.items(), ("file", File(b"x", name=key))])
    plain = body.replace(b'name="x-amz-credential"', b"name=X-Amz-Credential")
    hidden = plain.replace(b"\r\n\r\nx\r\n", b'\r\n\r\nname="x-amz-credential"\r\n\r\nAKIAX/\r\n')
    by_name = body.replace(b"\r\n\r\n%s/" % key.encode(), b"\r\n\r\n${filename}/")
    for form in (body, plain, hidden, by_name):
        status, answer = posted(running, f"/{bucket}", form, content_type)
        assert (status, BY_THE_GUARD in answer) == (403, True), answer
    assert files(running) == []


def test_a_form_with_two_credentials_or_none_is_refused(running: LocalService) -> None:
    bucket, file = resource(running, "IncomingBucket"), ("file", File(b"x"))
    key, mine = ("key", "incoming/x"), ("x-amz-credential", A_CREDENTIAL)
    for others in ([], [mine, mine], [mine, ("AWSAccessKeyId", "test")], [("X-AMZ-CREDENTIAL", A_CREDENTIAL), mine]):
        status, answer = posted(running, f"/{bucket}", *multipart_body([key, *others, file]))
        assert (status, BY_THE_GUARD in answer) == (403, True), (others, answer)
    assert files(running) == []


def test_a_form_opens_nothing_but_a_bucket(running: LocalService) -> None:
    """Its credential does not make up for one that is missing elsewhere."""
    body, content_type = multipart_body([("x-amz-credential", A_CREDENTIAL), ("file", File(b"x"))])
    bucket = resource(running, "IncomingBucket")
    for target, headers in {
        "/": {"X-Amz-Target": "DynamoDB_20120810.ListTables"},
        f"/{bucket}": {"X-Amz-Target": "DynamoDB_20120810.ListTables"},
        f"/{bucket}?delete": {},
        f"/{bucket}?X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request": {},
        f"/{bucket}/incoming/x": {},
        "/?Action=ListUsers&Version=2010-05-08": {},
        "/2015-03-31/functions/petapi/invocations": {},
    }.items():
        status, answer = posted(running, target, body, content_type, **headers)
        assert (status, BY_THE_GUARD in answer) == (403, True), (target, answer)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("iam.us-east-1.amazonaws.com", "/abc"),
        ("iam.localhost:{port}", "/abc"),
        ("cloudformation.localhost:{port}", "/abc"),
        ("sqs.localhost:{port}", "/abc"),
        ("127.0.0.1.pets.test:{port}", "/abc"),
        ("127.0.0.1:{port}", "/clusters"),
        ("127.0.0.1:{port}", "/tasks"),
    ],
)
def test_a_form_opens_no_other_service_whatever_host_it_names(running: LocalService, host: str, path: str) -> None:
    """Who shows no key to these is the owner for ministack, and a page elsewhere could send such a form."""
    action = "&Action=CreateUser&UserName=mallory&Version=2010-05-08&x="
    body, content_type = multipart_body([("x-amz-credential", A_CREDENTIAL), ("x", action), ("file", File(b"x"))])
    named = host.format(port=running.aws_endpoint.rpartition(":")[2])
    status, answer = posted(running, path, body, content_type, Host=named)
    assert (status, BY_THE_GUARD in answer) == (403, True), answer
    assert running.aws().client("iam", endpoint_url=running.aws_endpoint).list_users()["Users"] == []


def test_pages_may_post_to_the_bucket_of_incoming_files_and_do_nothing_else(running: LocalService) -> None:
    host = running.aws_endpoint.removeprefix("http://")
    origin = {"Origin": "https://pets.test"}
    for bucket, method, allowed in (
        (resource(running, "IncomingBucket"), "POST", "*"),
        (resource(running, "IncomingBucket"), "PUT", None),
        (resource(running, "IncomingBucket"), "GET", None),
        (resource(running, "Bucket"), "POST", None),
        (resource(running, "ThumbnailBucket"), "POST", None),
    ):
        answer = send(host, "OPTIONS", f"/{bucket}", None, origin | {"Access-Control-Request-Method": method})
        assert answer.headers.get("access-control-allow-origin") == allowed, (bucket, method)
        assert (answer.status == 200) == (allowed == "*")
        assert (BY_THE_GUARD in answer.body) == (method != "POST")


def test_a_page_may_read_what_the_bucket_answers_to_its_form(running: LocalService) -> None:
    form = ask(running, label=new_label())["upload_info"]
    body, content_type = multipart_body([*form["fields"].items(), ("file", File(pictures.png(1)))])
    host = running.aws_endpoint.removeprefix("http://")
    target = form["url"].removeprefix(running.aws_endpoint)
    answer = send(host, "POST", target, body, {"Content-Type": content_type, "Origin": "https://pets.test"})
    assert (answer.status, answer.headers.get("access-control-allow-origin")) == (204, "*")
