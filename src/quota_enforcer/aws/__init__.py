"""One small adapter per AWS service; domain types in and out, no boto3 dict escapes."""
