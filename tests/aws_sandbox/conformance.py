"""The AWS sandbox, seen by AWS's own clients: boto3 and the aws command line.

    python conformance.py http://127.0.0.1:PORT [unittest arguments]

Knows nothing of the SDK: what it expects is what AWS documents. Leaves the account as it found it.
"""

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ.get("PLATFORM_SANDBOX_URL", "")
ACCOUNT = "123456789012"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/sandbox"
KEYS = {"aws_access_key_id": "AKIASANDBOX000000000", "aws_secret_access_key": "sandbox"}


def client(service, region="eu-west-1", **more):
    config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, parameter_validation=False)
    return boto3.client(service, region_name=region, endpoint_url=URL, config=config, **{**KEYS, **more})


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Case(unittest.TestCase):
    maxDiff = None

    def refused(self, code, status, call, *args, **kwargs):
        """The error that a call is refused with."""
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        answer = caught.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status), answer)
        return answer


class Bucket(Case):
    def setUp(self):
        self.s3 = client("s3")
        self.name = unique("lake")
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.addCleanup(self.empty_and_delete)

    def empty_and_delete(self):
        boto3.resource("s3", region_name="eu-west-1", endpoint_url=URL, **KEYS).Bucket(self.name).object_versions.delete()
        self.s3.delete_bucket(Bucket=self.name)


class BucketLife(Bucket):
    def test_is_found_listed_and_located(self):
        head = self.s3.head_bucket(Bucket=self.name)
        self.assertEqual(head["BucketRegion"], "eu-west-1")
        self.assertEqual(self.s3.get_bucket_location(Bucket=self.name)["LocationConstraint"], "eu-west-1")
        mine = [b for b in self.s3.list_buckets()["Buckets"] if b["Name"] == self.name]
        self.assertEqual(len(mine), 1)
        self.assertEqual(mine[0]["CreationDate"].tzinfo.utcoffset(None).seconds, 0)
        listed = self.s3.list_buckets(Prefix=self.name, BucketRegion="eu-west-1", MaxBuckets=1)
        self.assertEqual([b["Name"] for b in listed["Buckets"]], [self.name])
        self.assertEqual(self.s3.list_buckets(Prefix=self.name, BucketRegion="us-west-2")["Buckets"], [])

    def test_names_are_global_and_checked(self):
        here = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        self.refused("BucketAlreadyOwnedByYou", 409, self.s3.create_bucket, Bucket=self.name, **here)
        self.refused("BucketAlreadyExists", 409, self.s3.create_bucket, Bucket="taken-by-others", **here)
        self.refused("InvalidBucketName", 400, self.s3.create_bucket, Bucket="192.168.0.1", **here)
        self.refused("403", 403, self.s3.head_bucket, Bucket="taken-by-others")
        self.refused("404", 404, self.s3.head_bucket, Bucket=unique("nobody"))
        self.refused("NoSuchBucket", 404, self.s3.get_bucket_versioning, Bucket=unique("nobody"))

    def test_the_location_must_be_where_it_is_asked(self):
        create, name = self.s3.create_bucket, unique("where")
        self.refused("IllegalLocationConstraintException", 400, create, Bucket=name)
        elsewhere = {"LocationConstraint": "us-west-2"}
        self.refused("IllegalLocationConstraintException", 400, create, Bucket=name, CreateBucketConfiguration=elsewhere)
        virginia = client("s3", "us-east-1")
        explicit = {"LocationConstraint": "us-east-1"}
        self.refused(
            "InvalidLocationConstraint", 400, virginia.create_bucket, Bucket=name, CreateBucketConfiguration=explicit
        )
        virginia.create_bucket(Bucket=name)
        self.addCleanup(virginia.delete_bucket, Bucket=name)
        self.assertIsNone(virginia.get_bucket_location(Bucket=name)["LocationConstraint"])
        virginia.create_bucket(Bucket=name)  # succeeds again there, and only there

    def test_another_region_is_told_where_the_bucket_is(self):
        oregon, virginia = client("s3", "us-west-2"), client("s3", "us-east-1")
        # boto3 follows to the right region by itself...
        self.assertEqual(oregon.head_bucket(Bucket=self.name)["BucketRegion"], "eu-west-1")
        # ...so what it was told is seen on the wire.
        for region, status, code in [("us-west-2", 301, "PermanentRedirect"), ("us-east-1", 400, "AuthorizationHeaderMalformed")]:
            answer, body = raw("GET", f"/{self.name}?versioning", region=region)
            self.assertEqual((answer.status, answer.getheader("x-amz-bucket-region")), (status, "eu-west-1"))
            self.assertIn(f"<Code>{code}</Code>", body)
        self.assertEqual(virginia.get_bucket_location(Bucket=self.name)["LocationConstraint"], "eu-west-1")

    def test_a_bucket_with_something_in_it_stays(self):
        self.s3.put_object(Bucket=self.name, Key="a", Body=b"1")
        self.refused("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.name)

    def test_what_is_not_served_is_refused(self):
        self.refused("NotImplemented", 501, self.s3.get_bucket_acl, Bucket=self.name)
        answer, body = raw("GET", f"/{self.name}?colour=red")
        self.assertEqual(answer.status, 400)
        self.assertIn("<ArgumentName>colour</ArgumentName>", body)
        answer, body = raw("PUT", f"/{self.name}?versioning", "<VersioningConfiguration><Colour/></VersioningConfiguration>")
        self.assertEqual((answer.status, "MalformedXML" in body), (400, True))

    def test_the_bucket_may_stand_in_the_host_name(self):
        answer, body = raw("GET", "/?versioning", host=f"{self.name}.s3.eu-west-1.amazonaws.com")
        self.assertEqual((answer.status, "<VersioningConfiguration" in body), (200, True))


class BucketSettings(Bucket):
    def test_versioning(self):
        self.assertNotIn("Status", self.s3.get_bucket_versioning(Bucket=self.name))
        for status in ["Enabled", "Suspended"]:
            self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": status})
            self.assertEqual(self.s3.get_bucket_versioning(Bucket=self.name)["Status"], status)

    def rule(self):
        rules = self.s3.get_bucket_encryption(Bucket=self.name)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(len(rules), 1)
        return rules[0]

    def put_rule(self, rule):
        self.s3.put_bucket_encryption(Bucket=self.name, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def test_there_is_always_an_encryption(self):
        default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
        self.assertEqual(self.rule(), default)
        key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
        kms = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
            "BucketKeyEnabled": True,
        }
        self.put_rule(kms)
        self.assertEqual(self.rule(), kms)
        self.s3.delete_bucket_encryption(Bucket=self.name)
        self.assertEqual(self.rule(), default)
        both = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": key}}
        self.refused("InvalidArgument", 400, self.put_rule, both)
        unknown = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "ROT13"}}
        self.refused("MalformedXML", 400, self.put_rule, unknown)

    def test_nothing_is_public_at_first(self):
        get = lambda: self.s3.get_public_access_block(Bucket=self.name)["PublicAccessBlockConfiguration"]
        names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
        self.assertEqual(get(), dict.fromkeys(names, True))
        self.s3.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
        self.assertEqual(get(), {**dict.fromkeys(names, False), "BlockPublicAcls": True})
        self.s3.delete_public_access_block(Bucket=self.name)
        self.refused("NoSuchPublicAccessBlockConfiguration", 404, get)

    def test_tags(self):
        put = lambda *tags: self.s3.put_bucket_tagging(
            Bucket=self.name, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags]}
        )
        get = lambda: {t["Key"]: t["Value"] for t in self.s3.get_bucket_tagging(Bucket=self.name)["TagSet"]}
        self.refused("NoSuchTagSet", 404, get)
        put(("team", "data/lake + more"), ("cost", ""))
        self.assertEqual(get(), {"team": "data/lake + more", "cost": ""})
        self.refused("InvalidTag", 400, put, ("team", "data & more"))
        self.refused("InvalidTag", 400, put, ("a", "1"), ("a", "2"))
        self.refused("InvalidTag", 400, put, ("aws:a", "1"))
        self.s3.delete_bucket_tagging(Bucket=self.name)
        self.refused("NoSuchTagSet", 404, get)

    def test_policy(self):
        get = lambda: json.loads(self.s3.get_bucket_policy(Bucket=self.name)["Policy"])
        put = lambda policy: self.s3.put_bucket_policy(Bucket=self.name, Policy=policy)
        self.refused("NoSuchBucketPolicy", 404, get)
        statement = {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.name}/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        put(json.dumps(policy))
        self.assertEqual(get(), policy)
        self.refused("MalformedPolicy", 400, put, "{not json")
        other = {**statement, "Resource": "arn:aws:s3:::other/*"}
        self.refused("MalformedPolicy", 400, put, json.dumps({"Version": "2012-10-17", "Statement": [other]}))
        public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.name}/*"}
        self.refused("AccessDenied", 403, put, json.dumps({"Version": "2012-10-17", "Statement": [public]}))
        self.s3.delete_bucket_policy(Bucket=self.name)
        self.refused("NoSuchBucketPolicy", 404, get)

    def test_ownership(self):
        get = lambda: self.s3.get_bucket_ownership_controls(Bucket=self.name)["OwnershipControls"]["Rules"]
        self.assertEqual(get(), [{"ObjectOwnership": "BucketOwnerEnforced"}])
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        self.s3.put_bucket_ownership_controls(Bucket=self.name, OwnershipControls=rules)
        self.assertEqual(get(), rules["Rules"])
        self.s3.delete_bucket_ownership_controls(Bucket=self.name)
        self.refused("OwnershipControlsNotFoundError", 404, get)


class Objects(Bucket):
    def put(self, key, body=b"x", **more):
        return self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)

    def test_what_was_put_is_got(self):
        odd = "däta/a b+c&d=%25/'.bin"
        body = bytes(range(256)) * 40
        put = self.put(odd, body, ContentType="application/x-odd", Metadata={"owner": "me"})
        got = self.s3.get_object(Bucket=self.name, Key=odd)
        self.assertEqual(got["Body"].read(), body)
        self.assertEqual((got["ContentType"], got["Metadata"], got["ETag"]), ("application/x-odd", {"owner": "me"}, put["ETag"]))
        self.assertEqual(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
        head = self.s3.head_object(Bucket=self.name, Key=odd)
        self.assertEqual((head["ContentLength"], head["ServerSideEncryption"]), (len(body), "AES256"))
        part = self.s3.get_object(Bucket=self.name, Key=odd, Range="bytes=10-19")
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (body[10:20], f"bytes 10-19/{len(body)}"))
        self.assertEqual([o["Key"] for o in self.s3.list_objects_v2(Bucket=self.name)["Contents"]], [odd])
        self.s3.delete_object(Bucket=self.name, Key=odd)
        self.refused("NoSuchKey", 404, self.s3.get_object, Bucket=self.name, Key=odd)
        self.refused("404", 404, self.s3.head_object, Bucket=self.name, Key=odd)
        self.s3.delete_object(Bucket=self.name, Key=odd)  # succeeds again

    def test_conditional_writes(self):
        first = self.put("head.json", b"1", IfNoneMatch="*")
        self.refused("PreconditionFailed", 412, self.put, "head.json", b"2", IfNoneMatch="*")
        second = self.put("head.json", b"2", IfMatch=first["ETag"])
        self.refused("PreconditionFailed", 412, self.put, "head.json", b"3", IfMatch=first["ETag"])
        self.refused("NoSuchKey", 404, self.put, "none.json", b"3", IfMatch=first["ETag"])
        self.refused("304", 304, self.s3.get_object, Bucket=self.name, Key="head.json", IfNoneMatch=second["ETag"])

    def test_lists_have_pages_prefixes_and_folders(self):
        for key in ["a/1", "a/2", "b/1", "b/deep/1", "c", "d e"]:
            self.put(key)
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Delimiter="/", PaginationConfig={"PageSize": 1}
        )
        seen = [
            [o["Key"] for o in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
            for page in pages
        ]
        self.assertEqual(seen, [["a/"], ["b/"], ["c"], ["d e"]])
        within = self.s3.list_objects_v2(Bucket=self.name, Prefix="b/", Delimiter="/")
        self.assertEqual([o["Key"] for o in within["Contents"]], ["b/1"])
        self.assertEqual(within["CommonPrefixes"], [{"Prefix": "b/deep/"}])
        self.assertEqual((within["KeyCount"], within["IsTruncated"]), (2, False))
        after = self.s3.list_objects_v2(Bucket=self.name, StartAfter="b/deep/1")
        self.assertEqual([o["Key"] for o in after["Contents"]], ["c", "d e"])
        old = self.s3.get_paginator("list_objects").paginate(Bucket=self.name, PaginationConfig={"PageSize": 2})
        self.assertEqual([o["Key"] for page in old for o in page["Contents"]], ["a/1", "a/2", "b/1", "b/deep/1", "c", "d e"])
        self.refused("InvalidArgument", 400, self.s3.list_objects_v2, Bucket=self.name, ContinuationToken="zz")

    def test_many_are_deleted_at_once(self):
        for key in ["a", "b", "c"]:
            self.put(key)
        answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": "a"}, {"Key": "none"}]})
        self.assertEqual([d["Key"] for d in answer["Deleted"]], ["a", "none"])
        quiet = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
        self.assertNotIn("Deleted", quiet)
        self.assertEqual([o["Key"] for o in self.s3.list_objects_v2(Bucket=self.name)["Contents"]], ["c"])

    def test_versions(self):
        self.put("k", b"before")
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        one, two = self.put("k", b"1")["VersionId"], self.put("k", b"2")["VersionId"]
        marker = self.s3.delete_object(Bucket=self.name, Key="k")
        self.assertTrue(marker["DeleteMarker"])
        gone = self.refused("NoSuchKey", 404, self.s3.get_object, Bucket=self.name, Key="k")
        self.assertEqual(gone["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"], "true")
        read = lambda id: self.s3.get_object(Bucket=self.name, Key="k", VersionId=id)["Body"].read()
        self.assertEqual([read(one), read(two), read("null")], [b"1", b"2", b"before"])
        self.assertNotIn("Contents", self.s3.list_objects_v2(Bucket=self.name))
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name, PaginationConfig={"PageSize": 1})
        flat = [v for page in pages for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        self.assertEqual([v["VersionId"] for v in flat], [marker["VersionId"], two, one, "null"])
        self.assertEqual([v["IsLatest"] for v in flat], [True, False, False, False])
        self.s3.delete_object(Bucket=self.name, Key="k", VersionId=marker["VersionId"])
        self.assertEqual(self.s3.get_object(Bucket=self.name, Key="k")["Body"].read(), b"2")
        self.refused("NoSuchVersion", 404, self.s3.get_object, Bucket=self.name, Key="k", VersionId=marker["VersionId"])
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Suspended"})
        self.assertEqual(self.put("k", b"after")["VersionId"], "null")
        self.assertEqual([read(one), read(two), read("null")], [b"1", b"2", b"after"])
        self.assertEqual(self.s3.delete_object(Bucket=self.name, Key="k")["VersionId"], "null")
        left = self.s3.list_object_versions(Bucket=self.name)
        self.assertEqual([v["VersionId"] for v in left["Versions"] + left["DeleteMarkers"]], [two, one, "null"])


def trust(*principals, **condition):
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ACCESS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::lake/*"}]}


class Role(Case):
    def setUp(self):
        self.iam = client("iam", "us-east-1")
        self.name = unique("role")

    def create(self, name=None, policy=None, **more):
        name = name or self.name
        policy = policy or trust(CALLER)
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy, **more)["Role"]
        self.addCleanup(self.delete, name)
        return role

    def delete(self, name):
        try:
            for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
                self.iam.delete_role_policy(RoleName=name, PolicyName=policy)
            for policy in self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                self.iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            self.iam.delete_role(RoleName=name)
        except self.iam.exceptions.NoSuchEntityException:
            pass

    def get(self):
        return self.iam.get_role(RoleName=self.name)["Role"]


class Roles(Role):
    def test_a_role_is_what_was_asked_for(self):
        tags = [{"Key": "team", "Value": "data"}]
        made = self.create(Path="/lake/", Description="reads & writes", MaxSessionDuration=7200, Tags=tags)
        got = self.get()
        self.assertEqual(got["Arn"], f"arn:aws:iam::{ACCOUNT}:role/lake/{self.name}")
        self.assertEqual((got["RoleId"], got["CreateDate"]), (made["RoleId"], made["CreateDate"]))
        self.assertTrue(got["RoleId"].startswith("AROA"))
        self.assertEqual((got["Description"], got["MaxSessionDuration"]), ("reads & writes", 7200))
        self.assertEqual((got["Tags"], got["AssumeRolePolicyDocument"]), (tags, json.loads(trust(CALLER))))
        listed = self.iam.list_roles(PathPrefix="/lake/")["Roles"]
        self.assertIn(self.name, [role["RoleName"] for role in listed])
        self.assertNotIn("Tags", listed[0])
        self.assertEqual(self.iam.list_instance_profiles_for_role(RoleName=self.name)["InstanceProfiles"], [])

    def test_it_is_updated_in_place(self):
        self.create(Description="old")
        self.iam.update_role(RoleName=self.name, Description="new", MaxSessionDuration=43200)
        self.assertEqual((self.get()["Description"], self.get()["MaxSessionDuration"]), ("new", 43200))
        itself = trust(self.get()["Arn"], CALLER)
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=itself)
        self.assertEqual(self.get()["AssumeRolePolicyDocument"], json.loads(itself))

    def test_tags(self):
        self.create()
        self.iam.tag_role(RoleName=self.name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        self.iam.tag_role(RoleName=self.name, Tags=[{"Key": "A", "Value": "3"}])
        self.iam.untag_role(RoleName=self.name, TagKeys=["b"])
        self.assertEqual(self.iam.list_role_tags(RoleName=self.name)["Tags"], [{"Key": "A", "Value": "3"}])
        twice = [{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}]
        self.refused("InvalidInput", 400, self.iam.tag_role, RoleName=self.name, Tags=twice)

    def test_bad_input_is_refused(self):
        create = lambda policy=trust(CALLER), **more: self.iam.create_role(
            **{"RoleName": self.name, "AssumeRolePolicyDocument": policy, **more}
        )
        self.refused("ValidationError", 400, create, RoleName="not a name")
        self.refused("ValidationError", 400, create, RoleName="x" * 65)
        self.refused("ValidationError", 400, create, Path="lake")
        self.refused("ValidationError", 400, create, MaxSessionDuration=3599)
        self.refused("ValidationError", 400, create, MaxSessionDuration=43201)
        self.refused("MalformedPolicyDocument", 400, create, "{")
        self.refused("MalformedPolicyDocument", 400, create, json.dumps({"Version": "2012-10-17"}))
        self.refused("MalformedPolicyDocument", 400, create, json.dumps({"Statement": json.loads(trust(CALLER))["Statement"]}))
        itself = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"
        answer = self.refused("MalformedPolicyDocument", 400, create, trust(itself))
        self.assertEqual(answer["Error"]["Message"], f'Invalid principal in policy: "AWS":"{itself}"')
        self.refused("NoSuchEntity", 404, self.iam.get_role, RoleName=self.name)
        self.create()
        self.refused("EntityAlreadyExists", 409, create)
        self.refused("EntityAlreadyExists", 409, create, RoleName=self.name.upper())

    def test_inline_policies(self):
        self.create()
        call = {"RoleName": self.name, "PolicyName": "access"}
        self.iam.put_role_policy(PolicyDocument=json.dumps(ACCESS), **call)
        self.assertEqual(self.iam.get_role_policy(**call)["PolicyDocument"], ACCESS)
        self.assertEqual(self.iam.list_role_policies(RoleName=self.name)["PolicyNames"], ["access"])
        self.refused("DeleteConflict", 409, self.iam.delete_role, RoleName=self.name)
        self.refused("MalformedPolicyDocument", 400, self.iam.put_role_policy, PolicyDocument=trust(CALLER), **call)
        big = {**ACCESS, "Statement": [{**ACCESS["Statement"][0], "Sid": "x" * 10240}]}
        self.refused("LimitExceeded", 409, self.iam.put_role_policy, PolicyDocument=json.dumps(big), **call)
        self.iam.delete_role_policy(**call)
        self.refused("NoSuchEntity", 404, self.iam.get_role_policy, **call)
        self.refused("NoSuchEntity", 404, self.iam.delete_role_policy, **call)
        self.iam.delete_role(RoleName=self.name)
        self.refused("NoSuchEntity", 404, self.iam.delete_role, RoleName=self.name)

    def test_attached_policies(self):
        self.create()
        call = {"RoleName": self.name, "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
        self.iam.attach_role_policy(**call)
        self.iam.attach_role_policy(**call)
        attached = self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        self.assertEqual(attached, [{"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyArn": call["PolicyArn"]}])
        self.refused("DeleteConflict", 409, self.iam.delete_role, RoleName=self.name)
        missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
        self.refused("NoSuchEntity", 404, self.iam.attach_role_policy, RoleName=self.name, PolicyArn=missing)
        self.iam.detach_role_policy(**call)
        self.refused("NoSuchEntity", 404, self.iam.detach_role_policy, **call)

    def test_lists_have_pages(self):
        names = sorted(unique("page") for _ in range(3))
        for name in names:
            self.create(name, Path="/pages/")
        pages = self.iam.get_paginator("list_roles").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2})
        self.assertEqual([[r["RoleName"] for r in page["Roles"]] for page in pages], [names[:2], names[2:]])

    def test_what_is_not_served_is_refused(self):
        self.refused("InvalidAction", 400, self.iam.list_groups)
        answer, body = raw("POST", "/", "Action=GetUser&Version=2010-05-08&Colour=red", service="iam")
        self.assertEqual((answer.status, "<Code>ValidationError</Code>" in body), (400, True))


class Caller(Role):
    """Who calls, and as what."""

    def assume(self, **more):
        role = self.get()["Arn"]
        answer = client("sts").assume_role(RoleArn=role, RoleSessionName="session", **more)
        keys = answer["Credentials"]
        return client(
            "sts",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def test_the_caller_is_known(self):
        identity = client("sts").get_caller_identity()
        self.assertEqual((identity["Account"], identity["Arn"]), (ACCOUNT, CALLER))
        self.assertEqual(self.iam.get_user()["User"]["Arn"], CALLER)

    def test_a_role_is_assumed_by_who_is_trusted(self):
        self.create()
        session = self.assume().get_caller_identity()
        self.assertEqual(session["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.name}/session")
        self.assertEqual(session["UserId"], f"{self.get()['RoleId']}:session")
        missing = f"arn:aws:iam::{ACCOUNT}:role/{unique('none')}"
        self.refused("AccessDenied", 403, client("sts").assume_role, RoleArn=missing, RoleSessionName="session")

    def test_an_external_id_has_to_fit(self):
        self.create(policy=trust(CALLER, StringEquals={"sts:ExternalId": "right"}))
        self.refused("AccessDenied", 403, self.assume, ExternalId="wrong")
        self.refused("AccessDenied", 403, self.assume)
        self.assume(ExternalId="right")

    def test_unsigned_requests_are_refused(self):
        answer, body = raw("GET", "/", sign=False)
        self.assertEqual((answer.status, "<Code>AccessDenied</Code>" in body), (403, True))
        answer, body = raw("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", sign=False)
        self.assertEqual((answer.status, "<Code>MissingAuthenticationToken</Code>" in body), (403, True))


class CommandLine(Case):
    def aws(self, *args, fails=None):
        """Runs the aws command; its output, or its complaint."""
        command = os.path.join(os.path.dirname(sys.executable), "aws")
        command = [sys.executable, command] if os.path.exists(command) else [shutil.which("aws")]
        env = {
            "PATH": os.environ["PATH"], "HOME": self.home, "AWS_ENDPOINT_URL": URL, "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"], "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
        }
        done = subprocess.run([*command, *args], env=env, capture_output=True, text=True, timeout=120)
        if fails:
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn(fails, done.stderr)
            return done.stderr
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def setUp(self):
        if not (os.path.exists(os.path.join(os.path.dirname(sys.executable), "aws")) or shutil.which("aws")):
            self.skipTest("the aws command is not there")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name

    def test_buckets_and_objects(self):
        name = unique("cli")
        file = os.path.join(self.home, "file.txt")
        with open(file, "w") as out:
            out.write("hello\n")
        self.aws("s3", "mb", f"s3://{name}")
        self.aws("s3", "cp", file, f"s3://{name}/in/file.txt")
        self.assertIn("in/", self.aws("s3", "ls", f"s3://{name}"))
        self.assertEqual(self.aws("s3", "cp", f"s3://{name}/in/file.txt", "-"), "hello\n")
        self.aws("s3api", "put-bucket-versioning", "--bucket", name, "--versioning-configuration", "Status=Enabled")
        self.assertEqual(json.loads(self.aws("s3api", "get-bucket-versioning", "--bucket", name))["Status"], "Enabled")
        self.aws("s3", "rb", f"s3://{name}", fails="BucketNotEmpty")
        self.aws("s3api", "delete-object", "--bucket", name, "--key", "in/file.txt", "--version-id", "null")
        self.aws("s3", "rb", f"s3://{name}")

    def test_roles(self):
        name = unique("cli")
        self.assertEqual(json.loads(self.aws("sts", "get-caller-identity"))["Arn"], CALLER)
        self.aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", trust(CALLER))
        self.aws(
            "iam", "put-role-policy", "--role-name", name, "--policy-name", "p", "--policy-document", json.dumps(ACCESS)
        )
        got = json.loads(self.aws("iam", "get-role-policy", "--role-name", name, "--policy-name", "p"))
        self.assertEqual(got["PolicyDocument"], ACCESS)
        self.aws("iam", "delete-role", "--role-name", name, fails="DeleteConflict")
        self.aws("iam", "delete-role-policy", "--role-name", name, "--policy-name", "p")
        self.aws("iam", "delete-role", "--role-name", name)
        self.aws("iam", "get-role", "--role-name", name, fails="NoSuchEntity")


def raw(method, path, body="", region="eu-west-1", service=None, host=None, sign=True):
    """A request by hand, for what boto3 would never send."""
    form = body.startswith("Action=")
    service = service or ("iam" if form else "s3")
    headers = {"Host": host or urllib.parse.urlsplit(URL).netloc}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if sign:
        scope = f"AKIASANDBOX000000000/20260101/{region}/{service}/aws4_request"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc, timeout=10)
    connection.request(method, path, body=body or None, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("http"):
        URL = sys.argv.pop(1)
    if not URL:
        sys.exit("usage: conformance.py http://127.0.0.1:PORT")
    unittest.main()
