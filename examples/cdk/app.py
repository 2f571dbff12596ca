"""The stack of the Bedrock quota enforcer inside of a CDK stack.

First upload the code, in the folder of the unpacked release:

    aws cloudformation package --template-file template.yaml --s3-bucket BUCKET \
        --output-template-file packaged.yaml

Then here, with packaged.yaml beside this file:

    pip install aws-cdk-lib
    cdk deploy --app 'python app.py'
"""

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct


class QuotaEnforcer(Stack):
    """Its outputs, and so the command line, find their way by the stack's name."""

    def __init__(self, scope: Construct, name: str, template: Path) -> None:
        super().__init__(scope, name)
        included = CfnInclude(
            self,
            "Enforcer",
            template_file=str(template),
            # A parameter that is set here is a constant; all others stay parameters of the stack.
            parameters={"TimeZone": "Europe/Berlin", "Contact": "platform@example.com"},
        )
        self.notice_topic = included.get_resource("NoticeTopic")


app = App()
QuotaEnforcer(app, "bedrock-quota", Path(__file__).with_name("packaged.yaml"))
app.synth()
