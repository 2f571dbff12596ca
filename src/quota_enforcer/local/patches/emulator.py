"""The emulator with every gap closed: all patches, installed in their order.

ministack reads its settings from the environment while it is imported, and so does this module.
"""

from typing import Any

from ministack import app
from ministack.core import lambda_runtime

from quota_enforcer.local.patches import clock, read_once
from quota_enforcer.local.patches.bedrock import log as bedrock_log
from quota_enforcer.local.patches.bedrock import profiles as bedrock_profiles
from quota_enforcer.local.patches.bedrock import runtime as bedrock
from quota_enforcer.local.patches.cloudformation import budgets, conditions
from quota_enforcer.local.patches.control import journal, states
from quota_enforcer.local.patches.functions import (
    deliveries,
    forked,
    function_urls,
    queues,
    table_streams,
    worker_logs,
    workers,
)
from quota_enforcer.local.patches.iam import bedrock as iam_bedrock
from quota_enforcer.local.patches.iam import conditions as iam_conditions
from quota_enforcer.local.patches.iam import documents as iam_documents
from quota_enforcer.local.patches.iam import dynamodb as iam_dynamodb
from quota_enforcer.local.patches.iam import lambda_ as iam_lambda
from quota_enforcer.local.patches.iam import limits as iam_limits
from quota_enforcer.local.patches.iam import logs as iam_logs
from quota_enforcer.local.patches.iam import organization as iam_organization
from quota_enforcer.local.patches.iam import resources as iam_resources
from quota_enforcer.local.patches.iam import sqs as iam_sqs
from quota_enforcer.local.patches.logs import data_protection, log_reads, subscriptions
from quota_enforcer.local.patches.metrics import alarms, metric_filters, metric_reads

_IN_ORDER = (
    clock,
    read_once,
    conditions,
    budgets,
    deliveries,
    subscriptions,
    table_streams,
    queues,
    metric_filters,  # after the subscriptions, which it goes on to
    log_reads,
    data_protection,
    metric_reads,
    alarms,
    iam_documents,
    iam_conditions,
    iam_dynamodb,
    iam_bedrock,
    iam_lambda,
    iam_limits,
    iam_logs,
    iam_organization,
    iam_resources,
    iam_sqs,
    function_urls,
    bedrock_log,
    bedrock_profiles,
    bedrock,
    workers,
    worker_logs,
    forked,
)


def patched() -> Any:
    """The emulator's application, an ASGI one."""
    for patch in _IN_ORDER:
        patch.install()
    served = states.with_states(deliveries.with_settle(app.app))
    return journal.with_journal(clock.with_date(served))


def stop_functions() -> None:
    """End the processes of Lambda functions."""
    lambda_runtime.reset()
