"""Items as DynamoDB sends them, for reading very many.

botocore checks every attribute of every item against its model, which takes ten times as long as to
decode the JSON.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def leave_raw(client: "DynamoDBClient", operation: str) -> None:
    """Have a client hand on the items of an operation's answers as they came.

    What it says then differs in one thing: binary values stay in base64.
    """
    client.meta.events.register(
        f"before-parse.dynamodb.{operation}", _take_out_items, unique_id=f"raw-items-{operation}"
    )


def _take_out_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """What stands in the second is added to the answer once the rest of it was parsed."""
    if response_dict["status_code"] >= 300:  # noqa: PLR2004 - from here on HTTP tells of errors
        return
    answer = json.loads(response_dict["body"])
    customized_response_dict["Items"] = answer.pop("Items", [])
    response_dict["body"] = json.dumps(answer).encode()
