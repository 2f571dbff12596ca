# The services that are called, and no other: boto3-stubs list all 435 of AWS, and to hold each call
# of `client` against all of them is a tenth of what mypy does.

from typing import Any, Literal, TypeAlias, TypedDict, Unpack, overload

from botocore.config import Config
from botocore.credentials import Credentials
from botocore.hooks import BaseEventHooks
from botocore.session import Session as BotocoreSession
from mypy_boto3_bedrock import BedrockClient
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
from mypy_boto3_cloudformation import CloudFormationClient
from mypy_boto3_cloudwatch import CloudWatchClient
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_iam import IAMClient
from mypy_boto3_lambda import LambdaClient
from mypy_boto3_logs import CloudWatchLogsClient
from mypy_boto3_s3 import S3Client
from mypy_boto3_scheduler import EventBridgeSchedulerClient
from mypy_boto3_sns import SNSClient
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sts import STSClient

class _Options(TypedDict, total=False):
    region_name: str | None
    use_ssl: bool | None
    verify: bool | str | None
    endpoint_url: str | None
    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    aws_session_token: str | None
    config: Config | None

_Untyped: TypeAlias = Literal[
    "accessanalyzer",
    "account",
    "cloudtrail",
    "events",
    "identitystore",
    "organizations",
    "secretsmanager",
    "sso-admin",
]  # their types are not installed

class Session:
    def __init__(
        self,
        aws_access_key_id: str | None = ...,
        aws_secret_access_key: str | None = ...,
        aws_session_token: str | None = ...,
        region_name: str | None = ...,
        botocore_session: BotocoreSession | None = ...,
        profile_name: str | None = ...,
    ) -> None: ...
    @property
    def profile_name(self) -> str: ...
    @property
    def region_name(self) -> str: ...
    @property
    def events(self) -> BaseEventHooks: ...
    def get_credentials(self) -> Credentials | None: ...
    def get_available_partitions(self) -> list[str]: ...
    def get_available_regions(self, service_name: str, partition_name: str = ...) -> list[str]: ...
    def get_partition_for_region(self, region_name: str) -> str: ...
    @overload
    def client(
        self, service_name: Literal["bedrock"], **options: Unpack[_Options]
    ) -> BedrockClient: ...
    @overload
    def client(
        self, service_name: Literal["bedrock-runtime"], **options: Unpack[_Options]
    ) -> BedrockRuntimeClient: ...
    @overload
    def client(
        self, service_name: Literal["cloudformation"], **options: Unpack[_Options]
    ) -> CloudFormationClient: ...
    @overload
    def client(
        self, service_name: Literal["cloudwatch"], **options: Unpack[_Options]
    ) -> CloudWatchClient: ...
    @overload
    def client(
        self, service_name: Literal["dynamodb"], **options: Unpack[_Options]
    ) -> DynamoDBClient: ...
    @overload
    def client(self, service_name: Literal["iam"], **options: Unpack[_Options]) -> IAMClient: ...
    @overload
    def client(
        self, service_name: Literal["lambda"], **options: Unpack[_Options]
    ) -> LambdaClient: ...
    @overload
    def client(
        self, service_name: Literal["logs"], **options: Unpack[_Options]
    ) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service_name: Literal["s3"], **options: Unpack[_Options]) -> S3Client: ...
    @overload
    def client(
        self, service_name: Literal["scheduler"], **options: Unpack[_Options]
    ) -> EventBridgeSchedulerClient: ...
    @overload
    def client(self, service_name: Literal["sns"], **options: Unpack[_Options]) -> SNSClient: ...
    @overload
    def client(self, service_name: Literal["sqs"], **options: Unpack[_Options]) -> SQSClient: ...
    @overload
    def client(self, service_name: Literal["sts"], **options: Unpack[_Options]) -> STSClient: ...
    @overload
    def client(self, service_name: _Untyped, **options: Unpack[_Options]) -> Any: ...
