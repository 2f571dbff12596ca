"""A meter that is cut off is noticed within the hour, told of, and healed by itself."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployed_stack import ALLOW, DeployedStack, call, is_refused
from embedded_account import START, Caller
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.lambdas.enforcer import wiring

HOUR = timedelta(hours=1)
ONE = START + HOUR
"""The first hour with tallies: the first look is made in the one before."""
LOOK = timedelta(minutes=15)


def at(stack: DeployedStack, hours: float, minutes: float = 0) -> None:
    """So long after the start of ONE."""
    stack.aws.set_time(ONE + timedelta(hours=hours, minutes=minutes))


def look(stack: DeployedStack) -> set[str]:
    """The hourly run: the hours that it set from the log, and whoever it wakes has acted."""
    done = {each["hour"] for each in stack.recounts() if "refused" not in each}
    stack.metered()
    return done


def notices(stack: DeployedStack, kind: NoticeKind) -> list[Notice]:
    client = stack.aws.client("lambda")
    configured = client.get_function_configuration(FunctionName=stack.outputs["EnforcerFunction"])
    settings = Settings.from_environment(configured["Environment"]["Variables"])
    history = wiring.ledger(settings, stack.aws.session()).whole_history()
    return [each for each in history if each.kind is kind]


def watched(stack: DeployedStack, alarm: str) -> float:
    """The sum so far of what the alarm watches, whose threshold is 1.

    The functions date their metrics by the machine's clock.
    """
    cloudwatch = stack.aws.client("cloudwatch")
    (declared,) = (
        each
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for each in page["MetricAlarms"]
        if alarm in each["AlarmName"]
    )
    answer = cloudwatch.get_metric_statistics(
        Namespace=declared["Namespace"],
        MetricName=declared["MetricName"],
        Dimensions=declared["Dimensions"],
        StartTime=datetime(2020, 1, 1, tzinfo=UTC),
        EndTime=datetime(2100, 1, 1, tzinfo=UTC),
        Period=30 * 86_400,
        Statistics=["Sum"],
    )
    assert declared["Threshold"] == 1
    total: float = sum(each["Sum"] for each in answer["Datapoints"])
    return total


def no_subscription(stack: DeployedStack) -> Callable[[], None]:
    """Somebody deletes it; what puts it back."""
    logs, group = stack.aws.client("logs"), stack.outputs["InvocationLogGroup"]
    (found,) = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    logs.delete_subscription_filter(logGroupName=group, filterName=found["filterName"])
    named = ("logGroupName", "filterName", "filterPattern", "destinationArn")
    return lambda: logs.put_subscription_filter(**{each: found[each] for each in named})


def no_metric_filters(stack: DeployedStack) -> Callable[[], None]:
    logs, group = stack.aws.client("logs"), stack.outputs["InvocationLogGroup"]
    found: list[dict[str, Any]] = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    for each in found:
        logs.delete_metric_filter(logGroupName=group, filterName=each["filterName"])
    named = ("logGroupName", "filterName", "filterPattern", "metricTransformations")

    def back() -> None:
        for each in found:
            logs.put_metric_filter(**{name: each[name] for name in named})

    return back


@pytest.mark.parametrize(
    ("metering", "cut_off", "cause"),
    [
        (
            "stream",
            no_subscription,
            "got 2 records and handed on only 1 to the meter: its subscription",
        ),
        ("cloudwatch", no_metric_filters, "the meter did not take them"),
    ],
)
def test_a_meter_that_is_cut_off_is_told_of_and_its_hours_are_set_from_the_log(
    metering: str,
    cut_off: Callable[[DeployedStack], Callable[[], None]],
    cause: str,
    user: Caller,
    request: pytest.FixtureRequest,
) -> None:
    stack: DeployedStack = request.getfixturevalue(
        {"stream": "streaming", "cloudwatch": "stack"}[metering]
    )
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    stack.quota(limit=100_000)
    assert look(stack) == set()

    at(stack, 0, 5)
    call(alice, 10)
    stack.sweep()
    mended = cut_off(stack)
    at(stack, 0, 30)
    call(alice, 60_000)
    at(stack, 1, 5)  # the hour after; she was not stopped
    call(alice, 60_000)
    call(bob, 20)
    stack.metered()
    assert stack.denied() == set()

    at(stack, 1, LOOK.total_seconds() / 60)
    assert look(stack) == {"2027-03-01T13:00:00Z"}, "only the hour that is over"
    assert watched(stack, "MeteringGap") == 1, "call"
    assert watched(stack, "MeterUnwired") >= 1
    (gap,) = notices(stack, NoticeKind.METERING_GAP)
    assert gap.since == ONE
    assert re.search(r"claude-3-opus[^;]*: 1 of 2 calls with 60,000 tokens", gap.reason)
    assert cause in gap.reason
    assert "`quota-enforcer recount 2027-03-01T13:00Z`" in gap.reason
    assert stack.denied() == set(), "60,010 of 100,000"

    mended()
    at(stack, 2, LOOK.total_seconds() / 60)
    assert look(stack) == {"2027-03-01T14:00:00Z"}
    assert stack.denied() == {"alice"}
    assert is_refused(lambda: call(alice))
    call(bob)
    (healed,) = notices(stack, NoticeKind.METERING_HEALED)
    assert healed.since == ONE

    before = watched(stack, "MeteringGap"), watched(stack, "MeterUnwired")
    at(stack, 3, LOOK.total_seconds() / 60)
    look(stack)
    assert (watched(stack, "MeteringGap"), watched(stack, "MeterUnwired")) == before
    assert len(notices(stack, NoticeKind.METERING_GAP)) == 2
    assert [each.since for each in notices(stack, NoticeKind.METERING_HEALED)] == [ONE, ONE + HOUR]


def test_a_meter_that_takes_all_is_never_told_of(streaming: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    look(streaming)
    for hours in range(3):
        at(streaming, hours, 5)
        call(alice, 60_000)
        streaming.metered()
        at(streaming, hours, 15)
        assert look(streaming) == set()
    assert watched(streaming, "MeteringGap") == watched(streaming, "MeterUnwired") == 0
    assert notices(streaming, NoticeKind.METERING_GAP) == []
