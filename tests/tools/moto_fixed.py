"""moto's server, with the names of three answers' root elements as AWS documents them.

    python moto_fixed.py -H 127.0.0.1 -p PORT

boto3 does not look at the root's name; the official Rust client does, and can't decode moto 5.2.1's.
"""

import functools
import sys

from moto.s3.responses import S3Response
from moto.server import main

ROOTS = {
    "get_bucket_versioning": ("GetBucketVersioningResponse", "VersioningConfiguration"),
    "get_bucket_accelerate_configuration": ("GetBucketAccelerateConfigurationResponse", "AccelerateConfiguration"),
    "get_bucket_notification": ("GetBucketNotificationResponse", "NotificationConfiguration"),
}


def rename(operation, wrong, right):
    original = getattr(S3Response, operation)

    @functools.wraps(original)
    def answer(self, *args, **kwargs):
        status, headers, body = original(self, *args, **kwargs)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, text.replace("<" + wrong, "<" + right).replace("</" + wrong, "</" + right)

    setattr(S3Response, operation, answer)


for operation, (wrong, right) in ROOTS.items():
    rename(operation, wrong, right)
main(sys.argv[1:])
