"""The certificate: it must be issued, and for the domain. CloudFront and API Gateway refuse another halfway."""

from collections.abc import Iterator

import boto3
from botocore.exceptions import ClientError

from tools.deploy_check.arns import fault
from tools.deploy_check.plan import Deploy


def unusable(deploy: Deploy) -> Iterator[str]:
    """Yield a sentence if the certificate is not there, not issued, or not for the domain."""
    arn, domain = deploy.parameters["CertificateArn"], deploy.parameters["DomainName"]
    if not (arn and domain) or fault(deploy, "CertificateArn"):  # rules of the template refuse one without the other
        return
    acm = boto3.client("acm", region_name=arn.split(":")[3])
    try:
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield f"CertificateArn is {arn}, which does not exist. Set the ARN of a certificate for {domain}."
        return
    names = certificate.get("SubjectAlternativeNames", [])
    if certificate["Status"] != "ISSUED":
        yield (
            f"CertificateArn is {arn}, whose status is {certificate['Status']}. Wait until it is ISSUED, for which "
            "you may have to make the records that its validation asks for, or set another."
        )
    elif not any(covers(name, domain) for name in names):
        yield f"CertificateArn is {arn}, which is for {', '.join(names) or 'no name'}. Set one for {domain}."


def covers(name: str, domain: str) -> bool:
    """Return whether a name of a certificate covers a domain: a wildcard stands for one label."""
    name, domain = name.lower(), domain.lower()
    first, _, rest = domain.partition(".")
    return name == domain or (bool(first) and name == f"*.{rest}")
