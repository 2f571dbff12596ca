"""What an earlier version stored is read as it was meant; what a newer one stored is refused."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from builders import an_item
from quota_enforcer.aws.dynamodb.ledger import items
from quota_enforcer.aws.dynamodb.ledger.schema import DEPLOYMENT, SCHEMA, VERSION, understood
from quota_enforcer.core.errors import InvalidQuota, NewerLedger
from quota_enforcer.core.ledger import Level, QuotaMemory, Record, Standing, SweepState, UsedUp
from quota_enforcer.core.pricing.item import read_price
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import read_quota

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.wire import Plain

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALICE = Principal.parse("user/alice")
OLD_RECORD: "Plain" = {
    "pk": "user/alice", "sk": "standing", "listing": "blocked",
    "due": "2026-11-25T00:00:00.000000Z", "version": Decimal(3), "level": "over", "denied": ["*"],
    "since": "2026-11-24T12:00:00.000000Z", "until": "2026-11-25T00:00:00.000000Z",
    "reason": "daily: 1,200 of 1,000 tokens", "standing_due": "2026-11-25T00:00:00.000000Z",
    "used_up": {"default daily": {"limit": "1000", "window_start": "2026-11-24T00:00:00+00:00",
                                  "until": "2026-11-25T00:00:00.000000Z"}},
    "warned": {},
}  # fmt: skip
"""As the first version stored it: with neither a form nor the moment since when it is blocked."""
OLD_STATE: "Plain" = {
    "pk": DEPLOYMENT, "sk": "state", "started": "2026-11-24T12:00:00.000000Z",
    "finished": "2026-11-24T12:00:00.000000Z", "terms": "enforce",
}  # fmt: skip
OLD_MEMORY: "Plain" = {
    "pk": "quotas", "sk": "default#daily", "whom": "default", "name": "daily", "item": an_item(),
}  # fmt: skip
FORMS: list[tuple[Callable[[Any], object], "Plain"]] = [
    (items.record_of, OLD_RECORD),
    (items.state_of, OLD_STATE),
    (items.quota_memory_of, OLD_MEMORY),
]


def test_a_record_of_the_first_version_is_a_block_that_goes_on() -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    used_up = UsedUp(Decimal(1000), datetime(2026, 11, 24, tzinfo=UTC), midnight)
    standing = Standing(
        Level.OVER, frozenset({"*"}), NOON, midnight, "daily: 1,200 of 1,000 tokens",
        {"default daily": used_up}, due=midnight, blocked_since=NOON,
    )  # fmt: skip
    assert items.record_of(OLD_RECORD) == Record(ALICE, standing, due=midnight, version=3)


def test_a_state_and_a_memory_of_the_first_version_are_read() -> None:
    state = SweepState(started=NOON, finished=NOON, terms="enforce")
    assert items.state_of(OLD_STATE) == state
    assert items.quota_memory_of(OLD_MEMORY) == QuotaMemory("default", "daily", an_item())


def test_what_is_written_says_its_form_and_is_read_back() -> None:
    record = items.record_of(OLD_RECORD)
    again = items.record_item(record)
    assert again[SCHEMA] == VERSION
    assert items.record_of(again) == record
    memory = items.quota_memory_of(OLD_MEMORY)
    assert items.quota_item(memory)[SCHEMA] == VERSION
    assert items.quota_memory_of(items.quota_item(memory)) == memory


@pytest.mark.parametrize(("read", "item"), FORMS)
def test_a_newer_form_is_refused_and_says_what_to_do(
    read: Callable[[Any], object], item: "Plain"
) -> None:
    words = rf"form {VERSION + 1}, .* reads up to form {VERSION}: .* deploy the newer"
    with pytest.raises(NewerLedger, match=words):
        read({**item, SCHEMA: Decimal(VERSION + 1)})
    for form in range(1, VERSION + 1):
        read({**item, SCHEMA: Decimal(form)})


def test_the_manual_says_what_each_form_is() -> None:
    """So the form grows with the names of usage, which is in form 2."""
    page = (Path(__file__).parents[4] / "docs/operating.md").read_text(encoding="utf-8")
    table = page.partition("| form | since |")[2].partition("\n\n")[0]
    forms = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert forms == [str(form) for form in range(1, VERSION + 1)]


def test_an_unknown_attribute_is_no_new_form() -> None:
    """So an older version reads what a newer one only added to."""
    assert items.record_of({**OLD_RECORD, "later": "x"}) == items.record_of(OLD_RECORD)
    assert understood({}) == {}


ZONE, EVERYTHING = ZoneInfo("UTC"), frozenset({"*"})


@pytest.mark.parametrize("given", [{}, {"schema": 1}, {"schema": Decimal(1)}, {"schema": "1"}])
def test_a_quota_or_price_may_say_the_one_form_that_there_is(given: dict[str, Any]) -> None:
    plain = read_quota(an_item(), ZONE, EVERYTHING)
    assert read_quota(an_item(**given), ZONE, EVERYTHING) == plain
    price = {"principal": "price/amazon.nova-lite-v1:0", "quota": "price", "input": Decimal(1)}
    assert read_price({**price, **given}) == read_price(price)


@pytest.mark.parametrize("form", [2, 0, Decimal("1.5"), "two", True, [1]])
def test_a_quota_or_price_in_another_form_is_invalid_and_says_so(form: Any) -> None:
    """An invalid item takes no limit away: its last valid version stays in force."""
    with pytest.raises(InvalidQuota, match=r"schema is .*; allowed: 1, the only form so far"):
        read_quota(an_item(schema=form), ZONE, EVERYTHING)
    price = {"principal": "price/amazon.nova-lite-v1:0", "quota": "price", "input": Decimal(1)}
    with pytest.raises(InvalidQuota, match=r"schema is .*; allowed: 1, the only form so far"):
        read_price({**price, "schema": form})
    team = {"principal": "team/a", "quota": "members", "members": ["user/b"], "schema": form}
    with pytest.raises(InvalidQuota, match="schema is"):
        read_quota(team, ZONE, EVERYTHING)


def test_a_record_is_kept_whole_by_a_change_of_its_standing() -> None:
    record = items.record_of(OLD_RECORD)
    changed = record.next(standing=replace(record.standing, reason="x"))
    assert items.record_of(items.record_item(changed)) == changed
