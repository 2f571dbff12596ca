"""Whom somebody means: a principal's name without its kind, in another spelling, or as an ARN.

What may be one principal only is taken as that one. All else is refused with what to write; nobody
is ever taken for somebody else.
"""

import re
from collections.abc import Iterable, Iterator

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal import asking
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.core.errors import UnknownIdentity, did_you_mean_any, near_names
from quota_enforcer.core.principal import (
    SSO_ROLE,
    Identity,
    Kind,
    Principal,
    account_of,
    canonical,
    identify,
    split_account,
)
from quota_enforcer.core.quotas.subject import DEFAULT, GROUPS, Subject

_NAMED = frozenset({Kind.USER, Kind.ROLE, Kind.SSO, Kind.TEAM})
"""Kinds whose principals have a name of one part."""
IN_IAM = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION})
_EVERYBODY = {"all", "everybody", "everyone", "people", "*"}
_WHOSE = {
    "root": "the account's root user, whom no IAM policy can deny",
    "group": "an IAM group, which is no principal: make a team of its members, "
    "with `quota-enforcer quota set team/NAME ... --members user/a,user/b`",
    "federated-user": "a federated user, whom no IAM policy of a user or role denies",
    "instance-profile": "an instance profile: write role/NAME for its role",
    "policy": "a policy, which is no principal",
}


def whom(deployment: Deployment, text: str, *, ask: bool = True) -> str:
    """The subject in the table's spelling; what is nobody's name is left for validation.

    Raises UnknownIdentity if it may be several, or nobody here. Of a session's ARN it asks whether
    the session is meant or its role; without `ask` it is the role.
    """
    said = text.strip()
    home = deployment.settings.account
    if said.startswith("arn:"):
        return _of_arn(said, home, ask=ask)
    if said in GROUPS:
        return said
    account, own = split_account(re.sub(r"^(\d{12}):", r"\1/", said))
    if account:
        return _of_account(deployment, account, own)
    kind, slash, name = re.sub(rf"^({'|'.join(Kind)}):", r"\1/", said).partition("/")
    kinds = {form: each for each in Kind for form in (each.value, f"{each.value}s")}
    if slash and kind.lower() in kinds:
        return canonical(f"{kinds[kind.lower()]}/{name}", home)
    if slash and kind.lower() in {"group", "groups"}:
        raise UnknownIdentity(f"{said!r} is {_WHOSE['group']}")
    if slash or not said:
        return said
    return _bare(deployment, said)


def _of_account(deployment: Deployment, account: str, own: str) -> str:
    """Whoever is of an account; at home they have no number."""
    at_home = account == deployment.settings.account
    if at_home and "*" in own:
        raise UnknownIdentity(
            f"{account} is the account of this deployment: write {own}, which covers all accounts"
            if own in GROUPS
            else f"{account} is the account of this deployment: write user/* or role/*"
        )
    if "/" not in own and own != "*":
        of = "" if at_home else account
        having = {each for each in _having(deployment, own) if each.kind in IN_IAM}
        several = [each for each in having if each.account == of]
        if len(several) != 1:
            raise UnknownIdentity(
                f"{own!r} of account {account} may be nobody, or several: write "
                f"{account}/user/{own} or {account}/role/{own}"
            )
        return str(several[0])
    kind, _, name = own.partition("/")
    if (kind := kind.lower().removesuffix("s")) in set(Kind):
        own = f"{kind}/{name}"
    return canonical(own if at_home else f"{account}/{own}", deployment.settings.account)


def _bare(deployment: Deployment, name: str) -> str:
    """A name without its kind: the one principal, team or group that has it."""
    if name.lower() in _EVERYBODY:
        raise UnknownIdentity(
            f"{name!r} is nobody's name: write {DEFAULT} for all people (never roles), or user/*, "
            "sso/* or role/* for all of a kind"
        )
    if re.fullmatch(r"\d{12}", name):
        raise UnknownIdentity(f"{name!r} is an account: write {name}/* for all its users and roles")
    if (kind := name.lower().removesuffix("s")) in {Kind.USER, Kind.ROLE}:
        raise UnknownIdentity(f"{name!r} is nobody's name: write {kind}/* for all of them")
    several = sorted(set(_having(deployment, name)))
    if len(several) == 1:
        hint(f"{name} is taken as {several[0]}.")
        return str(several[0])
    if several:
        raise UnknownIdentity(
            f"{name!r} may be {' or '.join(map(str, several))}: write which of them"
        )
    forms = [f"{Kind.SSO}/{name}"] if "@" in name else [f"{kind}/{name}" for kind in Kind]
    forms = [each for each in forms if Kind(each.partition("/")[0]) in _NAMED]
    known = [str(record.principal) for record in deployment.ledger.everybody()]
    meant = did_you_mean_any(near for form in forms for near in near_names(form, known))
    nearest = f" ({meant})" if meant else ""
    raise UnknownIdentity(
        f"{name!r} is no principal that is known here{nearest}: write {_or(forms)}"
    )


def _having(deployment: Deployment, name: str) -> Iterator[Principal]:
    known = [record.principal for record in deployment.ledger.everybody()]
    subjects = (Subject(str(item.get("principal"))) for item in deployment.quotas.items())
    named = [each.principal() for each in subjects if _is_one(each)]
    for each in (*known, *named):
        if each.kind in _NAMED and name == each.name:
            yield each
    if "@" in name:
        yield from (each for each in known if each == Principal(Kind.SSO, name.lower()))


def _is_one(subject: Subject) -> bool:
    name = split_account(subject)[1].partition("/")[2]
    return subject.kind in _NAMED and bool(name) and not subject.is_group


def _of_arn(arn: str, home: str, *, ask: bool) -> str:
    identity = identify(arn, account_of(arn), home)
    principal = identity.principal
    if principal.kind is Kind.OTHER:
        raise UnknownIdentity(_why_nobody(arn))
    if principal.kind is Kind.ROLE and principal.name.startswith(SSO_ROLE):
        raise UnknownIdentity(
            f"{arn} is the role of a permission set, whose people are limited each by name: write "
            "sso/NAME, or sso/* for all of them"
        )
    if identity.session is not None and ask:
        return str(_session_or_role(arn, identity))
    return str(principal)


def _session_or_role(arn: str, identity: Identity) -> Principal:
    role, session = identity.principal, identity.session
    assert session is not None  # noqa: S101 - for mypy: the caller has looked
    which = (
        f"{arn} is one session of a role: {session} is that session by itself, {role} the role "
        "with all its sessions"
    )
    if not asking.at_terminal():
        raise UnknownIdentity(f"{which}; write which of them is meant")
    answers = {Kind.SESSION.value: session, Kind.ROLE.value: role}
    answer = typer.prompt(f"{which}. Which is meant ({' or '.join(answers)})?", err=True)
    if answer.strip().lower() not in answers:
        raise UnknownIdentity(f"{answer!r} is neither of them: write {session} or {role}")
    return answers[answer.strip().lower()]


def _why_nobody(arn: str) -> str:
    resource = arn.split(":", 5)[5]
    what = _WHOSE.get(resource.partition("/")[0], "no user, role or session")
    return f"{arn} is {what}"


def _or(forms: Iterable[str]) -> str:
    *first, last = forms
    return f"{', '.join(first)} or {last}" if first else last
