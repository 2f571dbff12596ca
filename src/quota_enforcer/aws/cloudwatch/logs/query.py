"""One query of Logs Insights, waited for until it has its result."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from quota_enforcer.core.errors import EnforcerError

MOST_ROWS: Final = 10_000
"""Of one query's result.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""
_PATIENCE: Final = 120
"""Seconds for one query; AWS ends one after an hour."""
_PAUSE: Final = 1.0
_UNDER_WAY: Final = frozenset({"Scheduled", "Running"})


class LogsQueryClient(Protocol):
    """The part of boto3's `logs` client that is used here."""

    def start_query(self, **request: Any) -> Any:
        """Begin a query."""

    def get_query_results(self, **request: Any) -> Any:
        """How far a query is, and what it found."""


class QueryUnread(EnforcerError):
    """A query ended without a result, or takes too long."""


class InsightsQueries:
    """Queries of one log group."""

    def __init__(
        self, client: LogsQueryClient, group: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self.group = group
        self._wait = wait

    def ask(self, query: str, start: datetime, last: int) -> list[Mapping[str, str]]:
        """Its rows; `last` is the last second, in Unix time, that belongs to it.

        Raises QueryUnread, and what boto3 raises.
        """
        answer = self._client.start_query(
            logGroupName=self.group,
            startTime=int(start.timestamp()),
            endTime=last,
            queryString=query,
        )
        waited = 0.0
        while True:
            result = self._client.get_query_results(queryId=answer["queryId"])
            if result["status"] not in _UNDER_WAY:
                break
            if waited >= _PATIENCE:
                raise QueryUnread(
                    f"the query of {self.group} is not done after {_PATIENCE} seconds; try again"
                )
            self._wait(_PAUSE)
            waited += _PAUSE
        if result["status"] != "Complete":
            raise QueryUnread(f"the query of {self.group} ended as {result['status']}; try again")
        return [{each["field"]: each.get("value", "") for each in row} for row in result["results"]]
