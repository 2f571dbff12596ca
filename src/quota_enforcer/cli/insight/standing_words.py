"""Where a principal is, in one sentence."""

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices import wording
from quota_enforcer.decide.judgement import EVERYTHING
from quota_enforcer.insight.status import Row


def standing_words(record: Record, table: list[Row], context: Context) -> str:
    """`blocked since ..., until ...`, or the most urgent of its states; and what is going on."""
    if record.intended is not None:
        return "a change is under way; the next sweep finishes it"
    standing = record.standing
    if record.trouble:
        return f"could not be {'blocked' if standing.denied else 'released'}: {record.trouble}"
    if standing.denied:
        since = wording.moment(standing.since, context.zone)
        return f"blocked since {since}, until {wording.moment(standing.until, context.zone)}"
    return str(table[0].state) if table else "no quota"


def closed(scopes: frozenset[str]) -> str:
    """What a deny of these scopes closes."""
    return "every model" if scopes >= EVERYTHING else ", ".join(sorted(scopes))
