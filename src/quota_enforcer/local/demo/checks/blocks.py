"""What the events of a run say: who was blocked from what and when, and what else happened."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.record import Answer, Event, RunRecord

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Later than anything."""
LIMITS: Final = {(item["principal"], item["quota"]): item["limit"] for item in cast.QUOTAS}
_MODELS: Final = {
    (item["principal"], item["quota"]): item["models"] for item in cast.QUOTAS if "models" in item
}


class BlockInDemo(NamedTuple):
    """A time in which somebody was blocked from a model scope."""

    principal: str
    models: str
    began: datetime
    ended: datetime

    def holds(self, answer: Answer) -> bool:
        """Whether the call was made during this block, by whomever."""
        return self.began <= answer.call.at < self.ended

    def stops(self, answer: Answer) -> bool:
        """Whether the call was one that this block must refuse."""
        same_caller = str(answer.call.principal) == self.principal
        return (
            same_caller and self.holds(answer) and ModelScope(self.models).covers(answer.call.model)
        )

    @property
    def gated(self) -> bool:
        """Whether only a gate could make it."""
        return Principal.parse(self.principal).kind in GATED


def blocks(record: RunRecord) -> Iterator[BlockInDemo]:
    """Every block of the run, those that were lifted first."""
    began: dict[str, Event] = {}

    def block(event: Event, ended: datetime) -> BlockInDemo:
        models = _MODELS.get((event.principal, event.quota), str(EVERY_MODEL))
        return BlockInDemo(event.principal, models, event.at, ended)

    for event in record.events:
        if event.kind == "blocked":
            began.setdefault(event.principal, event)
        elif event.kind == "restored" and event.principal in began:
            yield block(began.pop(event.principal), event.at)
    for event in began.values():
        yield block(event, NEVER)


def reported(record: RunRecord, kind: str, principal: Principal | None = None) -> list[Event]:
    return [
        event
        for event in record.events
        if event.kind == kind and principal in {None, Principal.parse(event.principal)}
    ]


def is_last_release(record: RunRecord, event: Event) -> bool:
    """Whether it was a release at the stack's end."""
    return event.kind == "restored" and event.at == record.closed
