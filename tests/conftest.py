"""What every test stands on: Powertools reads these when a handler is imported."""

import os

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "BedrockQuota/bedrock-quota/Enforcer"
os.environ["POWERTOOLS_SERVICE_NAME"] = "enforcer"
os.environ["POWERTOOLS_TRACE_DISABLED"] = "true"
