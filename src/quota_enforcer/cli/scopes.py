"""`scopes list`: which models can be denied on their own, and how to add some."""

import typer

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.options import AsJson, on_deployment
from quota_enforcer.cli.output import hint, say_json, say_table
from quota_enforcer.core.policies.names import MODEL_SCOPES

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
    free = MODEL_SCOPES + 1 - len(installed)
    if free:
        hint(
            f"{free} more can be added: set a free one of the stack's parameters ModelScope1 to "
            f"ModelScope{MODEL_SCOPES} to a model id or a pattern and deploy again, such as "
            "sam deploy --parameter-overrides 'ModelScope1=anthropic.claude-3-opus*'"
        )
    else:
        hint(f"All {MODEL_SCOPES} are in use: one pattern can stand for several models.")
