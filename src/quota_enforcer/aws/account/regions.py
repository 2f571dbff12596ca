"""AWS's Regions: which of them an account may use, and which lack a service that we need."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import boto3

ENABLED: Final = ["ENABLED", "ENABLED_BY_DEFAULT"]
"""The opt-in states of a Region that an account may use."""
NEEDED: Final = {"bedrock": "Bedrock", "lambda": "Lambda"}
"""What a satellite stands on, by the name that endpoints have and the one that people know."""


class AccountClient(Protocol):
    """The part of boto3's `account` client that is used here."""

    def get_paginator(self, operation: str, /) -> Any:
        """Pages of an operation."""


def enabled_regions(client: AccountClient) -> list[str]:
    """The names of the Regions that an account may use, sorted.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    """
    pages = client.get_paginator("list_regions").paginate(RegionOptStatusContains=ENABLED)
    return sorted(each["RegionName"] for page in pages for each in page["Regions"])


def without_services(regions: Iterable[str], partition: str) -> Mapping[str, list[str]]:
    """The Regions that lack a needed service, and which ones; boto3's data tell, AWS is not asked.

    A Region that is newer than this boto3, or of another partition, has none.
    """
    session = boto3.Session()
    known = {
        shown: frozenset(session.get_available_regions(service, partition))
        for service, shown in NEEDED.items()
    }
    found = {
        region: [shown for shown, where in known.items() if region not in where]
        for region in regions
    }
    return {region: missing for region, missing in found.items() if missing}
