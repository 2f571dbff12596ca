"""Offline checks of a policy document: what can be told from the text alone, in words.

No list of actions is kept here: AWS adds some every week, and Access Analyzer knows them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from quota_enforcer.core.policies.check_statement import a_list, of_statement, partitions_of
from quota_enforcer.core.policies.document import MANAGED_LIMIT, SCP_LIMIT, VERSION, Document, size


class Kind(StrEnum):
    """What a document is for, which decides how large it may be and what it may say."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"


_LIMITS: Final = {
    Kind.IDENTITY: MANAGED_LIMIT,
    Kind.BOUNDARY: MANAGED_LIMIT,
    Kind.SCP: SCP_LIMIT,
}


def findings(text: str | bytes, kind: Kind) -> list[str]:
    """What is wrong in a file with one policy document or a JSON list of several; one line each."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [f"it is no JSON: {error}"]
    documents = read if isinstance(read, list) else [read]
    if not documents:
        return ["the list holds no policy document"]
    many = len(documents) > 1
    # Organizations counts white space where it stands; IAM does not.
    blanks = 0 if many or kind is not Kind.SCP else len(text.strip()) - size(documents[0])
    return [
        f"document {number}: {finding}" if many else finding
        for number, document in enumerate(documents, start=1)
        for finding in _of_document(document, kind, blanks)
    ]


def documents_in(text: str | bytes) -> list[Document]:
    """The policy documents in a file, without what is none."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [each for each in (read if isinstance(read, list) else [read]) if isinstance(each, dict)]


def _of_document(document: Any, kind: Kind, blanks: int) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"{json.dumps(document)[:60]} is no policy document: expected an object"
        return
    if document.get("Version") != VERSION:
        yield (
            f"Version is {document.get('Version')!r}: write {VERSION!r}, "
            "or variables and newer features mean nothing"
        )
    if (characters := size(document) + blanks) > _LIMITS[kind]:
        yield f"it has {characters:,} characters; AWS takes {_LIMITS[kind]:,} ({kind})"
    statements = a_list(document.get("Statement"))
    if not statements:
        yield "it has no Statement"
    for number, statement in enumerate(statements, start=1):
        if not isinstance(statement, dict):
            yield f"statement {number} is no object"
            continue
        name = statement.get("Sid") or f"statement {number}"
        for finding in of_statement(statement, grants=kind is Kind.IDENTITY):
            yield f"{name}: {finding}"
    yield from _of_all([each for each in statements if isinstance(each, dict)])


def _of_all(statements: list[dict[str, Any]]) -> Iterator[str]:
    sids = Counter(str(statement["Sid"]) for statement in statements if statement.get("Sid"))
    for sid, count in sids.items():
        if count > 1:
            yield f"Sid {sid!r} stands {count} times: each must be unique"
    partitions = sorted({each for statement in statements for each in partitions_of(statement)})
    if len(partitions) > 1:
        yield f"its ARNs are of several partitions ({', '.join(partitions)}): no account is in two"
