"""Whom policies let use Bedrock, and which question the simulator is asked."""

from typing import Any

import pytest

from account_fakes import HERE, USE_MODELS, a_document, an_identity
from quota_enforcer.doctor.before.facts import Authorizations, GroupFound, Whereabouts
from quota_enforcer.doctor.before.grants import Grant, callers_by_policy, grants

WHERE = Whereabouts(HERE, "aws", "eu-west-1")


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def ways(*statements: dict[str, Any]) -> list[str]:
    return [each.way for each in grants([a_document(*statements)])]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow("bedrock:InvokeModel")], ["models"]),
        ([allow("BEDROCK:invokemodel*")], ["models"]),
        ([allow("bedrock:InvokeModelWithResponseStream")], ["models"]),
        ([allow(["s3:Get*", "bedrock:*"])], ["models", "batch"]),
        ([allow("bedrock-mantle:CreateInference")], ["mantle"]),
        ([allow("*")], ["models", "mantle", "batch"]),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
         ["models", "mantle", "batch"]),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "bedrock:*"], "Resource": "*"}], ["mantle"]),
        ([allow("bedrock:ListFoundationModels")], []),
        ([allow("s3:*")], []),
        ([{**USE_MODELS, "Effect": "Deny"}], []),
        ([USE_MODELS, {**USE_MODELS, "Effect": "Deny"}], []),
        ([USE_MODELS, {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}], []),
        # A deny of some models, or under conditions, leaves others.
        ([USE_MODELS, {**USE_MODELS, "Effect": "Deny", "Resource": "arn:aws:bedrock:*::x/y"}],
         ["models"]),
        ([USE_MODELS, {**USE_MODELS, "Effect": "Deny", "Condition": {"Bool": {"a:b": "true"}}}],
         ["models"]),
        ([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "NotResource": "arn:x"}],
         ["models"]),
    ],
)  # fmt: skip
def test_ways_that_documents_allow(statements: list[dict[str, Any]], expected: list[str]) -> None:
    assert ways(*statements) == expected


def test_a_document_may_be_one_statement_without_a_list() -> None:
    assert [each.way for each in grants([{"Statement": dict(USE_MODELS)}])] == ["models"]


def test_a_grant_without_conditions_counts_before_one_with() -> None:
    under = allow("bedrock:InvokeModel", Condition={"StringEquals": {"aws:SourceVpc": "v"}})
    assert [each.conditional for each in grants([a_document(under)])] == [True]
    assert [each.conditional for each in grants([a_document(under, USE_MODELS)])] == [False]


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        ("*", "arn:aws:bedrock:eu-west-1::foundation-model/any"),
        ("arn:aws:bedrock:*::foundation-model/anthropic.*",
         "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.any"),
        ("arn:*:bedrock:*:*:inference-profile/*",
         "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/any"),
        ("arn:aws:bedrock:us-*::foundation-model/a?",
         "arn:aws:bedrock:us-any::foundation-model/aa"),
        ("arn:aws:bedrock:*", "arn:aws:bedrock:any"),
    ],
)  # fmt: skip
def test_the_simulator_is_asked_about_one_resource_that_the_pattern_matches(
    pattern: str, asked: str
) -> None:
    key = Grant("models", "bedrock:InvokeModel", pattern).key(WHERE)
    assert (key.action, key.resource) == ("bedrock:InvokeModel", asked)


def test_own_policies_managed_ones_and_those_of_groups_count() -> None:
    arn = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"
    found = Authorizations(
        [
            an_identity("user/inline", USE_MODELS),
            an_identity("user/managed", managed=(arn,)),
            an_identity("user/grouped", groups=("staff", "ai")),
            an_identity("user/none", managed=("arn:of-a-policy-not-listed",), groups=("staff",)),
            an_identity("role/app", managed=(arn,)),
        ],
        {"ai": GroupFound(managed=(arn,)), "staff": GroupFound()},
        {arn: a_document(allow("bedrock:*"))},
    )
    callers = {str(each.identity.principal): each for each in callers_by_policy(found)}
    assert list(callers) == ["user/inline", "user/managed", "user/grouped", "role/app"]
    assert callers["user/grouped"].through == ("ai",)
    assert callers["user/grouped"].ways == ("models", "batch")
    assert callers["user/inline"].through == ()


def test_a_deny_in_a_group_counts_for_what_its_users_have_of_their_own() -> None:
    refuses = GroupFound((a_document({**USE_MODELS, "Effect": "Deny"}),))
    found = Authorizations([an_identity("user/a", USE_MODELS, groups=("no",))], {"no": refuses})
    assert callers_by_policy(found) == []
