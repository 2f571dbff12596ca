"""Whatever is in the quota table: all of it loads, what is wrong has reasons, and others stay."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from any_values import ANY_STORED, TEXTS, damaged
from builders import NOON, an_item
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.pricing.item import ATTRIBUTES as PRICE_ATTRIBUTES
from quota_enforcer.core.pricing.item import read_price
from quota_enforcer.core.quotas.item import ATTRIBUTES, read_quota
from quota_enforcer.decide.rules.loader import QuotaLoader

BERLIN = ZoneInfo("Europe/Berlin")
SUBJECTS = st.sampled_from(["user/alice", "user/*", "default", "team/x", "role/r", "price/a.b"])
NAMES = st.sampled_from(["daily", "price", "discount", "price from 2026-12-01", "members"])
KEYS = {"principal": SUBJECTS | TEXTS, "quota": NAMES | TEXTS}
MIXED = st.dictionaries(
    st.sampled_from(sorted({*ATTRIBUTES, *PRICE_ATTRIBUTES})) | TEXTS, ANY_STORED, max_size=8
)
ITEMS = st.tuples(st.fixed_dictionaries(KEYS), MIXED).map(lambda two: {**two[1], **two[0]})
ITEMS |= damaged(an_item(), ANY_STORED)
GOOD = an_item(principal="user/good", quota="kept")


@given(st.lists(ITEMS, max_size=6))
def test_any_table_loads_and_keeps_what_is_good_in_it(items: list[Any]) -> None:
    loader = QuotaLoader(BERLIN, {"*"}, "111122223333")
    rules = loader.load([*items, GOOD], [], NOON)
    assert any(each.subject == "user/good" for each in rules.rules)
    assert all(each.reason for each in rules.invalid)


@given(ITEMS)
def test_any_item_is_read_or_refused_with_reasons(item: Any) -> None:
    for read in (lambda: read_quota(item, BERLIN, {"*"}), lambda: read_price(item)):
        assert len(words(read)) < 20_000


def words(read: Callable[[], object]) -> str:
    """Those that refuse; there are some whenever it refuses."""
    try:
        read()
    except EnforcerError as refused:
        return str(refused) or "." * 20_000
    return ""
