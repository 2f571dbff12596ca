"""What every test stands on: Powertools' settings when a handler is imported; and no clock."""

import os
from functools import cache

import pytest
import typer.testing
from hypothesis import HealthCheck, settings
from typer.main import get_command

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "BedrockQuota/bedrock-quota/Enforcer"
os.environ["POWERTOOLS_SERVICE_NAME"] = "enforcer"
os.environ["POWERTOOLS_TRACE_DISABLED"] = "true"

# A busy machine is no failure: how fast things are is for `make bench` to say.
settings.register_profile(
    "steady", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("steady"), max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Typer's runner builds all commands again for each run, which takes longer than most commands do.
pytest.MonkeyPatch().setattr(typer.testing, "_get_command", cache(get_command))
