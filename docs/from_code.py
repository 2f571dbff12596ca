"""Pages that `make docs` writes from the code and the template: what may not differ from them."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import typer
from typer.cli import get_docs_for_click
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.local.template import parsed

ROOT: Final = Path(__file__).parents[1]
TEMPLATE: Final = parsed((ROOT / "template.yaml").read_text(encoding="utf-8"))
POLICIES: Final = (
    "meter",
    "enforcer",
    "author",
    "self-service",
    "setup",
    "doctor",
    "me",
    "viewer",
    "team-lead team/research",
    "admin",
)
"""`quota-enforcer policy NAME` prints each."""
_LONGEST: Final = 40
"""Characters of a pattern that still tell a reader something."""


def commands() -> str:
    """Every command with its arguments, options and examples, as `--help` says them."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(
        obj=command, ctx=typer.Context(command, info_name="quota-enforcer"), name="quota-enforcer"
    )
    return f"# All commands\n\n{text.partition(chr(10))[2]}"


def parameters() -> str:
    """The template's parameters in the groups in which CloudFormation's console shows them."""
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    parts = ["# All parameters of the stack\n"]
    for group in groups:
        rows = [(name, _parameter(TEMPLATE["Parameters"][name])) for name in group["Parameters"]]
        parts.append(f"## {group['Label']['default']}\n")
        parts.append(
            _table(
                ("parameter", "default", "allowed", "meaning"),
                ((f"`{name}`", *cells) for name, cells in rows),
            )
        )
    return "\n".join(parts)


def _parameter(said: Mapping[str, Any]) -> tuple[str, str, str]:
    default = said.get("Default")
    allowed = said.get("AllowedValues")
    bounds = [str(said[name]) for name in ("MinValue", "MaxValue") if name in said]
    pattern = said.get("AllowedPattern")
    return (
        f"`{default}`" if default not in (None, "") else "none",
        ", ".join(f"`{each}`" for each in allowed or ())
        or " to ".join(bounds)
        or (f"`{pattern}`" if pattern and len(pattern) <= _LONGEST else "see the meaning"),
        str(said.get("Description", "")),
    )


def alarms() -> str:
    """The alarms of the stack, with the sentence that their mails begin with."""
    rows = [
        (f"`{name}`", _in_words(of["Properties"].get("AlarmDescription", "")))
        for name, of in TEMPLATE["Resources"].items()
        if of["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return "# All alarms\n\n" + _table(("alarm", "what it says"), rows)


def _in_words(text: Any) -> str:
    """A description, also where the stack fills something in."""
    if isinstance(text, dict):
        [value] = text.values()
        text = value[0] if isinstance(value, list) else value
    return str(text).replace("${AWS::StackName}", "STACK")


def policies() -> str:
    """What each function or person may do, as `quota-enforcer policy` prints it."""
    parts = ["# All policies\n"]
    for name in POLICIES:
        line = f"policy {name} --account 111122223333 --region us-east-1"
        printed = CliRunner().invoke(app, shlex.split(line))
        if printed.exit_code:
            raise ValueError(f"quota-enforcer {line}: {printed.output}")
        text = json.dumps(json.loads(printed.stdout), indent=2)
        parts.append(f"## {name}\n\n```sh\nquota-enforcer {line}\n```\n\n```json\n{text}\n```\n")
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    escaped = (" | ".join(_cell(cell) for cell in line) for line in lines)
    return "\n".join(f"| {line} |" for line in escaped) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands,
    "parameters": parameters,
    "alarms": alarms,
    "policies": policies,
}


def write(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(ROOT / "docs/generated")
