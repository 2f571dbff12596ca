"""`teams`: members of teams from where they are kept, with a preview and what is refused."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.files.import_plan import ImportKind, ImportStep, Written, write
from quota_enforcer.cli.operate.people.team_sources import SourceReader, source_reader
from quota_enforcer.cli.quotas.edit import effect, say_overtaken
from quota_enforcer.cli.quotas.preview import Consent, Preview, preview
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, Yes, on_target, with_options
from quota_enforcer.cli.terminal.output import hint, say, say_json, waiting, warn
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.notices.amounts import and_more, listed
from quota_enforcer.core.quotas.item import KEPT_IN
from quota_enforcer.core.quotas.subject import TEAM_ITEM, is_team_item
from quota_enforcer.insight.quotas.teams.plan import (
    Permitted,
    TeamsPlan,
    TeamState,
    TeamStep,
    plan_teams,
)
from quota_enforcer.insight.quotas.teams.reading import NO_TEAM, named
from quota_enforcer.insight.quotas.teams.source import FORMS, TeamSource

app = typer.Typer(
    no_args_is_help=True, help="Teams kept elsewhere: tags, Identity Center groups, files."
)
_NAMED = 3
_TOLD = 10
"""Entries that could not be read and are shown; --json has all."""


class TeamsAsked(NamedTuple):
    """From where teams are to be read and how, and what is permitted all the same."""

    source: str | None
    allow_shrink: list[str] | None
    take_over: list[str] | None
    source_profile: str | None
    source_role: str | None
    source_region: str | None

    @property
    def permitted(self) -> Permitted:
        several = (self.allow_shrink, self.take_over)
        return Permitted(*(frozenset(map(named, each or ())) for each in several))

    def reader(self, target: Target) -> SourceReader:
        """Reads as asked, else as the deployment is looked at."""
        return source_reader(target, self.source_profile, self.source_role, self.source_region)


def _repeatable(option: str, words: str) -> Any:
    return Annotated[
        list[str] | None, typer.Option(option, metavar="TEAM", help=f"{words}; repeatable.")
    ]


def _text(metavar: str, words: str) -> Any:
    return Annotated[str | None, typer.Option(metavar=metavar, help=words)]


on_teams = with_options(
    {
        "source": (
            Annotated[
                str | None,
                typer.Argument(
                    metavar="SOURCE",
                    help=f"Where the teams are kept: {FORMS}. Default: where the stack reads them; "
                    "else where those of the quota table are kept, if that is one place.",
                ),
            ],
            None,
        ),
        "allow_shrink": (
            _repeatable("--allow-shrink", "More than half of this team may leave"), None,
        ),
        "take_over": (
            _repeatable(
                "--take-over",
                "Keep this team in SOURCE from now on, which was kept by hand or elsewhere",
            ),
            None,
        ),
        "source_profile": (_text("PROFILE", "The AWS profile to read the source with."), None),
        "source_role": (
            _text("ARN", "A role to take for reading, such as one that only reads."), None,
        ),
        "source_region": (
            _text("REGION", "The Region of Identity Center or of the bucket."), None,
        ),
    },
    TeamsAsked,
)  # fmt: skip


@app.command("preview")
@on_target
@on_teams
def preview_(
    asked: TeamsAsked,
    target: Target,
    *,
    as_json: AsJson = False,
) -> None:
    """Show who would join and leave which team, what is refused, and whom it would block.

    It writes nothing. Of a team that could not be read completely nobody
    leaves, and no team is left with nobody in it.

    Examples:
      quota-enforcer teams preview iam:team
      quota-enforcer teams preview 'identity-center:ai-*' --source-profile admin
      quota-enforcer teams preview teams.csv --json
    """
    _, plan, found = _planned(target, asked)
    if as_json:
        say_json({**plan.to_json(), **found.effects.to_json()})
        return
    _say_plan(plan)
    found.tell(Consent(dry_run=True))


@app.command()
@on_target
@on_teams
def pull(
    asked: TeamsAsked,
    target: Target,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write into the quota table who is in each team: shows it, asks once, then writes.

    What is refused changes nothing, and stops no other team; the command then
    ends with 1. A team that is kept by hand or elsewhere is left alone.

    Examples:
      quota-enforcer teams pull iam:team
      quota-enforcer teams pull teams.yaml --yes
      quota-enforcer teams pull iam:team --allow-shrink team/research
    """
    deployment, plan, found = _planned(target, asked)
    if not as_json:
        _say_plan(plan)
    found.tell(Consent(yes=yes, as_json=as_json))
    written = Written()
    if plan.due:
        ask(f"Write this ({plan.summary})?", yes=yes)
        write(deployment.quotas, map(_step, plan.due), deployment.caller(), written)
    if as_json:
        done = sorted(each.key[0] for each in written.done)
        overtaken = sorted(each.key[0] for each in written.overtaken)
        more = {"written": done, "overtaken": overtaken}
        say_json({**plan.to_json(), **more, **found.effects.to_json()})
    elif plan.due:
        say(f"{len(written.done):,} of {len(plan.due):,} written.")
    if written.done and not as_json:
        hint(effect(deployment, found))
    say_overtaken(each.key[0] for each in written.overtaken)
    if written.overtaken or plan.refused:
        raise typer.Exit(FAILED)


def _planned(target: Target, asked: TeamsAsked) -> tuple[Deployment, TeamsPlan, Preview]:
    """The plan, and what it would do to people now."""
    given = None if asked.source is None else TeamSource.parse(asked.source)
    permitted = asked.permitted
    deployment = target.find()
    items = deployment.quotas.items()
    wanted = given or _of_stack(deployment.parameters()) or _one_source(items)
    with waiting("Reading who is in which team"):
        read = asked.reader(target)(wanted)
    plan = plan_teams(read, items, wanted, deployment.settings.account, permitted)
    edits = {(str(each.team), TEAM_ITEM): each.item for each in plan.due}
    found = preview(deployment, edits, clock.now()) if edits else Preview()
    return deployment, plan, found


def _of_stack(parameters: Mapping[str, str]) -> TeamSource | None:
    """The source that the stack reads on its schedule, if it does."""
    kind, name = parameters.get("TeamsFrom", ""), parameters.get("TeamsName", "")
    return TeamSource.parse(f"s3://{name}" if kind == "s3" else f"{kind}:{name}") if kind else None


def _one_source(items: list[Any]) -> TeamSource:
    """Where the teams of the quota table are kept; raises NotThere if that is not one place."""
    kept = sorted({str(each[KEPT_IN]) for each in items if is_team_item(each) and KEPT_IN in each})
    if len(kept) != 1:
        seen = f"several places: {', '.join(kept)}" if kept else "no other place yet"
        raise NotThere(f"the teams of the quota table are kept in {seen}; name one: {FORMS}")
    return TeamSource.parse(kept[0])


def _step(step: TeamStep) -> ImportStep:
    kind = ImportKind.ADDED if step.stored is None else ImportKind.CHANGED
    return ImportStep(kind, step.stored, step.item)


def _say_plan(plan: TeamsPlan) -> None:
    changed = [each for each in plan.steps if each.state is not TeamState.SAME]
    if changed:
        say_table(("Team", "State", "Joins", "Leaves", "Stay"), [_row(each) for each in changed])
    say(f"{plan.source}: {plan.summary}.")
    for step in plan.steps:
        for words in _remarks(step):
            warn(f"{step.team}: {words}")
    unread = list(plan.unread)
    for each in unread[:_TOLD]:
        of = "" if each.team == NO_TEAM else "not read: "
        warn(f"{of}{each.words}")
    if more := and_more(len(unread), _TOLD):
        hint(f"{more}: --json has all")


def _row(step: TeamStep) -> tuple[str, ...]:
    names = (listed(each, _NAMED) or "-" for each in (step.joins, step.leaves))
    return (str(step.team), step.state.value, *names, f"{step.stay:,}")


def _remarks(step: TeamStep) -> Iterator[str]:
    if step.why:
        refused = "refused: " if step.state is TeamState.REFUSED else ""
        yield f"{refused}{step.why}"
    yield from step.notes
