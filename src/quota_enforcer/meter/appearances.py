"""How people behind shared identities stand in the log: the role and the spelling of their name.

Only a gate can deny them, and which one, and whom it has to list, nothing but the log can tell.
"""

from collections.abc import Iterable
from datetime import date

from quota_enforcer.core.ledger import Source
from quota_enforcer.meter.ports import MeterLedger

MOST_KNOWN = 10_000
"""So many are not told again to the ledger; session names may be ever new."""


class Faces:
    """Tells the ledger of each once a day, as far as this process knows. Repeating it is harmless.

    The ledger forgets one a week after its last call.
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
