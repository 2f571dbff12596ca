"""What the enforcer tells the meters survives the ledger to the last digit."""

from decimal import Decimal
from typing import TYPE_CHECKING

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.aws.dynamodb.ledger.usage.sources import (
    METER_RULES,
    meter_rules_item,
    meter_rules_of,
)
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.usage.stored import MeterRules

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PRICES = st.none() | st.decimals(min_value=0, allow_nan=False, allow_infinity=False)
PLAIN = st.builds(
    Rate,
    input=PRICES,
    output=PRICES,
    cache_read=PRICES,
    cache_write=PRICES,
    cache_write_1h=PRICES,
    request=PRICES,
    image=PRICES,
    source=st.text(max_size=9),
)
RATES = PLAIN | st.builds(
    Rate,
    input=PRICES,
    long_over=st.integers(0, 10**7),
    long=st.none() | PLAIN,
    source=st.text(max_size=9),
)
BRIEFS = st.builds(
    MeterRules,
    st.frozensets(st.from_regex(r"session/[a-z]{1,3}/[a-z*]", fullmatch=True)),
    st.dictionaries(st.text(min_size=1, max_size=9), RATES, max_size=4),
)


@given(BRIEFS)
def test_a_brief_is_read_back_as_it_was(meter_rules: MeterRules) -> None:
    wire = TypeSerializer().serialize(meter_rules_item(meter_rules))
    again = meter_rules_of(TypeDeserializer().deserialize(wire))
    assert again == meter_rules
    assert {model: str(rate) for model, rate in again.prices.items()} == {
        model: str(rate) for model, rate in meter_rules.prices.items()
    }  # 0.10 stays 0.10


def test_there_is_nothing_to_tell_before_the_first_sweep() -> None:
    assert meter_rules_of(None) == MeterRules()


def test_a_brief_is_one_readable_item(dynamodb: "DynamoDBClient") -> None:
    """Prices are plain texts, what is not known is left out, and a price of 0 is known."""
    table = Table(dynamodb, "ledger")
    rate = Rate(Decimal("0.0000008"), Decimal(0), long_over=200_000, long=Rate(Decimal("1E-9")))
    table.put(meter_rules_item(MeterRules(frozenset({"session/ci/*"}), {"my.model": rate})))
    stored = table.get(METER_RULES)
    assert stored == {
        "pk": "deployment",
        "sk": "brief",
        "sessions": ["session/ci/*"],
        "prices": {
            "my.model": {
                "input": "8E-7",
                "output": "0",
                "long_over": 200_000,
                "long": {"input": "1E-9"},
            }
        },
    }
    assert meter_rules_of(stored) == MeterRules(frozenset({"session/ci/*"}), {"my.model": rate})


def test_a_brief_names_whose_usage_is_counted_by_the_minute(dynamodb: "DynamoDBClient") -> None:
    table = Table(dynamodb, "ledger")
    rules = MeterRules(minutes=frozenset({"user/*", "role/ci"}))
    table.put(meter_rules_item(rules))
    stored = table.get(METER_RULES)
    assert stored is not None
    assert stored["minutes"] == ["role/ci", "user/*"]
    assert meter_rules_of(stored) == rules
