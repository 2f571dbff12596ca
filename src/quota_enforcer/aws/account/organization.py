"""The accounts of an organisation, for whoever may list them."""

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
