"""What a trail says of Bedrock: calls by hour, place, caller and operation.

https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
https://docs.aws.amazon.com/bedrock/latest/userguide/logging-cloudtrail-mantle.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

LOGGED: Final = frozenset(
    {"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"}
)
"""The operations of which Bedrock's invocation log has a record of every call."""

UNLOGGED: Final[Mapping[str, str]] = {
    "CreateInference": "the bedrock-mantle endpoint",
    "CreateModelInvocationJob": "batch jobs",
    "InvokeModelWithBidirectionalStream": "speech in both directions",
    "StartAsyncInvoke": "asynchronous calls",
}
"""Those of which it has none, with what they use; most are data events, which a trail has to ask
for.
"""


@dataclass(frozen=True, slots=True)
class TrailRow:
    """Calls of one hour that succeeded; `hour` is the start in UTC of the local clock hour.

    `with_tokens` of them say how many tokens went in and out: those of Converse do.
    """

    hour: datetime
    account: str
    region: str
    arn: str
    """Empty for a caller that has none, which is a service of AWS."""
    event: str
    calls: int
    with_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TrailRead:
    """The rows of a log group; not `complete` if there are more than can be fetched."""

    rows: Sequence[TrailRow]
    complete: bool = True
