"""Pages that `make docs` writes from the code and the template: what may not differ from them."""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer
from typer.cli import get_docs_for_click
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.console.pages.fields import allowed_in
from quota_enforcer.core.quotas.item import ATTRIBUTES
from quota_enforcer.local.template import parsed

ROOT: Final = Path(__file__).parents[1]
TEMPLATE: Final = parsed((ROOT / "template.yaml").read_text(encoding="utf-8"))
POLICIES: Final = (
    "meter",
    "enforcer",
    "author",
    "self-service",
    "webhook",
    "teams",
    "teams-reader iam:team",
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
    _say_whole_sentences(command)
    text = get_docs_for_click(
        obj=command, ctx=typer.Context(command, info_name="quota-enforcer"), name="quota-enforcer"
    )
    return f"# All commands\n\n{text.partition(chr(10))[2]}"


def _say_whole_sentences(command: Any) -> None:
    """Where a group lists its commands: the list would cut them off after 45 characters."""
    for each in getattr(command, "commands", {}).values():
        each.short_help = _first_sentence(each)
        _say_whole_sentences(each)


def _first_sentence(command: Any) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


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


METRICS: Final[Mapping[str, Mapping[str, str]]] = {
    "enforcer": {
        "Duration": "seconds a sweep took; none means that no sweep got through",
        "DataAge": "seconds since the newest usage that a sweep knew of",
        "LookedAt": "principals that were decided about",
        "Warned": "principals warned",
        "Blocked": "principals blocked",
        "Restored": "principals free again",
        "Failed": "changes of IAM that failed and are tried again",
        "Held": "principals whose blocks the breaker holds",
        "Unattributed": "callers that are no principal, such as the root user",
        "Edits": "edits of the quota table that were seen",
        "StaleTicks": "scheduled sweeps that came too late and were dropped",
        "ClosedThoughDeployed": "sweeps that did nothing, since the stack was closed and stands",
        "SatelliteUnreachable": "member accounts that did not take home's call",
    },
    "meter": {
        "Counted": "calls added to the ledger, 0 too",
        "Forwarded": "calls of satellites that were added",
        "CostUsd": "dollars of the calls just added; the ledger alone is exact",
        "Lag": "seconds from the oldest call of a delivery until it was added",
        "Duplicates": "calls that came again and count once",
        "Skipped": "records that are no calls, or of calls that failed",
        "Quarantined": "records that cannot be counted as they are",
        "Unattributed": "calls of nobody whom quotas know",
        "Incomplete": "calls whose record lacks a count of tokens",
        "Late": "calls older than the hours that may still change",
        "Failed": "calls that could not be written; pointers are in the queue",
        "Control": "CloudWatch's own messages that a subscription stands",
        "Refused": "hours that were asked to be set again and were not",
        "SatelliteRefused": "what satellites handed over and was not taken",
        "SatelliteUnread": "satellites whose log could not be read",
        "Elsewhere": "calls in Regions that nobody meters",
        "Unwired": "subscriptions or metric filters that are gone",
        "Unmetered": "calls that Bedrock counted and the ledger has not",
        "Overmetered": "calls that the ledger has and Bedrock did not count",
        "Unseen": "comparisons with Bedrock that could not be made, 0 too",
    },
}
"""What the functions measure, by their `service` dimension."""
_OURS: Final = "BedrockQuota/STACK"


def metrics() -> str:
    """The metrics that the stack writes, with the alarms that look at them."""
    alarmed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, resource in TEMPLATE["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            for namespace, metric in _watched(resource["Properties"]):
                if f"`{name}`" not in alarmed[namespace, metric]:
                    alarmed[namespace, metric].append(f"`{name}`")
    head = (
        f"# All metrics\n\nThe functions write to the namespace `{_OURS}/Enforcer`, with the "
        "dimension `service`. A metric that would be 0 is not written, since each costs as much as "
        "any other, but where it says so.\n"
    )
    parts = [head]
    for service, of in METRICS.items():
        rows = (
            (f"`{name}`", words, ", ".join(alarmed[f"{_OURS}/Enforcer", name]))
            for name, words in of.items()
        )
        parts.append(f"## service = {service}\n\n{_table(('metric', 'what it is', 'alarm'), rows)}")
    filters = [
        transformation
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for transformation in resource["Properties"]["MetricTransformations"]
    ]
    counted = (
        (
            f"`{each['MetricName']}`",
            ", ".join(f"`{one['Key']}`" for one in each.get("Dimensions", ())) or "none",
        )
        for each in filters
    )
    parts.append(
        f"## With Metering=cloudwatch\n\nMetric filters count the invocation log in `{_OURS}`.\n\n"
        + _table(("metric", "dimensions"), counted)
    )
    return "\n".join(parts)


def _watched(alarm: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The metrics of an alarm, of one or of an expression over several."""
    several = [each["MetricStat"] for each in alarm.get("Metrics", ()) if "MetricStat" in each]
    for each in (alarm, *(one["Metric"] for one in several)):
        for branch in (1, 2):  # of a condition, where there is one
            if "MetricName" in each:
                yield _text(each["Namespace"], branch), _text(each["MetricName"], branch)


def _text(said: Any, branch: int) -> str:
    said = said["Fn::If"][branch] if isinstance(said, dict) and "Fn::If" in said else said
    return _in_words(said).replace("${AWS::StackName}", "STACK")


OPTIONS: Final[Mapping[str, str]] = {"weights": "weight", "models": "model", "members": "member"}
"""Attributes whose option of `quota set` has another name."""
BY_THE_TOOLS: Final[Mapping[str, str]] = {
    "principal": "whom it is for",
    "quota": "its name: rules of the same name replace each other, the nearest one wins",
    "kept_in": "`teams pull` writes it",
    "edited_by": "whoever wrote the item last, by its ARN; each command writes it",
    "edited_at": "when that was; each command writes it",
    "schema": "the form of the item; each command writes it",
}


def attributes() -> str:
    """Every attribute of a quota item: its option, and what is allowed, as the code says it."""
    commands = typer.main.get_command(app).commands["quota"].commands["set"]  # type: ignore[attr-defined]
    options = {each.name: each for each in commands.params}
    rows = []
    for name in ATTRIBUTES:
        option = options.get(OPTIONS.get(name, name))
        flag = f"`{option.opts[0]}`" if option and option.opts[0].startswith("-") else ""
        words = BY_THE_TOOLS.get(name) or getattr(option, "help", "") or ""
        place = {"principal": "the first argument", "quota": "the second argument"}
        said = " ".join(allowed_in(name, ("anthropic.claude-3-opus*",))) or "any text"
        rows.append((f"`{name}`", flag or place.get(name, ""), words, said))
    return (
        "# All attributes of a quota item\n\n"
        "[Quotas](../reference/quotas.md) explains them; here stands what the code allows, in its "
        "own words, with the option of `quota set`. The model scope is an example: yours are "
        "those that you installed.\n\n"
        + _table(("attribute", "option", "meaning", "allowed"), rows)
    )


def policies() -> str:
    """What each function or person may do, as `quota-enforcer policy` prints it."""
    parts = ["# All policies\n"]
    group = typer.main.get_command(app).commands["policy"]  # type: ignore[attr-defined]
    for name in POLICIES:
        line = f"policy {name} --account 111122223333 --region us-east-1"
        printed = CliRunner().invoke(app, shlex.split(line))
        if printed.exit_code:
            raise ValueError(f"quota-enforcer {line}: {printed.output}")
        text = json.dumps(json.loads(printed.stdout), indent=2)
        says = _first_sentence(group.commands[name.split()[0]])
        parts.append(
            f"## {name}\n\n{says}\n\n```sh\nquota-enforcer {line}\n```\n\n```json\n{text}\n```\n"
        )
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    escaped = (" | ".join(_cell(cell) for cell in line) for line in lines)
    return "\n".join(f"| {line} |" for line in escaped) + "\n"


def _cell(text: str) -> str:
    """A cell in which only what stands in backquotes is markup."""
    several = " ".join(text.split()).replace("|", "\\|").split("`")
    shown = [
        part if place % 2 else re.sub(r"(?<!\\)([*_<\[])", r"\\\1", part)
        for place, part in enumerate(several)
    ]
    return "`".join(shown)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands,
    "parameters": parameters,
    "alarms": alarms,
    "metrics": metrics,
    "attributes": attributes,
    "policies": policies,
}


def write(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(ROOT / "docs/generated")
