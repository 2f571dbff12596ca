"""The ledger's memory as items: standings, the sweep's state, quotas, prices, metric sources."""

from datetime import datetime, timedelta
from decimal import Decimal

from quota_enforcer.aws.dynamodb.dynamo_read import Plain
from quota_enforcer.aws.dynamodb.ledger.usage_items import principal_of
from quota_enforcer.aws.dynamodb.text import (
    as_attributes,
    fitting_key,
    instant,
    joined_key,
    known,
    moment,
)
from quota_enforcer.core.ledger import (
    Level,
    PriceMemory,
    QuotaMemory,
    Record,
    Source,
    Standing,
    SweepState,
    UsedUp,
    Warned,
    WouldDeny,
)
from quota_enforcer.core.principal import Principal

QUOTAS = "quotas"
SOURCES = "sources"
UNPRICED = "unpriced"
STANDING = "standing"
DEPLOYMENT = "deployment"
STATE: Plain = {"pk": DEPLOYMENT, "sk": "state"}

STATE_ATTRIBUTES = {
    "finished",
    "metered_to",
    "fresh_at",
    "terms",
    "breaker_since",
    "confirmed_at",
    "gates_told",
    "metering",
    "metering_from",
}
"""What a finished sweep notes.

`started`, `quotas_seen`, `unsettled` and `closed` have their own rules.
"""

OPEN = "open"
BLOCKED = "blocked"
"""The two listings of the index `by-due`: who denies nothing, and who denies or was about to."""
NEVER = "9999"
"""Stands for no due moment: the index lists a record only where its range key is there."""

_SOURCE_KEPT = timedelta(days=7)


def record_key(principal: Principal) -> Plain:
    """Where a principal's record is stored."""
    return {"pk": str(principal), "sk": STANDING}


def record_item(record: Record) -> Plain:
    """The whole item of a record."""
    standing = record.standing
    return {
        **record_key(record.principal),
        "listing": BLOCKED if standing.denied or record.intended else OPEN,
        "due": NEVER if record.due is None else instant(record.due),
        "version": record.version,
        "level": str(standing.level),
        "denied": sorted(standing.denied),
        "used_up": {id_: as_attributes(used_up) for id_, used_up in standing.used_up.items()},
        "warned": {id_: as_attributes(warned) for id_, warned in standing.warned.items()},
        **known(
            since=standing.since,
            until=standing.until,
            reason=standing.reason,
            standing_due=standing.due,
            trouble=record.trouble,
        ),
        **({} if record.intended is None else {"intended": sorted(record.intended)}),
        **({"would_deny": _would_deny(standing)} if standing.would_deny else {}),
    }


def record_of(item: Plain) -> Record:
    """The record that an item holds."""
    return Record(
        principal_of(item["pk"]),
        Standing(
            level=Level(item["level"]),
            denied=frozenset(item["denied"]),
            since=moment(item, "since"),
            until=moment(item, "until"),
            reason=item.get("reason", ""),
            used_up={id_: _used_up(each) for id_, each in item["used_up"].items()},
            warned={
                id_: Warned(
                    int(each["threshold"]),
                    Decimal(each["limit"]),
                    datetime.fromisoformat(each["until"]),
                )
                for id_, each in item["warned"].items()
            },
            would_deny={
                id_: WouldDeny(datetime.fromisoformat(each["since"]), _used_up(each))
                for id_, each in item.get("would_deny", {}).items()
            },
            due=moment(item, "standing_due"),
        ),
        intended=frozenset(item["intended"]) if "intended" in item else None,
        trouble=item.get("trouble", ""),
        due=None if item["due"] == NEVER else datetime.fromisoformat(item["due"]),
        version=int(item["version"]),
    )


def _would_deny(standing: Standing) -> Plain:
    return {
        id_: {"since": instant(would.since), **as_attributes(would.used_up)}
        for id_, would in standing.would_deny.items()
    }


def _used_up(attributes: Plain) -> UsedUp:
    return UsedUp(
        Decimal(attributes["limit"]),
        datetime.fromisoformat(attributes["window_start"]),
        moment(attributes, "until"),
    )


def state_attributes(state: SweepState) -> dict[str, str]:
    """What a finished sweep notes; what is None or empty is to be removed."""
    return known(**{name: getattr(state, name) for name in STATE_ATTRIBUTES})


def state_of(item: Plain) -> SweepState:
    """The sweep's own memory."""
    return SweepState(
        started=moment(item, "started"),
        finished=moment(item, "finished"),
        metered_to=moment(item, "metered_to"),
        fresh_at=moment(item, "fresh_at"),
        terms=item.get("terms", ""),
        breaker_since=moment(item, "breaker_since"),
        gates_told=item.get("gates_told", ""),
        closed=bool(item.get("closed", False)),
        confirmed_at=moment(item, "confirmed_at"),
        quotas_seen=item.get("quotas_seen", ""),
        unsettled=item.get("unsettled", ""),
        metering=item.get("metering", ""),
        metering_from=moment(item, "metering_from"),
    )


def memory_key(memory: QuotaMemory) -> Plain:
    """Where the memory of a quota item is stored."""
    return {"pk": QUOTAS, "sk": joined_key(memory.subject, memory.name)}


def memory_item(memory: QuotaMemory) -> Plain:
    """The memory of a quota item, the item itself as it was."""
    return {
        **memory_key(memory),
        "whom": memory.subject,
        "name": memory.name,
        **known(reported=memory.reported, stamp=memory.stamp),
        **({} if memory.item is None else {"item": memory.item}),
    }


def memory_of(item: Plain) -> QuotaMemory:
    """What is remembered of a quota item."""
    return QuotaMemory(
        item["whom"],
        item["name"],
        item.get("item"),
        item.get("reported", ""),
        item.get("stamp", ""),
    )


def price_memory_item(memory: PriceMemory) -> Plain:
    """What is remembered of a model's price."""
    return {
        "pk": UNPRICED,
        "sk": fitting_key(memory.model),
        "model": memory.model,
        "hour": instant(memory.hour),
        "priced": memory.priced,
    }


def price_memory_of(item: Plain) -> PriceMemory:
    """The memory that an item holds."""
    return PriceMemory(item["model"], datetime.fromisoformat(item["hour"]), bool(item["priced"]))


def source_item(source: Source) -> Plain:
    """A metric source; one that is behind stays until it was read."""
    expires = int((source.active_to + _SOURCE_KEPT).timestamp())
    return {
        "pk": SOURCES,
        "sk": joined_key(source.arn, source.model_id),
        "arn": source.arn,
        "model_id": source.model_id,
        "counters": list(source.counters),
        **known(active_to=source.active_to, behind=source.behind),
        **({"expires": expires} if source.behind is None else {}),
    }


def source_of(item: Plain) -> Source:
    """The source that an item holds."""
    active_to = datetime.fromisoformat(item["active_to"])
    return Source(
        item["arn"], item["model_id"], active_to, moment(item, "behind"), tuple(item["counters"])
    )


def expired(item: Plain, now: datetime) -> bool:
    """Whether an item's time is over: DynamoDB deletes it some days after that."""
    return "expires" in item and item["expires"] <= now.timestamp()
