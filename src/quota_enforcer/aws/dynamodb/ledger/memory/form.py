"""In which form the table is, noted by whoever writes usage before any sweep has noted it."""

from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.ledger.schema import SCHEMA, STATE, VERSION, not_newer, understood

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table


class TableForm:
    """The form of the table that a process writes usage to."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._noted = False

    def note(self) -> None:
        """Once, before the first usage: an older version that comes later must not misread it.

        Raises NewerLedger if the table is in a newer form.
        """
        if self._noted:
            return
        if not self._table.update(STATE, {SCHEMA: VERSION}, condition=not_newer()):
            understood(self._table.get(STATE) or {})
        self._noted = True
