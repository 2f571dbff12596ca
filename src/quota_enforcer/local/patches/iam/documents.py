"""A policy document is parsed once, and not again for each request that it decides about."""

from functools import lru_cache
from typing import Any, Final

from ministack.core import iam_evaluator

_KEPT: Final = 2_000
"""Documents that are remembered: more than an account of ours has."""


def install() -> None:
    """Remember what was parsed by its text; nobody changes it afterwards."""
    plain = iam_evaluator.parse_policy_document
    of_text = lru_cache(_KEPT)(plain)

    def parse(document: Any) -> Any:
        return of_text(document) if isinstance(document, str) else plain(document)

    iam_evaluator.parse_policy_document = parse
