"""What Bedrock says of its models and of invocation logging."""
