"""The embedded AWS as a process: `python -m quota_enforcer.local.server`.

It is ministack, in one process, with IAM decisions on and its gaps closed by the modules beside
this one; what each closes, and what AWS does, stands in its docstring.
Environment:
    GATEWAY_PORT: the port on 127.0.0.1 (default 4566).
    QUOTA_ENFORCER_LISTENER: instead, the descriptor of a socket that already listens there.
    QUOTA_ENFORCER_CLOCK_FILE: the simulated clock, see `quota_enforcer.clock`.
    QUOTA_ENFORCER_STOP_AT_EOF: stop when standard input ends, so that the server never outlives
        the process that started it.
"""

import asyncio
import os
import signal
import sys
import threading
from typing import Any, Final

_DEFAULTS: Final = {
    "AUTH": "true",
    "DOCKER_HOST": "unix:///nonexistent",  # the emulator would reap containers of its kind
    "GATEWAY_PORT": "4566",
    "IOT_MTLS_ENABLED": "0",  # else it opens a port to the world
    "LOG_LEVEL": "WARNING",
    "MINISTACK_ACCOUNT_ID": "123456789012",
    "SFTP_ENABLED": "0",
}


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if os.environ.get("QUOTA_ENFORCER_STOP_AT_EOF"):
        threading.Thread(target=_stop_at_eof, daemon=True).start()
    # ministack reads its settings while it is imported, so it is imported after they are set.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    app = _emulator()
    config = Config()
    listener = os.environ.get("QUOTA_ENFORCER_LISTENER")
    config.bind = [f"fd://{listener}" if listener else f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.graceful_timeout = 0.2  # nothing here is worth waiting for
    config.include_date_header = False  # `http_date` gives the simulated one
    # Functions inherit our environment, and Powertools would take this level for its own.
    config.loglevel = os.environ.pop("LOG_LEVEL")
    try:
        asyncio.run(serve(app, config))
    finally:
        _stop_workers()


def _emulator() -> Any:
    """The emulator's application with every gap closed."""
    from ministack import app

    from quota_enforcer.local.patches import clock as simulated_time
    from quota_enforcer.local.patches import http_date
    from quota_enforcer.local.patches.bedrock import log as bedrock_log
    from quota_enforcer.local.patches.bedrock import profiles as bedrock_profiles
    from quota_enforcer.local.patches.bedrock import runtime as bedrock
    from quota_enforcer.local.patches.functions import (
        archives,
        deliveries,
        forked,
        function_urls,
        table_streams,
        workers,
    )
    from quota_enforcer.local.patches.iam import bedrock as iam_bedrock
    from quota_enforcer.local.patches.iam import conditions as iam_conditions
    from quota_enforcer.local.patches.iam import dynamodb as iam_dynamodb
    from quota_enforcer.local.patches.iam import lambda_ as iam_lambda
    from quota_enforcer.local.patches.iam import limits as iam_limits
    from quota_enforcer.local.patches.iam import logs as iam_logs
    from quota_enforcer.local.patches.iam import resources as iam_resources
    from quota_enforcer.local.patches.iam import sqs as iam_sqs
    from quota_enforcer.local.patches.logs import log_reads, subscriptions
    from quota_enforcer.local.patches.metrics import alarms, metric_filters, metric_reads

    simulated_time.install()
    deliveries.install()
    subscriptions.install()
    table_streams.install()
    metric_filters.install()  # after the subscriptions, which it goes on to
    log_reads.install()
    metric_reads.install()
    alarms.install()
    iam_conditions.install()
    iam_dynamodb.install()
    iam_bedrock.install()
    iam_lambda.install()
    iam_limits.install()
    iam_logs.install()
    iam_resources.install()
    iam_sqs.install()
    function_urls.install()
    bedrock_log.install()
    bedrock_profiles.install()
    bedrock.install()
    workers.install()
    archives.install()
    forked.install()
    return http_date.with_date(deliveries.with_settle(app.app))


def _stop_workers() -> None:
    from ministack.core import lambda_runtime

    lambda_runtime.reset()


def _stop_at_eof() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
