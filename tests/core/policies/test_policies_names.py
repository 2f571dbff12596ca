"""What may stand in a document, and what is refused with the reason."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.names import (
    GATES,
    MODEL_SCOPES,
    checked_account,
    checked_model,
    checked_region,
    checked_scopes,
    checked_stack,
    checked_user_id,
    deny_policy_name,
    gate_name,
)
from quota_enforcer.core.usage.model import ModelScope

OPUS = "anthropic.claude-3-opus-20240229-v1:0"


@pytest.mark.parametrize(
    "scope",
    [
        OPUS,
        f"{OPUS}:200k",
        "anthropic.claude-3-opus*",
        "*opus*",
        "anthropic.*",
        "*",
        "amazon.nova-lite-v1:0",
        "openai.gpt-oss-120b-1:0",
        "newvendor.model-1",
    ],
)
def test_a_model_id_or_pattern_is_a_scope(scope: str) -> None:
    assert checked_scopes([scope]) == (scope,)


@pytest.mark.parametrize(
    ("scope", "fix"),
    [
        (f"us.{OPUS}", f"write '{OPUS}'"),
        (f"global.{OPUS}", f"write '{OPUS}'"),
        ("eu.anthropic.claude-3*", "write 'anthropic.claude-3*'"),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{OPUS}", f"write '{OPUS}'"),
        (f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{OPUS}", f"'{OPUS}'"),
        ("arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc", "provisioned-model/abc"),
        ("provisioned-model/abc", "no model scope"),
        ("anthropic.claude-?", "no model scope"),
        ("anthropic.claude-[34]", "no model scope"),
        ('anthropic.claude"', "no model scope"),
        ("anthropic.${aws:username}", "no model scope"),
        ("anthropic.claudé", "no model scope"),
        ("anthropic claude", "no model scope"),
        ("**", "no model scope"),
        ("*.*", "no model scope"),
        ("", "no model scope"),
        ("a" * 201, "no model scope"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(scope: str, fix: str) -> None:
    with pytest.raises(InvalidPolicyInput, match=re.escape(fix)):
        checked_scopes([scope])


@pytest.mark.parametrize("model", ["anthropic.claude-3-opus*", "*"])
def test_access_is_never_given_by_pattern(model: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="would open models that nobody has looked at"):
        checked_model(model)


def test_access_needs_the_vendor() -> None:
    with pytest.raises(InvalidPolicyInput, match="vendor first"):
        checked_model("claude-3-opus")


@pytest.mark.parametrize(
    ("scope", "known"),
    [
        (OPUS, True),
        ("anthropic.*", True),
        ("anth*", True),
        ("*opus*", True),
        ("claude*", False),
        ("claude-3-opus", False),
        ("antropic.claude-3-opus", False),
        ("anthropic", False),
    ],
)
def test_a_vendor_that_bedrock_has_not_had_is_told(scope: str, known: bool) -> None:  # noqa: FBT001
    assert ModelScope(scope).of_known_vendor is known


@pytest.mark.parametrize(
    "user_id",
    [
        "*:alice",
        "*:alice@example.com",
        "*:first.last+tag@example.com",
        "AROAEXAMPLE:alice",
        f"AROA{'X' * 17}:{'s' * 64}",
        f"*:{'s' * 64}",
        "*:a=b,c-d_e",
        "AIDAEXAMPLE",
    ],
)
def test_a_user_id_that_aws_can_have_is_taken(user_id: str) -> None:
    assert checked_user_id(user_id) == user_id


@pytest.mark.parametrize(
    ("user_id", "reason"),
    [
        ("*", "no user id"),
        ("*:*", "the session '*'"),
        ("*:bob*", "the session 'bob*'"),
        ("*:b?b", "the session 'b?b'"),
        ("AROAEXAMPLE:*", "the session '*'"),
        ("AROA*:bob", "no user id"),
        ("*:${aws:username}", "the session"),
        ('*:bob"', "the session"),
        ("*:o'brien", "the session"),
        ("*:bob\\", "the session"),
        ("*:böb", "the session 'böb'"),
        ("*:bob smith", "the session"),
        ("*:bob\n", "the session"),
        ("*:a:b", "the session 'a:b'"),
        ("*:b", "2 to 64"),
        (f"*:{'s' * 65}", "2 to 64"),
        ("*:", "the session ''"),
        ("bob@example.com", "no user id"),
        ("111122223333:bob", "no user id"),
        ("aroaexample:bob", "no user id"),
        ("", "no user id"),
    ],
)
def test_a_user_id_that_could_mean_others_or_nobody_is_refused(user_id: str, reason: str) -> None:
    with pytest.raises(InvalidPolicyInput, match=re.escape(reason)):
        checked_user_id(user_id)


@given(st.text(max_size=70))
def test_no_name_that_is_taken_holds_a_pattern_or_a_variable(name: str) -> None:
    try:
        taken = checked_user_id(f"*:{name}")
    except InvalidPolicyInput:
        return
    assert not set(taken.removeprefix("*")) & set("*?${}\"'\\")
    assert taken.isascii()


@pytest.mark.parametrize("account", ["", "123", "1234567890123", "11112222333x", "\uff11" * 12])
def test_an_account_has_twelve_digits(account: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="12 digits"):
        checked_account(account)


@pytest.mark.parametrize("stack", ["", "1st", "my_stack", "a*", "a" * 61, "é"])
def test_a_stack_that_could_not_name_its_policies_is_refused(stack: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="at most 60"):
        checked_stack(stack)


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "us-isob-east-1", "*"])
def test_a_region_is_taken(region: str) -> None:
    assert checked_region(region) == region


@pytest.mark.parametrize("region", ["", "us", "us-east-*", "US-EAST-1", "us east 1"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="is no Region"):
        checked_region(region)


def test_the_longest_stack_still_has_policies_with_names_that_iam_takes() -> None:
    stack, ask = "s" * 60, "a" * 24
    names = [
        deny_policy_name(stack, ask=ask),
        deny_policy_name(stack, MODEL_SCOPES, ask),
        gate_name(stack, GATES, ask),
    ]
    assert max(map(len, names)) <= 128


def test_the_name_of_a_deny_says_what_happened_and_whom_to_ask() -> None:
    ask = "ask-platform@example.com"
    assert deny_policy_name("q", ask=ask) == "q-over-bedrock-quota-ask-platform@example.com"
    assert gate_name("q", 1, ask) == (
        "q-over-bedrock-quota-gate-1-ask-platform@example.com-BOUNDARY-ONLY"
    )


@pytest.mark.parametrize("ask", ["", "a b", "a/b", "*", "x" * 25, "ä"])
def test_what_no_policys_name_can_hold_is_refused(ask: str) -> None:
    with pytest.raises(InvalidPolicyInput, match="cannot be in a policy's name"):
        deny_policy_name("q", ask=ask)
