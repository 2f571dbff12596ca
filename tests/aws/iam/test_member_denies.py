"""Denying in member accounts: by which role, how often it is taken, and what being lost means."""

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from freezegun import freeze_time
from moto.iam.models import iam_backends

from builders import NOON
from quota_enforcer.aws.iam.account_denies import AccountDenies
from quota_enforcer.aws.iam.assumed_roles import TRIED_AGAIN, AssumedRoles, in_each
from quota_enforcer.aws.iam.denies import IamDenies
from quota_enforcer.core.errors import AccountUnreachable, CannotDeny, PrincipalGone
from quota_enforcer.core.policies.names import in_account
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from datetime import datetime

    from quota_enforcer.enforce.ports.adapters import Denies

HOME, THERE, FAR = "123456789012", "444455556666", "555566667777"
PATH, NAME = "/bedrock-quota/q/", "q-over-bedrock-quota"
POLICY = f"arn:aws:iam::{HOME}:policy{PATH}{NAME}"
BOB = Principal.parse(f"{THERE}/user/bob")
CI = Principal.parse(f"{THERE}/role/ci")
NAMESAKE = Principal.parse("user/bob")
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}],
}
MINUTES = timedelta(minutes=1)


class Roles(AssumedRoles):
    """Counts what is asked of STS; `lost` are accounts that refuse. Time stands still."""

    def __init__(self, session: boto3.Session) -> None:
        self.at: datetime = NOON
        super().__init__(session, denier, "the-external-id", lambda: self.at)
        self.asked: list[dict[str, Any]] = []
        self.lost_accounts: set[str] = set()
        session.events.register("provide-client-params.sts.AssumeRole", self._note)

    def _note(self, params: dict[str, Any], **_: object) -> None:
        self.asked.append(params)
        if params["RoleArn"].split(":")[4] in self.lost_accounts:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


def denier(account: str) -> str:
    return f"arn:aws:iam::{account}:role{PATH}q-satellite-denier"


@pytest.fixture
def session(mocked_aws: None) -> boto3.Session:  # noqa: ARG001
    for account in (HOME, THERE, FAR):
        make(iam_backends[account]["aws"])
    return boto3.Session("key", "secret", region_name="us-east-1")


def fail(client: Any, operation: str, code: str) -> None:
    """Each such call of a client is refused."""

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code}}, operation)

    client.meta.events.register(f"before-call.iam.{operation}", refuse)


def make(iam: Any) -> None:
    """The same policy, user and role in whichever account of moto's."""
    iam.create_policy("", PATH, json.dumps(DENY), NAME, [])
    iam.create_user("us-east-1", "bob")
    iam.create_role("ci", "{}", "/", None, "", [], None)


@pytest.fixture
def roles(session: boto3.Session) -> Roles:
    return Roles(session)


@pytest.fixture
def denies(session: boto3.Session, roles: Roles) -> IamDenies:
    port: Denies = IamDenies(session.client("iam"), {"*": POLICY}, roles)
    assert isinstance(port, IamDenies)
    return port


def test_whoever_is_of_a_member_account_is_denied_and_released_there(denies: IamDenies) -> None:
    denies.attach(BOB, "*")
    denies.attach(CI, "*")
    denies.attach(BOB, "*")
    assert denies.denied() == {}
    everywhere = denies.in_force([THERE, FAR])
    assert everywhere.denied == {BOB: frozenset({"*"}), CI: frozenset({"*"})}
    assert everywhere.listed == {"", THERE, FAR}
    denies.attach(NAMESAKE, "*")
    denies.detach(BOB, "*")
    denies.detach(BOB, "*")
    assert denies.in_force([THERE]).denied == {NAMESAKE: frozenset({"*"}), CI: frozenset({"*"})}


def test_the_denies_of_one_account_touch_nobody_of_another(roles: Roles) -> None:
    there = AccountDenies(roles.client(THERE), {"*": in_account(POLICY, THERE)}, THERE)
    for other in (NAMESAKE, Principal.parse(f"{FAR}/user/bob")):
        with pytest.raises(CannotDeny, match=str(other)):
            there.attach(other, "*")
    there.attach(BOB, "*")
    there.detach(NAMESAKE, "*")
    assert there.denied() == {BOB: frozenset({"*"})}


def test_its_role_is_taken_once_until_shortly_before_its_credentials_end(
    denies: IamDenies, roles: Roles
) -> None:
    with freeze_time(NOON) as clock:
        for _ in range(3):
            denies.attach(BOB, "*")
            denies.in_force([THERE, FAR])
        asked = Counter(each["RoleArn"] for each in roles.asked)
        assert asked == {denier(THERE): 1, denier(FAR): 1}
        assert {each["ExternalId"] for each in roles.asked} == {"the-external-id"}
        clock.tick(40 * MINUTES)
        denies.detach(BOB, "*")
        assert len(roles.asked) == 2
        clock.tick(15 * MINUTES)
        denies.attach(BOB, "*")
        assert len(roles.asked) == 3


def test_an_account_that_gives_its_role_no_more_is_unreachable_from_then_on(
    denies: IamDenies, roles: Roles
) -> None:
    with freeze_time(NOON) as clock:
        denies.attach(BOB, "*")
        roles.lost_accounts = {THERE}
        clock.tick(61 * MINUTES)
        with pytest.raises(AccountUnreachable, match="AssumeRole: AccessDenied: no"):
            denies.detach(BOB, "*")


def test_an_account_that_refuses_is_named_with_the_reason_and_stops_no_other(
    denies: IamDenies, roles: Roles
) -> None:
    roles.lost_accounts = {FAR}
    denies.attach(BOB, "*")
    found = denies.in_force([THERE, FAR])
    assert found.denied == {BOB: frozenset({"*"})}
    assert found.listed == {"", THERE}
    assert found.unread == {FAR: f"{denier(FAR)}: AssumeRole: AccessDenied: no"}


def test_a_thousand_who_wait_for_an_account_ask_for_it_once_a_minute(
    denies: IamDenies, roles: Roles
) -> None:
    roles.lost_accounts = {THERE}
    for number in range(20):
        for act in (denies.attach, denies.detach):
            with pytest.raises(AccountUnreachable, match=f"account {THERE} cannot be reached"):
                act(Principal.parse(f"{THERE}/user/u{number}"), "*")
    assert len(roles.asked) == 1
    roles.lost_accounts = set()
    roles.at += TRIED_AGAIN
    denies.attach(BOB, "*")


@pytest.mark.parametrize("code", ["NoSuchEntity", "AccessDenied", "Throttling"])
def test_an_account_whose_denies_cannot_be_listed_is_not_taken_for_one_without(
    session: boto3.Session, roles: Roles, code: str
) -> None:
    """Its satellite is of another stack's name, say, or the organisation denies it."""
    denies = IamDenies(session.client("iam"), {"*": POLICY}, roles)
    fail(roles.client(THERE), "ListEntitiesForPolicy", code)
    found = denies.in_force([THERE, FAR])
    assert found.listed == {"", FAR}
    assert code in found.unread[THERE]


def test_what_iam_refuses_there_is_as_at_home(denies: IamDenies) -> None:
    with pytest.raises(PrincipalGone, match=f"{THERE}/user/nobody"):
        denies.attach(Principal.parse(f"{THERE}/user/nobody"), "*")
    with pytest.raises(CannotDeny, match=f"{THERE}/session/ci/42"):
        denies.attach(Principal.parse(f"{THERE}/session/ci/42"), "*")
    with pytest.raises(CannotDeny, match="is installed"):
        denies.attach(BOB, "other*")


@pytest.mark.parametrize(
    ("code", "lost"),
    [("ExpiredToken", True), ("InvalidClientTokenId", True), ("ServiceFailure", False)],
)
def test_credentials_that_are_no_more_make_an_account_unreachable_and_are_taken_anew(
    session: boto3.Session, roles: Roles, code: str, *, lost: bool
) -> None:
    denies = IamDenies(session.client("iam"), {"*": POLICY}, roles)
    fail(roles.client(THERE), "AttachUserPolicy", code)
    with pytest.raises(AccountUnreachable if lost else ClientError):
        denies.attach(BOB, "*")
    denies.reach(THERE)
    assert len(roles.asked) == 1 + lost


def test_without_members_no_account_is_reached(session: boto3.Session) -> None:
    alone = IamDenies(session.client("iam"), {"*": POLICY})
    assert alone.in_force([THERE]).unread.keys() == {THERE}
    for act in (alone.attach, alone.detach):
        with pytest.raises(AccountUnreachable, match="no satellites in other accounts"):
            act(BOB, "*")
    assert alone.denied() == {}


def test_a_group_that_has_a_deny_there_is_named_with_its_account(
    session: boto3.Session, roles: Roles
) -> None:
    iam = roles.client(THERE)
    denies = IamDenies(session.client("iam"), {"*": POLICY}, roles)
    answer = {"PolicyUsers": [], "PolicyRoles": [], "PolicyGroups": [{"GroupName": "all"}]}
    iam.meta.events.register(
        "after-call.iam.ListEntitiesForPolicy", lambda parsed, **_: parsed.update(answer)
    )
    denies.in_force([THERE])
    (words,) = denies.unmanaged_attachments
    assert words.startswith(f"account {THERE}: the deny of * is attached to the group all")


def test_accounts_are_worked_on_side_by_side_and_each_answer_is_its_own() -> None:
    def work(account: str) -> str:
        if account.endswith("3"):
            raise AccountUnreachable(account, "away")
        return f"of {account}"

    done, unread = in_each([str(number) for number in range(40)], work)
    assert unread == dict.fromkeys(("3", "13", "23", "33"), "away")
    assert len(done) == 36
    assert done["17"] == "of 17"
