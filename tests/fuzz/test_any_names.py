"""Whatever a name is, of a caller, a model, a principal: it is read at once or refused in words."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from any_values import TEXTS
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Principal, can_exist, identify, why_not_deniable
from quota_enforcer.core.quotas.subject import Subject, covering
from quota_enforcer.core.usage.model import ModelScope, canonical_model, is_opaque, named

ACCOUNT = "111122223333"
LONGEST = 2000
"""Characters of a refusal."""
PARTS = st.sampled_from([
    "arn", "aws", "aws-cn", "iam", "sts", "bedrock", "us-east-1", ACCOUNT, "000000000000", "",
    "user/alice", "user/a/b/alice", "assumed-role/r/s", "assumed-role/r", "root", "role/r",
    "federated-user/f", "assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ann@example.com",
    "assumed-role/r/" + "x" * 999, "foundation-model/a.b", "inference-profile/us.a.b",
    "application-inference-profile/x", "user/*", "user/\0", "user/a:b",
]) | TEXTS  # fmt: skip
ARNS = st.lists(PARTS, max_size=8).map(":".join)
KINDS = st.sampled_from(["user", "role", "sso", "session", "team", "other", "", "USER"])
NAMES = st.tuples(KINDS, st.sampled_from(["/", "", "//"]), TEXTS | ARNS).map("".join)


def outcome(read: Callable[[], Any]) -> tuple[Any, str]:
    """What a name is, or the words that refuse it."""
    try:
        return read(), ""
    except UnknownIdentity as refused:
        return None, str(refused)


@given(ARNS | TEXTS)
def test_any_caller_is_somebody_or_nobody_in_words(arn: str) -> None:
    identity, words = outcome(lambda: identify(arn, ACCOUNT))
    if identity is None:
        assert words
        return
    for each in (identity.principal, identity.session):
        if each is not None:
            assert Principal.parse(str(each)) == each
            assert why_not_deniable(each, gated=True) != ""


@given(NAMES | TEXTS)
def test_any_principal_reads_back_as_it_was_or_is_refused_in_words(text: str) -> None:
    principal, words = outcome(lambda: Principal.parse(text))
    if principal is None:
        assert words
        return
    assert Principal.parse(str(principal)) == principal
    assert isinstance(can_exist(principal), bool)
    assert covering(principal)


@given(NAMES | TEXTS)
def test_any_subject_says_what_it_is(text: str) -> None:
    subject = Subject(text)
    assert isinstance(subject.is_team, bool)


@given(ARNS | TEXTS | st.lists(PARTS, max_size=5).map(".".join), TEXTS)
def test_any_model_has_one_canonical_name(model: str, scope: str) -> None:
    name = canonical_model(model)
    assert canonical_model(name) == name
    assert named(model).name == name
    assert isinstance(is_opaque(model), bool)
    assert ModelScope("*").covers(name)
    assert isinstance(ModelScope(scope).covers(name), bool)


LONG = [part * 100_000 for part in ("a", "us.", "a/", ":", "*", "arn:aws:bedrock:", "-", "[", "\n")]


def test_names_of_a_hundred_thousand_parts_take_no_time() -> None:
    for each in LONG:
        canonical_model(each)
        ModelScope(f"{each[:1000]}*").covers(each)
        assert len(outcome(partial(Principal.parse, each))[1]) < LONGEST
        assert len(outcome(partial(identify, each, ACCOUNT))[1]) < LONGEST
