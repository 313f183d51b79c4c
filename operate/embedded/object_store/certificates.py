"""A private CA for SeaweedFS's inner ports, and the one certificate that it signs."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from operate.embedded.files import write_private

FILES = ("ca.crt", "node.crt", "node.key")
_LIFE = dt.timedelta(days=3652)


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are.

    Attributes:
        ca: certificate of the authority; its key was thrown away, so no other can be signed.
        certificate: of servers and clients.
        key: private key of it.
    """

    ca: Path
    certificate: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """Make an authority and a certificate for 127.0.0.1 in a folder, unless all are there.

    Elliptic keys (P-256), valid for ten years, files 0600.

    Raises:
        OSError: if the folder cannot be written.
    """
    found = Certificates(*(folder / name for name in FILES))
    if all(file.exists() for file in (found.ca, found.certificate, found.key)):
        return found
    ca_key, node_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = (
        _builder("mini-data-platform CA", "mini-data-platform CA", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    node = (
        _builder("mini-data-platform node", "mini-data-platform CA", node_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    write_private(found.ca, authority.public_bytes(serialization.Encoding.PEM))
    write_private(found.certificate, node.public_bytes(serialization.Encoding.PEM))
    private = node_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(found.key, private)
    return found


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))  # a clock that is set back a little does no harm
        .not_valid_after(now + _LIFE)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
