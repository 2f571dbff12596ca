"""Items as YAML: read with the line of each as the table has values, and written to be read back.

Numbers are exact and moments are text. Only `true` and `false` are booleans, and numbers are
decimal: a name such as `no` or a code such as `010` is the text that it looks like.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import yaml

from quota_enforcer.cli.item_json import twice
from quota_enforcer.cli.item_values import NotExact, digits, exact

_DEEPEST = 30
"""Levels of lists and maps; an item has three, and the fast reader does not survive 100,000."""
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][\d_]*)")
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
"""The tag of `<<`, which takes over what stands elsewhere."""

# The readers and writers in C take a fifth of the time; wheels of PyYAML have them.
_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FastWriter: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Reader(_Fast):  # type: ignore[misc] # which of the two it is shows only when it runs
    """Collects what is wrong instead of stopping at the first."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[str] = []


def entries(text: str) -> Iterator[tuple[Any, int, list[str]]]:
    """Every entry of a list, with its line and what is wrong in it.

    Raises ValueError where the text is no YAML; what is no list is one entry without a line.
    """
    reader = None
    try:
        _check_depth(text)
        reader = _Reader(text)
        root = reader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            yield None if root is None else reader.construct_object(root, deep=True), 0, []
            return
        for node in root.value:
            reader.problems.clear()
            yield _entry(reader, node), node.start_mark.line + 1, reader.problems[:]
    except yaml.YAMLError as error:
        raise ValueError(_in_one_line(error)) from error
    finally:
        if reader is not None:
            reader.dispose()


def _entry(reader: _Reader, node: yaml.Node) -> Any:
    try:
        return reader.construct_object(node, deep=True)
    except (yaml.YAMLError, TypeError) as error:
        reader.problems.append(f"cannot read it: {_in_one_line(error)}")
        return {}


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _Fast):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1
        if depth > _DEEPEST:
            raise ValueError(f"its lists and maps are more than {_DEEPEST} levels deep")


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _map(reader: _Reader, node: Any) -> dict[str, Any]:
    own = [name for name, _ in node.value if name.tag != _MERGE]
    names = Counter(str(reader.construct_object(name, deep=True)) for name in own)
    reader.problems += (twice(name) for name, times in names.items() if times > 1)
    reader.flatten_mapping(node)  # what `<<` brings in stands first, so that their own win
    found: dict[str, Any] = {}
    for name, value in reader.construct_pairs(node, deep=True):
        if not isinstance(name, str):
            reader.problems.append(f"the name of attribute {name!r} is no text: quote it")
        found[str(name)] = value
    return found


def _number(reader: _Reader, node: Any) -> Decimal | str:
    text: str = reader.construct_scalar(node)
    try:
        return exact(text)
    except NotExact as error:
        reader.problems.append(str(error))
        return text


def _whole(reader: _Reader, node: Any) -> Any:
    text = reader.construct_scalar(node)
    return _number(reader, node) if _WHOLE.fullmatch(text) else text


def _boolean(reader: _Reader, node: Any) -> bool | str:
    text: str = reader.construct_scalar(node)
    return {"true": True, "false": False}.get(text.lower(), text)


for _name, _construct in {
    "map": _map,
    "float": _number,
    "int": _whole,
    "bool": _boolean,
    "timestamp": lambda reader, node: reader.construct_scalar(node),
}.items():
    _Reader.add_constructor(f"{_TAG}{_name}", _construct)


class _Writer(_FastWriter):  # type: ignore[misc] # as above
    """No anchors, and numbers with all their digits."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        """A list that two items share is written twice."""
        return True


_Writer.add_representer(
    Decimal,
    lambda writer, number: writer.represent_scalar(
        f"{_TAG}{'float' if '.' in (text := digits(number)) else 'int'}", text
    ),
)


def written(items: Iterable[tuple[Mapping[str, Any], Iterable[str]]]) -> Iterator[str]:
    """Each item as an entry of a YAML list, after its comments."""
    for item, comments in items:
        for line in comments:
            yield f"# {line}\n"
        yield yaml.dump(
            [dict(item)], Dumper=_Writer, allow_unicode=True, sort_keys=False, width=10_000
        )
