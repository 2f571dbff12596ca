"""Items as DynamoDB sends them, for reading very many.

botocore checks every attribute of every item against its model of the service, which takes ten
times as long as to decode the JSON.
"""

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MANY = ("Query", "Scan")
"""The operations that answer with very many items."""
_ERROR = 300


def keep_wire_format(client: "DynamoDBClient") -> None:
    """Have a client hand on the items of queries and scans as they came."""
    for operation in _MANY:
        event = f"before-parse.dynamodb.{operation}"
        client.meta.events.register(event, _take_out_items, unique_id=f"raw-items-{operation}")


def decoded(value: Any) -> Any:
    """A value as botocore would have parsed it: only binary ones differ from how they came."""
    match value:
        case {"B": str(text)}:
            return {"B": b64decode(text)}
        case {"BS": texts}:
            return {"BS": [b64decode(each) if isinstance(each, str) else each for each in texts]}
        case _:
            return value


def _take_out_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """What is in the second is added to the answer once the rest of it was parsed."""
    if response_dict["status_code"] >= _ERROR:
        return
    answer = json.loads(response_dict["body"])
    customized_response_dict["Items"] = answer.pop("Items", [])
    response_dict["body"] = json.dumps(answer).encode()
