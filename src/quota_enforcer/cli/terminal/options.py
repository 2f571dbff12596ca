"""Arguments and options that several commands share, and the deployment that three of them name."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from quota_enforcer.cli.deployment.target import DEFAULT_STACK, Target
from quota_enforcer.cli.files.logs import log_file
from quota_enforcer.cli.terminal.completion import of_deployment as completion
from quota_enforcer.cli.terminal.output import SCREENFUL

if TYPE_CHECKING:
    from quota_enforcer.cli.deployment.deployment import Deployment

P = ParamSpec("P")
T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


_PRINCIPALS = "user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, or an ARN of one"


def _not_empty(text: str) -> str:
    if not text:
        raise typer.BadParameter("it is empty; perhaps a variable of the shell is not set")
    return text


SubjectArg = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT",
        callback=_not_empty,
        autocompletion=completion.subject,
        help="user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, an ARN of one; "
        "user/*, sso/*, role/*, session/ROLE/*; or default: all people, no roles.",
    ),
]
PrincipalArg = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL",
        autocompletion=completion.principal,
        help=f"{_PRINCIPALS}.",
    ),
]
MaybePrincipalArg = Annotated[
    str | None,
    typer.Argument(
        metavar="PRINCIPAL",
        autocompletion=completion.principal,
        help=f"Only this one: {_PRINCIPALS}.",
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        callback=_not_empty,
        autocompletion=completion.name,
        help="The quota's name, such as daily.",
    ),
]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        callback=_not_empty,
        help="A model's id as the log has it, or its ARN; with REGION/ before it for one Region.",
    ),
]
FileOrStdin = Annotated[
    Path,
    typer.Argument(metavar="FILE", callback=log_file, help="Items as YAML or JSON; - for stdin."),
]


def _account(number: str) -> str:
    if number and not re.fullmatch(r"\d{12}", number, re.ASCII):
        raise typer.BadParameter(f"{number!r} is no AWS account: write its 12 digits")
    return number


_LOG_GROUP = re.compile(
    r"(?:arn:aws[\w-]*:logs:[a-z0-9-]+:\d{12}:log-group:)?[.\-_/#A-Za-z0-9]{1,512}(?::\*)?",
    re.ASCII,
)


def trail_group(group: str) -> str:
    """A log group by its name or ARN."""
    if group and not _LOG_GROUP.fullmatch(group):
        raise typer.BadParameter(
            f"{group!r} is neither a log group's name nor its ARN: write one such as "
            "aws-cloudtrail-logs"
        )
    return group.removesuffix(":*")


def words_among(text: str, allowed: Iterable[Word], option: str) -> tuple[Word, ...]:
    """What an option names, with commas between, each once; raises BadParameter for another."""
    known = {str(each): each for each in allowed}
    words = dict.fromkeys(each.strip() for each in text.split(","))
    for word in words:
        if word not in known:
            raise typer.BadParameter(f"{word!r} is none of {', '.join(known)}", param_hint=option)
    return tuple(known[word] for word in words)


HomeAccount = Annotated[
    str,
    typer.Option(
        "--account",
        metavar="NUMBER",
        callback=_account,
        help="The home account: callers of other accounts get the number of theirs.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would change, and whom it would block.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV with a header line.")]
MostRows = Annotated[
    int | None,
    typer.Option(
        min=0,
        help=f"How many rows; 0 is all. Default: {SCREENFUL} on a terminal, else all.",
        show_default=False,
    ),
]

OpenIt = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]
Stack = Annotated[str, typer.Option(envvar="QUOTA_ENFORCER_STACK", help="The deployment's stack.")]
Profile = Annotated[str | None, typer.Option(help="The AWS profile, as for the AWS CLI.")]
Region = Annotated[
    str | None,
    typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The AWS Region."),
]

REQUIRED = inspect.Parameter.empty

_SHARED = {
    "stack": (Stack, DEFAULT_STACK),
    "profile": (Profile, None),
    "region": (Region, None),
}


def with_options(
    options: Mapping[str, tuple[Any, Any]], made: Callable[..., T]
) -> Callable[[Callable[Concatenate[T, P], None]], Callable[..., None]]:
    """Gives a command these options too, and calls it first with what is made of them.

    Each is a type for Typer and a default, which is REQUIRED where there is none.
    """
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]

    def decorated(command: Callable[Concatenate[T, P], None]) -> Callable[..., None]:
        @wraps(command)
        def run(*args: Any, **kwargs: Any) -> None:
            command(made(*(kwargs.pop(name) for name in options)), *args, **kwargs)

        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        return run

    return decorated


def on_deployment(command: "Callable[Concatenate[Deployment, P], None]") -> Callable[..., None]:
    """Gives a command --stack, --profile and --region, and calls it with the deployment."""
    return with_options(_SHARED, lambda *named: Target(*named).find())(command)


def on_target(command: Callable[Concatenate[Target, P], None]) -> Callable[..., None]:
    """The same for a command that finds the deployment itself, or does without."""
    return with_options(_SHARED, Target)(command)
