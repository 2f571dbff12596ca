"""Whom quotas name and IAM does not know: nobody can be limited under such a name."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from quota_enforcer.core.errors import did_you_mean_any, near_names
from quota_enforcer.core.principal import Kind, Principal

_FEW = 3
"""As many are asked for one by one; for more, all names are read."""


class IdentityNames(Protocol):
    """The names of users and roles in IAM; each call raises what boto3 raises."""

    def has(self, entity: Principal) -> bool:
        """Whether there is this user or role, spelled like this."""

    def names(self, kind: Kind) -> Collection[Principal]:
        """All users, or all roles."""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A principal whose user or role is not in IAM, and the names that may have been meant."""

    principal: Principal
    entity: Principal
    nearest: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`IAM has no user alcie; did you mean user/alice?`."""
        said = f"IAM has no {self.entity.kind} {self.entity.name}"
        return "; ".join(filter(None, (said, did_you_mean_any(self.nearest))))

    @property
    def brief(self) -> str:
        """`user/alcie (did you mean user/alice?)`."""
        meant = did_you_mean_any(self.nearest)
        return f"{self.principal} ({meant})" if meant else str(self.principal)

    def to_json(self) -> dict[str, Any]:
        return {"principal": str(self.principal), "nearest": list(self.nearest)}


def unknown_names(principals: Iterable[Principal], identities: IdentityNames) -> list[UnknownName]:
    """Those that IAM does not know; people of Identity Center and teams are not IAM's to know.

    Neither are those of a member account home's.
    """
    several = list(principals)
    entities = set(_entities(several).values())
    if len(entities) <= _FEW:
        entities = {each for each in entities if not identities.has(each)}
    kinds = {each.kind for each in entities}
    known = {each for kind in kinds for each in identities.names(kind)}
    return [each for each in unknown_among(several, known) if each.entity in entities]


def unknown_among(
    principals: Iterable[Principal], known: Collection[Principal]
) -> list[UnknownName]:
    """Those whose user or role is not among all `known` ones, with their nearest names."""
    texts = list(map(str, known))
    return [
        UnknownName(who, entity, tuple(near_names(str(entity), texts)))
        for who, entity in sorted(_entities(principals).items())
        if entity not in known
    ]


def _entities(principals: Iterable[Principal]) -> dict[Principal, Principal]:
    """The user or role behind each: of a session its role."""
    found = {}
    for each in principals:
        if each.account:
            continue
        if each.kind is Kind.SESSION:
            found[each] = each.of_role
        elif each.kind in {Kind.USER, Kind.ROLE}:
            found[each] = each
    return found
