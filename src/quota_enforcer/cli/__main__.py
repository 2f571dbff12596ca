"""`python -m quota_enforcer.cli`, for where the command is not on the path."""

from quota_enforcer.cli.main import app

app(prog_name="quota-enforcer")
