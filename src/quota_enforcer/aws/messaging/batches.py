"""Texts in batches that fit one request each."""

from collections.abc import Iterable, Iterator


def batches(texts: Iterable[str], *, count: int, size: int) -> Iterator[list[str]]:
    """The texts in order, at most `count` in a batch and at most `size` bytes, commas included.

    A text that is larger than that by itself comes alone: whoever takes it will say so.
    """
    batch: list[str] = []
    filled = 0
    for text in texts:
        needed = len(text.encode()) + len(", ")
        if batch and (len(batch) == count or filled + needed > size):
            yield batch
            batch, filled = [], 0
        batch.append(text)
        filled += needed
    if batch:
        yield batch
