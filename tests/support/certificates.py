"""Certificates in AWS Certificate Manager: imported ones are issued at once, requested ones wait to be validated."""

from datetime import UTC, datetime, timedelta

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def imported(region: str, *names: str) -> str:
    """Return the ARN of a certificate for these names that is issued."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    acm = boto3.client("acm", region_name=region)
    made = acm.import_certificate(Certificate=certificate.public_bytes(pem), PrivateKey=key.private_bytes(pem, *plain))
    return str(made["CertificateArn"])


def requested(region: str, name: str) -> str:
    """Return the ARN of a certificate whose owner has not proved yet that the name is theirs."""
    acm = boto3.client("acm", region_name=region)
    return str(acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"])
