"""What IAM decides on our functions' roles, alone and together, and on the guard."""

import json
from dataclasses import replace

import pytest

from iam_decisions import ACCOUNT, ANYTHING, Caller, foundation
from quota_enforcer.core.policies.callers.self_service import asking
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.functions.roles import author, enforcer, meter, own_functions_only
from quota_enforcer.core.policies.functions.self_service import me
from quota_enforcer.core.policies.functions.setup import setup
from quota_enforcer.core.policies.functions.webhook import webhook
from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind

IAM = f"arn:aws:iam::{ACCOUNT}"
OURS = f"{IAM}:policy/bedrock-quota/bedrock-quota/bedrock-quota"
DENY_ALL, DENY_1 = (
    f"{OURS}-over-bedrock-quota-see-your-notice",
    (f"{OURS}-over-bedrock-quota-1-see-your-notice"),
)
GATE_1, GATE_2 = (
    f"{OURS}-over-bedrock-quota-gate-{n}-see-your-notice-BOUNDARY-ONLY" for n in (1, 2)
)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ALICE, TEAM = f"{IAM}:user/alice", f"{IAM}:role/team/shared"
SSO = f"{IAM}:role/aws-reserved/sso.amazonaws.com"
OWN_ROLE = f"{IAM}:role/bedrock-quota/bedrock-quota/bedrock-quota-AuthorRole-X"
IN_MEMBER = "arn:aws:iam::444455556666:role/bedrock-quota/bedrock-quota/bedrock-quota-satellite-"
LEDGER = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota-LedgerTable-X"
QUOTAS = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota-QuotaTable-X"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:bedrock-quota"
LOG = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/bedrock-quota/bedrock-quota/invocations"
LOG_ROLE = f"{IAM}:role/bedrock-quota/bedrock-quota/bedrock-quota-InvocationLogRole-X"
METERS_LETTERS = f"arn:aws:sqs:us-east-1:{ACCOUNT}:bedrock-quota-MeterDeadLetters-X"
INTENTS = {"dynamodb__LeadingKeys": ["gates"]}

DEPLOYED = Deployed.named(
    "bedrock-quota", ACCOUNT, "aws", "us-east-1", scopes=1, gates=2, metrics=True, members=True
)
ENFORCER, AUTHOR, METER = enforcer(DEPLOYED), author(DEPLOYED), meter(DEPLOYED)
ME = me(DEPLOYED)
SETUP = setup(DEPLOYED)
SIGNED_WITH = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:hook-AbCdEf"
WEBHOOK = webhook(replace(DEPLOYED, webhook_secret=SIGNED_WITH))
ROLES = {
    "meter": [METER],
    "enforcer": [ENFORCER],
    "webhook": [WEBHOOK],
    "author": [AUTHOR],
    "me": [ME],
    "setup": [SETUP],
    "all together": [METER, ENFORCER, AUTHOR, ME, WEBHOOK],
}

Call = tuple[str, str, dict[str, object]]


def call(action: str, resource: str = "*", **keys: object) -> Call:
    return action, resource, keys


def attach(verb: str, subject: str, policy: str) -> Call:
    kind = subject.rsplit(":", maxsplit=1)[-1].split("/", maxsplit=1)[0].capitalize()
    return call(f"iam:{verb}{kind}Policy", subject, iam__PolicyARN=policy)


MODELS = [
    call(f"bedrock:{action}", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:{kind}/x")
    for action, kind in (
        ("GetInferenceProfile", "application-inference-profile"),
        ("GetProvisionedModelThroughput", "provisioned-model"),
        ("GetCustomModel", "custom-model"),
        ("GetCustomModelDeployment", "custom-model-deployment"),
    )
]
NEEDED: dict[str, list[Call]] = {
    "meter": [
        *(
            call(f"dynamodb:{action}", LEDGER)
            for action in (
                "BatchGetItem", "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem",
            )
        ),
        call("logs:FilterLogEvents", f"{LOG}:log-stream:"),
        call("logs:DescribeLogGroups", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group::log-stream:"),
        call("lambda:InvokeFunction", f"{FUNCTION}-EnforcerFunction-X"),
        call("sqs:SendMessage", METERS_LETTERS),
        *MODELS,
    ],
    "enforcer": [
        *(
            attach(verb, subject, policy)
            for verb in ("Attach", "Detach")
            for subject in (ALICE, TEAM)
            for policy in (DENY_ALL, DENY_1)
        ),
        call("iam:ListEntitiesForPolicy", DENY_1),
        call("dynamodb:Scan", QUOTAS),
        *(
            call(f"dynamodb:{action}", f"{QUOTAS}/stream/2026-11-24T00:00:00.000")
            for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
        ),
        call("dynamodb:PutItem", LEDGER),
        call("dynamodb:Query", f"{LEDGER}/index/by-due"),
        call("lambda:InvokeFunction", f"{FUNCTION}-AuthorFunction-X"),
        call("sts:AssumeRole", IN_MEMBER + "denier"),
        call("cloudwatch:GetMetricData"),
        *MODELS,
    ],
    "author": [
        *(
            call(f"iam:{action}", policy)
            for action in (
                "CreatePolicy", "CreatePolicyVersion", "DeletePolicyVersion",
                "GetPolicyVersion", "ListEntitiesForPolicy", "ListPolicyVersions",
            )
            for policy in (GATE_1, GATE_2)
        ),
        call("iam:GetRole", TEAM),
        call("sts:AssumeRole", IN_MEMBER + "author"),
        call("dynamodb:Query", LEDGER, **INTENTS),
        call("dynamodb:Query", LEDGER, dynamodb__LeadingKeys=["satellites"]),
        call("dynamodb:PutItem", LEDGER, dynamodb__LeadingKeys=["deployment"]),
    ],
    "setup": [
        call("bedrock:GetModelInvocationLoggingConfiguration"),
        call("bedrock:PutModelInvocationLoggingConfiguration"),
        call("bedrock:DeleteModelInvocationLoggingConfiguration"),
        call("iam:PassRole", LOG_ROLE, iam__PassedToService="bedrock.amazonaws.com"),
        call("lambda:InvokeFunction", f"{FUNCTION}-EnforcerFunction-X"),
        call(
            "cloudformation:DescribeStacks",
            f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/bedrock-quota/1-2",
        ),
    ],
    "me": [
        call("dynamodb:Scan", QUOTAS),
        *(call(f"dynamodb:{action}", LEDGER) for action in ("BatchGetItem", "GetItem", "Query")),
        call("dynamodb:PutItem", LEDGER, dynamodb__LeadingKeys=["requests"]),
    ],
}  # fmt: skip
GRANTS: list[Call] = [
    *(
        attach("Attach", subject, policy)
        for subject in (ALICE, TEAM, OWN_ROLE, f"{IAM}:group/admins")
        for policy in (
            ADMINISTRATOR,
            GATE_1,
            f"{IAM}:policy/anything",
            DENY_ALL.replace(ACCOUNT, "999999999999"),
            f"{DENY_ALL}-2",
            f"{IAM}:policy/bedrock-quota/other/other-over-bedrock-quota-see-your-notice",
        )
    ),
    call("iam:AttachUserPolicy", ALICE),  # without saying which
    attach("Attach", OWN_ROLE, DENY_ALL),
    attach("Attach", f"{IAM}:role/break-glass/oncall", DENY_ALL),
    attach("Detach", f"{IAM}:user/break-glass/oncall", DENY_ALL),
    attach("Attach", f"{IAM}:role/aws-reserved/sso.amazonaws.com/x", DENY_ALL),
    attach("Detach", ALICE, f"{IAM}:policy/anything"),
    *(
        call(f"iam:{action}", policy)
        for action in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicyVersion")
        for policy in (
            DENY_ALL,
            DENY_1,
            f"{IAM}:policy/anything",
            f"{GATE_1}-2",
            GATE_1.replace("gate-1", "gate-3"),
            GATE_1.replace(":policy/", ":policy/x/"),
        )
    ),
    *(call("iam:SetDefaultPolicyVersion", policy) for policy in (DENY_ALL, GATE_1)),
    *(call("iam:DeletePolicy", policy) for policy in (DENY_ALL, GATE_1)),
    *(
        call(f"iam:{action}", subject)
        for action in (
            "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy", "AddUserToGroup", "CreateUser",
            "CreateRole", "CreateAccessKey", "CreateLoginProfile", "CreateInstanceProfile",
            "AddRoleToInstanceProfile", "CreateServiceSpecificCredential", "UpdateLoginProfile",
            "UpdateAssumeRolePolicy", "PassRole", "DeleteUserPermissionsBoundary",
            "DeleteRolePermissionsBoundary",
        )
        for subject in (ALICE, TEAM, OWN_ROLE)
    ),
    call("iam:PutRolePermissionsBoundary", OWN_ROLE, iam__PermissionsBoundary=GATE_1),
    call("iam:PutUserPermissionsBoundary", ALICE, iam__PermissionsBoundary=GATE_1),
    *(call(f"sts:{action}", TEAM) for action in ("AssumeRole", "AssumeRoleWithSAML")),
    *(
        call("sts:AssumeRole", IN_MEMBER.replace(*other) + name)
        for name in ("denier", "author")
        for other in (("satellite-", ""), ("/bedrock-quota/bedrock-quota/", "/"))
    ),
    call("sts:AssumeRole", f"{IN_MEMBER}setup-eu-west-1"),
    call("dynamodb:PutItem", QUOTAS),
    call("dynamodb:DeleteItem", QUOTAS),
    call("logs:PutLogEvents", f"{LOG}:log-stream:aws/bedrock/modelinvocations"),
    call("lambda:UpdateFunctionCode", f"{FUNCTION}-EnforcerFunction-X"),
    call("bedrock:InvokeModel", foundation("amazon.nova-lite-v1:0")),
    call("iam:PassRole", LOG_ROLE),
    call("iam:PassRole", LOG_ROLE, iam__PassedToService="lambda.amazonaws.com"),
    call("organizations:DetachPolicy"),
]  # fmt: skip


def refused(documents: list[Document], calls: list[Call]) -> list[Call]:
    caller = Caller(policies=documents, arn=OWN_ROLE)
    return [each for each in calls if not caller.may(each[0], each[1], **each[2])]


@pytest.mark.parametrize("role", NEEDED)
def test_each_function_may_do_its_work(role: str) -> None:
    assert refused(ROLES[role], NEEDED[role]) == []


@pytest.mark.parametrize("role", NEEDED)
def test_each_function_may_do_its_work_where_its_role_is_for_functions_alone(role: str) -> None:
    """All that it does itself; Lambda, DynamoDB and Bedrock use the role without saying which."""
    ours = f"{FUNCTION}-{role.capitalize()}Function-X"
    documents = [*ROLES[role], own_functions_only([ours, f"{FUNCTION}-Other"])]
    said = [(*each[:2], {**each[2], "lambda__SourceFunctionArn": ours}) for each in NEEDED[role]]
    assert refused(documents, said) == []
    by_aws = ("sqs:", "iam:PassRole", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
    unsaid = [each for each in NEEDED[role] if each[0].startswith(by_aws)]
    assert refused(documents, unsaid) == []


@pytest.mark.parametrize("role", NEEDED)
@pytest.mark.parametrize("said", [None, f"{FUNCTION}-EnforcerFunction-Xy", "arn:aws:lambda:::x"])
def test_whoever_has_its_role_and_is_another_changes_and_invokes_nothing(
    role: str, said: str | None
) -> None:
    documents = [*ROLES[role], own_functions_only([f"{FUNCTION}-EnforcerFunction-X"])]
    keys = {"lambda__SourceFunctionArn": said} if said else {}
    changes = [
        (action, resource, {**more, **keys})
        for action, resource, more in NEEDED[role]
        if action.endswith(("Item", "UserPolicy", "RolePolicy", "CreatePolicy", "InvokeFunction",
                            "FilterLogEvents", "Configuration", "PolicyVersion", "Query", "Scan"))
        and not action.startswith(("bedrock:Get", "iam:Get"))
    ]  # fmt: skip
    assert changes
    assert refused(documents, changes) == changes


def test_what_one_function_attaches_neither_can_write() -> None:
    """The two halves of a grant never meet, whoever holds both roles' sessions."""
    policies = [DENY_ALL, DENY_1, GATE_1, GATE_2, ADMINISTRATOR, f"{IAM}:policy/anything"]

    def can(calls: list[Call]) -> bool:
        return any(refused([role], calls) != calls for role in (METER, ENFORCER, AUTHOR, ME))

    writing = ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
    attached = {each for each in policies if can([attach("Attach", ALICE, each)])}
    written = {each for each in policies if can([call(action, each) for action in writing])}
    assert attached == {DENY_ALL, DENY_1}
    assert written == {GATE_1, GATE_2}


@pytest.mark.parametrize("role", ROLES)
def test_nothing_that_would_gain_anybody_a_permission_is_allowed(role: str) -> None:
    assert refused(ROLES[role], GRANTS) == GRANTS


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"setup"}))
def test_only_set_up_changes_bedrocks_logging(role: str) -> None:
    calls = [
        call(f"bedrock:{verb}ModelInvocationLoggingConfiguration") for verb in ("Delete", "Put")
    ]
    assert refused(ROLES[role], calls) == calls


def test_nothing_but_the_enforcer_is_invoked_by_the_meter_and_nothing_of_it_changed() -> None:
    calls = [
        *(
            call("lambda:InvokeFunction", f"{FUNCTION}-{name}Function-X")
            for name in ("Author", "Setup", "Meter")
        ),
        call("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:other"),
        call("lambda:UpdateFunctionConfiguration", f"{FUNCTION}-EnforcerFunction-X"),
        call("logs:DeleteLogGroup", f"{LOG}:log-stream:"),
        call("logs:PutSubscriptionFilter", f"{LOG}:log-stream:"),
        call("logs:FilterLogEvents", f"{LOG}-of-others:log-stream:"),
        call(
            "sqs:ReceiveMessage",
            METERS_LETTERS,
        ),
        call("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X"),
        call("dynamodb:DeleteTable", LEDGER),
        call("dynamodb:Scan", QUOTAS),
    ]
    assert refused([METER], calls) == calls


def test_an_administrator_meter_still_changes_neither_iam_nor_a_quota() -> None:
    """The explicit denies alone keep them out of reach."""
    calls = [each for each in GRANTS if each[0].startswith(("iam:", "sts:", "dynamodb:"))]
    assert refused([METER, ANYTHING], calls) == calls


def test_without_metrics_the_enforcer_reads_neither_them_nor_models() -> None:
    streaming = Deployed.named("bedrock-quota", ACCOUNT, "aws", "us-east-1", scopes=1, gates=2)
    calls = [call("cloudwatch:GetMetricData"), *MODELS]
    assert refused([enforcer(streaming)], calls) == calls


@pytest.mark.parametrize("role", ["enforcer", "author"])
def test_not_even_to_a_function_that_somebody_made_an_administrator(role: str) -> None:
    """The explicit denies alone keep the dangerous part out of reach."""
    attaching = [each for each in GRANTS if "tach" in each[0] and each[2]]
    writing = [each for each in GRANTS if each[0].startswith(("iam:CreatePolicy", "iam:Put"))]
    calls = attaching if role == "enforcer" else [*attaching, *writing]
    assert refused([*ROLES[role], ANYTHING], calls) == calls


def test_the_author_reaches_only_its_own_part_of_the_ledger() -> None:
    for keys in ({"dynamodb__LeadingKeys": ["user/alice"]}, {}):
        assert refused([AUTHOR], [call("dynamodb:PutItem", LEDGER, **keys)])


@pytest.mark.parametrize("others", [["user/alice"], ["outbox"], ["deployment"], ["requests", "x"]])
def test_the_self_service_function_puts_requests_and_nothing_else_even_as_an_administrator(
    others: list[str],
) -> None:
    own = call("dynamodb:PutItem", LEDGER, dynamodb__LeadingKeys=["requests"])
    assert refused([ME], [own]) == []
    for policies in ([ME], [ME, ANYTHING]):
        elsewhere = call("dynamodb:PutItem", LEDGER, dynamodb__LeadingKeys=others)
        quota = call("dynamodb:PutItem", QUOTAS, dynamodb__LeadingKeys=["requests"])
        assert refused(policies, [elsewhere, quota]) == [elsewhere, quota]


def test_the_self_service_function_changes_nothing_even_as_an_administrator() -> None:
    calls = [
        *(each for each in GRANTS if each[0].startswith(("iam:", "sts:", "dynamodb:", "lambda:"))),
        *(
            call(f"dynamodb:{action}", table, **keys)
            for action in ("BatchWriteItem", "DeleteItem", "PartiQLUpdate", "UpdateItem")
            for table in (QUOTAS, LEDGER)
            for keys in ({}, {"dynamodb__LeadingKeys": ["requests"]})
        ),
        call("dynamodb:PutItem", QUOTAS),
        call("lambda:InvokeFunction", f"{FUNCTION}-EnforcerFunction-X"),
        call("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X"),
    ]
    assert refused([ME, ANYTHING], calls) == calls


def test_the_webhook_function_reads_its_queue_and_one_secret_even_as_an_administrator() -> None:
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:bedrock-quota-WebhookQueue-X"
    reads = [
        call("sqs:ReceiveMessage", queue),
        call("sqs:ChangeMessageVisibility", queue),
        call("secretsmanager:GetSecretValue", SIGNED_WITH),
    ]
    assert refused([WEBHOOK], reads) == []
    other = [
        call("sqs:ReceiveMessage", queue.replace("Webhook", "Meter")),
        call("secretsmanager:GetSecretValue", SIGNED_WITH.replace("hook", "else")),
        call("sqs:SendMessage", queue),
    ]
    assert refused([WEBHOOK], other) == other
    never = [
        *(each for each in GRANTS if each[0].startswith(("iam:", "sts:", "dynamodb:", "lambda:"))),
        call("dynamodb:Query", LEDGER),
        call("dynamodb:PutItem", QUOTAS),
        call("lambda:InvokeFunction", f"{FUNCTION}-EnforcerFunction-X"),
        call("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X"),
        call("bedrock:InvokeModel"),
    ]
    assert refused([WEBHOOK, ANYTHING], never) == never


class TestAsking:
    """What `quota-enforcer policy me` gives people."""

    policy = asking("bedrock-quota", account=ACCOUNT, region="us-east-1")
    function = f"{FUNCTION}-MeFunction-X"

    def refused(self, *calls: Call) -> list[Call]:
        return refused([self.policy], list(calls))

    def test_it_lets_people_ask_by_the_url(self) -> None:
        url = {"lambda__FunctionUrlAuthType": "AWS_IAM"}
        by_url = {"lambda__InvokedViaFunctionUrl": "true"}
        assert (
            self.refused(
                call("lambda:InvokeFunctionUrl", self.function, **url),
                call("lambda:InvokeFunction", self.function, **by_url),
            )
            == []
        )

    def test_nobody_can_write_the_event_that_says_who_asks(self) -> None:
        calls = (
            call("lambda:InvokeFunction", self.function),
            call("lambda:InvokeFunction", self.function, lambda__InvokedViaFunctionUrl="false"),
            call("lambda:InvokeAsync", self.function),
        )
        assert self.refused(*calls) == list(calls)

    def test_it_opens_no_other_function_and_no_url_without_iam(self) -> None:
        by_url = {"lambda__InvokedViaFunctionUrl": "true"}
        calls = (
            *(
                call("lambda:InvokeFunction", f"{FUNCTION}-{name}Function-X", **by_url)
                for name in ("Meter", "Enforcer", "Author", "Setup")
            ),
            call("lambda:InvokeFunction", f"{FUNCTION}-2-MeFunction-X", **by_url),
            call("lambda:InvokeFunctionUrl", self.function, lambda__FunctionUrlAuthType="NONE"),
            call("lambda:UpdateFunctionUrlConfig", self.function),
            call("lambda:GetFunctionConfiguration", self.function),
        )
        assert self.refused(*calls) == list(calls)


KEYS = {"iam__ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"}
BECOMING_SOMEBODY = (
    call("iam:UpdateUser", f"{IAM}:user/break-glass/alice"),
    call("iam:UpdateUser", ALICE),
    *(
        call("iam:CreateUser", f"{IAM}:user/{path}/eve")
        for path in ("break-glass", "bedrock-quota/x")
    ),
    *(
        call("iam:CreateRole", f"{IAM}:role/{path}/eve")
        for path in ("break-glass", "bedrock-quota/x")
    ),
    call("iam:UpdateAssumeRolePolicy", f"{IAM}:role/PlatformAdmin"),
    call("iam:PassRole", f"{IAM}:role/deploy/Pipeline"),
    call("iam:CreateServiceSpecificCredential", ALICE, **KEYS),
)
"""Ways to a name that no limit reaches, or that may change all of it."""


class TestGuard:
    admins = ("PlatformAdmin", "deploy/Pipeline", "AWSReservedSSO_Admin_0123456789abcdef")
    documents = guard(Guarded(ACCOUNT, "bedrock-quota", admins))
    guarded: tuple[Call, ...] = (
        attach("Detach", ALICE, DENY_ALL),
        attach("Attach", ALICE, DENY_ALL),
        attach("Detach", TEAM, DENY_1),
        call("iam:CreatePolicyVersion", GATE_1),
        call("iam:SetDefaultPolicyVersion", DENY_ALL),
        call("iam:DeletePolicy", GATE_2),
        call("iam:CreatePolicy", f"{OURS}-over-bedrock-quota-gate-4-see-your-notice-BOUNDARY-ONLY"),
        call("iam:DeleteRolePermissionsBoundary", TEAM, iam__PermissionsBoundary=GATE_1),
        call("iam:UpdateAssumeRolePolicy", OWN_ROLE),
        call("iam:CreateRole", f"{IAM}:role/bedrock-quota/bedrock-quota/evil"),
        call("sts:AssumeRole", OWN_ROLE),
        *(
            call(f"dynamodb:{action}", table)
            for action in ("PutItem", "UpdateItem", "DeleteItem", "PartiQLUpdate", "DeleteTable")
            for table in (QUOTAS, LEDGER)
        ),
        *(
            call(f"lambda:{action}", f"{FUNCTION}-{function}Function-X")
            for action in ("UpdateFunctionCode", "InvokeFunction", "PutFunctionConcurrency")
            for function in ("Meter", "Enforcer", "Author", "Setup")
        ),
        *(
            call(f"lambda:{action}", f"{FUNCTION}-MeFunction-X")
            for action in ("UpdateFunctionCode", "InvokeFunction", "CreateFunctionUrlConfig")
        ),
        call(
            "lambda:InvokeFunction",
            f"{FUNCTION}-MeFunction-X",
            lambda__InvokedViaFunctionUrl="false",
        ),
        *(
            call(
                "scheduler:UpdateSchedule",
                f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/bedrock-quota-{name}-X",
            )
            for name in ("EnforcerSchedule", "MeterSchedule")
        ),
        call("logs:PutSubscriptionFilter", LOG),
        call("logs:DeleteSubscriptionFilter", LOG),
        call("logs:DeleteMetricFilter", f"{LOG}:*"),
        call("logs:PutMetricFilter", LOG),
        call("logs:DeleteLogGroup", LOG),
        call("bedrock:PutModelInvocationLoggingConfiguration"),
        call("bedrock:DeleteModelInvocationLoggingConfiguration"),
        call(
            "events:DisableRule",
            f"arn:aws:events:us-east-1:{ACCOUNT}:rule/bedrock-quota-PoliciesTouched-X",
        ),
        call(
            "cloudformation:DeleteStack",
            f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/bedrock-quota/1-2-3",
        ),
        call("logs:PutDataProtectionPolicy", LOG),
        call("logs:PutAccountPolicy"),
        call("logs:AssociateKmsKey", LOG),
        call("logs:DisassociateKmsKey", LOG),
        call("logs:DeleteLogStream", f"{LOG}:log-stream:aws/bedrock/modelinvocations"),
        *(
            call(
                f"lambda:{verb}EventSourceMapping",
                f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:1-2",
                lambda__FunctionArn=f"{FUNCTION}-EnforcerFunction-X",
            )
            for verb in ("Create", "Delete", "Update")
        ),
        *(
            call(f"sns:{action}", f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X")
            for action in ("Publish", "DeleteTopic", "SetTopicAttributes", "AddPermission")
        ),
        *(
            call(f"sqs:{action}", METERS_LETTERS)
            for action in ("PurgeQueue", "ReceiveMessage", "DeleteMessage", "SendMessage")
        ),
        *(
            call(
                f"cloudwatch:{action}",
                f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:bedrock-quota-MeterFailing-X",
            )
            for action in ("DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm", "SetAlarmState")
        ),
        *(
            call("cloudwatch:PutMetricData", cloudwatch__namespace=f"BedrockQuota/{name}")
            for name in ("bedrock-quota", "bedrock-quota/Enforcer")
        ),
        *BECOMING_SOMEBODY,
    )
    forging: tuple[Call, ...] = (
        call("logs:PutLogEvents", f"{LOG}:log-stream:aws/bedrock/modelinvocations"),
        call("logs:CreateLogStream", f"{LOG}:log-stream:x"),
    )
    ordinary: tuple[Call, ...] = (
        attach("Attach", ALICE, ADMINISTRATOR),
        attach("Detach", TEAM, f"{IAM}:policy/bedrock-quota/other/x"),
        call("iam:CreatePolicyVersion", f"{IAM}:policy/anything"),
        call("iam:DeleteRolePermissionsBoundary", TEAM, iam__PermissionsBoundary=ADMINISTRATOR),
        call("dynamodb:PutItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"),
        call("dynamodb:GetItem", LEDGER),
        call("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:orders"),
        call("lambda:GetFunctionConfiguration", f"{FUNCTION}-EnforcerFunction-X"),
        call("lambda:InvokeFunctionUrl", f"{FUNCTION}-MeFunction-X"),
        call(
            "lambda:InvokeFunction",
            f"{FUNCTION}-MeFunction-X",
            lambda__InvokedViaFunctionUrl="true",
        ),
        call("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/orders:*"),
        call("bedrock:GetModelInvocationLoggingConfiguration"),
        call("bedrock:InvokeModel"),
        call("iam:CreateUser", f"{IAM}:user/carol"),
        call("iam:UpdateAssumeRolePolicy", f"{IAM}:role/orders"),
        call("iam:CreateServiceSpecificCredential", ALICE),
        call("cloudwatch:PutMetricData", cloudwatch__namespace="Orders"),
        call("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:r:{ACCOUNT}:alarm:orders"),
        call("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"),
        call("sns:Subscribe", f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X"),
        call(
            "lambda:DeleteEventSourceMapping",
            f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:3",
            lambda__FunctionArn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:orders",
        ),
        call("cloudformation:DeleteStack", f"arn:aws:cloudformation:r:{ACCOUNT}:stack/orders/1"),
    )

    beside: tuple[Call, ...] = tuple(
        call(action, resource.replace("bedrock-quota-", "bedrock-quota-2-"))
        for action, resource in (
            ("lambda:UpdateFunctionCode", f"{FUNCTION}-EnforcerFunction-X"),
            ("dynamodb:DeleteTable", LEDGER),
            ("sqs:PurgeQueue", METERS_LETTERS),
            (
                "cloudwatch:DeleteAlarms",
                f"arn:aws:cloudwatch:r:{ACCOUNT}:alarm:bedrock-quota-MeterFailing-X",
            ),
            ("events:DisableRule", f"arn:aws:events:r:{ACCOUNT}:rule/bedrock-quota-BatchJobRan-X"),
        )
    )
    """Another deployment, whose name begins alike."""

    def allowed(self, arn: str, calls: tuple[Call, ...]) -> list[Call]:
        caller = Caller(limits=[[ANYTHING, *self.documents]], arn=arn)
        return [each for each in calls if caller.may(each[0], each[1], **each[2])]

    @pytest.mark.parametrize(
        "arn",
        [
            TEAM,
            ALICE,
            f"arn:aws:iam::{ACCOUNT}:root",
            f"{IAM}:role/NotPlatformAdmin",
            f"{IAM}:role/evil/PlatformAdmin",
            f"{IAM}:role/Pipeline",
            f"{IAM}:role/AWSReservedSSO_Admin_0123456789abcdef",
            f"{IAM}:role/bedrock-quota/other/x",
        ],
    )
    def test_others_change_nothing_of_it(self, arn: str) -> None:
        assert self.allowed(arn, (*self.guarded, *self.forging)) == []

    @pytest.mark.parametrize(
        "arn",
        [
            f"{IAM}:role/PlatformAdmin",
            f"{IAM}:role/deploy/Pipeline",
            f"{SSO}/AWSReservedSSO_Admin_0123456789abcdef",
            f"{SSO}/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
        ],
    )
    def test_admin_roles_may_change_all_of_it_and_forge_nothing(self, arn: str) -> None:
        assert self.allowed(arn, self.guarded) == list(self.guarded)
        assert self.allowed(arn, self.forging) == []

    @pytest.mark.parametrize("arn", [TEAM, ALICE])
    def test_nobody_is_hindered_in_anything_else(self, arn: str) -> None:
        calls = (*self.ordinary, *self.beside)
        assert self.allowed(arn, calls) == list(calls)

    @pytest.mark.parametrize("role", NEEDED)
    def test_the_functions_go_on_working(self, role: str) -> None:
        caller = Caller(ROLES[role], [[ANYTHING, *self.documents]], OWN_ROLE)
        calls = NEEDED[role]
        assert [each for each in calls if not caller.may(each[0], each[1], **each[2])] == []

    def test_bedrock_goes_on_writing_the_log(self) -> None:
        role = f"{IAM}:role/bedrock-quota/bedrock-quota/bedrock-quota-InvocationLogRole-X"
        assert self.allowed(role, self.forging) == list(self.forging)

    def test_it_goes_on_writing_a_log_that_another_role_writes(self) -> None:
        guarded = Guarded(
            ACCOUNT, "bedrock-quota", ("Admin",), "bedrock", log_roles=("log/Bedrock",)
        )
        log = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:bedrock"
        write = call("logs:PutLogEvents", f"{log}:log-stream:aws/bedrock/modelinvocations")

        def may(arn: str) -> bool:
            return Caller(limits=[[ANYTHING, *guard(guarded)]], arn=arn).may(write[0], write[1])

        assert may(f"{IAM}:role/log/Bedrock")
        assert not may(f"{IAM}:role/Bedrock")
        assert not may(f"{IAM}:role/Admin")


class TestGuardOfIdentities:
    """Without an organisation: a policy, or a boundary, of whoever is limited."""

    @staticmethod
    def caller(kind: GuardKind) -> Caller:
        written = json.dumps(guard(Guarded(ACCOUNT, "bedrock-quota", TestGuard.admins, kind=kind)))
        # The evaluator leaves policy variables as they are; IAM puts the caller's name there.
        documents = json.loads(written.replace("${aws:username}", "alice"))
        if kind is GuardKind.BOUNDARY:
            return Caller(limits=[documents], arn=ALICE)
        return Caller((ANYTHING, *documents), arn=ALICE)

    @pytest.mark.parametrize("kind", [GuardKind.IDENTITY, GuardKind.BOUNDARY])
    def test_whoever_has_it_changes_nothing_of_the_deployment_and_not_the_guard(
        self, kind: GuardKind
    ) -> None:
        itself = f"{IAM}:policy/bedrock-quota/bedrock-quota/bedrock-quota-quota-guard"
        own = (
            attach("Detach", ALICE, itself),
            call("iam:CreatePolicyVersion", itself),
            call("iam:DeleteUserPermissionsBoundary", ALICE, iam__PermissionsBoundary=itself),
            call("iam:PutUserPermissionsBoundary", ALICE, iam__PermissionsBoundary=ADMINISTRATOR),
            call("iam:CreateUser", f"{IAM}:user/eve"),
            call("iam:CreateRole", f"{IAM}:role/eve"),
            call("iam:CreateAccessKey", f"{IAM}:user/bob"),
        )
        caller = self.caller(kind)
        calls = (*TestGuard.guarded, *TestGuard.forging, *own)
        assert [each for each in calls if caller.may(each[0], each[1], **each[2])] == []

    @pytest.mark.parametrize("kind", [GuardKind.IDENTITY, GuardKind.BOUNDARY])
    def test_it_hinders_nobody_in_anything_else(self, kind: GuardKind) -> None:
        itself = f"{IAM}:policy/bedrock-quota/bedrock-quota/bedrock-quota-quota-guard"
        more = (
            call("iam:CreateRole", f"{IAM}:role/orders", iam__PermissionsBoundary=itself),
            call("iam:CreateAccessKey", ALICE),
        )
        caller = self.caller(kind)
        calls = (
            *(each for each in TestGuard.ordinary if each[0] != "iam:CreateUser"),
            *more,
        )
        assert [each for each in calls if not caller.may(each[0], each[1], **each[2])] == []
