"""The enforcer function, told whose usage has changed, and not waited for."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from quota_enforcer.aws.messaging.chunks import fitting
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MOST_NAMES: Final = 1_000
"""In one invocation, so that its sweep ends within the function's time."""
MOST_BYTES: Final = 190_000
"""Of names in one invocation.

Lambda has taken 256 KB for an asynchronous one for long:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class EnforcerWake:
    """The `Wake`: as many asynchronous invocations of one function as the names need."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def wake(self, principals: Collection[Principal]) -> None:
        """Have the enforcer look at these, and only these; no call where there are none."""
        # Already as JSON, since escapes make a name longer.
        names = [json.dumps(name) for name in sorted({str(each) for each in principals})]
        for group in fitting(names, count=MOST_NAMES, size=MOST_BYTES):
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=f'{{"action": "wake", "principals": [{", ".join(group)}]}}',
            )
