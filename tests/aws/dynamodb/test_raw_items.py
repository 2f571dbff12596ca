"""Items are handed on as they came, and are read as botocore would have parsed them."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.dynamodb.wire import plain

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


def a_client(status: int, body: bytes) -> "DynamoDBClient":
    """A client whose network always gives this answer."""
    client = boto3.Session("testing", "testing", region_name="us-east-1").client(
        "dynamodb", config=Config(retries={"total_max_attempts": 1})
    )
    no_headers: Any = {}
    response: Any = AWSResponse("https://dynamodb", status, no_headers, None)
    response._content = body  # noqa: SLF001 - where botocore keeps what it has read
    events: Any = client.meta.events
    events.register("before-send.dynamodb.*", lambda **_: response)
    return client


def test_every_type_is_read_as_ever() -> None:
    body = json.dumps({"Items": [ONE_OF_EACH], "Count": 1, "ScannedCount": 1}).encode()
    [raw] = Table(a_client(200, body), "table").query(EVERYTHING)
    parsed = a_client(200, body).query(TableName="table", KeyConditionExpression="pk = p")
    assert raw == plain(parsed["Items"][0])
    assert raw["number"] == Decimal("1.50")
    assert raw["map"] == {"inner": b"\x00\x01", "none": None}


def test_so_is_every_type_of_a_batch() -> None:
    asked: Any = {"RequestItems": {"table": {"Keys": [{"pk": {"S": "p"}}]}}}
    body = json.dumps({"Responses": {"table": [ONE_OF_EACH]}, "UnprocessedKeys": {}}).encode()
    client = a_client(200, body)
    [raw] = Table(client, "table").batch_get([{"pk": "p"}])
    assert raw == plain(a_client(200, body).batch_get_item(**asked)["Responses"]["table"][0])
    assert client.batch_get_item(**asked)["Responses"] == {"table": [ONE_OF_EACH]}, "as it came"


@pytest.mark.parametrize(
    "body", [b"<html>Service Unavailable</html>", b'{"__type": "ThrottlingException"}', b""]
)
def test_an_error_stays_an_error_whatever_it_says(body: bytes) -> None:
    with pytest.raises(ClientError):
        list(Table(a_client(503, body), "table").query(EVERYTHING))
    with pytest.raises(ClientError):
        list(Table(a_client(503, body), "table").batch_get([{"pk": "p"}]))
