# Asks a service of each protocol that larder does not serve, and prints how its client tells of the refusal.
import json
import os

import botocore.exceptions
import botocore.session

CASES = {
    "query": ("iam", "list_users", {}),
    "ec2": ("ec2", "describe_instances", {}),
    "json 1.0": ("dynamodb", "list_tables", {}),
    "json 1.1": ("ssm", "describe_parameters", {}),
    "rest-json": ("lambda", "list_functions", {}),
    "rest-xml": ("route53", "list_hosted_zones", {}),
    "s3": ("s3", "list_buckets", {}),
    "s3 HEAD": ("s3", "head_bucket", {"Bucket": "shop"}),
    "cbor": ("compute-optimizer", "get_enrollment_status", {}),
}
session = botocore.session.get_session()


def refusal(service, operation, arguments):
    client = session.create_client(
        service, region_name=os.environ["AWS_REGION"], endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    sent = []

    def note(request, **_):
        headers = {name.lower(): value for name, value in request.headers.items()}
        spoken = headers.get("smithy-protocol") or headers.get("content-type") or ""
        sent.append(spoken.decode() if isinstance(spoken, bytes) else spoken)

    client.meta.events.register("before-send", note)
    try:
        getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as e:
        answer = e.response["ResponseMetadata"]
        id2 = answer["HTTPHeaders"].get("x-amz-id-2", "")
        return {"status": answer["HTTPStatusCode"], "text": str(e), "id2": id2, "requests": len(sent),
                "spoken": sent[-1]}
    return {"text": "no error", "requests": len(sent)}


print(json.dumps({name: refusal(*what) for name, what in CASES.items()}))
