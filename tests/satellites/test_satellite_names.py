"""What satellites are called, by home's stack."""

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.satellites.names import (
    LONGEST_STACK,
    Part,
    external_id,
    queue_name,
    region_of,
    role_arn,
    role_name,
)

LONGEST_REGION = "ap-southeast-1"
STACK_ID = "arn:aws:cloudformation:us-east-1:111122223333:stack/quotas/51af3dc0-da77-11e4-872e-123"


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Part.FORWARDER, "quotas-forwarder-eu-west-1"),
        (Part.SETUP, "quotas-satellite-setup-eu-west-1"),
        (Part.READER, "quotas-satellite-reader-eu-west-1"),
        (Part.DENIER, "quotas-satellite-denier"),
        (Part.AUTHOR, "quotas-satellite-author"),
    ],
)
def test_a_role_is_named_by_home_its_part_and_the_region_if_each_has_one(
    part: Part, name: str
) -> None:
    assert role_name("quotas", part, "eu-west-1" if part.regional else "") == name


@pytest.mark.parametrize("part", Part)
def test_the_longest_home_fits_in_the_longest_region_and_a_longer_one_is_refused_in_words(
    part: Part,
) -> None:
    region = LONGEST_REGION if part.regional else ""
    assert len(role_name("q" * LONGEST_STACK, part, region)) <= 64
    with pytest.raises(InvalidPolicyInput, match="with satellites it may have 32"):
        role_name("q" * 60, part, region)


def test_home_names_the_roles_of_all_accounts_and_regions_in_one_pattern() -> None:
    assert (
        role_arn("aws", "*", "quotas", Part.READER, "*")
        == "arn:aws:iam::*:role/bedrock-quota/quotas/quotas-satellite-reader-*"
    )
    assert (
        role_arn("aws", "444455556666", "quotas", Part.DENIER)
        == "arn:aws:iam::444455556666:role/bedrock-quota/quotas/quotas-satellite-denier"
    )


@pytest.mark.parametrize("region", ["", "Frankfurt", "eu-west"])
def test_a_role_of_a_region_needs_a_region(region: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="is no Region"):
        role_name("quotas", Part.READER, region)


@pytest.mark.parametrize(
    ("role", "region"),
    [
        ("quotas-forwarder-eu-west-1", "eu-west-1"),
        ("quotas-forwarder-us-gov-east-1", "us-gov-east-1"),
        ("quotas-forwarder-", None),
        ("quotas-forwarder-*", None),
        ("quotas-forwarder-eu-west-1-mine", None),
        ("my-quotas-forwarder-eu-west-1", None),
        ("quotas-2-forwarder-eu-west-1", None),
        ("quotas-satellite-reader-eu-west-1", None),
        ("Admin", None),
    ],
)
def test_the_region_is_read_from_exactly_such_a_name(role: str, region: str | None) -> None:
    assert region_of(role, "quotas", Part.FORWARDER) == region


def test_the_external_id_is_the_unique_end_of_homes_id_and_the_queue_is_homes() -> None:
    assert external_id(STACK_ID) == "51af3dc0-da77-11e4-872e-123"
    assert queue_name("quotas") == "quotas-satellite-undelivered"
