"""A client that is answered with nothing at all, where only how many requests it makes is asked."""

from collections import Counter
from typing import Any, NamedTuple


class Answered(NamedTuple):
    """As much of an HTTP answer as botocore looks at."""

    status_code: int = 200


def count_requests(client: Any, counted: Counter[str]) -> None:
    """Answer every request with nothing, and count it by its operation."""

    def count(model: Any, **_: Any) -> tuple[Answered, dict[str, Any]]:
        counted[model.name] += 1
        return Answered(), {}

    client.meta.events.register("before-call", count)
