"""Policy documents as data: statements, and how many characters IAM counts in them."""

import json
from collections.abc import Sequence
from typing import Any, Final

Statement = dict[str, Any]
Document = dict[str, Any]

VERSION: Final = "2012-10-17"

MANAGED_LIMIT: Final = 6144
"""Characters that IAM takes in a managed policy; white space is not counted.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
SCP_LIMIT: Final = 5120
"""Characters that Organizations takes in a service control policy; white space is counted.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""


def document(*statements: Statement) -> Document:
    """A policy document, as IAM takes it in JSON."""
    return {"Version": VERSION, "Statement": list(statements)}


def deny(
    sid: str, actions: Sequence[str], resources: str | Sequence[str] = "*", **more: Any
) -> Statement:
    """A statement that denies; `more` are further elements, such as Condition."""
    return _statement(sid, "Deny", actions, resources, more)


def allow(
    sid: str, actions: Sequence[str], resources: str | Sequence[str], **more: Any
) -> Statement:
    """A statement that allows; its resources are always said."""
    return _statement(sid, "Allow", actions, resources, more)


def compact(written: Document) -> str:
    """The shortest JSON text of a document; what AWS should get, as nothing in it is idle."""
    return json.dumps(written, separators=(",", ":"))


def size(written: Document) -> int:
    """The characters that count against IAM's and Organizations' limits."""
    return len(compact(written))


def _statement(
    sid: str,
    effect: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    more: dict[str, Any],
) -> Statement:
    resource = resources if isinstance(resources, str) else list(resources)
    return {"Sid": sid, "Effect": effect, "Action": list(actions), "Resource": resource, **more}
