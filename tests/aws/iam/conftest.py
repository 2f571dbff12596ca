"""What moto has no pages for."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

UsersOfPolicy = Callable[[str, str, str], Any]
"""Makes a client of IAM by a policy's ARN, and the one user that each of two pages has."""


@pytest.fixture
def users_on_two_pages(stub: Callable[[str], tuple[Any, Stubber]]) -> UsersOfPolicy:
    """All that moto lists of a policy's entities is on one page."""

    def client_for(policy: str, first: str, second: str) -> Any:
        client, answers = stub("iam")
        request = {"PolicyArn": policy, "PolicyUsageFilter": "PermissionsPolicy"}
        for name, before, after in ((first, {}, {"Marker": "2"}), (second, {"Marker": "2"}, {})):
            page = {
                "PolicyUsers": [{"UserName": name}],
                "PolicyRoles": [],
                "PolicyGroups": [],
                "IsTruncated": bool(after),
            }
            answers.add_response("list_entities_for_policy", page | after, request | before)
        return client

    return client_for
