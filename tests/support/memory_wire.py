"""The AWS in memory, behind HTTP: it answers what botocore would send, so that botocore is tested, too."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import urllib3
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from tests.support import memory_aws
from tests.support.memory_aws import World

ENDPOINT = "http://memory.test"  # by HTTP, over which botocore sends bodies as they are
MODIFIED = "2026-01-01T00:00:00.000Z"
EVERYTHING = 10**6  # items of a Query that names no limit

Body = tuple[int, dict[str, str], bytes]  # status, headers and content


class MemoryWire:
    """DynamoDB, S3 and SSM over this world; SSM has these parameters."""

    def __init__(self, world: World, parameters: Mapping[str, str]) -> None:
        self._world, self._parameters = world, parameters
        self._dynamodb, self._s3 = memory_aws.DynamoDB(world), memory_aws.S3(world)
        self._tokens: set[str] = set()  # of transactions that are done; DynamoDB does none twice

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Return AWS's response to one HTTP attempt."""
        status, headers, content = self._json(request) if "X-Amz-Target" in request.headers else self._rest(request)
        headers = {"Content-Length": str(len(content)), **headers}  # without it nobody notices a body that breaks off
        stream = urllib3.HTTPResponse(io.BytesIO(content), headers, status, preload_content=False)
        return AWSResponse(request.url, status, stream.headers, stream)

    # --- DynamoDB and SSM ---

    def _json(self, request: AWSPreparedRequest) -> Body:
        target: Any = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        status, document = 200, {}
        try:
            document = getattr(self, f"_{xform_name(operation)}")(**json.loads(request.body))
        except ClientError as error:
            status, document = 400, {**error.response, "__type": error.response["Error"]["Code"]}
        return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(document).encode()

    def _get_parameters(self, Names: list[str], **_: Any) -> Any:
        found = [{"Name": name, "Value": self._parameters[name]} for name in Names if name in self._parameters]
        return {"Parameters": found}

    def _get_item(self, ConsistentRead: bool = False, **given: Any) -> Any:
        return self._dynamodb.get_item(ConsistentRead=ConsistentRead, **given)

    def _batch_get_item(self, RequestItems: Any) -> Any:
        return self._dynamodb.batch_get_item(RequestItems=RequestItems)

    def _query(self, ConsistentRead: bool = False, Limit: int = EVERYTHING, **given: Any) -> Any:
        if ">=" in given["KeyConditionExpression"]:  # only reconcile asks for these
            (page,) = self._dynamodb.get_paginator("query").paginate(ConsistentRead=ConsistentRead, **given)
            return page
        return self._dynamodb.query(ConsistentRead=ConsistentRead, Limit=Limit, **given)

    def _scan(self, **given: Any) -> Any:
        (page,) = self._dynamodb.get_paginator("scan").paginate(**given)
        return page

    def _transact_get_items(self, **given: Any) -> Any:
        return self._dynamodb.transact_get_items(**given)

    def _transact_write_items(self, TransactItems: list[Any], ClientRequestToken: str) -> Any:
        if ClientRequestToken not in self._tokens:
            self._dynamodb.transact_write_items(TransactItems=TransactItems)
            self._tokens.add(ClientRequestToken)
        return {}

    # --- S3 ---

    def _rest(self, request: AWSPreparedRequest) -> Body:
        target = urlsplit(request.url)
        bucket, key = target.netloc.partition(".")[0], unquote(target.path[1:])
        query = {name: values[0] for name, values in parse_qs(target.query, keep_blank_values=True).items()}
        try:
            return self._object(request, bucket, key, query) if key else self._bucket(request, bucket, query)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return 403, {}, f"<Error><Code>{code}</Code><Message/></Error>".encode()

    def _object(self, request: AWSPreparedRequest, bucket: str, key: str, query: dict[str, str]) -> Body:
        if request.method == "PUT":
            answer = self._s3.put_object(Bucket=bucket, Key=key, Body=_bytes(request.body))
            return 200, {"x-amz-version-id": answer["VersionId"]} if answer else {}, b""
        if request.method == "DELETE":
            self._s3.delete_object(Key=key, VersionId=query["versionId"])
            return 204, {}, b""
        if request.method == "HEAD":
            found = self._world.objects.get(key, {}).get(query["versionId"])
            return (404, {}, b"") if found is None else (200, {"Content-Length": str(len(found))}, b"")
        found = self._s3.get_object(Bucket=bucket, Key=key, VersionId=query.get("versionId", ""))
        return 200, {}, found["Body"].read()

    def _bucket(self, request: AWSPreparedRequest, bucket: str, query: dict[str, str]) -> Body:
        if "delete" in query:
            assert bucket == memory_aws.THUMBNAILS
            keys = re.findall("<Key>(.*?)</Key>", _bytes(request.body).decode())
            self._s3.delete_objects(Delete={"Objects": [{"Key": key} for key in keys]})
            return 200, {}, b"<DeleteResult/>"
        assert "versions" in query, request.url
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        (page,) = self._s3.get_paginator("list_object_versions").paginate(Prefix=prefix, Delimiter=delimiter)
        return 200, {}, _listing(page)


def _listing(page: Any) -> bytes:
    """Return the XML of ListObjectVersions."""
    root = ET.Element("ListVersionsResult")
    ET.SubElement(root, "IsTruncated").text = "false"
    for version in page.get("Versions", []):
        found = ET.SubElement(root, "Version")
        values = {
            "Key": version["Key"],
            "VersionId": version["VersionId"],
            "LastModified": MODIFIED,
            "Size": str(version["Size"]),
        }
        for name, value in values.items():
            ET.SubElement(found, name).text = value
    for prefix in page.get("CommonPrefixes", []):
        ET.SubElement(ET.SubElement(root, "CommonPrefixes"), "Prefix").text = prefix["Prefix"]
    return ET.tostring(root)


def _bytes(body: Any) -> bytes:
    """Return a request's body, which botocore has as bytes or as a file."""
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())
