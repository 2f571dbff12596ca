"""What one may do in a sandbox besides: call a model as somebody, and move the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call: Bedrock's answer in words, or IAM's refusal."""

    words: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Playground:
    """A sandbox, as its console uses it.

    `call` takes a name, tokens as people write them, and a model; `move` a while such as `+2h`.
    Both raise ValueError in words if that cannot be meant.
    """

    people: tuple[str, ...]
    models: Mapping[str, str]
    call: Callable[[str, str, str], Answered]
    move: Callable[[str], None]
