"""CloudWatch Logs: the log group of Bedrock's invocation logging, how groups are wired, queries."""
