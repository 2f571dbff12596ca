"""AWS clients that give one answer."""

from typing import Any, cast

import boto3
from botocore.stub import Stubber


def stubbed(service: str, operation: str, answer: dict[str, Any], **request: Any) -> Any:
    """A client that gives one answer, or with `error` in it refuses."""
    client: Any = boto3.Session("testing", "testing", region_name="us-east-1").client(
        cast("Any", service)
    )
    stubber = Stubber(client)
    if "error" in answer:
        stubber.add_client_error(operation, answer["error"], expected_params=request or None)
    else:
        stubber.add_response(operation, answer, request or None)
    stubber.activate()
    return client
