"""S3 Vectors as one more service of ministack: its router, its check of policies and its CloudFormation know it.

A ministack that brings the service itself keeps its own, and nothing of this is used.
"""

import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from tools.local.vectors import policies, wire
from tools.local.vectors.mending import Resource
from tools.local.vectors.refused import Refused
from tools.local.vectors.service import Vectors
from tools.local.vectors.stack_types import REPLACING, StackTypes, owner_of

SERVICE = "s3vectors"  # what requests are signed for

logger = logging.getLogger(__name__)


def install(ministack: SimpleNamespace, vectors: Vectors) -> Vectors | None:
    """Let ministack's modules serve `vectors`, and return it, or None if they know such a service already."""
    if SERVICE in ministack.app.SERVICE_HANDLERS:
        logger.warning("the emulator has a service %s of its own, which is used instead of ours", SERVICE)
        return None
    actions = ministack.iam_actions
    ministack.router.SERVICE_PATTERNS[SERVICE] = {"host_patterns": [r"s3vectors\."]}
    ministack.app.SERVICE_HANDLERS[SERVICE] = _handler(ministack, vectors)
    actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    actions.extract_iam_action = _with_action(actions.extract_iam_action)
    actions.extract_resource_arn = _with_resource(actions.extract_resource_arn, vectors.account)
    ministack.provisioners._RESOURCE_HANDLERS |= StackTypes(vectors, ministack.provisioners._physical_name).handlers()
    ministack.provisioners._REPLACING_PROPERTIES |= REPLACING
    return vectors


def resources(cloudformation: Any) -> list[Resource]:
    """Return the buckets and indexes of all stacks, as CloudFormation knows them."""
    return [
        Resource(each["ResourceType"], owner_of(stack["StackName"], logical_id), each["Properties"], arn)
        for _, stack in cloudformation._stacks.all_items()
        for logical_id, each in stack.get("_resources", {}).items()
        if each["ResourceType"] in REPLACING and (arn := each["PhysicalResourceId"])
    ]


def _handler(ministack: SimpleNamespace, vectors: Vectors) -> Callable[..., Any]:
    """Return what answers a request whose own action is allowed."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Any]
    ) -> wire.Answer:
        if denial := _denial_of_further_action(ministack, vectors, path, headers, body, query):
            return denial
        return await wire.respond(vectors, method, path, body)

    return handle


def _denial_of_further_action(
    ministack: SimpleNamespace,
    vectors: Vectors,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: Mapping[str, Any],
) -> wire.Answer | None:
    """Return the refusal of a request that needs a second action which its caller may not do."""
    operation = wire.operation_of(path)
    if operation not in policies.NEED_MORE:
        return None
    request = _request(body)
    if not (action := policies.further_action(operation, request)):
        return None
    arn = policies.resource(operation, request, vectors.account)
    key, region = ministack.router.extract_access_key_id(headers, query), ministack.responses.get_region()
    denied = ministack.iam_evaluator.enforce(key, action, SERVICE, region, resource_arn=arn)
    if not denied:
        return None
    return ministack.iam_actions.access_denied_response(  # type: ignore[no-any-return]
        SERVICE, action, denied.principal_arn, "", headers=headers, resource_arn=arn
    )


def _with_action(extract_iam_action: Callable[..., str | None]) -> Callable[..., str | None]:
    """Let only the path say what a request is: ministack believes a parameter `Action` and a header first."""

    def extract(service: str, method: str, path: str, *rest: Any) -> str | None:
        if service == SERVICE:
            return policies.action(wire.operation_of(path))
        return extract_iam_action(service, method, path, *rest)

    return extract


def _with_resource(extract_resource_arn: Callable[..., str], account: str) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == SERVICE:
            return policies.resource(wire.operation_of(path), _request(body), account)
        return extract_resource_arn(service, method, path, headers, body, *rest)

    return extract


def _request(body: bytes) -> dict[str, Any]:
    """Return the members of a request, none if it has to be refused."""
    try:
        return wire.request_of(body)
    except Refused:
        return {}
