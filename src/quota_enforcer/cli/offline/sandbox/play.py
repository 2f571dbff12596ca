"""The sandbox as its console uses it."""

import typer

from quota_enforcer.cli.offline.sandbox.use import answered, input_tokens, moment_of
from quota_enforcer.console.playground import Answered, Playground
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.local.demo.cast import CAST
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.account import callers_of
from quota_enforcer.local.sandbox.calls import MODELS, call, member_named
from quota_enforcer.local.sandbox.home import Home, RunningSandbox
from quota_enforcer.local.sandbox.passing_time import move


def playground(aws: EmbeddedAws, home: Home, running: RunningSandbox) -> Playground:
    """Calls and moves of the clock, as the commands make them."""
    callers = callers_of(aws, running)

    def make(name: str, tokens: str, model: str) -> Answered:
        try:
            called = call(
                aws, callers, member_named(name), input_tokens(tokens), MODELS.get(model, model)
            )
        except (typer.BadParameter, EnforcerError) as error:
            raise ValueError(str(error)) from error
        return Answered(answered(called)[0], refused=bool(called.refusal))

    def ahead(to: str) -> None:
        try:
            move(aws, home, moment_of(to, aws.time), lambda _: None)
        except (typer.BadParameter, EnforcerError) as error:
            raise ValueError(str(error)) from error

    return Playground(tuple(str(each.principal) for each in CAST), MODELS, make, ahead)
