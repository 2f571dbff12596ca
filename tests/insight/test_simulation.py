"""The simulation: small logs against quotas, and what would have happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, a_quota
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import identify
from quota_enforcer.core.quotas.quota import (
    UNLIMITED,
    Action,
    Exemption,
    Overshoot,
    Quota,
    Rule,
    Share,
)
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.insight.simulate.replay import INSTANT, Delays, Simulated, simulate
from quota_enforcer.meter.log.record import Counted, without_repeats
from world import ACCOUNT, arn

MORNING = datetime(2026, 11, 24, 9, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def a_call(
    who: str, at: datetime, tokens: int = 100, model: str = HAIKU, request_id: str | None = None
) -> Counted:
    """Somebody called a model at this moment and used input tokens."""
    whose = arn(who)
    identity = identify(whose, ACCOUNT)
    return Counted(at, whose, identity, model, None, Counts(1, tokens), None, request_id)


def cents(call: Counted) -> Cost:
    """Each token costs a cent; the price of models but Haiku is assumed."""
    usd = Decimal(call.counts.tokens) / 100
    known = call.model_id == HAIKU
    return Cost(usd, Decimal(0) if known else usd, "test")


def simulated(
    calls: list[Counted], *rules: Rule, delays: Delays = INSTANT, zone: str = "UTC"
) -> dict[str, Simulated]:
    found = simulate(calls, rules, cents, ZoneInfo(zone), delays)
    return {str(who): outcome for who, outcome in found.items()}


def told(outcome: Simulated) -> list[str]:
    """`09:10 warning daily 800` for each event."""
    return [
        f"{each.at:%d %H:%M:%S} {each.kind} {each.quota} {each.used}" for each in outcome.events
    ]


def every(step: timedelta, times: int, who: str = "alice", tokens: int = 100) -> list[Counted]:
    """Calls at a steady pace from the morning on."""
    return [a_call(who, MORNING + step * number, tokens) for number in range(times)]


def test_the_call_that_reaches_the_limit_is_the_last_one_let_through() -> None:
    alice = simulated(every(MINUTE, 14), a_quota())["user/alice"]
    assert told(alice) == ["24 09:07:00 warning daily 800", "24 09:09:00 blocked daily 1000"]
    assert alice.used[:2] == (10, 1000)
    assert alice.refused[:2] == (4, 400)
    assert alice.refused.cost_usd == 4


def test_calls_are_replayed_in_the_order_of_their_time_and_ties_in_that_of_the_log() -> None:
    late, first, second = (
        a_call("alice", MORNING + MINUTE, 7),
        a_call("alice", MORNING, 900),
        a_call("alice", MORNING, 300),
    )
    alice = simulated([late, first, second], a_quota(limit=Decimal(1000)))["user/alice"]
    assert alice.used.tokens == 1200
    assert alice.refused.tokens == 7
    assert [each.used for each in alice.events] == [900, 1200]


def test_a_reset_happens_at_its_own_instant_and_before_a_call_of_the_same_instant() -> None:
    calls = [
        a_call("alice", MORNING, 1000),
        a_call("alice", MIDNIGHT - SECOND, 5),
        a_call("alice", MIDNIGHT, 6),
    ]
    alice = simulated(calls, a_quota())["user/alice"]
    assert told(alice)[-1] == "25 00:00:00 restored daily 0"
    assert (alice.refused.tokens, alice.used.tokens) == (5, 1006)


def test_a_reset_happens_without_any_call_of_the_principal() -> None:
    calls = [a_call("alice", MORNING, 1000), a_call("bob", MIDNIGHT + MINUTE, 1)]
    found = simulated(calls, a_quota())
    assert told(found["user/alice"])[-1] == "25 00:00:00 restored daily 0"


def test_events_end_with_the_last_call() -> None:
    found = simulated([a_call("alice", MORNING, 1000)], a_quota())
    assert [each.kind for each in found["user/alice"].events] == ["blocked"]


def test_the_days_are_those_of_the_time_zone() -> None:
    calls = [a_call("alice", MORNING, 1000), a_call("bob", MIDNIGHT + MINUTE, 1)]
    alice = simulated(calls, a_quota(), zone="Europe/Berlin")["user/alice"]
    assert told(alice)[-1] == "24 23:00:00 restored daily 0"


def test_the_end_of_a_raise_blocks_at_its_own_instant() -> None:
    raised = a_quota(raise_to=UNLIMITED, raise_until=MORNING + timedelta(hours=1))
    calls = [a_call("alice", MORNING, 1500), a_call("alice", MORNING + timedelta(hours=2), 1)]
    alice = simulated(calls, raised)["user/alice"]
    assert told(alice) == ["24 10:00:00 blocked daily 1500"]
    assert alice.refused.requests == 1


def test_the_deny_of_one_model_leaves_the_others_open() -> None:
    of_haiku = a_quota(models=(ModelScope(HAIKU),), limit=Decimal(100))
    calls = [
        a_call("alice", MORNING, 100),
        a_call("alice", MORNING + SECOND, 10, f"eu.{HAIKU}"),
        a_call("alice", MORNING + SECOND, 20, SONNET),
    ]
    alice = simulated(calls, of_haiku)["user/alice"]
    assert (alice.used.tokens, alice.refused.tokens) == (120, 10)


def test_a_call_is_refused_where_its_watched_session_is_denied() -> None:
    rule = a_quota(subject="session/ci/*", limit=Decimal(100))
    calls = [
        a_call("role:ci/1", MORNING, 100),
        a_call("role:ci/1", MORNING + SECOND, 10),
        a_call("role:ci/2", MORNING + SECOND, 20),
    ]
    found = simulated(calls, rule)
    assert list(found) == ["role/ci", "session/ci/1", "session/ci/2"]
    assert (found["role/ci"].used.tokens, found["role/ci"].refused.tokens) == (120, 10)
    assert found["session/ci/1"].refused.tokens == 10
    assert found["session/ci/2"].refused.tokens == 0


def test_a_call_of_a_session_is_refused_where_its_role_is_denied() -> None:
    rules = a_quota(subject="role/ci", limit=Decimal(100)), a_quota(subject="session/ci/*")
    calls = [a_call("role:ci/1", MORNING, 100), a_call("role:ci/2", MORNING + SECOND, 10)]
    found = simulated(calls, *rules)
    assert found["session/ci/2"].refused.tokens == 10
    assert found["session/ci/2"].used.tokens == 0


def test_identity_center_people_are_blocked_as_where_gates_are_kept() -> None:
    found = simulated(every(MINUTE, 3, "sso:Ann", 1000), a_quota(subject="sso/ann"))
    assert found["sso/ann"].refused.requests == 2


@pytest.mark.parametrize("subject", ["user/alice", "user/*", "default"])
def test_a_limit_of_0_blocks_before_any_use(subject: str) -> None:
    alice = simulated(every(MINUTE, 3), a_quota(subject=subject, limit=Decimal(0)))["user/alice"]
    assert told(alice) == ["24 09:00:00 blocked daily 0"]
    assert (alice.used.requests, alice.refused.requests) == (0, 3)


def test_who_is_blocked_by_hand_is_shown_even_without_a_call() -> None:
    found = simulated(every(MINUTE, 3), a_quota(subject="user/bob", limit=Decimal(0)))
    assert told(found["user/bob"]) == ["24 09:00:00 blocked daily 0"]


def test_who_has_used_something_is_shown_without_any_event() -> None:
    found = simulated([a_call("role:ci/1", MORNING, 100)], a_quota(subject="default"))
    assert found["role/ci"] == Simulated(Counts(1, 100, cost_usd=Decimal(1)))


def test_an_exemption_and_notify_refuse_nothing() -> None:
    rules = (
        a_quota(subject="default"),
        Exemption(Subject("user/alice"), "daily"),
        a_quota(subject="user/bob", action=Action.NOTIFY),
    )
    found = simulated([*every(MINUTE, 3, "alice", 900), *every(MINUTE, 3, "bob", 900)], *rules)
    assert not found["user/alice"].events
    assert [each.kind for each in found["user/bob"].events] == ["warning", "warning"]
    assert {each.refused.requests for each in found.values()} == {0}


def test_each_member_of_a_team_has_its_own_limit() -> None:
    team = a_quota(subject="team/a", members=("user/alice", "user/bob"))
    found = simulated([*every(MINUTE, 3, "alice", 600), a_call("bob", MORNING, 500)], team)
    assert found["user/alice"].refused.requests == 1
    assert not found["user/bob"].events


def a_pool(*members: str, **but: Any) -> Quota:
    return a_quota(subject="team/a", members=members, share=Share.POOL, **but)


def test_who_shares_a_spent_pool_is_refused_whether_they_used_it_or_not() -> None:
    calls = [a_call("alice", MORNING, 500), a_call("bob", MORNING, 500), *every(MINUTE, 3, "cid")]
    calls.append(a_call("dan", MORNING + MINUTE, 500))
    found = simulated(calls, a_pool("user/alice", "user/bob", "user/cid"))
    assert told(found["team/a"]) == [
        "24 09:00:00 blocked daily 1000",
    ]
    assert told(found["user/cid"]) == ["24 09:00:00 blocked daily 1000"]
    assert {who: each.refused.requests for who, each in found.items() if each.refused.requests} == {
        "user/cid": 3,
        "team/a": 3,
    }
    assert found["team/a"].used.tokens == 1000


def test_a_spent_pool_opens_for_all_at_the_reset() -> None:
    calls = [a_call("alice", MORNING, 1000), a_call("bob", MIDNIGHT, 1)]
    found = simulated(calls, a_pool("user/alice", "user/bob"))
    assert told(found["user/bob"]) == [
        "24 09:00:00 blocked daily 1000",
        "25 00:00:00 restored daily 0",
    ]
    assert found["user/bob"].refused.requests == 0


def test_who_is_exempt_from_a_spent_pool_goes_on_and_still_counts() -> None:
    calls = [*every(MINUTE, 3, "alice", 600), a_call("bob", MORNING + MINUTE, 10)]
    found = simulated(
        calls, a_pool("user/alice", "user/bob"), Exemption(Subject("user/alice"), "daily", None)
    )
    assert found["user/alice"].refused.requests == 0
    assert found["user/bob"].refused.requests == 1
    assert found["team/a"].used.tokens == 1800


def test_a_call_of_a_session_and_its_role_counts_once_in_their_pool() -> None:
    calls = [a_call("role:ci/42", MORNING + MINUTE * number, 400) for number in range(3)]
    found = simulated(calls, a_pool("role/ci", "session/ci/42"))
    assert told(found["team/a"])[-1] == "24 09:02:00 blocked daily 1200"
    assert found["team/a"].used.requests == 3


def test_a_pool_of_a_kind_is_of_everybody_in_the_log() -> None:
    calls = [a_call("role:ci/1", MORNING, 500), a_call("role:job/1", MORNING + MINUTE, 500)]
    calls += [a_call("role:late/1", MORNING + MINUTE * 2), a_call("alice", MORNING + MINUTE * 3)]
    found = simulated(calls, a_pool("role/*"))
    assert told(found["team/a"])[-1] == "24 09:01:00 blocked daily 1000"
    assert {who for who, each in found.items() if each.refused.requests} == {"team/a", "role/late"}


def test_a_rolling_window_lets_go_hour_by_hour() -> None:
    rolling = a_quota(window=Window(Unit.HOUR, rolling=2), warn_at=())
    calls = [
        a_call("alice", MORNING, 1000),
        a_call("alice", MORNING + timedelta(hours=1, minutes=59), 1),
        a_call("alice", MORNING + timedelta(hours=2), 2),
    ]
    alice = simulated(calls, rolling)["user/alice"]
    assert told(alice) == ["24 09:00:00 blocked daily 1000", "24 11:00:00 restored daily 0"]
    assert alice.refused.tokens == 1


def test_dollars_are_summed_exactly_and_the_assumed_ones_apart() -> None:
    calls = [a_call("alice", MORNING, 3), a_call("alice", MORNING, 4, SONNET)]
    used = simulated(calls)["user/alice"].used
    assert (used.cost_usd, used.assumed_usd) == (Decimal("0.07"), Decimal("0.04"))


def test_no_calls_are_nothing() -> None:
    assert simulated([], a_quota(limit=Decimal(0))) == {}


def lagging(seconds: int, **but: timedelta) -> Delays:
    return Delays(visible=lambda call: call.at + timedelta(seconds=seconds), **but)  # type: ignore[arg-type]


def test_with_a_lag_calls_go_through_until_the_deny_is_in_force() -> None:
    alice = simulated(every(SECOND, 30), a_quota(), delays=lagging(12))["user/alice"]
    assert told(alice) == ["24 09:00:19 warning daily 800", "24 09:00:21 blocked daily 1000"]
    assert alice.used.requests == 21  # the one at :21 is refused
    assert alice.refused.requests == 9


def test_a_call_metered_after_a_reset_counts_to_the_window_it_was_made_in() -> None:
    calls = [a_call("alice", MIDNIGHT - SECOND, 1000), a_call("alice", MIDNIGHT + MINUTE, 1)]
    alice = simulated(calls, a_quota(), delays=lagging(15))["user/alice"]
    assert alice.events == []
    assert alice.used.tokens == 1001


def test_what_is_metered_after_the_last_call_is_used_but_tells_nothing() -> None:
    alice = simulated([a_call("alice", MORNING, 1000)], a_quota(), delays=lagging(15))["user/alice"]
    assert (alice.used.tokens, alice.events) == (1000, [])


def test_iam_takes_its_time_with_a_deny_and_with_its_end() -> None:
    hourly = a_quota(window=Window(Unit.HOUR), warn_at=())
    start = MORNING + timedelta(minutes=59, seconds=40)
    calls = [a_call("alice", start + SECOND * n, 1000 if n == 0 else 1) for n in range(30)]
    alice = simulated(calls, hourly, delays=Delays(in_force=timedelta(seconds=5)))["user/alice"]
    assert told(alice) == ["24 09:59:40 blocked daily 1000", "24 10:00:00 restored daily 0"]
    assert alice.refused.requests == 20  # from :45 to :04


def test_a_schedule_looks_at_its_own_moments_only() -> None:
    def every_minute(moment: datetime) -> datetime:
        return moment + (MORNING - moment) % MINUTE

    calls = every(10 * SECOND, 13)
    found = simulated(calls, a_quota(limit=Decimal(300)), delays=Delays(looked=every_minute))
    assert told(found["user/alice"]) == [
        "24 09:01:00 blocked daily 600",
    ]
    assert found["user/alice"].used.requests == 6  # the seventh is made as the sweep looks


def test_what_is_visible_as_a_schedule_looks_is_seen() -> None:
    """Though the look was planned before: alice's first call is seen a minute earlier."""

    def every_minute(moment: datetime) -> datetime:
        return moment + (MORNING - moment) % MINUTE

    calls = [a_call("alice", MORNING + SECOND * n, 500) for n in (1, 60, 61)]
    found = simulated(calls, a_quota(warn_at=()), delays=Delays(looked=every_minute))
    assert told(found["user/alice"]) == ["24 09:01:00 blocked daily 1000"]


def test_a_call_metered_in_the_next_hour_counts_to_its_own() -> None:
    calls = [
        a_call("alice", MORNING - SECOND, 1000),
        a_call("alice", MORNING + MINUTE, 600),
        a_call("alice", MORNING + 2 * MINUTE, 1),
    ]
    hourly = a_quota(window=Window(Unit.HOUR), warn_at=())
    assert simulated(calls, hourly, delays=lagging(15))["user/alice"].events == []


def test_a_record_delivered_again_is_the_same_call() -> None:
    one = a_call("alice", MORNING, request_id="r1")
    other = a_call("alice", MORNING, 200, request_id="r1")
    nameless = a_call("alice", MORNING)
    again = [one, other, one, nameless, nameless]
    assert list(without_repeats(again)) == [one, other, nameless, nameless]


def test_a_rule_for_a_kind_gives_everybody_of_it_a_limit_of_their_own() -> None:
    rule = a_quota(subject="user/*", measure=Measure.REQUESTS, limit=Decimal(2), warn_at=())
    found = simulated([*every(MINUTE, 3), *every(MINUTE, 2, "bob")], rule)
    refused = {who: each.refused.requests for who, each in found.items()}
    assert refused == {"user/alice": 1, "user/bob": 0}


def test_who_is_of_another_account_would_be_blocked_as_where_there_are_satellites() -> None:
    there = "444455556666"
    calls = [
        each._replace(identity=identify(arn("alice", there), there, ACCOUNT))
        for each in every(MINUTE, 12)
    ]
    outcomes = simulated(calls, a_quota(subject=Subject(f"{there}/*"), limit=Decimal(1000)))
    assert "blocked" in told(outcomes[f"{there}/user/alice"])[-1]


def test_a_quota_that_avoids_overshoot_is_replayed_with_pace_and_lag() -> None:
    """A call each second, seen after 13 s and refused after 4 s more: the limit is not passed."""
    quota = a_quota(limit=Decimal(50_000))
    avoiding = replace(quota, overshoot=Overshoot.AVOID)
    calls = every(SECOND, 600)
    late = Delays(lambda call: call.at + 13 * SECOND, in_force=4 * SECOND, lag=DenyLag())
    [past] = simulated(calls, quota, delays=late).values()
    [kept] = simulated(calls, avoiding, delays=late).values()
    assert past.used.tokens == 51_600
    assert 48_000 < kept.used.tokens <= 50_000
    assert "at 100 total tokens a second" in kept.events[-1].reason
    assert "a deny takes 17 s to hold" in kept.events[-1].reason


def test_without_a_lag_only_the_next_call_is_reckoned_with() -> None:
    avoiding = a_quota(limit=Decimal(50_050), overshoot=Overshoot.AVOID)
    [kept] = simulated(every(SECOND, 600), avoiding).values()
    assert kept.used.tokens == 50_000


def test_an_unusual_hour_is_replayed_beside_what_went_through_before() -> None:
    """A call of 100 tokens on each of six days, and then nine of them in one hour."""
    quota = a_quota(
        limit=Decimal(10), window=Window(Unit.HOUR), unusual=Decimal(4), action=Action.DENY
    )
    days = [a_call("alice", MORNING + timedelta(days=number)) for number in range(6)]
    runaway = [a_call("alice", MORNING + timedelta(days=6, seconds=number)) for number in range(9)]
    [found] = simulated([*days, *runaway], quota).values()
    assert (found.used.requests, found.refused.requests) == (6 + 4, 5)
    [notice] = [each for each in found.events if each.kind == "blocked"]
    assert "that is 4.0 times what is usual" in notice.reason


def test_a_window_of_minutes_is_replayed_minute_by_minute() -> None:
    """A call each minute of 100 tokens, of which nine fit into ten minutes."""
    quota = a_quota(limit=Decimal(900), window=Window(Unit.MINUTE, 10))
    [found] = simulated(every(MINUTE, 60), quota).values()
    assert (found.used.requests, found.refused.requests) == (54, 6)
    until = [each.until for each in found.events if each.kind == "blocked"]
    assert until[0] == MORNING + 10 * MINUTE
