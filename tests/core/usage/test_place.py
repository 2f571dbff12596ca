"""Places: the account and the Region of an invocation log."""

import boto3
import pytest

from quota_enforcer.core.usage.place import (
    EVERYWHERE,
    REGIONS,
    Place,
    PlaceScope,
    is_place,
    place_words,
)

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


@pytest.mark.parametrize(
    ("scope", "covered", "words"),
    [
        (EVERYWHERE, (BERLIN, VIRGINIA), ""),
        (PlaceScope(regions=("eu-central-1",)), (BERLIN,), "in eu-central-1"),
        (PlaceScope(regions=("eu-central-1", "us-east-1")), (BERLIN, VIRGINIA),
         "in eu-central-1, us-east-1"),
        (PlaceScope(accounts=("123456789012",)), (VIRGINIA,), "in account 123456789012"),
        (PlaceScope(accounts=("123456789012", "444455556666")), (BERLIN, VIRGINIA),
         "in accounts 123456789012, 444455556666"),
        (PlaceScope(("444455556666",), ("us-east-1",)), (), "in us-east-1 of account 444455556666"),
    ],
)  # fmt: skip
def test_a_quota_counts_what_is_both_in_its_accounts_and_in_its_regions(
    scope: PlaceScope, covered: tuple[Place, ...], words: str
) -> None:
    assert tuple(place for place in (BERLIN, VIRGINIA) if scope.covers(place)) == covered
    assert str(scope) == words


@pytest.mark.parametrize(
    ("place", "counts"),
    [(Place("", ""), True), (Place("444455556666", ""), True), (Place("", "eu-central-1"), True),
     (Place("", "us-east-1"), False), (Place("123456789012", ""), False)],
)  # fmt: skip
def test_what_nobody_knows_of_a_place_counts(place: Place, counts: bool) -> None:  # noqa: FBT001
    """A limit that leaves out what it does not know would be a way around it."""
    assert PlaceScope(("444455556666",), ("eu-central-1",)).covers(place) is counts


def test_places_in_words() -> None:
    assert place_words("444455556666/eu-central-1", VIRGINIA) == "444455556666/eu-central-1"
    assert place_words("", VIRGINIA) == "123456789012/us-east-1"
    assert place_words("", None) == "home"


def test_every_region_that_the_aws_library_knows_is_one() -> None:
    """If this fails after an update there is a new Region: add it to the list."""
    session = boto3.Session()
    partitions = session.get_available_partitions()
    known = {
        region
        for partition in partitions
        for region in session.get_available_regions("sts", partition_name=partition)
    }
    assert known <= REGIONS


def test_usage_of_each_can_be_stored() -> None:
    assert all(is_place(f"111122223333/{region}") for region in REGIONS)
