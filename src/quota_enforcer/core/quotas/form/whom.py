"""Whom and where: subjects, members, Regions and accounts of quota items, read and checked."""

import re
from typing import Any

from quota_enforcer.core.errors import did_you_mean
from quota_enforcer.core.principal import SSO_ROLE, Kind, Principal, account_of, can_exist, identify
from quota_enforcer.core.quotas.form.values import (
    NotAllowed,
    plain_number,
    text,
    texts,
)
from quota_enforcer.core.quotas.subject import DEFAULT, GROUPS, Subject
from quota_enforcer.core.usage.place import REGIONS as KNOWN_REGIONS

MEMBERS = "a list of principals and kinds, and of no teams"

REGIONS = (
    "a list of AWS Regions such as eu-west-1, those whose usage counts; without the attribute all "
    "count"
)

ACCOUNTS = (
    "a list of account numbers of 12 digits, as text, those whose usage counts; without the "
    "attribute all count"
)

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def subject(value: Any, home: str = "") -> Subject:
    """Whom a rule covers; an ARN is refused by its name, since an item is found by what it says."""
    covered = Subject(text(value))
    if covered.startswith("arn:"):
        raise NotAllowed(f"a principal by its name: write {named_by(covered, home)}")
    if covered in GROUPS or covered.is_of_an_account:
        return covered
    if covered.of_sessions and covered.endswith("/*"):
        _principal(f"{covered.removesuffix('*')}any")
        return covered
    return Subject(_principal(covered))


def members(value: Any, home: str = "") -> tuple[str, ...]:
    """A team's members, each once; `home` is the account whose users and roles have no number."""
    several = tuple(dict.fromkeys(_member(entry, home) for entry in texts(value)))
    if not several:
        raise ValueError
    teams = [each for each in several if Subject(each).is_team]
    if teams:
        raise NotAllowed(f"{MEMBERS}: instead of {', '.join(teams)} name the members, one by one")
    return several


def _member(named: str, home: str) -> str:
    if named.startswith("arn:"):
        try:
            return named_by(named, home)
        except NotAllowed as error:
            raise NotAllowed(f"{MEMBERS}; {error}") from None
    group = Subject(named)
    if not group.is_group:
        return _principal(named)
    if subject(group) == DEFAULT:
        raise NotAllowed(f"{MEMBERS}: instead of {DEFAULT} write {', '.join(group.parts)}")
    return group


def regions(value: Any) -> tuple[str, ...]:
    """Each once."""
    found = tuple(texts(value))
    if not found:
        raise ValueError
    unknown = [each for each in found if each not in KNOWN_REGIONS]
    words = re.split(r"[\s,;]+", " ".join(unknown).lower().strip())
    if unknown and not KNOWN_REGIONS.issuperset(words):
        raise NotAllowed(f"{REGIONS}: {_no_region(unknown)}")
    if unknown:
        raise ValueError
    return found


def _no_region(unknown: list[str]) -> str:
    """`there is no eu-west-1a; did you mean eu-west-1?`."""
    words = f"there is no {', '.join(map(repr, unknown))}"
    meant = did_you_mean(unknown[0].lower(), sorted(KNOWN_REGIONS))
    return f"{words}; {meant or 'a Region that is newer than this version needs the newest one'}"


def accounts(value: Any) -> tuple[str, ...]:
    """Each once; a number is one too if no zero before it was lost."""
    several = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
    several = several if isinstance(several, list) else [several]
    found = tuple(dict.fromkeys(map(_account, several)))
    if not found:
        raise ValueError
    return found


def _account(value: Any) -> str:
    number = value if isinstance(value, str) else str(plain_number(value))
    if not _ACCOUNT.fullmatch(number):
        raise ValueError
    return number


def named_by(arn: str, home: str) -> str:
    """The principal of an ARN; raises NotAllowed for nobody whom a rule can name, and for two."""
    found, session = identify(arn, account_of(arn), home)
    if found.kind is Kind.OTHER or found.name.startswith(SSO_ROLE):
        raise NotAllowed(f"{arn} is no user, role or person of Identity Center")
    if session is not None:
        raise NotAllowed(f"instead of {arn} write {session}, or {found} for all of it")
    return str(found)


def _principal(named: str) -> str:
    principal = Principal.parse(named)
    if principal.kind is Kind.OTHER:
        raise ValueError
    if not can_exist(principal):
        raise NotAllowed("a name as IAM has it, without path and blanks, such as user/alice")
    return str(principal)
