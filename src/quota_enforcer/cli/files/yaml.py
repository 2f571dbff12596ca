"""Items as YAML: read with the line of each as the table has values, and written to be read back.

Numbers are exact and decimal, and moments are text. Only `true` and `false` are booleans: a name
such as `no` is the text that it looks like.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import yaml

from quota_enforcer.cli.files.json import twice
from quota_enforcer.cli.files.values import NotExact, exact
from quota_enforcer.core.quotas.form.values import digits, shown

_DEEPEST = 30
"""Levels of lists and maps; an item has three, and the fast reader does not survive 100,000."""
_TAG = "tag:yaml.org,2002:"

# The readers and writers in C take a fifth of the time; wheels of PyYAML have them.
_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FastWriter: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Reader(_Fast):  # type: ignore[misc] # which of the two it is shows only when it runs
    """Collects all problems instead of stopping at the first."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[str] = []


def entries(text: str) -> Iterator[tuple[Any, int, list[str]]]:
    """Every entry of a list, with its line and its problems.

    Raises ValueError if the text is not YAML; YAML that is not a list is one entry with line 0.
    """
    reader = None
    try:
        _check_form(text)
        reader = _Reader(text)
        root = reader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            yield None, 0, []
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


def _check_form(text: str) -> None:
    """Raises ValueError for what a few lines could make endless: deep levels, and aliases."""
    depth = 0
    for event in yaml.parse(text, _Fast):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            place = f"line {line} repeats another place (*{event.anchor})"
            raise ValueError(f"{place}, and a few such lines can stand for billions: write it out")  # noqa: TRY004 - of the text
        if depth > _DEEPEST:
            raise ValueError(f"its lists and maps are more than {_DEEPEST} levels deep")


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _map(reader: _Reader, node: Any) -> dict[str, Any]:
    """Each attribute may be there once; attributes merged with `<<` may be repeated."""
    own = [name for name, _ in node.value if name.tag != f"{_TAG}merge"]
    names = Counter(reader.construct_object(name, deep=True) for name in own)
    for name, times in names.items():
        if not isinstance(name, str):
            reader.problems.append(f"the name of attribute {shown(name)} is no text: quote it")
        elif times > 1:
            reader.problems.append(twice(name))
    reader.flatten_mapping(node)  # puts the merged attributes first
    return {str(name): value for name, value in reader.construct_pairs(node, deep=True)}


def _number(reader: _Reader, node: Any) -> Decimal | str:
    text: str = reader.construct_scalar(node)
    try:
        return exact(text)
    except NotExact as error:
        reader.problems.append(f"{error}; if it is meant as text, quote it")
        return text


def _boolean(reader: _Reader, node: Any) -> bool | str:
    text: str = reader.construct_scalar(node)
    return {"true": True, "false": False}.get(text.lower(), text)


for _name, _construct in {
    "map": _map,
    "float": _number,
    "int": _number,
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
