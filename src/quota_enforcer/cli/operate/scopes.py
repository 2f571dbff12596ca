"""`scopes list`: which models can be denied on their own, what gets past, and how to add some."""

from collections.abc import Sequence
from typing import Any

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import echo, hint, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.policies.names import ASK_WHOM, MODEL_SCOPES, deny_policy_name
from quota_enforcer.core.usage.model import SeenModel, left_open

_NUMBERS = range(1, MODEL_SCOPES + 1)

app = typer.Typer(no_args_is_help=True, help="Which models can be denied on their own.")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show the installed model scopes, each with its deny policy, and what gets past it.

    A quota's models must be installed scopes; * stands for all of Bedrock.
    The deny of a model closes its inference profiles, application profiles too, but not the
    provisioned throughput and the custom models that lead to it: those seen in use are listed,
    and so is what no model was found for. Only the deny of * closes them.

    Examples:
      quota-enforcer scopes list
      quota-enforcer scopes list --json
    """
    installed = sorted(deployment.settings.denies.items())
    seen = deployment.models()
    past = {scope: [each for each in seen if left_open(scope, each)] for scope, _ in installed}
    unknown = [each for each in seen if each.unresolved]
    if as_json:
        say_json(_document(installed, past, unknown))
        return
    say_table(("Models", "Deny policy"), installed)
    _show(past, unknown)
    _tell_of_free(deployment.settings.stack, installed)


def _document(
    installed: Sequence[tuple[str, str]],
    past: dict[str, list[SeenModel]],
    unknown: Sequence[SeenModel],
) -> dict[str, Any]:
    return {
        "scopes": [
            {
                "models": scope,
                "policy": arn,
                "left_open": [{"arn": each.arn, "model": each.name} for each in past[scope]],
            }
            for scope, arn in installed
        ],
        "unresolved": [
            {"arn": each.arn, "metered_as": each.name, "reason": each.unresolved, "at": each.at}
            for each in unknown
        ],
    }


def _show(past: dict[str, list[SeenModel]], unknown: Sequence[SeenModel]) -> None:
    rows = [(scope, each.arn, each.name) for scope, them in past.items() for each in them]
    if rows:
        echo()
        say_table(("Models", "Not closed by this deny", "Counted as"), rows)
        hint(
            "Who is over a quota for these models can still call them by these ARNs. A quota for * "
            "closes them; so does a deny of bedrock:InvokeModel* on them in the callers' policies."
        )
    if unknown:
        echo()
        say_table(
            ("Model not known", "Counted as", "Why"),
            [(each.arn, each.name, each.unresolved) for each in unknown],
        )
        hint("Only quotas for * count these. Bedrock is asked again as long as they are used.")


def _tell_of_free(stack: str, installed: Sequence[tuple[str, str]]) -> None:
    used = {arn.rpartition("/")[2] for _, arn in installed}
    starts = {n: deny_policy_name(stack, n).removesuffix(ASK_WHOM) for n in _NUMBERS}
    free = [n for n in _NUMBERS if not any(name.startswith(starts[n]) for name in used)]
    if free:
        hint(
            f"{len(free)} more can be added: set the stack's parameter ModelScope{free[0]} to a "
            "model id or a pattern and deploy again, such as sam deploy --parameter-overrides "
            f"'ModelScope{free[0]}=anthropic.claude-3-opus*'"
        )
    else:
        hint(f"All {MODEL_SCOPES} are in use: one pattern can stand for several models.")
