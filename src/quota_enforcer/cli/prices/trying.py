"""A dry run of an edit of prices: the command goes on as ever, on a table that only it sees."""

from dataclasses import dataclass, field, replace
from typing import Annotated

import typer

from quota_enforcer.cli.deployment.deployment import Deployment, QuotaTable
from quota_enforcer.core.quotas.item import Item

Try = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]
_Key = tuple[str, str]


@dataclass(slots=True)
class TriedTable:
    """The quota table as it would be; the real one is only read."""

    real: QuotaTable
    edits: dict[_Key, Item | None] = field(default_factory=dict)

    def items(self) -> list[Item]:
        stored: dict[_Key, Item | None] = {_key(item): item for item in self.real.items()}
        return [item for item in (stored | self.edits).values() if item is not None]

    def get(self, subject: str, name: str) -> Item | None:
        key = subject, name
        return self.edits[key] if key in self.edits else self.real.get(subject, name)

    def put(self, item: Item, expected: Item | None) -> None:
        del expected  # nobody else edits what only we see
        self.edits[_key(item)] = item

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        del expected
        found = self.get(subject, name)
        self.edits[subject, name] = None
        return found


def tried(deployment: Deployment) -> Deployment:
    """The same deployment, in which edits of the quota table come to nothing."""
    return replace(deployment, quotas=TriedTable(deployment.quotas))


def _key(item: Item) -> _Key:
    return item["principal"], item["quota"]
