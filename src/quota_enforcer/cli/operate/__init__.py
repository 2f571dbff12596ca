"""Commands that run or repair a deployment."""
