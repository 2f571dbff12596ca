"""Notices: what a person is told, as data; `message` puts it into words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Number

Facts = tuple[tuple[str, str], ...]
"""Labels, and a sentence of each without its full stop."""


class NoticeKind(StrEnum):
    """What a notice is about; subscription filters select by it."""

    WARNING = "warning"
    BLOCKED = "blocked"
    CHANGED = "changed"
    RESTORED = "restored"
    COULD_NOT_DENY = "could-not-deny"
    INVALID_QUOTA = "invalid-quota"
    COULD_NOT_LIFT = "could-not-lift"
    BREAKER = "breaker"
    PAUSED = "paused"
    RESUMED = "resumed"
    TAMPERED = "tampered"
    ACCOUNT_UNREACHABLE = "account-unreachable"
    GATE_NEARLY_FULL = "gate-nearly-full"
    PRICE_UNKNOWN = "price-unknown"
    SERVICE_TIER = "service-tier"
    METERING_GAP = "metering-gap"
    METERING_HEALED = "metering-healed"
    OVER_METERED = "over-metered"
    WOULD_HAVE_BLOCKED = "would-have-blocked"
    EDITED = "edited"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    DIGEST = "digest"

    @property
    def audience(self) -> str:
        """Whom it concerns: `people`, whose notices they are, or `admins`."""
        return "people" if self in _FOR_PEOPLE else "admins"


_FOR_PEOPLE = {
    NoticeKind.WARNING,
    NoticeKind.BLOCKED,
    NoticeKind.CHANGED,
    NoticeKind.RESTORED,
    NoticeKind.COULD_NOT_LIFT,
    NoticeKind.GRANTED,
    NoticeKind.REFUSED,
}

HISTORY_ONLY = frozenset({NoticeKind.WOULD_HAVE_BLOCKED, NoticeKind.EDITED})
"""Kept in the history and sent to nobody: there is nothing that anybody must do."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: who, which quota, how much of it, since and until when, and why."""

    kind: NoticeKind
    at: datetime
    principal: str
    """Empty if the notice concerns the whole deployment."""
    quota: str
    """Its name; of several that block at once, the one that is freed last.

    A notice about a price, tiers or an account has the model, the tiers or the account here.
    """
    reason: str
    used: Number = 0
    """A Decimal for weights and money."""
    limit: Decimal = Decimal(0)
    measure: str = ""
    window: str = ""
    percent: int = 0
    """The threshold that was passed."""
    whom: str = ""
    """The subject of the quota's rule."""
    models: str = ""
    """The quota's model scopes."""
    since: datetime | None = None
    until: datetime | None = None
    """None if only an admin's change ends it."""
    closed: str = ""
    """All model scopes that are closed when the notice is sent."""
    others: str = ""
    """The names of the other quotas that block from the same moment on; the reason has them too."""
    runs_out: datetime | None = None
    """Of a warning: when the quota is used up at this pace, `until` if it lasts; None: unknown."""
    pool: str = ""
    """The team, if its members share the quota."""
    by: str = ""
    """Who made an edit."""
    edit: str = ""
    """The token of an edit: two edits of one moment are two."""
    cheaper: str = ""
    """Of what is blocked in part: which model to use instead, and what that would have come to."""
    stage: int = 0
    """If it is about an early stage, the percentage of the limit at which that closes; else 0."""

    facts: Facts = ()
    """Of a digest: all that it says besides the reason."""

    @property
    def label(self) -> str:
        """The quota and its stage: `monthly`, or `monthly at 80 %`."""
        return f"{self.quota} at {self.stage} %" if self.stage else self.quota

    @property
    def id(self) -> str:
        """The same notice has the same id, however often it is sent."""
        of_team = f"#{self.whom}" if Subject(self.whom).is_team else ""
        of_edit = f"#{self.edit}" if self.edit else ""
        of_stage = f"@{self.stage}" if self.stage else ""
        what = f"{self.principal}#{self.kind}#{self.quota}{of_stage}{of_team}{of_edit}"
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ}#{what}"


class HistoryReads(Protocol):
    """Past notices."""

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        """Past notices, oldest first: one principal's, or those of the deployment."""

    def whole_history(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[Notice]:
        """Everybody's and the deployment's past notices, oldest first, of these the newest.

        Eventually consistent.
        """
