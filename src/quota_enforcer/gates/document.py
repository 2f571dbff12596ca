"""Gate documents as they are found in IAM: who is listed, and whether it is one of ours."""

import json
from collections.abc import Iterable
from hashlib import sha256

from quota_enforcer.core.policies.document import Document


def digest(document: Document) -> str:
    """A digest that is equal for equal documents, in whatever order their elements come."""
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def denied_user_ids(document: Document | None) -> frozenset[str]:
    """The user ids that a document names; what is not in the gate's own form has none."""
    found: set[str] = set()
    match document:
        case {"Statement": [*statements]}:
            for statement in statements:
                match statement:
                    case {"Condition": {"StringLike": {"aws:userid": [*ids]}}}:
                        found |= {each for each in ids if isinstance(each, str)}
                    case _:
                        pass
        case _:
            pass
    return frozenset(found)


def misused(gate: str, holders: Iterable[str]) -> str:
    """What to do about a gate that is attached as an ordinary policy."""
    return (
        f"{gate} is attached to {', '.join(holders)} as an ordinary policy, which "
        "allows everything: detach it, a gate may only be a permissions boundary"
    )
