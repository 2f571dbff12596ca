"""Which deployment a policy is for: what the ARNs of its parts are made of."""

from typing import Annotated, Any, NamedTuple

import typer

from quota_enforcer.cli.deployment.target import DEFAULT_STACK
from quota_enforcer.cli.terminal.options import REQUIRED, Stack, with_options
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.names import PARTITIONS

Account = Annotated[str, typer.Option(help="The account's 12 digits.")]
Partition = Annotated[str, typer.Option(help=f"One of {', '.join(PARTITIONS)}.")]
RegionOrAny = Annotated[str, typer.Option(help="The deployment's Region; * stands for any.")]
LogGroup = Annotated[
    str | None, typer.Option(help="The invocation log. Default: the one the stack makes.")
]
KmsKey = Annotated[str, typer.Option(metavar="ARN", help="The parameter KmsKeyArn.")]
RolePath = Annotated[str, typer.Option(help="The parameter RolePath.")]


class NamedStack(NamedTuple):
    """A deployment by what the ARNs of its parts are made of."""

    account: str
    stack: str
    partition: str
    region: str

    def deployed(self, **parameters: Any) -> Deployed:
        """It with these parameters, as `Deployed.named` has them."""
        return Deployed.named(self.stack, self.account, self.partition, self.region, **parameters)


on_stack = with_options(
    {
        "account": (Account, REQUIRED),
        "stack": (Stack, DEFAULT_STACK),
        "partition": (Partition, "aws"),
        "region": (RegionOrAny, "*"),
    },
    NamedStack,
)


def explain_patterns() -> None:
    """What the stars in the printed ARNs stand for."""
    hint("A * in an ARN stands for the Region, or for what CloudFormation adds to a name; "
         "the deployed policy has the exact ARNs.")  # fmt: skip
