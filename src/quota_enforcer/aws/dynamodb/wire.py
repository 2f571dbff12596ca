"""Items as DynamoDB sends and takes them, and the same in plain Python.

botocore checks every attribute of every item against its model of the service, which takes ten
times as long as to decode the JSON. So the items of queries, scans and batches are handed on as
they came.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Plain = Mapping[str, Any]
"""An item, or some attributes of one, in the types that boto3's serializer knows; no floats."""

_MANY: Mapping[str, str] = {"Query": "Items", "Scan": "Items", "BatchGetItem": "Responses"}
"""The operations that answer with very many items, and where their answers have them."""
_ERROR = 300
_TO_WIRE = TypeSerializer()
_FROM_WIRE = TypeDeserializer()


def wire(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client takes them."""
    return {name: _TO_WIRE.serialize(value) for name, value in attributes.items()}


def plain(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client gives them, in plain Python.

    Numbers and texts are nearly all there is, and boto3 takes three times as long for them.
    """
    number = DYNAMODB_CONTEXT.create_decimal
    return {
        name: number(value["N"]) if "N" in value else value["S"] if "S" in value else _nested(value)
        for name, value in attributes.items()
    }


def keep_wire_format(client: "DynamoDBClient") -> None:
    """Have a client hand on the items of queries, scans and batches as they came."""
    for operation, items in _MANY.items():
        event = f"before-parse.dynamodb.{operation}"
        take_out = partial(_take_out, items)
        client.meta.events.register(event, take_out, unique_id=f"raw-items-{operation}")


def _nested(value: Any) -> Any:
    """What is neither a number nor a text."""
    if "M" in value:
        return plain(value["M"])
    if "L" in value:
        return [each for member in value["L"] for each in plain({"": member}).values()]
    return _FROM_WIRE.deserialize(_decoded(value))


def _decoded(value: Any) -> Any:
    """A value as botocore would have parsed it: only binary values differ from how they came."""
    match value:
        case {"B": str(text)}:
            return {"B": b64decode(text)}
        case {"BS": texts}:
            return {"BS": [b64decode(each) if isinstance(each, str) else each for each in texts]}
        case _:
            return value


def _take_out(
    items: str, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Take the items out before botocore parses; it adds the second dict to its parsed answer."""
    if response_dict["status_code"] >= _ERROR:
        return
    answer = json.loads(response_dict["body"])
    if items in answer:
        customized_response_dict[items] = answer.pop(items)
    response_dict["body"] = json.dumps(answer).encode()
