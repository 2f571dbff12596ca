"""What a lead of a team writes: a raise for one member, under a key of its own.

IAM tells items apart by their first key alone, so it stands under `lead/TEAM`, apart from the
team's own quotas, and its second key says whose quota it raises: `daily:user/alice`. What it may
raise to is said by the team's quota alone.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from quota_enforcer.core.quotas.subject import Subject

LEAD: Final = "lead/"
"""How the first key of such an item begins, before the team's name."""
LONGEST_RAISE: Final = timedelta(days=31)
"""How far its end may be from now."""
OF_LEAD: Final = (
    "principal", "quota", "raise_to", "until", "enabled", "note", "edited_by", "edited_at",
    "schema",
)  # fmt: skip
"""What it may say."""
KEYS: Final = "QUOTA:PRINCIPAL, such as daily:user/alice"


class LeadKey(NamedTuple):
    """The team whose lead it is of, the team's quota that it raises, and for whom."""

    team: Subject
    quota: str
    member: str

    @property
    def subject(self) -> Subject:
        """The first key of the item."""
        return lead_of(self.team)

    @property
    def name(self) -> str:
        """The second key."""
        return f"{self.quota}:{self.member}"


def lead_of(team: str) -> Subject:
    """`lead/research` of `team/research`."""
    return Subject(f"{LEAD}{team.removeprefix('team/')}")


def is_lead_item(item: Mapping[str, Any]) -> bool:
    """Whether a lead may have written it."""
    return str(item.get("principal")).startswith(LEAD)


def lead_key(subject: str, name: str) -> LeadKey:
    """What the two keys say; nothing of it is checked."""
    quota, _, member = name.partition(":")
    return LeadKey(Subject(f"team/{subject.removeprefix(LEAD)}"), quota, member)
