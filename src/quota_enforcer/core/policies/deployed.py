"""What one deployment is called in IAM: the ARNs that its roles and their policies name."""

from dataclasses import dataclass

from quota_enforcer.core.policies.names import (
    ASK_WHOM,
    checked_account,
    checked_partition,
    checked_region,
    checked_stack,
    deny_policy_name,
    gate_name,
    policy_arn,
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one deployment's roles are about; ARNs, or patterns where only CloudFormation knows."""

    partition: str
    account: str
    quota_table: str
    quota_stream: str
    """The stream of the quota table's edits."""
    ledger_table: str
    denies: tuple[str, ...]
    """The static deny policies: of everything, then of each installed model scope."""
    notice_topic: str
    dead_letters: str
    enforcer_log: str
    gates: tuple[str, ...] = ()
    author: str = ""
    """The author function; empty if there are no gates."""
    author_log: str = ""
    metrics: bool = False
    """Whether usage comes from CloudWatch's metrics: Metering is cloudwatch, and not stream."""
    region: str = "*"
    enforcer: str = ""
    """The enforcer function."""
    invocation_log: str = ""
    """The log group of Bedrock's invocation log, as IAM names what is in it: with `:*`."""
    stack: str = ""
    """The stack's ARN, with its unique id or `*`."""
    meter_dead_letters: str = ""
    meter_log: str = ""
    me_log: str = ""
    setup_log: str = ""
    log_role: str = ""
    """The role by which Bedrock writes the invocation log."""
    manages_logging: bool = True
    """Whether set-up may change Bedrock's logging: ManageLogging is true."""

    @classmethod
    def named(  # noqa: PLR0913 - one for each parameter that matters to a role
        cls,
        stack: str,
        account: str,
        partition: str,
        region: str,
        *,
        scopes: int = 0,
        gates: int = 0,
        metrics: bool = False,
        log_group: str = "",
        manages_logging: bool = True,
        ask: str = ASK_WHOM,
    ) -> "Deployed":
        """A deployment known by name only; `*` stands where CloudFormation adds a suffix."""
        checked_stack(stack)
        checked_region(region)
        account, partition = checked_account(account), checked_partition(partition)

        def arn(service: str, resource: str) -> str:
            return f"arn:{partition}:{service}:{region}:{account}:{resource}"

        def policy(name: str) -> str:
            return policy_arn(partition, account, stack, name)

        numbers = [None, *range(1, scopes + 1)]
        return cls(
            partition=partition,
            account=account,
            quota_table=arn("dynamodb", f"table/{stack}-QuotaTable-*"),
            quota_stream=arn("dynamodb", f"table/{stack}-QuotaTable-*/stream/*"),
            ledger_table=arn("dynamodb", f"table/{stack}-LedgerTable-*"),
            denies=tuple(policy(deny_policy_name(stack, number, ask)) for number in numbers),
            notice_topic=arn("sns", f"{stack}-NoticeTopic-*"),
            dead_letters=arn("sqs", f"{stack}-EnforcerDeadLetters-*"),
            enforcer_log=arn("logs", f"log-group:/bedrock-quota/{stack}/enforcer:*"),
            gates=tuple(policy(gate_name(stack, number, ask)) for number in range(1, gates + 1)),
            author=arn("lambda", f"function:{stack}-AuthorFunction-*") if gates else "",
            author_log=arn("logs", f"log-group:/bedrock-quota/{stack}/author:*"),
            metrics=metrics,
            region=region,
            enforcer=arn("lambda", f"function:{stack}-EnforcerFunction-*"),
            invocation_log=arn(
                "logs", f"log-group:{log_group or f'/bedrock-quota/{stack}/invocations'}:*"
            ),
            stack=arn("cloudformation", f"stack/{stack}/*"),
            meter_dead_letters=arn("sqs", f"{stack}-MeterDeadLetters-*"),
            meter_log=arn("logs", f"log-group:/bedrock-quota/{stack}/meter:*"),
            me_log=arn("logs", f"log-group:/bedrock-quota/{stack}/me:*"),
            setup_log=arn("logs", f"log-group:/bedrock-quota/{stack}/setup:*"),
            log_role=(
                f"arn:{partition}:iam::{account}:role/bedrock-quota/{stack}/"
                f"{stack}-InvocationLogRole-*"
            ),
            manages_logging=manages_logging,
        )
