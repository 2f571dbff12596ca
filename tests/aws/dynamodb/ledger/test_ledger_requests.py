"""Requests in the ledger: one of each principal, answered once, and read as what anybody wrote."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, LEDGER_TABLE, NOON
from quota_enforcer.aws.dynamodb.ledger.notices import DynamoNotices
from quota_enforcer.aws.dynamodb.ledger.requests import (
    DynamoRequests,
    DynamoRequestStore,
    request_item,
    request_of,
)
from quota_enforcer.aws.dynamodb.table import PutTable, Table, WholeTable
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.request import AGAIN, RaiseRequest, Refusal, RequestState
from quota_enforcer.core.usage.counts import Measure

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REQUEST = RaiseRequest(
    ALICE,
    ALICE,
    "daily",
    Measure.TOTAL_TOKENS,
    Decimal(5000),
    NOON + timedelta(days=1),
    "release day",
    NOON,
    Decimal(1000),
)
REFUSAL = Refusal(NOON, "user/admin", "no")


@pytest.fixture
def desk(dynamodb: "DynamoDBClient") -> DynamoRequestStore:
    return DynamoRequestStore(PutTable(dynamodb, LEDGER_TABLE))


@pytest.fixture
def kept(dynamodb: "DynamoDBClient") -> DynamoRequests:
    return DynamoRequests(Table(dynamodb, LEDGER_TABLE))


def told(kind: NoticeKind = NoticeKind.ASKED) -> Notice:
    return Notice(kind, NOON, "user/alice", "daily", "why", limit=Decimal(5000))


def test_it_is_read_back(desk: DynamoRequestStore, kept: DynamoRequests) -> None:
    assert desk.ask(REQUEST)
    assert desk.request(ALICE) == REQUEST
    assert kept.requests() == [REQUEST]
    assert desk.request(Principal.parse("user/bob")) is None


def test_the_next_takes_its_place_an_hour_later_and_not_before(desk: DynamoRequestStore) -> None:
    desk.ask(REQUEST)
    soon = replace(REQUEST, at=NOON + AGAIN - timedelta(seconds=1), why="soon")
    later = replace(REQUEST, at=NOON + AGAIN, why="later")
    assert not desk.ask(soon)
    assert desk.request(ALICE) == REQUEST
    assert desk.ask(later)
    assert desk.request(ALICE) == later


def test_it_is_told_of_once(
    desk: DynamoRequestStore, kept: DynamoRequests, dynamodb: "DynamoDBClient"
) -> None:
    desk.ask(REQUEST)
    assert kept.note_request(REQUEST, RequestState.WAITS, [told()])
    assert not kept.note_request(REQUEST, RequestState.WAITS, [told()])
    (now,) = kept.requests()
    assert now.told == RequestState.WAITS
    assert kept.note_request(now, RequestState.GRANTED, [told(NoticeKind.GRANTED)])
    outbox = DynamoNotices(WholeTable(dynamodb, LEDGER_TABLE)).outbox(NOON + AGAIN)
    assert {each.kind for each in outbox} == {NoticeKind.ASKED, NoticeKind.GRANTED}


def test_of_one_that_another_took_the_place_of_nothing_is_told(
    desk: DynamoRequestStore, kept: DynamoRequests
) -> None:
    desk.ask(REQUEST)
    desk.ask(replace(REQUEST, at=NOON + AGAIN))
    assert not kept.note_request(REQUEST, RequestState.WAITS, [told()])
    assert not kept.refuse(REQUEST, REFUSAL)


def test_a_refusal_is_read_back_and_gone_with_the_next_request(
    desk: DynamoRequestStore, kept: DynamoRequests
) -> None:
    desk.ask(REQUEST)
    assert kept.refuse(REQUEST, REFUSAL)
    assert desk.request(ALICE) == replace(REQUEST, refusal=REFUSAL)
    desk.ask(replace(REQUEST, at=NOON + AGAIN))
    assert desk.request(ALICE) == replace(REQUEST, at=NOON + AGAIN)


def test_it_goes_a_week_after_its_end() -> None:
    ends = REQUEST.until + timedelta(days=7)
    assert request_item(REQUEST)["expires"] == int(ends.timestamp())


@pytest.mark.parametrize(
    "change",
    [
        {"sk": "nobody"},
        {"subject": "user/bob"},
        {"subject": "team/research"},
        {"sk": "role/ci", "subject": "session/other/42"},
        {"limit": "NaN"},
        {"limit": "Infinity"},
        {"limit": "-1"},
        {"limit": "0"},
        {"limit": "lots"},
        {"limit": None},
        {"before": "NaN"},
        {"measure": "love"},
        {"until": "2099-01-01T00:00:00Z"},
        {"until": "2026-11-25"},
        {"at": "2026-11-24T12:00:00"},
        {"at": "then"},
        {"told": "perhaps"},
        {"refused_at": "then"},
        {"quota": "x" * 300},
        {"quota": "daily\nPlease run this:"},
        {"quota": "<b>daily</b>"},
    ],
    ids=str,
)
def test_what_nobody_could_have_asked_is_no_request(change: dict[str, Any]) -> None:
    """The self-service function may put any item there, were its code replaced."""
    assert request_of(request_item(REQUEST)) == REQUEST
    assert request_of({**request_item(REQUEST), **change}) is None


@pytest.mark.parametrize("name", sorted(request_item(REQUEST).keys() - {"pk", "why", "expires"}))
def test_nor_is_what_lacks_a_part(name: str) -> None:
    item = {key: value for key, value in request_item(REQUEST).items() if key != name}
    assert request_of(item) is None


@given(st.text(max_size=300) | st.none() | st.integers() | st.lists(st.text()))
def test_words_that_others_wrote_are_plain_when_they_are_read(why: Any) -> None:
    read = request_of({**request_item(REQUEST), "why": why})
    assert read is not None
    assert len(read.why) <= 200
    assert read.why.isprintable()
    assert not set(read.why) & set('<>`"|{}\\')
    assert "://" not in read.why


def test_a_session_asks_as_its_role() -> None:
    role, session = Principal.parse("role/ci"), Principal.parse("session/ci/42")
    request = replace(REQUEST, principal=role, subject=session)
    assert request_of(request_item(request)) == request
