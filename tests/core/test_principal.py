"""Principals: how identity ARNs name them, and how people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import (
    Identity,
    Kind,
    Principal,
    account_of,
    can_exist,
    canonical,
    identify,
    split_principals,
    why_not_deniable,
)

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
STS = f"arn:aws:sts::{ACCOUNT}"
MEMBER = "444455556666"
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
    ("arn", "identity"),
    [
        (f"arn:aws:iam::{MEMBER}:user/alice", named(f"{MEMBER}/user/alice")),
        (
            f"arn:aws:sts::{MEMBER}:assumed-role/ci/run-42",
            named(f"{MEMBER}/role/ci", f"{MEMBER}/session/ci/run-42"),
        ),
        (f"arn:aws:iam::{MEMBER}:role/service-role/ci", named(f"{MEMBER}/role/ci")),
        (
            f"arn:aws:sts::{MEMBER}:assumed-role/AWSReservedSSO_Admin_fedcba9876543210/Alice",
            named("sso/alice"),
        ),
        (f"arn:aws:iam::{MEMBER}:root", named(f"other/arn:aws:iam::{MEMBER}:root")),
        (f"{IAM}:user/alice", named(f"other/{IAM}:user/alice")),
        (
            "arn:aws:iam::999999999999:user/alice",
            named("other/arn:aws:iam::999999999999:user/alice"),
        ),
    ],
)
def test_the_log_of_a_member_account_names_its_own_people(arn: str, identity: Identity) -> None:
    """And Identity Center's, who are the same everywhere; home's users are strangers there."""
    assert identify(arn, MEMBER, ACCOUNT) == identity


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
ACCOUNTS = st.sampled_from([ACCOUNT, MEMBER, "999999999999"])


@given(
    st.one_of(
        st.builds(lambda account, name: f"arn:aws:iam::{account}:user/{name}", ACCOUNTS, NAMES),
        st.builds(
            lambda account, role, name: f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            ACCOUNTS, NAMES, NAMES,
        ),
        st.builds(lambda account, text: f"arn:aws:iam::{account}:{text}", ACCOUNTS, st.text()),
    ),
    ACCOUNTS,
    ACCOUNTS,
)  # fmt: skip
def test_no_accounts_log_names_anybody_of_another_account(
    arn: str, account: str, home: str
) -> None:
    """Whoever may write a member's log can charge nobody of home or of another member."""
    try:
        identity = identify(arn, account, home)
    except UnknownIdentity:
        return
    for principal in filter(None, (identity.principal, identity.session)):
        assert Principal.parse(str(principal)) == principal
        if principal.kind in {Kind.USER, Kind.ROLE, Kind.SESSION}:
            assert (principal.account or home) == account == account_of(arn)


@given(
    st.builds(
        Principal,
        st.sampled_from([Kind.USER, Kind.ROLE]),
        NAMES,
        st.one_of(st.just(""), st.from_regex(r"[0-9]{12}", fullmatch=True)),
    )
)
def test_every_principal_survives_being_written_down(principal: Principal) -> None:
    assert Principal.parse(str(principal)) == principal
    assert Principal.stored(str(principal)) == principal


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (f"{IAM}:user/alice", "user/alice"),
        (f"arn:aws:iam::{MEMBER}:user/eng/alice", f"{MEMBER}/user/alice"),
        (f"arn:aws:sts::{MEMBER}:assumed-role/ci/run-42", f"{MEMBER}/role/ci"),
        (f"arn:aws:sts::{MEMBER}:assumed-role/AWSReservedSSO_A_0123456789abcdef/Al", "sso/al"),
        (f"arn:aws:iam::{MEMBER}:root", f"other/arn:aws:iam::{MEMBER}:root"),
        (f"{ACCOUNT}/user/alice", "user/alice"),
        (f"{ACCOUNT}/session/ci/run", "session/ci/run"),
        (f"{MEMBER}/user/alice", f"{MEMBER}/user/alice"),
        ("sso/Alice", "sso/alice"),
        (f"{MEMBER}/sso/alice", f"{MEMBER}/sso/alice"),
        ("arn:aws:iam::nobody:user/x", "arn:aws:iam::nobody:user/x"),
        ("default", "default"),
        ("", ""),
    ],
)
def test_a_subject_is_written_in_one_way(written: str, subject: str) -> None:
    assert canonical(written, ACCOUNT) == subject


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("user/a,user/b", ["user/a", "user/b"]),
        (f"user/a, {MEMBER}/user/b,arn:aws:iam::1:user/c", ["user/a", f"{MEMBER}/user/b",
                                                            "arn:aws:iam::1:user/c"]),
        ("user/a,b", ["user/a,b"]),
        (f"user/a,{MEMBER}", [f"user/a,{MEMBER}"]),
    ],
)  # fmt: skip
def test_several_principals_in_one_text(text: str, several: list[str]) -> None:
    assert split_principals([text]) == several


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
        ("user/444455556666", Kind.USER, "444455556666"),
        ("user/444455556666/role/ci", Kind.USER, "444455556666/role/ci"),
    ],
)  # fmt: skip
def test_principals_are_written_kind_and_name(text: str, kind: Kind, name: str) -> None:
    assert Principal.parse(text) == Principal(kind, name)


@pytest.mark.parametrize(
    ("text", "principal"),
    [
        ("444455556666/user/alice", Principal(Kind.USER, "alice", MEMBER)),
        ("444455556666/role/reporting", Principal(Kind.ROLE, "reporting", MEMBER)),
        ("444455556666/session/ci/run-42", Principal(Kind.SESSION, "ci/run-42", MEMBER)),
    ],
)
def test_who_is_of_a_member_account_has_its_number_before(text: str, principal: Principal) -> None:
    assert Principal.parse(text) == principal
    assert str(principal) == text


@pytest.mark.parametrize(
    "text",
    [
        f"{MEMBER}/sso/alice",
        f"{MEMBER}/team/research",
        f"{MEMBER}/other/arn:aws:iam::{MEMBER}:root",
    ],
)
def test_people_and_teams_are_of_no_account(text: str) -> None:
    with pytest.raises(UnknownIdentity, match="are of an account; write") as refused:
        Principal.parse(text)
    assert text.removeprefix(f"{MEMBER}/") in str(refused.value)


def test_a_session_of_a_member_account_is_of_a_role_there() -> None:
    session = Principal.parse("444455556666/session/ci/run-42")
    assert session.of_role == Principal(Kind.ROLE, "ci", MEMBER)


@pytest.mark.parametrize(
    "text",
    ["", "alice", "user", "user/", "/alice", "User/alice", "users/alice", "user/*", "user/al*",
     "session/ci", "session/ci/", "session//x", "session/ci/*", "default", f"{IAM}:user/alice",
     f"{MEMBER}/", f"{MEMBER}/*", f"{MEMBER}/user/*", f"{MEMBER}/user/", f"{MEMBER}/session/ci",
     f"{MEMBER}/{MEMBER}/user/a", "44445555666/user/a", "4444555566667/user/a", "/user/a",
     "44445555666\u0661/user/a", " 444455556666/user/a"],
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
        (f"{MEMBER}/user/alice", f"account {MEMBER} has no satellite"),
    ],
)
def test_who_cannot_be_denied_yet_and_why(text: str, why: str | None) -> None:
    said = why_not_deniable(Principal.parse(text), gated=False)
    assert said is None if why is None else why in (said or "")


@pytest.mark.parametrize("text", ["sso/alice", "session/ci/run"])
def test_gates_reach_those_who_share_a_role(text: str) -> None:
    assert why_not_deniable(Principal.parse(text), gated=True) is None


@pytest.mark.parametrize("text", [f"{MEMBER}/user/alice", f"{MEMBER}/role/ci"])
def test_who_is_of_an_account_with_a_satellite_can_be_denied(text: str) -> None:
    assert why_not_deniable(Principal.parse(text), gated=False, reached={MEMBER}) is None


def test_a_session_of_an_account_with_a_satellite_needs_a_gate_all_the_same() -> None:
    session = Principal.parse(f"{MEMBER}/session/ci/run")
    said = why_not_deniable(session, gated=False, reached={MEMBER})
    assert "without denying the whole role" in (said or "")
