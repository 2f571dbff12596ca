"""What the emulator reads again for each request is read once: expressions, models and policies.

- A condition of DynamoDB is cut into words and its grammar checked for each item that it is
  compared with, which took longer than the comparison.
- For the content type of each service's first answer all of botocore's session is made again.
- To learn the ARN of a caller, all of his policies are gathered; to decide, once more.
- All conditions of his policies are gone through, whether one asks for a tag.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final

import botocore.session
from botocore.exceptions import UnknownServiceError
from ministack.core import iam_evaluator, responses
from ministack.core.router import extract_access_key_id
from ministack.services import dynamodb

_KEPT: Final = 2_000
"""Expressions and documents that are remembered: more than ours."""


def install() -> None:
    """Remember them from now on."""
    words = lru_cache(_KEPT)(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(words(expression))
    dynamodb._condition_syntax_error = lru_cache(_KEPT)(dynamodb._condition_syntax_error)
    session = botocore.session.get_session()

    @cache
    def model(service: str) -> Any:
        try:
            return session.get_service_model(responses._BOTOCORE_NAME.get(service, service))
        except UnknownServiceError:
            return None

    responses._service_model = model
    iam_evaluator.request_caller_arn = _caller
    iam_evaluator._names_condition_key = _ConditionKeys().one_begins


def _caller(headers: dict[str, str], query: dict[str, Any] | None = None) -> str:
    """The ARN of who sent a request; of root where nobody known did."""
    account = responses.get_account_id()
    root = f"arn:aws:iam::{account}:root"
    key = extract_access_key_id(headers or {}, query or {})
    if not key:
        return root
    found = iam_evaluator.resolve_credential(
        key, responses._account_from_sts_session(key) or account
    )
    known = isinstance(found, iam_evaluator.ResolvedCredential)
    return (known and found.principal_arn) or root


class _ConditionKeys:
    """The keys in a document's conditions, which nobody changes once it is parsed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, frozenset[str]]] = {}
        """By the id of the document, which is held so that no other gets its id."""

    def one_begins(self, documents: Iterable[Any], prefix: str) -> bool:
        """Whether one of the keys begins so, in lower case."""
        return any(key.startswith(prefix) for document in documents for key in self._of(document))

    def _of(self, document: Any) -> frozenset[str]:
        known = self._known.get(id(document))
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[id(document)] = document, frozenset(_keys(document))
        return known[1]


def _keys(document: Any) -> Iterable[str]:
    for statement in document:
        for block in statement.conditions.values():
            if isinstance(block, dict):
                yield from (key.lower() for key in block)
