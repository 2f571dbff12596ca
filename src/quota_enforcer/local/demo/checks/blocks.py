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
_EARLY: Final = {
    (item["principal"], item["quota"]): item["closes"] for item in cast.QUOTAS if "closes" in item
}
"""What quotas close before their limit, and at it."""


class BlockInDemo(NamedTuple):
    """A time in which somebody was blocked from a model scope."""

    principal: str
    models: str
    began: datetime
    ended: datetime

    def holds(self, answer: Answer) -> bool:
        """Whether the call was made during this block, whoever made it."""
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
        return BlockInDemo(event.principal, _closed(event), event.at, ended)

    for event in record.events:
        if event.kind == "blocked":
            before = began.setdefault(event.principal, event)
            if _closed(before) != _closed(event):
                yield block(before, event.at)
                began[event.principal] = event
        elif event.kind == "restored" and event.principal in began:
            yield block(began.pop(event.principal), event.at)
    for event in began.values():
        yield block(event, NEVER)


def _closed(event: Event) -> str:
    """What a block closes: of a staged quota the expensive model, until its limit is reached."""
    stages = _EARLY.get((event.principal, event.quota))
    if stages is None or event.limit is None or event.used >= event.limit:
        return str(EVERY_MODEL)
    first = min(stages, key=int)
    (model,) = stages[first]
    return str(model)


def reported(record: RunRecord, kind: str, principal: Principal | None = None) -> list[Event]:
    return [
        event
        for event in record.events
        if event.kind == kind and principal in {None, Principal.parse(event.principal)}
    ]


def is_last_release(record: RunRecord, event: Event) -> bool:
    """Whether it was a release at the stack's end."""
    return event.kind == "restored" and event.at == record.closed
