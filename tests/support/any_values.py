"""Values as hypothesis draws them: any JSON, what DynamoDB holds, and damage to something real."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

ODD_TEXTS = (
    "", " ", "\0", "*", "a" * 5000, "\ud83d\ude00", "..", "NaN", "inf", "-0", "1e999999999", "null",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-29", "2026-11-24T10:00:00",
    "2026-11-24T10:00:00+23:59:59.999999", "arn:aws:iam::111122223333:user/" + "x" * 3000,
    "user/", "user/*", "team/../x", "sso/a@b", "session/r/*", "price/x", "'\"", "\n", "\u202e", "ß",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2**63, 10**40, 1.5, -0.0, float("inf"), float("nan"), 1e308, True)
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
SCALARS |= st.sampled_from(ODD_NUMBERS)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
_STORED: st.SearchStrategy[Any] = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.binary(max_size=9),
    st.sets(st.integers(), min_size=1, max_size=3),
    st.sets(TEXTS, min_size=1, max_size=3),
    st.just(Decimal("1E+125")),
)
ANY_STORED = ANY_JSON | _STORED
"""What an attribute of a DynamoDB item can be, and more."""


@st.composite
def damaged(
    draw: Callable[[Any], Any], real: Any, values: st.SearchStrategy[Any] = ANY_JSON
) -> Any:
    """Something real with up to four of its parts, however deep, replaced, removed or added."""
    copy = json.loads(json.dumps(real))
    for _ in range(draw(st.integers(1, 4))):
        target = copy
        while True:
            if not isinstance(target, dict | list) or not target:
                break
            keys = list(target) if isinstance(target, dict) else list(range(len(target)))
            key = draw(st.sampled_from(keys))
            inside = target[key]
            if isinstance(inside, dict | list) and inside and draw(st.booleans()):
                target = inside
                continue
            match draw(st.sampled_from(["replace", "remove", "add"])):
                case "replace":
                    target[key] = draw(values)
                case "remove":
                    del target[key]
                case _ if isinstance(target, dict):
                    target[draw(TEXTS)] = draw(values)
                case _:
                    target.append(draw(values))
            break
    return copy
