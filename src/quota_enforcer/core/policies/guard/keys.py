"""The keys: calls that lift a limit, so nobody who is limited should be allowed any of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One such call: what it achieves, in words, and what IAM is asked about it."""

    words: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyTargets:
    """What the keys act on: the parts of a deployment, by ARN; empty for a part that it lacks."""

    quota_table: str
    ledger_table: str
    enforcer: str
    meter: str
    stack: str
    log: str
    """The invocation log's group."""
    deny: str
    """The deny of everything."""


def keys(targets: KeyTargets, holder: str) -> list[Key]:
    """The keys to try for a user or role, `holder`, which is given by its ARN."""
    kind = "User" if ":user/" in holder else "Role"
    attached = (("iam:PolicyARN", targets.deny),)
    records = f"{targets.log}:log-stream:aws/bedrock/modelinvocations"
    every = [
        Key("edit quotas", "dynamodb:PutItem", targets.quota_table),
        Key("edit the ledger", "dynamodb:UpdateItem", targets.ledger_table),
        Key("change the enforcer", "lambda:UpdateFunctionCode", targets.enforcer),
        Key("change the meter", "lambda:UpdateFunctionCode", targets.meter),
        Key("change the stack", "cloudformation:UpdateStack", targets.stack),
        Key("switch Bedrock's log off", "bedrock:DeleteModelInvocationLoggingConfiguration", "*"),
        Key("cut the meter off the log", "logs:DeleteSubscriptionFilter", targets.log),
        Key("write others' usage into the log", "logs:PutLogEvents", records),
        Key("take off their own deny", f"iam:Detach{kind}Policy", holder, attached),
        Key("rewrite the denies", "iam:CreatePolicyVersion", targets.deny),
    ]
    if kind == "User":
        every.append(Key("begin at zero under another name", "iam:UpdateUser", holder))
    return [key for key in every if key.resource]
