"""The fields of an invocation-log record, each checked; what does not fit is refused in words.

Only paths of the parsed record are read, never its text: a prompt may hold anything.
Record: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import MASK, MASKED, Identity, identify
from quota_enforcer.core.usage.counts import TOKEN_COUNTS, Counts, TokenCount
from quota_enforcer.core.usage.window import YEARS

MOST_TOKENS = 20_000_000
"""The longest prompts of any model have ten million tokens; beyond this lies damage or forgery."""

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
_TEXT = re.compile(r"[!-~]{1,2048}")
"""What ARNs, ids and codes are made of: printable ASCII without spaces, as long as a modelId."""
MOST_OF_MODEL = 512
"""Characters of a model id or ARN; a key of the ledger, in which it stands, has 1,024 bytes."""
_NUMBER = re.compile(r"[-+.,\d]{1,20}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ARNS_ACCOUNT = 4
"""Where the account stands between the colons of an ARN."""
_SHOWN = 80
_RERANK = "Rerank"
_WITHOUT_TOKENS = re.compile(
    r"rerank|stability\.|titan-image|nova-canvas|nova-reel|luma\.", re.IGNORECASE
)
"""Models that are not charged by the token, so their records have no counts to miss.

The template's IncompleteInvocationsFilter names them too.
"""
_ONLY_INPUT = "InvokeModel"
"""The operation of embeddings, which have no output to count."""
_SECTIONS = tuple(dict.fromkeys(each.section for each in TOKEN_COUNTS.values()))
_USUAL = tuple((of.section, of.field, f"{of.section}.{of.field}") for of in TOKEN_COUNTS.values())
"""Where Bedrock writes each count."""
_INPUT, _OUTPUT = map(list(TOKEN_COUNTS).index, ("input_tokens", "output_tokens"))
_SPELLINGS = frozenset(name for each in TOKEN_COUNTS.values() for name in each.spellings)
_AT_TOP = _SPELLINGS.union(each.field for each in TOKEN_COUNTS.values())


class Damaged(ValueError):
    """A field that cannot be taken as it is; says which, its value and what was expected."""


def text(record: Mapping[str, Any], name: str) -> str:
    """A field of printable ASCII without spaces."""
    if name not in record:
        raise Damaged(f"{name} is missing")
    value = record[name]
    if not isinstance(value, str) or not _is_plain(value):
        raise Damaged(f"{name} is {shown(value)}: expected printable ASCII without spaces")
    if MASK in value:
        raise Damaged(f"{name} is {shown(value)}: it is {MASKED}")
    return value


def model(record: Mapping[str, Any]) -> str:
    """The model's id or ARN, as long as a key of the ledger can hold."""
    found = text(record, "modelId")
    if len(found) > MOST_OF_MODEL:
        raise Damaged(
            f"modelId is {shown(found)}, {len(found):,} characters: expected at most "
            f"{MOST_OF_MODEL}"
        )
    if "#" in found:
        raise Damaged(f"modelId is {shown(found)}: expected no '#', which no model has")
    return found


def optional_text(record: Mapping[str, Any], name: str) -> str | None:
    """A field of such text that nothing depends on: None if it is missing or damaged."""
    value = record.get(name)
    return value if isinstance(value, str) and _is_plain(value) else None


def unique_text(record: Mapping[str, Any], name: str) -> str | None:
    """`optional_text` of a field that differs in each record, so that it is not remembered."""
    value = record.get(name)
    return value if isinstance(value, str) and _TEXT.fullmatch(value) else None


@lru_cache(maxsize=10_000)
def _is_plain(value: str) -> bool:
    """Callers, models and Regions are few beside the records that name them."""
    return _TEXT.fullmatch(value) is not None


def moment(record: Mapping[str, Any]) -> datetime:
    """When the call was made, in UTC; Bedrock writes one-second UTC, exports add digits.

    Some exports drop the `Z`: the log itself knows no other zone than UTC.
    """
    if "timestamp" not in record:
        raise Damaged("timestamp is missing")
    value = record["timestamp"]
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:  # a date that no calendar has
            read = None
        if read is not None and read.year in YEARS:
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    raise Damaged(f"timestamp is {shown(value)}: expected a moment such as 2026-01-31T23:59:59Z")


def identity(
    record: Mapping[str, Any], account: str | None, home: str = ""
) -> tuple[str, Identity]:
    """The caller's ARN and whom it names, in the log of `account`, `home` being the home account.

    Without `account` it is the log of the account that the record names; if it names none, of the
    ARN's.
    """
    section = record.get("identity")
    if section is None:
        raise Damaged("identity is missing")
    if not isinstance(section, dict):
        raise Damaged(f"identity is {shown(section)}: expected an object with the caller's arn")
    try:
        arn = text(section, "arn")
        return arn, _identified(arn, account or own_account(record, arn), home)
    except Damaged as error:
        raise Damaged(f"identity.{error}") from None
    except UnknownIdentity as error:
        raise Damaged(f"identity.arn: {error}") from None


def check_account(record: Mapping[str, Any], account: str | None) -> None:
    """Raises Damaged if a record says to be of another account than the log that it stands in."""
    value = record.get("accountId")
    named = isinstance(value, str) and _ACCOUNT.fullmatch(value)
    if named and account and value != account:
        raise Damaged(f"accountId is {value}: expected {account}, whose log it stands in")


def counts(record: Mapping[str, Any], operation: str | None, model_id: str) -> Counts:
    """One request and its tokens, all from the record's own counts.

    What is there counts. A request that lacks its input or output count is incomplete, unless
    there is none to have: output of embeddings, or a model that is not charged by the token.
    """
    sections = {name: _section(record, name) for name in _SECTIONS}
    if _AT_TOP.isdisjoint(record) and all(map(_SPELLINGS.isdisjoint, sections.values())):
        numbers = [
            _number(path, value) if (value := sections[section].get(name)) is not None else None
            for section, name, path in _USUAL
        ]
    else:
        numbers = [_count(sections[of.section], record, of) for of in TOKEN_COUNTS.values()]
    lacks = numbers[_INPUT] is None or (numbers[_OUTPUT] is None and operation != _ONLY_INPUT)
    incomplete = lacks and operation != _RERANK and not _WITHOUT_TOKENS.search(model_id)
    return Counts.observed((1, *[number or 0 for number in numbers], int(incomplete)))


def shown(value: object) -> str:
    """A damaged value in a message: short, on one line, and never the inside of a section."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str() if len(value) > _SHOWN:
            return f"{value[:_SHOWN]!r}..."
        case _:
            return f"{value!r}"[: _SHOWN + 2]


def kind_of(value: object) -> str:
    """`shown` where a prompt or an answer could stand: a text is shown only if it is a number."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return "a text"
    return shown(value)


@lru_cache(maxsize=10_000)
def _identified(arn: str, account: str, home: str) -> Identity:
    return identify(arn, account, home)


def own_account(record: Mapping[str, Any], arn: str) -> str:
    """The record's account; if that is missing or redacted, the one that the ARN names."""
    value = record.get("accountId")
    if isinstance(value, str) and _ACCOUNT.fullmatch(value):
        return value
    parts = arn.split(":", _ARNS_ACCOUNT + 1)
    return parts[_ARNS_ACCOUNT] if len(parts) > _ARNS_ACCOUNT else ""


def _section(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = record.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise Damaged(f"{name} is {kind_of(section)}: expected an object")
    return section


def _count(section: Mapping[str, Any], record: Mapping[str, Any], of: TokenCount) -> int | None:
    """A count as it stands in its section or at the record's top, by any of its names, or None.

    Two that differ are damage.
    """
    found: dict[str, int] = {}
    for place in (section, record):
        for name in (of.field, *of.spellings):
            path = name if place is record else f"{of.section}.{name}"
            number = _number(path, place.get(name))
            if number is not None:
                found[path] = number
    if len(found) > 1 and len(set(found.values())) > 1:
        told = " and ".join(f"{path} is {number}" for path, number in found.items())
        raise Damaged(f"{told}: expected the same number")
    return next(iter(found.values()), None)


def _number(path: str, value: object) -> int | None:
    """Null is nowhere: exports write it for what is absent."""
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MOST_TOKENS:  # True is an int by inheritance
        raise Damaged(
            f"{path} is {kind_of(value)}: expected a whole number from 0 to {MOST_TOKENS}"
        )
    return value
