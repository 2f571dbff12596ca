"""Places: the account and the Region of an invocation log."""

import pytest

from quota_enforcer.core.usage.place import Place, is_place

BERLIN = Place("444455556666", "eu-central-1")
VIRGINIA = Place("123456789012", "us-east-1")


@pytest.mark.parametrize("text", ["444455556666/eu-central-1", "123456789012/us-gov-west-1"])
def test_a_place_is_written_account_and_region(text: str) -> None:
    assert str(Place.parse(text)) == text
    assert is_place(text)


@pytest.mark.parametrize(
    "text",
    ["", "444455556666", "eu-central-1", "444455556666/", "44445555666/eu-central-1",
     "444455556666/eu-central-1/x", "444455556666/EU-central-1", "444455556666/eu", "default"],
)  # fmt: skip
def test_what_is_no_place_is_refused(text: str) -> None:
    assert not is_place(text)
    with pytest.raises(ValueError, match="write 444455556666/eu-west-1"):
        Place.parse(text)


def test_home_is_stored_as_usage_always_was() -> None:
    """So that the ledger of a deployment without satellites stays as it is."""
    assert VIRGINIA.stored(home=VIRGINIA) == ""
    assert BERLIN.stored(home=VIRGINIA) == "444455556666/eu-central-1"
    for place in (VIRGINIA, BERLIN):
        assert Place.of(place.stored(VIRGINIA), VIRGINIA) == place
