"""The stack of the Bedrock quota enforcer as a nested stack of a CDK app.

It is nested, since the template is for SAM: resources that its transform makes stand in no template
that CDK could include. First upload it and its code, in the folder of the unpacked release:

    aws cloudformation package --template-file template.yaml --s3-bucket BUCKET \
        --output-template-file packaged.yaml
    aws s3 cp packaged.yaml s3://BUCKET/packaged.yaml

Then here:

    pip install aws-cdk-lib
    cdk deploy --app 'python app.py' --context template_url=https://BUCKET.s3.us-east-1.amazonaws.com/packaged.yaml
"""

from aws_cdk import App, CfnOutput, CfnStack, Stack

app = App()
parent = Stack(app, "bedrock")
enforcer = CfnStack(
    parent,
    "quota",
    template_url=app.node.get_context("template_url"),
    parameters={"Mode": "observe", "TimeZone": "Europe/Berlin", "Contact": "platform@example.com"},
)
CfnOutput(
    parent,
    "StackOfQuotas",
    value=enforcer.ref,
    description="The nested stack, whose name the command line takes: QUOTA_ENFORCER_STACK.",
)
CfnOutput(parent, "NoticeTopic", value=enforcer.get_att("Outputs.NoticeTopic").to_string())
app.synth()
