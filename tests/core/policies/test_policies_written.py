"""All documents that we write have a form that IAM and Organizations take."""

import re
from dataclasses import replace
from typing import Any

import pytest

from quota_enforcer.core.policies import deployed
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.callers.allow import allow_models
from quota_enforcer.core.policies.deny import deny_all, deny_models
from quota_enforcer.core.policies.document import MANAGED_LIMIT, SCP_LIMIT, VERSION, size
from quota_enforcer.core.policies.functions import roles as functions
from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind

ACCOUNT = "111122223333"
MODELS = ["anthropic.claude-3-opus-20240229-v1:0"]


def written(partition: str) -> list[tuple[Any, int]]:
    """Each document, and how large it may be."""
    of = deployed.Deployed.named("bedrock-quota", ACCOUNT, partition, "*", scopes=5, gates=4)
    managed = [
        deny_all(),
        deny_models(MODELS, partition=partition),
        gate({"*:bob": ["*"], "AROAX:al": MODELS}, partition=partition),
        gate({}),
        *allow_models(MODELS, ACCOUNT, partition=partition, console=True),
        functions.enforcer(of),
        functions.author(of),
    ]
    of_guard = Guarded(ACCOUNT, "bedrock-quota", ("Admin",), "log", partition, log_roles=("Log",))
    guards = guard(replace(of_guard, regions=("eu-central-1",)))
    managed += guard(replace(of_guard, kind=GuardKind.IDENTITY))
    managed += guard(replace(of_guard, kind=GuardKind.BOUNDARY))
    return [
        *((each, MANAGED_LIMIT) for each in managed),
        *((each, SCP_LIMIT) for each in guards),
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_all_that_we_write_is_of_a_form_that_aws_takes(partition: str) -> None:
    for document, limit in written(partition):
        assert document["Version"] == VERSION
        assert size(document) <= limit
        sids = [each["Sid"] for each in document["Statement"] if "Sid" in each]
        assert len(set(sids)) == len(sids)
        for statement in document["Statement"]:
            assert re.fullmatch(r"[A-Za-z0-9]*", statement.get("Sid", ""))
            assert statement["Effect"] in {"Allow", "Deny"}
            assert len({"Action", "NotAction"} & statement.keys()) == 1
            assert len({"Resource", "NotResource"} & statement.keys()) == 1
            assert all(statement.get("Condition", {"some": 1}).values())


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_every_arn_is_of_the_partition(partition: str) -> None:
    for document, _limit in written(partition):
        found = set(re.findall(r"arn:([a-z-]+):", str(document)))
        assert found <= {partition}
