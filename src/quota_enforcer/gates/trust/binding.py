"""Trust policies that tie a session's name to the person who takes the role."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from quota_enforcer.core.policies.document import VERSION, Document, Statement
from quota_enforcer.gates.trust.entrances import (
    as_list,
    binds,
    denies_other_names,
    principals,
    statements,
    takes,
)

_PERSON_ARN: Final = re.compile(r"arn:[^:]+:iam::\d{12}:user/.+")


@dataclass(frozen=True, slots=True)
class Binding:
    """A trust policy in which a session's name is its caller's, and what to know before it is set.

    `document` is None if nothing can be bound.
    """

    document: Document | None
    notes: tuple[str, ...] = ()


_USERNAME: Final = "${aws:username}"
_SOURCE: Final = "${aws:SourceIdentity}"
_ONLY_USERS: Final = (
    "only IAM users get in then, each with `--role-session-name` their own user name: sessions of "
    "other roles have no aws:username"
)
_ONLY_SOURCED: Final = (
    "sessions of other roles get in then only with a source identity, which the trust policy of "
    "their own role has to bind to the person"
)
_OIDC_CLAIM: Final = (
    "a session name has at most 64 letters, digits and any of +=,.@_-: if {claim} has others, such "
    "as a colon, nobody gets in"
)
_MACHINES: Final = (
    "{issuer} names workloads with colons, which no session name may have: keep a role of its own "
    "for each workload"
)
_SAML: Final = (
    "{provider} says the session's name in its attribute RoleSessionName: see there that it is the "
    "person's, such as the mail address"
)
_SOURCE_IDENTITY: Final = (
    "a role that requires a source identity cannot be switched to in the console, and every way "
    "into it has to set one"
)
_GITHUB: Final = "token.actions.githubusercontent.com"
_WITH_COLONS: Final = ("oidc.eks.*", "cognito-identity.*", "gitlab.*")


def bound(trust: str, *, source_identity: bool = False) -> Binding:
    """The same trust policy, with each name that callers choose tied to who they are.

    With `source_identity` it also has them set the source identity to the same, which stays
    through every role that they take from there.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    notes: dict[str, None] = {}
    written: list[Statement] = []
    changed = False
    for statement in statements(trust):
        free = statement.get("Effect") == "Allow" and takes(statement) and not binds(statement)
        parts = _parts(statement, notes) if free else [(statement, "")]
        for part, claim in parts:
            wanted = {"sts:RoleSessionName": claim} if claim else {}
            if source_identity and free:
                wanted |= {"sts:SourceIdentity": claim or _saml_claim(part)}
            wanted = {key: value for key, value in wanted.items() if value}
            changed = changed or bool(wanted)
            written.append(_tied(part, wanted))
    if any(map(denies_other_names, written)) or not changed:
        return Binding(None, tuple(notes))
    if source_identity:
        notes[_SOURCE_IDENTITY] = None
    return Binding({"Version": VERSION, "Statement": written}, tuple(notes))


def _parts(statement: Statement, notes: dict[str, None]) -> Iterator[tuple[Statement, str]]:
    """A statement by what its principals can be tied to; the claim is empty for nothing."""
    by_claim: dict[str, dict[str, list[str]]] = {}
    for kind, principal in principals(statement):
        claim = _claim(kind, principal, notes)
        by_claim.setdefault(claim, {}).setdefault(kind, []).append(principal)
    for claim, kinds in by_claim.items():
        let_in: Any = {
            kind: several[0] if len(several) == 1 else several for kind, several in kinds.items()
        }
        part = statement
        if len(by_claim) > 1:
            part = {
                **{key: value for key, value in statement.items() if key != "Sid"},
                "Principal": let_in,
            }
        yield part, claim


def _claim(kind: str, principal: str, notes: dict[str, None]) -> str:
    """The policy variable that says who a principal is; empty where none does or none need to."""
    if kind == "AWS":
        if ":role/" in principal or ":assumed-role/" in principal:
            notes[_ONLY_SOURCED] = None
            return _SOURCE
        if not _PERSON_ARN.fullmatch(principal):
            notes[_ONLY_USERS] = None
        return _USERNAME
    if kind != "Federated":
        return ""
    if ":saml-provider/" in principal:
        notes[_SAML.format(provider=principal.rpartition("/")[2])] = None
        return ""
    issuer = principal.partition(":oidc-provider/")[2] or principal
    if any(fnmatchcase(issuer, pattern) for pattern in _WITH_COLONS):
        notes[_MACHINES.format(issuer=issuer)] = None
        return ""
    claim = f"{issuer}:{'actor' if issuer == _GITHUB else 'sub'}"
    notes[_OIDC_CLAIM.format(claim=claim)] = None
    return f"${{{claim}}}"


def _saml_claim(statement: Statement) -> str:
    of_saml = (":saml-provider/" in principal for _, principal in principals(statement))
    return "${saml:sub}" if any(of_saml) else ""


def _tied(statement: Statement, wanted: Mapping[str, str]) -> Statement:
    if not wanted:
        return statement
    condition: dict[str, Any] = {**statement.get("Condition", {})}
    taken = {key.lower() for key in condition.get("StringEquals", {})}
    for key, claim in wanted.items():
        # What the policy asked for before stays: both have to hold.
        operator = "StringLike" if key.lower() in taken else "StringEquals"
        condition[operator] = {**condition.get(operator, {}), key: claim}
    actions = as_list(statement.get("Action"))
    if "sts:SourceIdentity" in wanted and "sts:SetSourceIdentity" not in actions:
        actions = [*actions, "sts:SetSourceIdentity"]
    action = actions[0] if len(actions) == 1 else actions
    return {**statement, "Action": action, "Condition": condition}
