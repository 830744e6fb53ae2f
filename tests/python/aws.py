"""Speaks to moto with boto3, as somebody who has real keys: `aws.py setup URL`, `aws.py get URL KEY` (keys on stdin)."""
import json
import sys

import boto3

BUCKET = "symbolon-tests"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def client(service, url, key="unused", secret="unused"):
    return boto3.client(
        service, endpoint_url=url, region_name="eu-west-1",
        aws_access_key_id=key, aws_secret_access_key=secret,
    )


def main(what, url, *rest):
    if what == "setup":
        # Four actions; moto checks the signature of every later one.
        iam = client("iam", url)
        iam.create_user(UserName="broker")
        key = iam.create_access_key(UserName="broker")["AccessKey"]
        iam.put_user_policy(UserName="broker", PolicyName="all", PolicyDocument=json.dumps(ALL))
        s3 = client("s3", url, key["AccessKeyId"], key["SecretAccessKey"])
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        print(key["AccessKeyId"] + ":" + key["SecretAccessKey"])
        return
    key, secret = sys.stdin.read().strip().split(":")
    s3 = client("s3", url, key, secret)
    print(s3.get_object(Bucket=BUCKET, Key=rest[0])["Body"].read().decode())


main(*sys.argv[1:])
