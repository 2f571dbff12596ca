"""Subscriptions of people to notices: one for each address, which names whose notices it gets.

One address can have just one subscription to a topic, so several principals share its filter.
https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.errors import EnforcerError

MOST_FILTERS: Final = 200
"""Filter policies that a topic may have, unless AWS raised it."""
MOST_PRINCIPALS: Final = 150
"""Values that one filter policy may have."""


class CannotSubscribe(EnforcerError):
    """A subscription cannot be as it is asked for; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One address's subscription."""

    email: str
    id: str = ""
    """Empty until the address has confirmed it."""
    filter: str | None = None
    """The filter policy's text, empty if every notice comes; None until it is confirmed."""

    @property
    def waiting(self) -> bool:
        """Whether the address has not confirmed it yet."""
        return not self.id

    @property
    def everything(self) -> bool:
        """Whether it gets the notices of everybody, and those for admins."""
        return self.filter == ""

    @property
    def principals(self) -> tuple[str, ...] | None:
        """Whose notices it gets; None if its filter is not one of ours."""
        try:
            policy = json.loads(self.filter or "")
        except ValueError:
            return None
        match policy:
            case {"principal": [*names], "audience": ["people"], **rest} if not rest:
                return tuple(sorted(names)) if all(isinstance(n, str) for n in names) else None
        return None


def filter_for(principals: Iterable[str]) -> str:
    """The filter policy that lets just these principals' notices through, and none for admins.

    Raises CannotSubscribe if there are more than it may name.
    """
    names = sorted(set(principals))
    if len(names) > MOST_PRINCIPALS:
        raise CannotSubscribe(
            f"one address can follow at most {MOST_PRINCIPALS} principals, since a filter policy "
            f"of SNS takes no more values, and these would be {len(names)}: use another address "
            "for some of them, such as name+2@example.com"
        )
    return json.dumps({"principal": names, "audience": ["people"]}, separators=(",", ":"))


def same(email: str, other: str) -> bool:
    """Whether two addresses are one; SNS tells upper case from lower, and mail does not."""
    return email.casefold() == other.casefold()
