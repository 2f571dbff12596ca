"""The rows of the status table, from records and decisions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from builders import ALICE, NOON, UTC_ZONE, a_quota, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record, Standing, SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import UNLIMITED, Action, Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.insight.status import State, StatusRow, rows, unlimited

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


def decided(
    quota: Quota,
    used: int,
    *,
    mode: Mode = Mode.ENFORCE,
    who: Principal = ALICE,
    before: Standing | None = None,
) -> Decision:
    context = Context(NOON, UTC_ZONE, mode)
    return decide(who, Applicable((quota,)), tokens({NOON: used}), before or Standing(), context)


def the_row(decision: Decision, record: Record | None = None) -> StatusRow:
    [row] = rows(record or Record(decision.principal), decision, SweepState())
    return row


def blocked(quota: Quota | None = None) -> Record:
    """Alice as the sweep left her an hour ago."""
    context = Context(NOON - timedelta(hours=1), UTC_ZONE, Mode.ENFORCE)
    used = tokens({NOON - timedelta(hours=1): 1000})
    decision = decide(ALICE, Applicable((quota or a_quota(),)), used, Standing(), context)
    return Record(ALICE, standing=decision.standing, version=1)


def test_a_row_says_how_much_is_used_and_when_it_resets() -> None:
    assert the_row(decided(a_quota(), 500)) == StatusRow(
        principal="user/alice",
        quota="daily",
        whom="user/alice",
        measure="total_tokens",
        window="day",
        used=500,
        limit=Decimal(1000),
        percent=50,
        state=State.OK,
        resets_at=MIDNIGHT,
        cost_usd=Decimal(0),
        assumed_usd=Decimal(0),
        saved_usd=Decimal(0),
    )


def test_past_a_threshold_it_is_warned() -> None:
    assert the_row(decided(a_quota(), 800)).state is State.WARNED


def test_used_up_but_not_swept_yet_it_is_over() -> None:
    row = the_row(decided(a_quota(), 1000))
    assert (row.state, row.why) == (State.OVER, "the next sweep blocks")


def test_blocked_since_the_sweep_and_until_the_reset() -> None:
    row = the_row(decided(a_quota(), 1200), blocked())
    assert (row.state, row.since, row.until) == (
        State.BLOCKED,
        NOON - timedelta(hours=1),
        MIDNIGHT,
    )


def test_blocked_by_hand_until_an_admin_changes_it() -> None:
    row = the_row(decided(a_quota(limit=Decimal(0)), 0), blocked(a_quota(limit=Decimal(0))))
    assert (row.state, row.until, row.resets_at) == (State.BLOCKED, None, None)


def test_raised_since_it_is_blocked_until_the_next_sweep() -> None:
    row = the_row(decided(a_quota(limit=Decimal(5000)), 1200), blocked())
    assert (row.state, row.why) == (
        State.BLOCKED,
        "no longer used up; the next sweep lifts the block",
    )


def test_a_block_by_a_quota_that_is_gone_has_a_row_of_its_own() -> None:
    decision = decided(a_quota(name="other"), 5)
    kept, gone = rows(blocked(), decision, SweepState())
    assert (kept.quota, kept.state) == ("other", State.OK)
    assert (gone.quota, gone.state) == ("daily", State.BLOCKED)
    assert gone.why == "the quota no longer applies; the next sweep lifts the block"


def test_in_observe_mode_it_would_be_blocked() -> None:
    row = the_row(decided(a_quota(), 1000, mode=Mode.OBSERVE))
    assert row.state is State.WOULD_BE_BLOCKED


def test_what_only_notifies_is_over_and_says_so() -> None:
    row = the_row(decided(a_quota(action=Action.NOTIFY), 1000))
    assert (row.state, row.why) == (State.OVER, "this quota only notifies")


@pytest.mark.parametrize("mode", Mode)
def test_whom_iam_cannot_deny_could_not_be_blocked(mode: Mode) -> None:
    who = Principal.parse("sso/bob@example.com")
    row = the_row(decided(a_quota(subject=str(who)), 1000, who=who, mode=mode))
    assert row.state is State.COULD_NOT_BE_BLOCKED
    assert "Identity Center" in row.why


def test_what_iam_refused_could_not_be_blocked_with_its_reason() -> None:
    record = Record(ALICE, standing=blocked().standing, trouble="all policy slots are full")
    row = the_row(decided(a_quota(), 1000), record)
    assert (row.state, row.why) == (State.COULD_NOT_BE_BLOCKED, "all policy slots are full")


def test_a_rolling_window_that_is_not_used_up_has_no_reset() -> None:
    rolling = a_quota(window=Window(Unit.HOUR, 24))
    assert the_row(decided(rolling, 5)).resets_at is None
    assert the_row(decided(rolling, 1000)).resets_at == NOON + timedelta(hours=24)


def test_without_a_finite_limit_there_is_no_percent() -> None:
    row = the_row(decided(a_quota(raise_to=UNLIMITED, raise_until=MIDNIGHT), 5))
    assert (row.limit, row.percent, row.state) == (None, None, State.OK)


def test_who_has_no_quota_is_shown_with_the_usage_of_today() -> None:
    used = tokens({NOON: 70, NOON - timedelta(days=1): 900})
    row = unlimited(ALICE, used, Context(NOON, UTC_ZONE, Mode.ENFORCE))
    assert (row.state, row.used, row.limit) == (State.NO_QUOTA, 70, None)
    assert unlimited(ALICE, Usage(), Context(NOON, UTC_ZONE, Mode.ENFORCE)).used == 0
