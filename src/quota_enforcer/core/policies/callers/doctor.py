"""What `quota-enforcer doctor` needs: reading, and no prompts."""

from collections.abc import Mapping
from typing import Final

from quota_enforcer.core.policies.deployed import READING, Deployed
from quota_enforcer.core.policies.document import Document, Statement, allow, document
from quota_enforcer.core.policies.names import policy_arn

FINDING: Final = ("cloudformation:DescribeStacks", "lambda:GetFunctionConfiguration")
"""What every command needs to find the deployment."""

_PARTS: Final = "cloudformation:ListStackResources"

_METRICS: Final = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics")

_LOGGING: Final = "bedrock:GetModelInvocationLoggingConfiguration"

_BATCH: Final = "bedrock:ListModelInvocationJobs"

_GROUPS: Final = "logs:DescribeLogGroups"

_MASKING: Final = "logs:GetDataProtectionPolicy"

_ACCOUNTS: Final = "logs:DescribeAccountPolicies"

_VERSIONS: Final = ("iam:GetPolicyVersion", "iam:ListPolicyVersions")

_SIMULATE: Final = "iam:SimulatePrincipalPolicy"

_HOLDERS: Final = "iam:ListEntitiesForPolicy"

_RECORDS: Final = "dynamodb:Query"

_STATE: Final = "dynamodb:GetItem"

_SIZE: Final = "dynamodb:DescribeTable"

_RULES: Final = ("dynamodb:Query", "dynamodb:Scan")

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "logging": (_LOGGING, _GROUPS, _PARTS),
    "masking": (_MASKING, _ACCOUNTS),
    "regions": ("account:ListRegions", *_METRICS, _LOGGING, _GROUPS, _RECORDS),
    "unlogged use": (*_METRICS, _BATCH),
    "records": ("logs:DescribeLogStreams", *_METRICS),
    "meter": (
        "logs:DescribeSubscriptionFilters",
        "logs:DescribeMetricFilters",
        "lambda:GetPolicy",
        "cloudwatch:ListMetrics",
        _PARTS,
    ),
    "ledger": (_STATE, *_METRICS),
    "tokens": (_RECORDS, _LOGGING, _PARTS),
    "satellites": (_RECORDS, _STATE, _PARTS),
    "dead letters": ("sqs:GetQueueAttributes", _PARTS),
    "recounts": (_RECORDS,),
    "sweep": (_STATE,),
    "schedules": ("scheduler:GetSchedule", _PARTS),
    "functions": ("lambda:GetFunctionConcurrency", _PARTS),
    "event sources": ("lambda:GetEventSourceMapping", _PARTS),
    "alarms": ("cloudwatch:DescribeAlarms", _PARTS),
    "notices": ("sns:ListSubscriptionsByTopic",),
    "users and roles": (
        "iam:GetAccountAuthorizationDetails",
        "iam:GetAccountSummary",
        *_RULES,
    ),
    "shared roles": ("iam:GetRole", *_RULES),
    "session names": ("iam:GetAccountAuthorizationDetails", *_RULES),
    "keys": (
        _SIMULATE,
        "iam:GetAccountAuthorizationDetails",
        _PARTS,
        *_RULES,
    ),
    "denies": (_HOLDERS, _RECORDS, "dynamodb:BatchGetItem"),
    "deny policies": _VERSIONS,
    "gates": (*_VERSIONS, _HOLDERS, "iam:GetRole", _RECORDS, _STATE),
    "quotas": (*_RULES, _SIZE),
    "prices": _RULES,
    "mode": (_STATE,),
    "clock": (),
}
"""Each check of `doctor`, and the actions that it takes besides FINDING."""

WITNESS_NEEDS: Final = ("logs:StartQuery", "logs:GetQueryResults", _RECORDS, *_METRICS)
"""What the check takes that `doctor --trail` makes besides."""


BEFORE_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "traffic": ("account:ListRegions", *_METRICS, _LOGGING, _BATCH, _GROUPS),
    "accounts": ("organizations:ListAccounts", "account:ListRegions", *_METRICS),
    "logging": ("account:ListRegions", *_METRICS, _LOGGING, _BATCH, _GROUPS),
    "coverage": ("account:ListRegions", *_METRICS, _LOGGING, _BATCH, _GROUPS),
    "who may call": ("iam:GetAccountAuthorizationDetails", _SIMULATE),
    "who called": ("cloudtrail:LookupEvents", "account:ListRegions", *_METRICS),
    "shared roles": (
        "iam:GetAccountAuthorizationDetails",
        _SIMULATE,
        "cloudtrail:LookupEvents",
    ),
    "room for denies": (
        "iam:GetAccountAuthorizationDetails",
        "iam:GetAccountSummary",
        _SIMULATE,
    ),
}
"""Each check of `doctor --before`, and the actions that it takes."""


def before() -> Document:
    """What `doctor --before` needs: it reads, and most of these know no resource."""
    needed = {action for needs in BEFORE_NEEDS.values() for action in needs}
    return document(allow("LookBeforeTheFirstDeployment", sorted(needed), "*"))


def doctor(of: Deployed, stack: str, trail: str = "") -> Document:
    """The policy, as narrow as each action allows; `trail` is the log group of `--trail`."""

    def arn(service: str, resource: str, region: str = of.region) -> str:
        return f"arn:{of.partition}:{service}:{region}:{of.account}:{resource}"

    roles = f"arn:{of.partition}:iam::{of.account}:role/*"
    functions = arn("lambda", f"function:{stack}-*Function-*")
    asked = ["lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration", "lambda:GetPolicy"]
    wiring = ["DescribeLogStreams", "DescribeMetricFilters", "DescribeSubscriptionFilters"]
    return document(
        allow("Stack", [FINDING[0], _PARTS], arn("cloudformation", f"stack/{stack}/*")),
        allow("Functions", asked, functions),
        allow("Schedules", ["scheduler:GetSchedule"], arn("scheduler", f"schedule/*/{stack}-*")),
        allow(
            "Ledger",
            ["dynamodb:BatchGetItem", _SIZE, _STATE, *_RULES],
            [of.ledger_table, f"{of.ledger_table}/index/by-due"],
        ),
        allow("Quotas", ["dynamodb:Scan"], of.quota_table),
        # How it is wired; reading what it holds takes other actions.
        allow("InvocationLog", [*(f"logs:{each}" for each in wiring), _MASKING], of.invocation_log),
        allow("LogGroups", [_GROUPS], arn("logs", "log-group:*", "*")),
        allow("DeadLetters", ["sqs:GetQueueAttributes"], [of.dead_letters, of.meter_dead_letters]),
        allow("Topic", ["sns:ListSubscriptionsByTopic"], of.notice_topic),
        allow(
            "Policies",
            [_VERSIONS[0], _HOLDERS, _VERSIONS[1]],
            policy_arn(of.partition, of.account, stack, "*"),
        ),
        allow("Boundaries", ["iam:GetRole"], roles),
        allow("Keys", [_SIMULATE], [roles, roles.replace(":role/", ":user/")]),
        allow(
            "EventSources",
            ["lambda:GetEventSourceMapping"],
            arn("lambda", "event-source-mapping:*"),
        ),
        *of.use_of_key("dynamodb", actions=READING),
        *(
            _of_trail(trail if trail.startswith("arn:") else arn("logs", f"log-group:{trail}"))
            if trail
            else ()
        ),
        # These know no resource, or are asked for in every Region.
        allow(
            "Account",
            [
                "account:ListRegions",
                _LOGGING,
                _BATCH,
                "cloudwatch:DescribeAlarms",
                *_METRICS,
                "iam:GetAccountAuthorizationDetails",
                "iam:GetAccountSummary",
                _ACCOUNTS,
            ],
            "*",
        ),
    )


def _of_trail(group: str) -> list[Statement]:
    """A query names its log group; its results no more than its id."""
    return [
        allow("Trail", ["logs:StartQuery"], f"{group.removesuffix(':*')}:*"),
        allow("TrailResults", ["logs:GetQueryResults"], "*"),
    ]
