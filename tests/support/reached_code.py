"""Which definitions of a package can run once one of its modules is started.

It begins with all of that module and follows names: what a reached definition names while it runs
is reached too, in whatever module it is defined. So a class counts where somebody makes one, and
where it happens to be written does not matter. A name in an annotation or below TYPE_CHECKING does
nothing at run time and is not followed. A class counts with all of its methods and its bases, since
nobody can tell from the source which of its methods are called.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from types import UnionType
from typing import NamedTuple

_WITH_STATEMENTS = ast.mod | ast.stmt | ast.excepthandler | ast.match_case
_NOT_RUN = {"annotation", "returns", "ctx"}
"""The parts of a node that are for type checkers; and whether a name is read or set."""


class Place(NamedTuple):
    """A module, and a name at its top level; without a name all of the module is meant."""

    module: str
    name: str = ""


def reached(root: Path, start: str) -> dict[Place, list[ast.AST]]:
    """The definitions that can run once module `start` does; `root` is the package's folder."""
    found: dict[Place, list[ast.AST]] = {}
    waiting = [Place(start)]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        found[place], named = _followed(root, place)
        waiting += named
    return found


@cache
def _followed(root: Path, place: Place) -> tuple[list[ast.AST], list[Place]]:
    """A definition and what it names; most are reached by several functions."""
    module = _module(root, place.module)
    nodes: list[ast.AST] = [module.tree]
    if place.name:
        nodes = module.definitions[place.name]
    return nodes, [each for node in nodes for each in module.named(node)]


class _Module:
    """One module of the package: what it defines, what it imports, and what its code names."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name

    @cached_property
    def tree(self) -> ast.Module:
        path = _path(self._root, self._name)
        return ast.parse(path.read_text(encoding="utf-8"))

    @cached_property
    def definitions(self) -> dict[str, list[ast.AST]]:
        """Functions, classes and constants of the top level; a name may be given twice."""
        found: defaultdict[str, list[ast.AST]] = defaultdict(list)
        for node in at_run_time(self.tree, into=ast.If | ast.Try | ast.With | ast.Module):
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found[name].append(node)
                case (
                    ast.Assign(targets=[ast.Name(id=name)])
                    | ast.AnnAssign(target=ast.Name(id=name))
                ):
                    found[name].append(node)
        return found

    @cached_property
    def imports(self) -> dict[str, Place]:
        """What each imported name means, also one that a function imports for itself."""
        package = self._root.name
        found: dict[str, Place] = {}
        for node in at_run_time(self.tree, into=_WITH_STATEMENTS):
            match node:
                case ast.ImportFrom(module=str(module)) if module.split(".")[0] == package:
                    for each in node.names:
                        inner = f"{module}.{each.name}"
                        is_module = _path(self._root, inner).is_file()
                        place = Place(inner) if is_module else Place(module, each.name)
                        found[each.asname or each.name] = place
                case ast.Import(names=names) if any(
                    each.name.split(".")[0] == package for each in names
                ):
                    raise LookupError(f"{self._name}: write `from ... import ...` instead")
        return found

    def named(self, code: ast.AST) -> Iterator[Place]:
        """The definitions of the package that a piece of this module's code names."""
        for node in at_run_time(code):
            match node:
                case ast.Name(id=name):
                    yield from self.meant(name)
                case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                    place = self.imports.get(name)
                    if place is not None and not place.name:
                        yield from _module(self._root, place.module).meant(attribute)

    def meant(self, name: str) -> Iterator[Place]:
        """Where a name of this module is defined; nowhere if it is local, or another package's."""
        place = self.imports.get(name)
        if name in self.definitions:
            yield Place(self._name, name)
        elif place is not None and place.name:
            yield from _module(self._root, place.module).meant(place.name)


@cache
def _module(root: Path, name: str) -> _Module:
    return _Module(root, name)


def _path(root: Path, module: str) -> Path:
    bare = root.joinpath(*module.split(".")[1:])
    return bare / "__init__.py" if bare.is_dir() else bare.with_suffix(".py")


def at_run_time(code: ast.AST, into: type[ast.AST] | UnionType = ast.AST) -> Iterator[ast.AST]:
    """The nodes of some code but annotations and what type checkers alone read.

    Below a node that is not of the types `into` nothing is looked for.
    """
    waiting = [code]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, into):
            continue
        for name in node._fields:
            if name in _NOT_RUN or (
                name == "body" and isinstance(node, ast.If) and _is_for_types(node.test)
            ):
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting += [child for child in value if isinstance(child, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def _is_for_types(test: ast.AST) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
