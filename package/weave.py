"""Puts the code of a satellite's functions into satellite.yaml: python package/weave.py [--check].

A plain template can hold a function as text. That text is kept as modules, so that it is linted,
typed and tested: each `ZipFile: |  # woven: NAME` gets the module NAME and what it imports of ours.
"""

import ast
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TEMPLATE: Final = ROOT / "satellite.yaml"
PACKAGE: Final = "quota_enforcer.lambdas.satellite"
FOLDER: Final = ROOT / "src" / PACKAGE.replace(".", "/")
_PLACE: Final = re.compile(r"^( *)ZipFile: \|  # woven: (\w+)\n(?:(?:\1 +.*)?\n)+", re.MULTILINE)


def woven(template: str) -> str:
    """The template with the code of now; the same if it has that already."""
    return _PLACE.sub(lambda found: f"{_block(found[1], found[2])}\n", template)


def module(name: str) -> str:
    """A module as one text without comments and types, which imports nothing of ours."""
    imports, body = set[str](), list[str]()
    for part in (*_imported(name), name):
        tree = ast.parse((FOLDER / f"{part}.py").read_text("utf-8"))
        rest = tree.body[1:]
        body += [
            ast.unparse(_bare(each)) for each in rest if not _is_import(each) and not _is_text(each)
        ]
        imports |= {ast.unparse(each) for each in rest if _is_import(each) and not _is_left(each)}
    ordered = sorted(imports, key=lambda line: (line.startswith("from"), line))
    said = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    return "\n".join([f'"""{said}"""', *ordered, *body, ""])


def _bare(statement: ast.stmt) -> ast.stmt:
    """The statement without docstrings and types."""
    for each in ast.walk(statement):
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and _is_text(each.body[0]):
            each.body = each.body[1:] or [ast.Pass()]
    return _Untyped().visit(statement)  # type: ignore[no-any-return]


class _Untyped(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return ast.fix_missing_locations(ast.Assign([node.target], node.value, lineno=node.lineno))


_TYPES: Final = {"typing", "collections.abc"}


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _block(indent: str, name: str) -> str:
    code = "\n".join(f"{indent}  {line}".rstrip() for line in module(name).splitlines())
    return f"{indent}ZipFile: |  # woven: {name}\n{code}\n"


def _imported(name: str) -> list[str]:
    """The modules of ours that one imports; they import none themselves."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    return [str(each.module).rpartition(".")[2] for each in tree.body if _is_ours(each)]  # type: ignore[attr-defined]


def _is_left(statement: ast.stmt) -> bool:
    """Whether an import is of ours, or of types alone."""
    types = isinstance(statement, ast.ImportFrom) and statement.module in _TYPES
    return types or _is_ours(statement)


def _is_ours(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and str(statement.module).startswith(PACKAGE)


def main() -> int:
    before = TEMPLATE.read_text("utf-8")
    after = woven(before)
    if "--check" in sys.argv:
        return int(before != after)
    TEMPLATE.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
