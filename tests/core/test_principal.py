"""Principals: how identity ARNs name them, and how people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import (
    Identity,
    Kind,
    Principal,
    can_exist,
    cannot_be_denied,
    identify,
)

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
STS = f"arn:aws:sts::{ACCOUNT}"
LAMBDA_SESSION = "session/summariser/summariser-prod"


def named(principal: str, session: str | None = None) -> Identity:
    return Identity(Principal.parse(principal), Principal.parse(session) if session else None)


@pytest.mark.parametrize(
    ("arn", "identity"),
    [
        pytest.param(f"{IAM}:user/alice", named("user/alice"), id="user"),
        pytest.param(f"{IAM}:user/eng/ml/alice", named("user/alice"), id="user with a path"),
        pytest.param(
            f"{IAM}:user/a*b/alice", named("user/alice"), id="a path may hold what a name may not"
        ),
        pytest.param(
            f"{IAM}:user/BedrockAPIKey-k3x9",
            named("user/BedrockAPIKey-k3x9"),
            id="long-term API key",
        ),
        pytest.param(
            f"{STS}:assumed-role/ci/run-42", named("role/ci", "session/ci/run-42"), id="role"
        ),
        pytest.param(
            f"{STS}:assumed-role/summariser/summariser-prod",
            named("role/summariser", LAMBDA_SESSION),
            id="Lambda",
        ),
        pytest.param(
            f"{STS}:assumed-role/web/i-0abc123def4567890",
            named("role/web", "session/web/i-0abc123def4567890"),
            id="EC2",
        ),
        pytest.param(
            f"{STS}:assumed-role/dev/botocore-session-1732451234",
            named("role/dev", "session/dev/botocore-session-1732451234"),
            id="SDK default",
        ),
        pytest.param(
            f"{STS}:assumed-role/kb-service/BKB-Retrieve-X1-0a1b2c3d-1111-2222-3333-444455556666",
            named(
                "role/kb-service",
                "session/kb-service/BKB-Retrieve-X1-0a1b2c3d-1111-2222-3333-444455556666",
            ),
            id="knowledge base",
        ),
        pytest.param(
            f"{STS}:assumed-role/agents/BedrockAgentCore-0a1b2c3d",
            named("role/agents", "session/agents/BedrockAgentCore-0a1b2c3d"),
            id="AgentCore",
        ),
        pytest.param(
            f"{STS}:assumed-role/gateway/alice@example.com",
            named("role/gateway", "session/gateway/alice@example.com"),
            id="session named after a person",
        ),
        pytest.param(
            f"{STS}:assumed-role/AWSReservedSSO_Power_User_0123456789abcdef/truc.le",
            named("sso/truc.le"),
            id="Identity Center",
        ),
        pytest.param(
            f"{STS}:assumed-role/AWSReservedSSO_Admin_fedcba9876543210/Alice@Example.com",
            named("sso/alice@example.com"),
            id="Identity Center in another spelling",
        ),
        pytest.param(
            f"{STS}:assumed-role/AWSReservedSSO_Admin/alice",
            named("role/AWSReservedSSO_Admin", "session/AWSReservedSSO_Admin/alice"),
            id="only looks like Identity Center",
        ),
        pytest.param(f"{IAM}:role/service-role/ci", named("role/ci"), id="role without session"),
        pytest.param(f"{IAM}:root", named(f"other/{IAM}:root"), id="root"),
        pytest.param(
            f"{STS}:federated-user/bob", named(f"other/{STS}:federated-user/bob"), id="federated"
        ),
        pytest.param(
            f"{STS}:assumed-role/ci", named(f"other/{STS}:assumed-role/ci"), id="no session name"
        ),
        pytest.param(
            "arn:aws:iam::999999999999:user/alice",
            named("other/arn:aws:iam::999999999999:user/alice"),
            id="a user of another account is not ours of the same name",
        ),
        pytest.param(
            f"arn:aws-us-gov:iam::{ACCOUNT}:user/alice", named("user/alice"), id="GovCloud"
        ),
        pytest.param(f"arn:aws-cn:iam::{ACCOUNT}:user/alice", named("user/alice"), id="China"),
    ],
)
def test_every_identity_arn_of_the_log_names_a_principal(arn: str, identity: Identity) -> None:
    assert identify(arn, ACCOUNT) == identity


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param("", id="empty"),
        pytest.param("alice", id="a bare name"),
        pytest.param("REDACTED", id="redacted"),
        pytest.param("arn:aws:iam::XXXXXXXXXXXX:user/alice", id="redacted account"),
        pytest.param("arn:aws:iam::12345678901234:user/alice", id="account of 14 digits"),
        pytest.param(f"arn:aws:s3::{ACCOUNT}:bucket/alice", id="another service"),
        pytest.param(f"{IAM}:", id="no resource"),
        pytest.param(f"{IAM}:user/", id="no name"),
        pytest.param(f"{IAM}:user/*", id="a forged pattern"),
        pytest.param(f"{IAM}:user/al ice", id="a blank"),
        pytest.param(f"{IAM}:user/älice", id="no ASCII"),
        pytest.param(f"{STS}:assumed-role/ci/", id="empty session"),
        pytest.param(f"{STS}:assumed-role//run", id="empty role"),
        pytest.param(f"{STS}:assumed-role/ci/*", id="a forged session"),
        pytest.param(f"{IAM}:user/alice\n{IAM}:user/bob", id="two lines"),
        pytest.param(f" {IAM}:user/alice", id="a leading blank"),
    ],
)
def test_what_is_no_identity_is_refused_by_name(arn: str) -> None:
    with pytest.raises(UnknownIdentity) as refused:
        identify(arn, ACCOUNT)
    assert repr(arn) in str(refused.value)
    assert "expected" in str(refused.value)


def test_a_long_nonsense_arn_is_shown_in_part() -> None:
    with pytest.raises(UnknownIdentity) as refused:
        identify("x" * 100_000, ACCOUNT)
    assert len(str(refused.value)) < 500


NAMES = st.text("abcXYZ019+=,.@_-", min_size=1, max_size=12)


@given(
    st.one_of(
        st.builds(lambda name: f"{IAM}:user/{name}", NAMES),
        st.builds(lambda path, name: f"{IAM}:user/{path}/{name}", NAMES, NAMES),
        st.builds(lambda role, name: f"{STS}:assumed-role/{role}/{name}", NAMES, NAMES),
        st.builds(
            lambda role, name: f"{STS}:assumed-role/AWSReservedSSO_{role}_0123456789abcdef/{name}",
            NAMES,
            NAMES,
        ),
        st.builds(lambda text: f"{IAM}:{text}", st.text(min_size=1)),
        st.builds(lambda text: f"arn:aws:iam::999999999999:{text}", st.text(min_size=1)),
        st.text(),
    )
)
def test_whom_an_arn_names_can_be_written_down_and_read_back(arn: str) -> None:
    """Or it is refused; nothing that is metered can confuse the ledger later."""
    try:
        identity = identify(arn, ACCOUNT)
    except UnknownIdentity:
        return
    for principal in filter(None, (identity.principal, identity.session)):
        assert Principal.parse(str(principal)) == principal
        assert principal.kind is Kind.OTHER or can_exist(principal)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("user/alice", Kind.USER, "alice"),
        ("role/reporting", Kind.ROLE, "reporting"),
        ("sso/Alice@Example.com", Kind.SSO, "alice@example.com"),
        ("session/reporting/ci-42", Kind.SESSION, "reporting/ci-42"),
        ("team/data science", Kind.TEAM, "data science"),
        ("other/arn:aws:iam::999999999999:user/a*/b", Kind.OTHER,
         "arn:aws:iam::999999999999:user/a*/b"),
    ],
)  # fmt: skip
def test_principals_are_written_kind_and_name(text: str, kind: Kind, name: str) -> None:
    assert Principal.parse(text) == Principal(kind, name)


@pytest.mark.parametrize(
    "text",
    ["", "alice", "user", "user/", "/alice", "User/alice", "users/alice", "user/*", "user/al*",
     "session/ci", "session/ci/", "session//x", "session/ci/*", "default", f"{IAM}:user/alice"],
)  # fmt: skip
def test_what_is_no_principal_is_refused_with_the_forms_allowed(text: str) -> None:
    with pytest.raises(UnknownIdentity, match="session/ROLE/NAME") as refused:
        Principal.parse(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("user/alice", True),
        ("user/eng/alice", False),
        ("user/alice ", False),
        ("user/al ice", False),
        ("role/service-role/ci", False),
        ("sso/alice@example.com", True),
        ("sso/alice smith", False),
        ("session/ci/run-42", True),
        ("session/ci/run/42", False),
        ("session/ci/ run", False),
        ("team/data science", True),
        ("team/research ", False),
        (f"other/{IAM}:root", True),
    ],
)
def test_names_that_nobody_can_have(text: str, possible: bool) -> None:  # noqa: FBT001 - a table
    assert can_exist(Principal.parse(text)) is possible


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("user/alice", None),
        ("role/ci", None),
        ("sso/alice", "Identity Center roles cannot be modified"),
        ("session/ci/run", "without denying the whole role"),
        ("team/research", None),
        (f"other/{IAM}:root", "root, federated users and identities of other accounts"),
    ],
)
def test_who_cannot_be_denied_yet_and_why(text: str, why: str | None) -> None:
    said = cannot_be_denied(Principal.parse(text), gated=False)
    assert said is None if why is None else why in (said or "")


@pytest.mark.parametrize("text", ["sso/alice", "session/ci/run"])
def test_gates_reach_those_who_share_a_role(text: str) -> None:
    assert cannot_be_denied(Principal.parse(text), gated=True) is None
