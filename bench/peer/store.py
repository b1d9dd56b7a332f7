"""An S3 server in memory (moto's), which checks signatures, for `npm run bench -- store`.

Makes a bucket and a user who may do all with S3, then prints where it is and the user's key as one line of JSON. Prints
each request that writes an object as `PUT KEY`. Ends when its input does.
"""

import json
import logging
import re
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "coppice-bench"


class Writes(logging.Handler):
    """Says which objects, and pieces of objects, are written, from the server's log of requests."""

    def emit(self, record):
        found = re.search(r"PUT (/\S+) HTTP/1.1.* (\d+) -$", record.getMessage())
        if found and found[2] == "200":
            print("PUT", found[1], flush=True)


log = logging.getLogger("werkzeug")
log.setLevel(logging.INFO)
log.propagate = False
log.handlers = [logging.NullHandler()]
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
client = {
    "endpoint_url": endpoint,
    "region_name": "us-east-1",
    "aws_access_key_id": "nobody",
    "aws_secret_access_key": "nothing",
}
boto3.client("s3", **client).create_bucket(Bucket=BUCKET)
iam = boto3.client("iam", **client)
iam.create_user(UserName="worker")
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="worker", PolicyName="s3", PolicyDocument=json.dumps(allowed))
key = iam.create_access_key(UserName="worker")["AccessKey"]
# From here on every request is held to its signature.
strict = urllib.request.Request(
    f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
)
urllib.request.urlopen(strict).read()
log.handlers = [Writes()]
facts = {"endpoint": endpoint, "bucket": BUCKET, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
print(json.dumps(facts), flush=True)
sys.stdin.read()
server.stop()
