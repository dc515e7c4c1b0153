"""A moto server whose S3 answers have the XML roots that S3's have.

moto 5.2.1 names three of them differently. boto3 does not look at the root of an answer, the Rust SDK does.
"""

import functools
import sys

from moto.s3.responses import S3Response
from moto.server import main

# Method: (root that moto writes, root that S3 writes)
ROOTS = {
    "get_bucket_versioning": ("GetBucketVersioningResponse", "VersioningConfiguration"),
    "get_bucket_accelerate_configuration": ("GetBucketAccelerateConfigurationResponse", "AccelerateConfiguration"),
    "get_bucket_notification": ("GetBucketNotificationResponse", "NotificationConfiguration"),
}


def with_root(method, wrong, right):
    @functools.wraps(method)
    def answer(self, *args, **kwargs):
        status, headers, body = method(self, *args, **kwargs)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, text.replace(f"<{wrong}", f"<{right}").replace(f"</{wrong}", f"</{right}")

    return answer


for name, (wrong, right) in ROOTS.items():
    setattr(S3Response, name, with_root(getattr(S3Response, name), wrong, right))

main(sys.argv[1:])
