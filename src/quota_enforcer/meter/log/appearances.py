"""How people behind shared identities stand in the log: the role and the spelling of their name.

Only a gate can deny them, and only the log tells which gate it is and whom it has to list.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Kind, Principal, account_of, identify
from quota_enforcer.core.usage.stored import Source
from quota_enforcer.meter.ports import MeterLedger

MOST_KNOWN = 10_000
"""So many are remembered; session names may be new with every call."""


class AppearanceRecorder:
    """Tells the ledger of each caller once a day and process; to repeat it is harmless.

    The ledger forgets a caller a week after its last call.
    """

    def __init__(self, ledger: MeterLedger) -> None:
        self._ledger = ledger
        self._known: set[tuple[str, str, date]] = set()

    def tell(self, sources: Iterable[Source]) -> None:
        """Before the enforcer is woken for them. Raises what the ledger raises."""
        found = {_key(source): source for source in sources}
        new = {key: source for key, source in found.items() if key not in self._known}
        if not new:
            return
        self._ledger.remember_sources(list(new.values()))
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known |= new.keys()


def _key(source: Source) -> tuple[str, str, date]:
    return source.arn, source.model_id, source.active_to.date()


@dataclass(slots=True)
class Appearance:
    """How somebody appears in the invocation log: session names as spelled, and roles.

    A role of a member account has its number before it: `444455556666/reporting`.
    """

    names: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)


def seen(sources: Iterable[Source], account: str) -> Mapping[Principal, Appearance]:
    """The spellings and roles of every person and session that the log knows.

    `account` is home's.
    """
    found: defaultdict[Principal, Appearance] = defaultdict(Appearance)
    for source in sources:
        try:
            own = account_of(source.arn)
            identity = identify(source.arn, own, account)
        except UnknownIdentity:
            continue
        for principal in (identity.principal, identity.session):
            if principal is not None and principal.kind in {Kind.SSO, Kind.SESSION}:
                _, role, name = source.arn.split("/")
                found[principal].names.add(name)
                found[principal].roles.add(role if own == account else f"{own}/{role}")
    return found
