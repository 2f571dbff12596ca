"""What the emulator reads again for each request is read once: expressions, and boto3's models.

- A condition of DynamoDB is cut into words and its grammar checked for each item that it is
  compared with, which took longer than the comparison.
- For the content type of each service's first answer all of botocore's session is made again.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from functools import cache, lru_cache
from typing import Any, Final

import botocore.session
from botocore.exceptions import UnknownServiceError
from ministack.core import responses
from ministack.services import dynamodb

_KEPT: Final = 2_000
"""Expressions that are remembered: more than ours."""


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
