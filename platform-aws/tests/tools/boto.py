"""Calls boto3 for the tests: a line `[service, operation, arguments]` in, a line with the answer or the error out."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

endpoint, region = sys.argv[1:3]
clients = {}

for line in sys.stdin:
    service, operation, arguments = json.loads(line)
    if service not in clients:
        clients[service] = boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    try:
        answer = getattr(clients[service], operation)(**arguments)
        answer.pop("ResponseMetadata", None)
    except ClientError as error:
        answer = {"error": error.response["Error"]["Code"]}
    print(json.dumps(answer, default=str), flush=True)
