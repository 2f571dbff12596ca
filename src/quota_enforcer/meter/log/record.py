"""The record reader: what one line of the invocation log group says, without ever guessing.

    read(line) -> Counted      a call that used Bedrock, with all that metering needs
                  Skipped      nothing was used: an empty line, a plain line, a failed call
                  Quarantined  it may have been a call, but it cannot be taken as it is

It never raises for anything that a line can hold, so one bad line never costs the others.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from quota_enforcer.core.pricing.rate import CacheWrites
from quota_enforcer.core.pricing.tier import Tier, tier_of
from quota_enforcer.core.principal import MASK, MASKED, Identity
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.meter.log import fields as record_fields
from quota_enforcer.meter.log.cache_writes import cache_writes
from quota_enforcer.meter.log.fields import Damaged, shown

SCHEMA = "ModelInvocationLog"
"""The `schemaType` of invocation records; exports may lack it."""
EMPTY_LINE = "empty line"
FAILED_CALL = "failed call"
_NO_ERROR = (None, "")
"""The `errorCode` of a call that succeeded, where it is written at all: exports write null."""


class Counted(NamedTuple):
    """A call that used Bedrock; a tuple, since it is made four times as fast."""

    at: datetime
    arn: str
    identity: Identity
    """Whom `arn` names."""
    model_id: str
    """As logged, like `region`: prices depend on the geography prefix and the Region."""
    region: str | None
    counts: Counts
    cache_writes: CacheWrites | None
    """None if the record does not tell."""
    request_id: str | None
    """None if the record does not tell; ids can repeat with other contents."""
    tier: Tier = Tier.STANDARD
    account: str = ""
    """Whose log it is, as far as one knows."""

    @property
    def place(self) -> Place:
        """Where it was made; what the record does not tell is empty."""
        return Place(self.account, self.region or "")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that used nothing, and why we know."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line that cannot be counted as it is, and what is wrong with it."""

    reason: str


Reading = Counted | Skipped | Quarantined


def read(line: str | bytes, account: str | None = None, home: str = "") -> Reading:
    """What a line of the log group says.

    `account` is the account whose log this is; callers of another one are `other/ARN`. Without it
    the record's own `accountId` counts; if that is missing or redacted, the ARN's. With `home` it
    is the log of a satellite, and home's account: a record may name no other account than the
    log's, and if that is another one than home's, callers have its number.
    """
    try:
        plain = (line.decode() if isinstance(line, bytes) else line).strip()
        if not plain:
            return Skipped(EMPTY_LINE)
        if plain[0] not in "{[":
            # Half a record, or one with a time before it, as an export of the log group has it.
            if "{" in plain:
                return Quarantined("no record: text before a JSON object")
            return Skipped("no record: a plain line")
        return _read(_parsed(plain), account, home)
    except UnicodeDecodeError as error:
        return Quarantined(f"not UTF-8: {error.reason} at byte {error.start + 1}")
    except Damaged as error:
        return Quarantined(str(error))


def _parsed(plain: str) -> dict[str, Any]:
    try:
        record = json.loads(plain)
    except json.JSONDecodeError as error:
        if plain.startswith(MASK, error.pos):
            raise Damaged(f"broken JSON: character {error.pos + 1} is {MASKED}") from None
        raise Damaged(f"broken JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:  # Python reads no longer ones
        raise Damaged("broken JSON: a number of thousands of digits") from None
    except RecursionError:
        raise Damaged("broken JSON: nested too deeply") from None
    if not isinstance(record, dict):
        raise Damaged("no record: a JSON list")
    return record


def _read(record: dict[str, Any], account: str | None, home: str) -> Counted | Skipped:
    schema = record.get("schemaType")
    if schema is not None and schema != SCHEMA:
        raise Damaged(f"schemaType is {shown(schema)}: expected {SCHEMA!r}")
    if record.get("errorCode") not in _NO_ERROR:
        return Skipped(f"{FAILED_CALL}: {record_fields.text(record, 'errorCode')}")
    if home:
        record_fields.check_account(record, account)
    at = record_fields.moment(record)
    arn, identity = record_fields.identity(record, account, home)
    model_id = record_fields.model(record)
    operation = record_fields.optional_text(record, "operation")
    counts = record_fields.counts(record, operation, model_id)
    return Counted(
        at,
        arn,
        identity,
        model_id,
        record_fields.optional_text(record, "region"),
        counts,
        cache_writes((record.get("output") or {}).get("outputBodyJson"), counts.cache_write_tokens),
        record_fields.unique_text(record, "requestId"),
        tier_of(record),
        account or record_fields.own_account(record, arn),
    )


def without_repeats(calls: Iterable[Counted]) -> Iterator[Counted]:
    """Each call once: a record that was delivered or logged again says the same in all it counts.

    A request id can repeat with other contents, which is another call; without one none is dropped.
    """
    seen: set[tuple[object, ...]] = set()
    for call in calls:
        key = (call.request_id, call.at, call.arn, call.model_id, call.counts)
        if call.request_id is None or key not in seen:
            seen.add(key)
            yield call
