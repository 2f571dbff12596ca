"""`scopes list`: which models can be denied on their own, and how to add some."""

import typer

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.options import AsJson, on_deployment
from quota_enforcer.cli.output import hint, say_json, say_table
from quota_enforcer.core.policies.names import MODEL_SCOPES, deny_policy_name

app = typer.Typer(no_args_is_help=True, help="Which models can be denied on their own.")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show the installed model scopes, each with its deny policy.

    A quota's models must be installed scopes; * stands for all of Bedrock.

    Examples:
      quota-enforcer scopes list
    """
    installed = sorted(deployment.settings.denies.items())
    if as_json:
        say_json({"scopes": [{"models": scope, "policy": arn} for scope, arn in installed]})
        return
    say_table(("Models", "Deny policy"), installed)
    stack = deployment.settings.stack
    used = {arn.rpartition("/")[2] for _, arn in installed}
    free = [n for n in range(1, MODEL_SCOPES + 1) if deny_policy_name(stack, n) not in used]
    if free:
        hint(
            f"{len(free)} more can be added: set the stack's parameter ModelScope{free[0]} to a "
            "model id or a pattern and deploy again, such as sam deploy --parameter-overrides "
            f"'ModelScope{free[0]}=anthropic.claude-3-opus*'"
        )
    else:
        hint(f"All {MODEL_SCOPES} are in use: one pattern can stand for several models.")
