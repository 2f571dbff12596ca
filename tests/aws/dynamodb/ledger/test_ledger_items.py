"""What goes into an item comes out of it again, through the types that DynamoDB has."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, NOON
from quota_enforcer.aws.dynamodb.ledger import notices as notice_items
from quota_enforcer.aws.dynamodb.ledger.items import (
    NEVER,
    SESSION_KEPT,
    quota_item,
    quota_memory_of,
    record_item,
    record_of,
    state_of,
)
from quota_enforcer.aws.dynamodb.ledger.memory.sweeps import state_attributes
from quota_enforcer.aws.dynamodb.ledger.schema import VERSION
from quota_enforcer.aws.dynamodb.ledger.usage.sources import expired, source_item, source_of
from quota_enforcer.aws.dynamodb.text import fitting_key, instant, joined_key
from quota_enforcer.core.ledger import (
    Level,
    QuotaMemory,
    Record,
    Standing,
    SweepState,
    UsedUp,
    Warned,
    WouldDeny,
)
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.stored import Source

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
TEXTS = st.text(max_size=12)
NAMES = st.text(min_size=1, max_size=12)
LIMITS = st.one_of(
    st.just(Decimal("Infinity")),
    st.decimals(0, allow_nan=False, allow_infinity=False, places=0),
)
SCOPES = st.frozensets(NAMES, max_size=3)
PRINCIPALS = st.builds(Principal, st.sampled_from(Kind), NAMES)
COUNTS = st.integers(0, 10**15)
STANDINGS = st.builds(
    Standing,
    level=st.sampled_from(Level),
    denied=SCOPES,
    since=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
    reason=TEXTS,
    used_up=st.dictionaries(
        NAMES,
        st.builds(
            UsedUp, LIMITS, MOMENTS, st.none() | MOMENTS, st.integers(0, 999), st.none() | MOMENTS
        ),
        max_size=2,
    ),
    warned=st.dictionaries(
        NAMES, st.builds(Warned, st.integers(1, 100), LIMITS, MOMENTS), max_size=2
    ),
    due=st.none() | MOMENTS,
    blocked_since=MOMENTS,
    held=st.dictionaries(NAMES, COUNTS, max_size=2),
)
RECORDS = st.builds(
    Record,
    PRINCIPALS,
    STANDINGS,
    intended=st.none() | SCOPES,
    trouble=TEXTS,
    due=st.none() | MOMENTS,
    version=st.integers(1, 10**9),
)
NOTICES = st.builds(
    Notice,
    st.sampled_from(NoticeKind),
    MOMENTS,
    TEXTS,
    TEXTS,
    TEXTS,
    COUNTS,
    LIMITS,
    TEXTS,
    TEXTS,
    st.integers(0, 100),
    TEXTS,
    TEXTS,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
)
NUMBERS = st.decimals(-(10**20), 10**20, allow_nan=False, places=3) | st.integers().filter(
    lambda number: abs(number) < 10**38
).map(Decimal)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS | st.sets(TEXTS, min_size=1, max_size=3)
    | st.sets(NUMBERS, min_size=1, max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def stored(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as it comes back from the table."""
    to_wire, from_wire = TypeSerializer(), TypeDeserializer()
    wire = {name: to_wire.serialize(value) for name, value in item.items()}
    return {name: from_wire.deserialize(value) for name, value in wire.items()}


@given(RECORDS)
def test_every_record_survives(record: Record) -> None:
    assert record_of(stored(record_item(record))) == record


@given(NOTICES)
def test_every_notice_survives(notice: Notice) -> None:
    assert notice_items.notice_of(stored(notice_items.outbox_item(notice))) == notice
    assert notice_items.notice_of(stored(notice_items.history_item(notice))) == notice


@given(TEXTS, TEXTS, st.none() | st.dictionaries(NAMES, VALUES, max_size=5), TEXTS)
def test_every_quota_item_survives_exactly(
    subject: str, name: str, item: dict[str, Any] | None, reported: str
) -> None:
    memory = QuotaMemory(subject, name, item, reported, "1", NOON, removed_by=reported)
    assert quota_memory_of(stored(quota_item(memory))) == memory


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_texts(first: datetime, second: datetime) -> None:
    assert (first < second) == (instant(first) < instant(second))
    assert datetime.fromisoformat(instant(first)) == first
    assert instant(first) < NEVER


@given(*4 * [st.text("a#", max_size=4)])
def test_two_pairs_of_names_never_share_a_key(a: str, b: str, c: str, d: str) -> None:
    assert (joined_key(a, b) == joined_key(c, d)) == ((a, b) == (c, d))


def test_a_key_that_is_too_long_is_cut_and_stays_its_own() -> None:
    one, two = fitting_key("ü" * 600), fitting_key("ü" * 599 + "a" * 2)
    assert one != two
    assert len(one.encode()) <= 1024
    assert one.startswith("üüü")


def test_a_state_survives_without_what_has_its_own_rules() -> None:
    state = SweepState(NOON, NOON, NOON, NOON, "enforce UTC", NOON, closed=True)
    item = stored(state_attributes(state))
    assert state_of(item) == SweepState(None, NOON, NOON, NOON, "enforce UTC")


def test_a_record_is_readable_in_the_console() -> None:
    standing = Standing(Level.OVER, frozenset({"*"}), used_up={
        "default#daily": UsedUp(Decimal(1000), NOON, None, 120)
    })  # fmt: skip
    assert record_item(Record(ALICE, standing, due=NOON, version=1)) == {
        "pk": "user/alice",
        "sk": "standing",
        "schema": VERSION,
        "listing": "blocked",
        "due": "2026-11-24T12:00:00.000000Z",
        "version": 1,
        "level": "over",
        "denied": ["*"],
        "used_up": {
            "default#daily": {
                "limit": "1000",
                "window_start": "2026-11-24T12:00:00.000000Z",
                "percent": 120,
            }
        },
        "warned": {},
    }


def test_a_record_of_an_earlier_version_was_blocked_since_it_last_changed() -> None:
    blocked = Record(ALICE, Standing(Level.OVER, frozenset({"*"}), NOON), version=1)
    free = Record(ALICE, Standing(Level.WARNED, since=NOON), version=1)
    assert record_of(stored(record_item(blocked))).standing.blocked_since == NOON
    assert record_of(stored(record_item(free))).standing.blocked_since is None


def test_a_source_goes_a_week_after_its_last_data_but_never_while_it_is_behind() -> None:
    source = Source("arn", HAIKU, NOON)
    item = stored(source_item(source))
    assert source_of(item) == source
    assert not expired(item, NOON + timedelta(days=7, seconds=-1))
    assert expired(item, NOON + timedelta(days=7))
    behind = stored(source_item(Source("arn", HAIKU, NOON, behind=NOON)))
    assert not expired(behind, NOON + timedelta(days=999))


def test_history_goes_after_thirteen_months_and_the_outbox_never() -> None:
    notice = Notice(NoticeKind.BREAKER, NOON, "", "", "many")
    expires = datetime.fromtimestamp(notice_items.history_item(notice)["expires"], UTC)
    assert expires == NOON + timedelta(days=400)
    assert "expires" not in notice_items.outbox_item(notice)


SESSION = Principal.parse("session/ci/42")
USED_UP = UsedUp(Decimal(5), NOON, None)
IN_FORCE_OR_OWED = [
    Record(SESSION, Standing(since=NOON, denied=frozenset({"*"}))),
    Record(SESSION, Standing(since=NOON, used_up={"default#daily": USED_UP})),
    Record(SESSION, Standing(since=NOON, would_deny={"q": WouldDeny(NOON, USED_UP)})),
    Record(SESSION, Standing(since=NOON, held={"q": 120})),
    Record(SESSION, Standing(since=NOON), intended=frozenset()),
    Record(SESSION, Standing(since=NOON), trouble="all slots are full"),
    Record(SESSION, Standing(since=NOON), due=NOON),
    Record(Principal.parse("user/alice"), Standing(since=NOON)),
    Record(Principal.parse("role/ci"), Standing(since=NOON)),
]


@pytest.mark.parametrize("record", IN_FORCE_OR_OWED, ids=repr)
def test_a_record_stays_while_anything_of_it_is_in_force_or_owed(record: Record) -> None:
    assert "expires" not in record_item(record)


def test_the_record_of_a_session_goes_after_its_time() -> None:
    item = record_item(Record(SESSION, Standing(since=NOON)))
    assert datetime.fromtimestamp(item["expires"], UTC) == NOON + SESSION_KEPT
    assert record_of(item) == Record(SESSION, Standing(since=NOON))
