"""The accounts of an organisation, for whoever may list them."""

from itertools import islice
from typing import Any, Protocol

from quota_enforcer.doctor.before.facts import OtherAccount


class OrganizationsClient(Protocol):
    """The part of boto3's `organizations` client that is used here."""

    def get_paginator(self, operation: str, /) -> Any:
        """Pages of an operation."""


def accounts(client: OrganizationsClient) -> list[OtherAccount]:
    """The active ones; only the management account and delegated administrators may ask.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    pages = client.get_paginator("list_accounts").paginate()
    return [
        OtherAccount(each["Id"], each.get("Name", ""))
        for page in pages
        for each in page["Accounts"]
        if each.get("Status", "ACTIVE") == "ACTIVE"
    ]


def units(client: OrganizationsClient, most: int = 20) -> list[str]:
    """The ids of the root and of the units below, level by level; `most` parents are asked.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html
    """
    roots = client.get_paginator("list_roots").paginate()
    found = [each["Id"] for page in roots for each in page["Roots"]]
    below = client.get_paginator("list_organizational_units_for_parent")
    for parent in islice(found, most):  # grows meanwhile
        pages = below.paginate(ParentId=parent)
        found += [each["Id"] for page in pages for each in page["OrganizationalUnits"]]
    return found
