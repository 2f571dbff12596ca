"""Asking before something is done: only of somebody at a terminal."""

import sys

import typer

from quota_enforcer.cli.terminal.errors import NobodyToAsk
from quota_enforcer.cli.terminal.escaping import escaped


def at_terminal() -> bool:
    """Whether somebody can answer: what comes through a pipe is nobody's word."""
    return sys.stdin.isatty()


def ask(question: str, *, yes: bool) -> None:
    """Return if somebody agrees; `yes` says that they did already.

    Raises NobodyToAsk, or Abort if the answer is no.
    """
    if yes:
        return
    if not at_terminal():
        raise NobodyToAsk(
            f"{question} Nobody can be asked here, so nothing was done: add --yes to go on"
        )
    typer.confirm(escaped(question), abort=True, err=True)
