"""Names of models as people say them: `Claude Sonnet 4.5`, not the id with its date and version.

They are made from the id alone, so a model of tomorrow has one too. Two ids never get the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

_ID: Final = re.compile(r"(?P<vendor>[a-z][a-z0-9-]*)\.(?P<rest>[a-z][a-z0-9._-]*(?::[0-9a-z]+)*)")
_VERSION: Final = re.compile(
    r"(?P<name>.+?)(?:-v(?P<version>\d+)(?:-(?P<part>\d))?)?(?:-\d(?=:))?(?::(?P<minor>\d+))?(?::(?P<context>\d+k))?"
)
_DATE: Final = re.compile(r"20\d{6}")
_MONTH: Final = re.compile(r"(2\d)(0[1-9]|1[0-2])")
_NUMBER: Final = re.compile(r"\d{1,2}(\.\d+)?")
_SIZE: Final = re.compile(r"[a-z]?\d+(\.\d+)?(x\d+)?[bk]")
_SERIES: Final = re.compile(r"(?P<word>[a-z]{2,})(?P<number>\d+(\.\d+)?)")
_WORDS: Final = {
    "ai": "AI", "deepseek": "DeepSeek", "glm": "GLM", "gpt": "GPT", "it": "IT", "oss": "OSS",
    "sd": "SD", "vl": "VL",
}  # fmt: skip
"""Words that have capitals of their own."""


def model_names(ids: Iterable[str]) -> Mapping[str, str]:
    """The name of each id; where two have the same, or none is known, the id itself."""
    found = {each: _name(each) for each in set(ids)}
    times = Counter(found.values())
    return {each: name if times[name] == 1 else each for each, name in sorted(found.items())}


def _name(model: str) -> str:
    known = _ID.fullmatch(model)
    parts = known and _VERSION.fullmatch(known["rest"])
    words = [_spoken(word) for word in _joined(_split(parts["name"]))] if parts else []
    if not known or not parts or not words:
        return model
    if re.fullmatch(r"[A-Z]\d.*", words[0]):
        words.insert(0, _spoken(known["vendor"]))
    version, minor = parts["version"] or "0", parts["part"] or parts["minor"] or "0"
    if int(version) > 1:
        words.append(f"v{version}" + (f".{minor}" if int(minor) else ""))
    return " ".join([*words, *([parts["context"]] if parts["context"] else [])])


def _split(name: str) -> list[str]:
    """Words and numbers; `llama3` is two of them, a date is none."""
    found = []
    for word in re.split("[-_]", name):
        series = _SERIES.fullmatch(word)
        found += [series["word"], series["number"]] if series else [word]
    return [word for word in found if word and not _DATE.fullmatch(word)]


def _joined(words: Iterable[str]) -> list[str]:
    """`4`, `5` is 4.5, and `r`, `plus` is `r+`."""
    found: list[str] = []
    for number, group in groupby(words, lambda word: bool(_NUMBER.fullmatch(word))):
        several = list(group)
        found += [".".join(several)] if number else several
    return " ".join(found).replace(" r plus", " r+").split()


def _spoken(word: str) -> str:
    month = _MONTH.fullmatch(word)
    if month:
        return f"({month[1]}.{month[2]})"
    if _SIZE.fullmatch(word):
        return word[:-1].replace("a", "A") + word[-1].upper()
    return _WORDS.get(word, word[:1].upper() + word[1:])
