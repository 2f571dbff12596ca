"""The promise over two accounts: with the code of all functions replaced nobody gains a permission.

Each role of both templates, with everything that parameters can add, tries every action by which a
permission is given or taken, on whatever of both accounts it could serve. What IAM's decisions let
through is exactly what stands here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from iam_catalogue import CATALOGUE
from iam_decisions import Caller
from quota_enforcer.core.policies.names import deny_policy_name, gate_name, policy_arn
from quota_enforcer.satellites.names import Part, role_arn
from template_source import SATELLITE, of_type
from template_values import HOME, MEMBER, MOST, SCOPES, DeployedSatellite

HOME_ACCOUNT, STACK = HOME["HomeAccount"], HOME["HomeStack"]
GIVING = ("iam", "sts", "organizations", "sso", "rolesanywhere")
"""The services by which permissions are given and taken."""
ACTIONS = [f"{service}:{action}" for service in GIVING if service in CATALOGUE
           for action in CATALOGUE[service]["Actions"]]  # fmt: skip
SATELLITE_ROLES = [
    name for name, each in SATELLITE["Resources"].items() if each["Type"] == "AWS::IAM::Role"
]
IN_MEMBER = DeployedSatellite(**SCOPES, Gates="4")
ROLES: Mapping[str, tuple[str, list[Any]]] = {
    **{
        f"home {name}": (HOME_ACCOUNT, [each["PolicyDocument"] for each in of["Policies"]])
        for name in of_type("AWS::IAM::Role")
        if (of := MOST.properties(name)).get("Policies")
    },
    **{f"member {name}": (MEMBER, [IN_MEMBER.policy(name)]) for name in SATELLITE_ROLES},
}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def denies(account: str) -> list[str]:
    numbers = [None, 1, 2, 3, 4, 5]
    return [policy_arn("aws", account, STACK, deny_policy_name(STACK, each)) for each in numbers]


def gates(account: str) -> list[str]:
    return [policy_arn("aws", account, STACK, gate_name(STACK, each)) for each in (1, 2, 3, 4)]


def principals(account: str) -> list[str]:
    """Whom an attack could serve; the first two are nobody's but people's."""
    own = f"role/bedrock-quota/{STACK}/{STACK}"
    names = [
        "user/alice", "role/team/shared", "user/break-glass/oncall", "role/break-glass/rescue",
        "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_0123456789abcdef",
        "role/aws-service-role/x.amazonaws.com/x", f"{own}-EnforcerRole-1",
        f"{own}-satellite-denier", f"{own}-satellite-author", f"{own}-satellite-setup-eu-west-1",
        "group/admins", "root",
    ]  # fmt: skip
    return [f"arn:aws:iam::{account}:{name}" for name in names]


def policies(account: str) -> list[str]:
    """Ours, those that are called alike, and others'."""
    all_of = denies(account)[0]
    return [
        *denies(account),
        *gates(account),
        f"{all_of}-x",
        all_of.replace(f"/{STACK}/", "/other/", 1),
        all_of.replace(f"/bedrock-quota/{STACK}/", "/"),
        gates(account)[0].replace("gate-1", "gate-5"),
        f"arn:aws:iam::{account}:policy/anything",
    ]


@cache
def attempts() -> Sequence[tuple[str, str, dict[str, Any]]]:
    """Action, resource, and what the request says: the same for each role."""
    return tuple(_attempts())


def _attempts() -> Iterator[tuple[str, str, dict[str, Any]]]:
    both = (HOME_ACCOUNT, MEMBER)
    subjects = [each for account in both for each in principals(account)]
    documents = [ADMINISTRATOR, *(each for account in both for each in policies(account))]
    for action in ACTIONS:
        if attaching := re.fullmatch(r"iam:(?:attach|detach)(user|role|group)policy", action):
            for subject in (each for each in subjects if f":{attaching[1]}/" in each):
                for document in documents:
                    yield action, subject, {"iam__PolicyARN": document}
                yield action, subject, {}
            continue
        for resource in ("*", *subjects, *documents):
            for said in _said(action):
                yield action, resource, said


def _said(action: str) -> list[dict[str, Any]]:
    match action:
        case "sts:assumerole":
            return [{}, {"sts__ExternalId": HOME["ExternalId"]}]
        case "iam:passrole":
            return [{}, *({"iam__PassedToService": f"{each}.amazonaws.com"} for each in
                          ("bedrock", "lambda", "budgets", "scheduler"))]  # fmt: skip
        case _:
            return [{}]


@cache
def allowed(role: str) -> tuple[dict[str, set[tuple[str, str]]], int]:
    """By action: on what, and with which document; and how many attempts there were."""
    account, documents = ROLES[role]
    arn = f"arn:aws:iam::{account}:role/bedrock-quota/{STACK}/{STACK}-role"
    caller = Caller(documents, arn=arn, user_id="AROAROLE:function")
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    tried = 0
    for action, resource, said in attempts():
        tried += 1
        if caller.may(action, resource, **said):
            found[action].add((resource, said.get("iam__PolicyARN", "")))
    return dict(found), tried


def on_people(account: str, *verbs: str) -> dict[str, set[tuple[str, str]]]:
    """Exactly the denies of one account, to its ordinary users and roles."""
    user, role = principals(account)[:2]
    return {
        f"iam:{verb}{kind}policy": {(subject, each) for each in denies(account)}
        for verb in verbs
        for kind, subject in (("user", user), ("role", role))
    }


def listing(*of: str) -> set[tuple[str, str]]:
    return {(each, "") for each in of}


def writing(account: str) -> dict[str, set[tuple[str, str]]]:
    verbs = (
        "CreatePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "GetPolicyVersion",
        "ListEntitiesForPolicy", "ListPolicyVersions", "TagPolicy",
    )  # fmt: skip
    every_role = {each for each in principals(account) if ":role/" in each}
    return {f"iam:{verb.lower()}": listing(*gates(account)) for verb in verbs} | {
        "iam:getrole": listing(*every_role)
    }


def below_our_path(account: str) -> set[tuple[str, str]]:
    return listing(*(each for each in policies(account) if f"/bedrock-quota/{STACK}/" in each))


EXPECTED: dict[str, dict[str, set[tuple[str, str]]]] = {
    "home EnforcerRole": {
        **on_people(HOME_ACCOUNT, "attach", "detach"),
        "iam:listentitiesforpolicy": listing(*denies(HOME_ACCOUNT)),
        "sts:assumerole": listing(
            *(role_arn("aws", each, STACK, Part.DENIER) for each in (HOME_ACCOUNT, MEMBER))
        ),
    },
    "home AuthorRole": {
        **writing(HOME_ACCOUNT),
        "sts:assumerole": listing(
            *(role_arn("aws", each, STACK, Part.AUTHOR) for each in (HOME_ACCOUNT, MEMBER))
        ),
    },
    "home TeamsReaderRole": {  # which shows all of IAM, and changes nothing
        "iam:getaccountauthorizationdetails": listing(
            "*",
            *(each for account in (HOME_ACCOUNT, MEMBER) for each in principals(account)),
            ADMINISTRATOR,
            *(each for account in (HOME_ACCOUNT, MEMBER) for each in policies(account)),
        ),
    },
    "member DenierRole": {
        **on_people(MEMBER, "attach", "detach"),
        "iam:listentitiesforpolicy": below_our_path(MEMBER),
    },
    "member GateAuthorRole": writing(MEMBER),
    "member SetupRole": {
        "iam:listentitiesforpolicy": below_our_path(MEMBER),
        **{  # it leaves the gates open, however many there are
            f"iam:{verb}": {each for each in below_our_path(MEMBER) if "-gate-" in each[0]}
            for verb in ("createpolicyversion", "deletepolicyversion", "listpolicyversions")
        },
    },
}
"""What of all this each role may do; the others nothing. Log roles are passed to Bedrock alone."""


@pytest.mark.parametrize("role", ROLES)
def test_of_every_action_that_gives_a_permission_a_role_may_do_exactly_this(role: str) -> None:
    found, _ = allowed(role)
    detaching = {action for action in found if action.startswith("iam:detach")}
    if role == "member SetupRole":  # what goes with the stack is taken off; it attaches nothing
        assert detaching == {"iam:detachuserpolicy", "iam:detachrolepolicy"}
        ours = {policy for policy, _ in below_our_path(MEMBER)}
        assert {policy for action in detaching for _, policy in found[action]} <= ours
        found = {action: of for action, of in found.items() if action not in detaching}
    assert found == EXPECTED.get(role, {})


def test_all_roles_of_both_accounts_together_attach_nothing_that_any_of_them_can_write() -> None:
    attached: set[str] = set()
    written: set[str] = set()
    for role in ROLES:
        found, _ = allowed(role)
        for action, of in found.items():
            if action.startswith("iam:attach"):
                attached |= {policy for _, policy in of}
            if action.startswith(("iam:createpolicy", "iam:setdefaultpolicyversion")):
                written |= {policy for policy, _ in of}
    assert attached == {*denies(HOME_ACCOUNT), *denies(MEMBER)}
    theirs = {each for each, _ in below_our_path(MEMBER) if "-gate-" in each}
    assert written == {*gates(HOME_ACCOUNT), *theirs}


def test_nothing_of_a_member_account_takes_any_role() -> None:
    """So whoever took over a satellite has that satellite and no other account."""
    for role in ROLES:
        if role.startswith("member "):
            assert not {action for action in allowed(role)[0] if action.startswith("sts:assume")}


def test_no_role_has_an_action_by_wildcard_or_for_any_service() -> None:
    """So of all actions that AWS has, those that are not named are refused on everything."""
    for _, documents in ROLES.values():
        for document in documents:
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    actions = statement["Action"]
                    several = [actions] if isinstance(actions, str) else actions
                    assert not [each for each in several if "*" in each]
                    assert "NotAction" not in statement
                    assert "NotResource" not in statement


def test_as_many_attempts_as_the_page_says() -> None:
    tried = sum(allowed(role)[1] for role in ROLES)
    page = (Path(__file__).parents[2] / "docs/trust.md").read_text("utf-8")
    said = f"{len(ROLES)} roles of both templates, {len(ACTIONS)} actions: {tried:,} attempts"
    assert said in page, said
