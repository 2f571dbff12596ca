"""The record of a principal as an item: where it stands, and what is still to be done about it."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import BY_DUE, principal_of
from quota_enforcer.aws.dynamodb.text import as_attributes, instant, known, moment
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.ledger import Level, Record, Standing, UsedUp, Warned, WouldDeny
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import ReadTable

STANDING = "standing"
OPEN = "open"
BLOCKED = "blocked"
"""The two listings of the index `by-due`: who denies nothing, and who denies or was about to."""
NEVER = "9999"
"""Stands for no due moment: the index lists a record only if its range key is there."""


def principals_listed(table: "ReadTable") -> set[Principal]:
    """Everybody who has a record, eventually consistent."""
    return {
        principal_of(item["pk"])
        for listing in (OPEN, BLOCKED)
        for item in table.query(
            Expression("#listing = :listing", {"listing": listing}), index=BY_DUE
        )
    }


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
            blocked_since=standing.blocked_since,
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
            blocked_since=_blocked_since(item),
        ),
        intended=frozenset(item["intended"]) if "intended" in item else None,
        trouble=item.get("trouble", ""),
        due=None if item["due"] == NEVER else datetime.fromisoformat(item["due"]),
        version=int(item["version"]),
    )


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


def _used_up(attributes: Plain) -> UsedUp:
    return UsedUp(
        Decimal(attributes["limit"]),
        datetime.fromisoformat(attributes["window_start"]),
        moment(attributes, "until"),
    )
