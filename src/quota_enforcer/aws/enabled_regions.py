"""The Regions that an account can use.

`account:ListRegions` may be granted for one account alone; `ec2:DescribeRegions` knows no resource.
"""

from typing import Any, Final, Protocol

ENABLED: Final = ["ENABLED", "ENABLED_BY_DEFAULT"]


class AccountClient(Protocol):
    """The part of boto3's `account` client that is used here."""

    def get_paginator(self, operation: str, /) -> Any:
        """Pages of an operation."""


def enabled_regions(client: AccountClient) -> list[str]:
    """Their names, sorted.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    """
    pages = client.get_paginator("list_regions").paginate(RegionOptStatusContains=ENABLED)
    return sorted(each["RegionName"] for page in pages for each in page["Regions"])
