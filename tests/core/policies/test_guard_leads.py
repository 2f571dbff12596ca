"""The guard of an organisation lets leads write their raises, and nobody else, and nothing else."""

import pytest

from iam_decisions import ACCOUNT, ANYTHING, Caller
from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota"
QUOTAS, LEDGER = f"{TABLE}-QuotaTable-X", f"{TABLE}-LedgerTable-X"
ADMIN, LEAD, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("Admin", "Lead", "Dev"))
OWN = f"arn:aws:iam::{ACCOUNT}:role/bedrock-quota/bedrock-quota/bedrock-quota-TeamsRole-X"
WRITES = ("PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem")
GUARD = guard(Guarded(ACCOUNT, "bedrock-quota", ("Admin",), lead_roles=("Lead",)))


def may(arn: str, action: str, resource: str = QUOTAS, keys: list[str] | None = None) -> bool:
    said = {} if keys is None else {"dynamodb__LeadingKeys": keys}
    return all(
        Caller([ANYTHING], [[ANYTHING, document]], arn=arn).may(action, resource, **said)
        for document in GUARD
    )


@pytest.mark.parametrize("action", WRITES)
def test_a_lead_writes_under_the_keys_of_leads_alone(action: str) -> None:
    assert may(LEAD, f"dynamodb:{action}", keys=["lead/x"])
    for keys in (["team/x"], ["user/a"], ["default"], ["lead/x", "team/x"], None):
        assert not may(LEAD, f"dynamodb:{action}", keys=keys)
    assert not may(LEAD, f"dynamodb:{action}", LEDGER, ["lead/x"])


@pytest.mark.parametrize("action", ["DeleteTable", "UpdateTable", "PartiQLUpdate"])
def test_a_lead_does_nothing_to_the_table(action: str) -> None:
    assert not may(LEAD, f"dynamodb:{action}")


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("keys", [["lead/x"], ["team/x"], None])
def test_nobody_else_writes_anything(action: str, keys: list[str] | None) -> None:
    assert not may(OTHER, f"dynamodb:{action}", keys=keys)
    assert may(ADMIN, f"dynamodb:{action}", keys=keys)
    assert may(OWN, f"dynamodb:{action}", keys=keys)


def test_nobody_else_becomes_a_lead() -> None:
    for action in ("iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:CreateRole"):
        assert not may(OTHER, action, LEAD)
        assert not may(LEAD, action, LEAD)
        assert may(ADMIN, action, LEAD)


def test_without_leads_the_guard_is_what_it_was() -> None:
    plain = guard(Guarded(ACCOUNT, "bedrock-quota", ("Admin",)))
    assert "lead/" not in str(plain)


@pytest.mark.parametrize("kind", [GuardKind.IDENTITY, GuardKind.BOUNDARY])
def test_a_guard_that_is_given_to_people_is_not_given_to_leads(kind: GuardKind) -> None:
    with pytest.raises(InvalidPolicyInput, match="give leads none"):
        guard(Guarded(ACCOUNT, "bedrock-quota", (), kind=kind, lead_roles=("Lead",)))
