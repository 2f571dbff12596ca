"""Items are handed on as they came, and are read as botocore would have parsed them."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from quota_enforcer.aws.dynamo import Expression, Table, plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVERYTHING = Expression("#pk = :pk", {"pk": "p"})
ONE_OF_EACH = {
    "pk": {"S": "p"},
    "number": {"N": "1.50"},
    "binary": {"B": "AAE="},
    "binaries": {"BS": ["AA==", "AQ=="]},
    "map": {"M": {"inner": {"B": "AAE="}, "none": {"NULL": True}}},
    "list": {"L": [{"B": "AAE="}, {"BOOL": False}]},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
}


def answering(status: int, body: bytes) -> "DynamoDBClient":
    """A client whose network always gives this answer."""
    client = boto3.Session("testing", "testing", region_name="us-east-1").client(
        "dynamodb", config=Config(retries={"total_max_attempts": 1})
    )
    response = AWSResponse("https://dynamodb", status, {}, None)
    response._content = body  # noqa: SLF001 - where botocore keeps what it has read

    def answer(**_: Any) -> AWSResponse:
        return response

    client.meta.events.register("before-send.dynamodb.*", answer)
    return client


def test_every_type_is_read_as_ever() -> None:
    body = json.dumps({"Items": [ONE_OF_EACH], "Count": 1, "ScannedCount": 1}).encode()
    [raw] = Table(answering(200, body), "table").query(EVERYTHING)
    parsed = boto3.Session("testing", "testing", region_name="us-east-1").client("dynamodb")
    assert raw == plain(_parsed(parsed, body))
    assert raw["number"] == Decimal("1.50")
    assert raw["map"] == {"inner": b"\x00\x01", "none": None}


def _parsed(client: "DynamoDBClient", body: bytes) -> Any:
    """The item as botocore parses it."""
    response = AWSResponse("https://dynamodb", 200, {}, None)
    response._content = body  # noqa: SLF001 - as above
    client.meta.events.register("before-send.dynamodb.*", lambda **_: response)
    return client.query(TableName="table", KeyConditionExpression="pk = p")["Items"][0]


@pytest.mark.parametrize(
    "body", [b"<html>Service Unavailable</html>", b'{"__type": "ThrottlingException"}', b""]
)
def test_an_error_stays_an_error_whatever_it_says(body: bytes) -> None:
    with pytest.raises(ClientError):
        list(Table(answering(503, body), "table").query(EVERYTHING))
