"""Texts in groups that fit one request each."""

from collections.abc import Iterable, Iterator


def fitting(texts: Iterable[str], *, count: int, size: int) -> Iterator[list[str]]:
    """The texts in order, at most `count` in a group and at most `size` bytes, commas included.

    A text that is larger than that by itself comes alone: whoever takes it will say so.
    """
    group: list[str] = []
    filled = 0
    for text in texts:
        needed = len(text.encode()) + len(", ")
        if group and (len(group) == count or filled + needed > size):
            yield group
            group, filled = [], 0
        group.append(text)
        filled += needed
    if group:
        yield group
