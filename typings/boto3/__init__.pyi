from boto3.session import Session as Session

_default: Session
client = _default.client
