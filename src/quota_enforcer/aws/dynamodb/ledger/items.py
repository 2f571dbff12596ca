"""What it takes to decide, as items: records of principals, quotas seen last, the sweep's state."""

from datetime import datetime, timedelta
from decimal import Decimal

from quota_enforcer.aws.dynamodb.ledger.schema import (
    EXPIRES,
    SCHEMA,
    VERSION,
    principal_of,
    understood,
)
from quota_enforcer.aws.dynamodb.text import as_attributes, instant, joined_key, known, moment
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.ledger import (
    QUOTA_MEMORIES,
    Level,
    QuotaMemory,
    Record,
    Standing,
    SweepState,
    UsedUp,
    Warned,
    WouldDeny,
)
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.pace import USUAL_LAG, DenyLag

STANDING = "standing"

OPEN = "open"

BLOCKED = "blocked"
"""The two listings of the index `by-due`: who denies nothing, and who denies or was about to."""

QUOTAS = QUOTA_MEMORIES

SESSION_KEPT = timedelta(days=40)
"""How long the record of a session stays of which nothing is in force or owed."""

NEVER = "9999"
"""Stands for no due moment: the index lists a record only if its range key is there."""


def record_key(principal: Principal) -> Plain:
    """Where a principal's record is stored."""
    return {"pk": str(principal), "sk": STANDING}


def record_item(record: Record) -> Plain:
    """The whole item of a record."""
    standing = record.standing
    return {
        **record_key(record.principal),
        SCHEMA: VERSION,
        "listing": BLOCKED if standing.denied or record.intended else OPEN,
        "due": NEVER if record.due is None else instant(record.due),
        "version": record.version,
        "level": str(standing.level),
        "denied": sorted(standing.denied),
        "used_up": {id_: as_attributes(used_up) for id_, used_up in standing.used_up.items()},
        "warned": {id_: as_attributes(warned) for id_, warned in standing.warned.items()},
        **known(
            since=standing.since,
            blocked_since=standing.blocked_since,
            in_force_at=standing.in_force_at,
            until=standing.until,
            reason=standing.reason,
            standing_due=standing.due,
            trouble=record.trouble,
        ),
        **({} if record.intended is None else {"intended": sorted(record.intended)}),
        **({"would_deny": _would_deny(standing)} if standing.would_deny else {}),
        **({"held": dict(standing.held)} if standing.held else {}),
        **_expiry(record),
    }


def record_of(item: Plain) -> Record:
    """The record that an item holds."""
    understood(item)
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
            blocked_since=_blocked_since(item),
            in_force_at=moment(item, "in_force_at"),
            held={id_: int(percent) for id_, percent in item.get("held", {}).items()},
        ),
        intended=frozenset(item["intended"]) if "intended" in item else None,
        trouble=item.get("trouble", ""),
        due=None if item["due"] == NEVER else datetime.fromisoformat(item["due"]),
        version=int(item["version"]),
    )


def quota_item(memory: QuotaMemory) -> Plain:
    """The memory of a quota item, the item itself as it was."""
    return {
        **quota_key(memory),
        SCHEMA: VERSION,
        "whom": memory.subject,
        "name": memory.name,
        **known(
            reported=memory.reported,
            stamp=memory.stamp,
            changed_at=memory.changed_at,
            removed_by=memory.removed_by,
        ),
        **({} if memory.item is None else {"item": memory.item}),
    }


def quota_memory_of(item: Plain) -> QuotaMemory:
    understood(item)
    return QuotaMemory(
        item["whom"],
        item["name"],
        item.get("item"),
        item.get("reported", ""),
        item.get("stamp", ""),
        moment(item, "changed_at"),
        item.get("removed_by", ""),
    )


def quota_key(memory: QuotaMemory) -> Plain:
    """Where the memory of a quota item is stored."""
    return {"pk": QUOTAS, "sk": joined_key(memory.subject, memory.name)}


def state_of(item: Plain) -> SweepState:
    """The sweep's own memory."""
    understood(item)
    return SweepState(
        started=moment(item, "started"),
        finished=moment(item, "finished"),
        metered_to=moment(item, "metered_to"),
        fresh_at=moment(item, "fresh_at"),
        terms=item.get("terms", ""),
        breaker_since=moment(item, "breaker_since"),
        paused_until=moment(item, "paused_until"),
        breaker=item.get("breaker", ""),
        breaker_far=int(item.get("breaker_far", 0)),
        gates_notified=item.get("gates_told", ""),
        accounts_notified=item.get("accounts_told", ""),
        tiers_seen_at=moment(item, "tiers_seen_at"),
        tiers_notified=item.get("tiers_notified", ""),
        digest_week=item.get("digest_week", ""),
        digest_tried_at=moment(item, "digest_tried_at"),
        closed=bool(item.get("closed", False)),
        confirmed_at=moment(item, "confirmed_at"),
        quotas_seen=item.get("quotas_seen", ""),
        unsettled=item.get("unsettled", ""),
        metering=item.get("metering", ""),
        metering_from=moment(item, "metering_from"),
        lag=_lag_of(item),
    )


def _expiry(record: Record) -> Plain:
    """When the record of a session may go; empty while anything of it is in force or owed.

    There may be a session for each job, and its next call writes a record again.
    """
    standing = record.standing
    acts = standing.denied or standing.used_up or standing.would_deny or standing.held
    owed = record.intended is not None or record.trouble or record.due is not None
    if record.principal.kind is not Kind.SESSION or acts or owed or standing.since is None:
        return {}
    return {EXPIRES: int((standing.since + SESSION_KEPT).timestamp())}


def _blocked_since(item: Plain) -> datetime | None:
    """Records of earlier versions know no more than when their standing changed last."""
    return moment(
        item, "blocked_since" if "blocked_since" in item or not item["denied"] else "since"
    )


def _would_deny(standing: Standing) -> Plain:
    return {
        id_: {"since": instant(would.since), **as_attributes(would.used_up)}
        for id_, would in standing.would_deny.items()
    }


def _lag_of(item: Plain) -> DenyLag:
    usual = USUAL_LAG
    return DenyLag(
        Decimal(item.get("lag_seen", usual.seen)), Decimal(item.get("lag_holds", usual.holds))
    )


def _used_up(attributes: Plain) -> UsedUp:
    return UsedUp(
        Decimal(attributes["limit"]),
        datetime.fromisoformat(attributes["window_start"]),
        moment(attributes, "until"),
        int(attributes.get("percent", 0)),
        moment(attributes, "early_since"),
    )
