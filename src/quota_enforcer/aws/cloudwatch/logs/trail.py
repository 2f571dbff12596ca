"""A CloudTrail trail's log group, read by one query of Logs Insights for each stretch of time.

CloudTrail's own event history cannot be counted: it gives 50 events a call, two calls a second.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.aws.cloudwatch.logs.query import (
    MOST_ROWS,
    InsightsQueries,
    LogsQueryClient,
)
from quota_enforcer.core.usage.window import HOUR, hour_start
from quota_enforcer.doctor.witness.trail import LOGGED, UNLOGGED, TrailRead, TrailRow

_LATE: Final = timedelta(minutes=30)
"""CloudTrail delivers within some 15 minutes."""
_SUMS: Final = {
    "calls": "count(*)",
    "with_tokens": "count(additionalEventData.inputTokens)",
    "input": "sum(additionalEventData.inputTokens)",
    "output": "sum(additionalEventData.outputTokens)",
}
_BY: Final = ("made", "recipientAccountId", "awsRegion", "userIdentity.arn", "eventName")
_LENGTHS: Final = {0: 13, 30: 15}
"""Letters of `2026-12-01T09:45` that tell clock hours apart, by the minute at which they begin."""
_MINUTES: Final = 16


def query_text(letters: int) -> str:
    """Calls that succeeded, by the first letters of when they were made.

    The sums of tokens are of those that say any: `additionalEventData` differs by operation.
    """
    events = ", ".join(f'"{name}"' for name in sorted({*LOGGED, *UNLOGGED}))
    sums = ", ".join(f"{what} as {name}" for name, what in _SUMS.items())
    return "\n".join(
        (
            f"fields substr(eventTime, 0, {letters}) as made",
            '| filter eventSource in ["bedrock.amazonaws.com", "bedrock-mantle.amazonaws.com"]',
            f"| filter eventName in [{events}] and not ispresent(errorCode)",
            f"| stats {sums} by {', '.join(_BY)}",
            f"| limit {MOST_ROWS}",
        )
    )


class TrailLog:
    """One trail's log group."""

    def __init__(
        self,
        client: LogsQueryClient,
        group: str,
        zone: ZoneInfo,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._queries = InsightsQueries(client, group, wait)
        self._zone = zone

    def read(self, start: datetime, end: datetime) -> TrailRead:
        """The calls made from `start` to before `end`; raises QueryUnread, and what boto3 raises.

        CloudTrail writes some of them later, so the query looks further.
        """
        letters = _LENGTHS.get(start.minute, _MINUTES)
        complete = True
        found: defaultdict[tuple[datetime, str, str, str, str], list[int]]
        found = defaultdict(lambda: [0, 0, 0, 0])
        for result in self._results(query_text(letters), start, end + _LATE):
            complete = complete and len(result) < MOST_ROWS
            for row in result:
                made = _moment(row.get("made", ""))
                if made is None or not start <= made < end:
                    continue
                account, region, arn, event = (row.get(name, "") for name in _BY[1:])
                sums = found[hour_start(made, self._zone), account, region, arn, event]
                for place, name in enumerate(_SUMS):
                    sums[place] += _number(row.get(name))
        rows = tuple(TrailRow(*key, *numbers) for key, numbers in sorted(found.items()))
        return TrailRead(rows, complete)

    def _results(
        self, query: str, start: datetime, end: datetime
    ) -> Iterator[list[Mapping[str, str]]]:
        """Of the whole time, or of its halves if that is more than a query returns."""
        rows = self._queries.ask(query, start, int(end.timestamp()) - 1)
        if len(rows) < MOST_ROWS or end - start <= HOUR:
            yield rows
            return
        middle = (start + (end - start) / 2).replace(second=0, microsecond=0)
        yield from self._results(query, start, middle)
        yield from self._results(query, middle, end)


def _moment(text: str) -> datetime | None:
    """Of `2026-12-01T09`, `2026-12-01T09:3` or `2026-12-01T09:30`."""
    whole = f"{text}:00" if len(text) == _LENGTHS[0] else f"{text:0<16}"
    try:
        return datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError:
        return None


def _number(text: str | None) -> int:
    """Insights writes sums as `944` or `944.0`, and nothing where no event has the field."""
    return int(float(text)) if text else 0
