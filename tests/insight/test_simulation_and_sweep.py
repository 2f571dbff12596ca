"""What the simulation says is what the real sweep does with the same calls at the same moments."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as some

from builders import an_item
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Kind, identify
from quota_enforcer.core.quotas.item import read_quota
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.insight.simulate.replay import EVENTS, simulate
from quota_enforcer.meter.log.record import Counted
from world import ACCOUNT, World, arn

START = datetime(2026, 11, 24, 20, 30, 30, tzinfo=UTC)
ZONE = "Asia/Kolkata"
"""Its hours begin at the half hour of UTC."""

MEMBERS = ["user/alice", "user/bob", "role/ci", "session/ci/1", "sso/ann"]


class Call(NamedTuple):
    """Somebody calls so many minutes after the call before."""

    who: str
    after: int
    tokens: int


CALLS = some.lists(
    some.builds(
        Call,
        some.sampled_from(["alice", "bob", "role:ci/1", "role:ci/2", "sso:ann"]),
        some.integers(1, 600),
        some.integers(1, 700),
    ),
    min_size=1,
    max_size=20,
)


def quotas() -> some.SearchStrategy[list[dict[str, Any]]]:
    """Items of every level; no limit of 0, which blocks whom a sweep does not know yet later."""
    one = some.builds(
        an_item,
        principal=some.sampled_from(
            ["user/alice", "user/*", "default", "role/ci", "session/ci/*", "session/ci/1"]
        ),
        quota=some.sampled_from(["short", "long"]),
        measure=some.sampled_from(["requests", "total_tokens"]),
        limit=some.sampled_from([3, 400, 900]),
        window=some.sampled_from(["hour", "day", "rolling 3 hours", "week"]),
        warn_at=some.sampled_from([50, [20, 80], None]),
        action=some.sampled_from(["deny", "deny", "notify"]),
        until=some.sampled_from([None, None, "2026-11-26T12:00"]),
    )
    raised = some.builds(
        lambda item, until: item | {"raise_to": 1_000, "raise_until": until},
        one,
        some.sampled_from(["2026-11-25T06:00", "2026-11-26"]),
    )
    team = some.builds(
        lambda item, name, members, share: (
            item | {"principal": f"team/{name}", "members": members, "share": share}
        ),
        some.one_of(one, raised),
        some.sampled_from(["a", "b"]),
        some.lists(some.sampled_from(MEMBERS), min_size=1, max_size=4, unique=True),
        some.sampled_from(["pool", "pool", "each"]),
    )
    return some.lists(
        some.one_of(one, raised, team),
        max_size=5,
        unique_by=lambda item: (item["principal"], item["quota"]),
    )


def told(notice: Notice) -> tuple[object, ...]:
    return (
        notice.at, str(notice.kind), notice.principal, notice.quota, Decimal(notice.used),
        notice.limit, notice.until, notice.reason,
    )  # fmt: skip


def moments(calls: list[Call]) -> list[datetime]:
    found, at = [], START
    for call in calls:
        at += timedelta(minutes=call.after)
        found.append(at)
    return found


def swept(calls: list[Call], items: list[dict[str, Any]]) -> tuple[set[Any], dict[str, int]]:
    """A deployment with gates that sweeps after each call and whenever somebody is due."""
    world = World(zone=ZONE)
    author = world.keep_gates()
    for item in items:
        world.quotas.put(item)
    refused: dict[str, int] = {}
    world.sweep(moments(calls)[0] - timedelta(seconds=1))
    for call, at in zip(calls, moments(calls), strict=True):
        while due := [
            record.due
            for record in world.ledger.everybody()
            if record.due is not None and record.due <= at
        ]:
            world.sweep(min(due))
        identity = identify(arn(call.who), ACCOUNT)
        whose = {str(identity.principal), str(identity.session)}
        if whose & (world.denied | {str(who) for who in author.denied}):
            who = str(identity.principal)
            refused[who] = refused.get(who, 0) + 1
        else:
            world.call(call.who, at, call.tokens)
            world.sweep(at)
    sent = {told(notice) for notice, _ in world.topic.sent if notice.kind in EVENTS}
    return sent, refused


LAPSED = [
    an_item(
        principal="user/alice", quota="short", measure="requests", limit=3, window="hour",
        warn_at=50, until="2026-11-26T12:00",
    ),
    an_item(
        principal="team/a", quota="long", members=["user/alice"], share="pool",
        measure="total_tokens", limit=3, window="rolling 3 hours", warn_at=50,
    ),
]  # fmt: skip
"""The end of alice's quota has the sweep look at her team, just before a call jumps past 50 %."""


@example([Call("alice", 1557, 1), Call("alice", 1, 1), Call("alice", 491, 402)], LAPSED)
@given(CALLS, quotas())
def test_the_same_events_and_the_same_refusals(
    calls: list[Call], items: list[dict[str, Any]]
) -> None:
    world = World(zone=ZONE)
    rules = [read_quota(item, world.settings.zone, ["*"]) for item in items]
    counted = [
        Counted(
            at, arn(call.who), identify(arn(call.who), ACCOUNT), canonical_model("amazon.nova"),
            None, Counts(1, call.tokens), None, None,
        )
        for call, at in zip(calls, moments(calls), strict=True)
    ]  # fmt: skip
    outcomes = simulate(
        counted,
        [rule for rule in rules if rule],
        lambda _: Cost(Decimal(0), Decimal(0), "free"),
        world.settings.zone,
    )
    sent, refused = swept(calls, items)
    assert {told(notice) for each in outcomes.values() for notice in each.events} == sent
    assert {
        str(who): each.refused.requests
        for who, each in outcomes.items()
        if each.refused.requests and who.kind not in {Kind.SESSION, Kind.TEAM}
    } == refused
