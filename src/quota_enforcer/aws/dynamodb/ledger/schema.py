"""The ledger's table: its keys and index, the partitions, and when items expire."""

from collections.abc import Mapping
from typing import Any, Final

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.text import fitting_key
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.errors import NewerLedger
from quota_enforcer.core.principal import Principal

BY_DUE = "by-due"
LEDGER_SCHEMA: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "listing", "AttributeType": "S"},
        {"AttributeName": "due", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_DUE,
            "KeySchema": [
                {"AttributeName": "listing", "KeyType": "HASH"},
                {"AttributeName": "due", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
}
"""As CreateTable takes it, and as the template declares it."""
SCHEMA: Final = "schema"
"""The attribute of the state, and of each record and memory, that says in which form it is."""
VERSION: Final = 2
"""The form written, and the newest that is read. What has no `schema` was written before it.

The state's is that of the whole table: usage, notices and history have none of their own. It grows
only when items are written that an older version would misread; a new attribute is none of these.
In form 2 the counters of usage have short names, which an older version would take for none.
"""
DEPLOYMENT = "deployment"
"""The partition of what belongs to no principal."""
SATELLITES = "satellites"
"""The partition of the satellites; the range key is the place."""
STATE: Final[Plain] = {"pk": DEPLOYMENT, "sk": "state"}
"""Where the sweep's memory is, and the form of the table."""
FOUND = "found#"
"""Range keys in that partition of what others did to gates, until admins are told."""
EXPIRES = "expires"
"""The attribute that the table's time to live goes by."""


def understood(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """This item; raises NewerLedger if a newer version wrote it in another form."""
    form = int(item.get(SCHEMA, VERSION))
    if form > VERSION:
        raise NewerLedger(
            f"the ledger is in form {form}, written by a newer version of the quota enforcer; this "
            f"one reads up to form {VERSION}: nothing was done and denies stay as they are; deploy "
            "the newer version again"
        )
    return item


def not_newer() -> Expression:
    """Holds unless the table is in a newer form: what is older may be noted, never the reverse."""
    text = f"(attribute_not_exists(#{SCHEMA}) OR #{SCHEMA} <= :{SCHEMA})"
    return Expression(text, {SCHEMA: VERSION})


def finding_key(words: str) -> dict[str, str]:
    """Where the author keeps what others did to a gate: the same twice before it is told is one."""
    return {"pk": DEPLOYMENT, "sk": fitting_key(f"{FOUND}{words}")}


def principal_of(pk: Any) -> Principal:
    """The principal whose partition this is; what was written once is read back as it was."""
    return Principal.stored(str(pk))
