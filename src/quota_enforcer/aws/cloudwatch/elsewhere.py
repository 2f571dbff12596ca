"""Bedrock in the account's other Regions, which a deployment does not meter."""

from collections.abc import Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from quota_enforcer.aws.cloudwatch.traffic import BedrockTraffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudwatch import CloudWatchClient

_OURS: Final = "BedrockQuota/"

_HOUR: Final = 3600

_AT_ONCE: Final = 8
"""Regions asked side by side."""


class Elsewhere(NamedTuple):
    """The calls by Region, and the Regions that could not be asked, such as closed ones."""

    calls: Mapping[str, int]
    unasked: tuple[str, ...] = ()


def calls_elsewhere(
    regions: Iterable[str],
    client: "Callable[[str], CloudWatchClient]",
    now: datetime,
    back: timedelta,
    metered: Container[str] = (),
) -> Elsewhere:
    """The calls of Regions that have no deployment of their own, mantle's among them.

    In the Regions `metered` a satellite stands: there only mantle's are unmetered.
    """
    clients = {region: client(region) for region in regions}  # a session makes one at a time
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(
            lambda each: _calls(each[1], now, back, of_log=each[0] not in metered), clients.items()
        )
        found = dict(zip(clients, answers, strict=True))
    return Elsewhere(
        {region: calls for region, calls in found.items() if calls},
        tuple(region for region, calls in found.items() if calls is None),
    )


def _calls(
    client: "CloudWatchClient", now: datetime, back: timedelta, *, of_log: bool
) -> int | None:
    """None if the Region does not answer, or a policy closes it."""
    traffic = BedrockTraffic(client)
    try:
        calls = sum(traffic.calls(now - back, now, _HOUR).values()) if of_log else 0
        calls += traffic.mantle(now - back, now, _HOUR)
        return 0 if calls and _is_metered(client) else calls
    except (BotoCoreError, ClientError):
        return None


def _is_metered(client: "CloudWatchClient") -> bool:
    """Whether a deployment sweeps there: it measures how long that takes."""
    pages = client.get_paginator("list_metrics").paginate(
        MetricName="Duration", Dimensions=[{"Name": "service", "Value": "enforcer"}]
    )
    return any(each["Namespace"].startswith(_OURS) for page in pages for each in page["Metrics"])
