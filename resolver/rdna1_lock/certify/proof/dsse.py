"""The same statement in a DSSE envelope, signed with ed25519, for users of in-toto and cosign.

Needs the extra ``rdna1-lock[dsse]`` (cryptography). Keys and allowed signers are OpenSSH's, so
that both forms of a certificate are trusted by the same file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.allowed_signers import read_allowed_signers
from rdna1_lock.certify.proof.signature import NAMESPACE, Signature, Trust
from rdna1_lock.certify.proof.strictjson import dump, load
from rdna1_lock.errors import InputError, IntegrityError, one_line
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rdna1_lock.certify.proof.allowed_signers import AllowedKey

# in-toto, envelope layer v1: the media type of a statement as a DSSE payload.
LARGEST_KEY = 2**20
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def preauthenticate(payload: bytes) -> bytes:
    """Return the bytes that are signed.

    DSSE v1, signature definition: PAE is the version, then type and body, each with its length
    in ASCII decimal before it, separated by single spaces. The lengths leave one way to read
    them, and the type is signed too: a payload cannot be passed off as one of another type.
    """
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise InputError(
            "no-cryptography",
            "DSSE envelopes require the `cryptography` package",
            hint="install it with: pip install 'rdna1-lock[dsse]'; or sign with ssh-keygen (--key)",
        ) from None
    return serialization


def make_envelope(payload: bytes, key: Path) -> bytes:
    """Sign a statement with an ed25519 key in OpenSSH's format, without a passphrase.

    Raises:
        InputError: the key cannot be read, or is not an ed25519 key.

    """
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
    )

    try:
        private = serialization.load_ssh_private_key(read_regular(key, LARGEST_KEY), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InputError("bad-key", f"cannot read the key {key}: {one_line(error)}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError("bad-key", f"{key} is not an ed25519 key, which --dsse-key requires")
    signature = base64.b64encode(private.sign(preauthenticate(payload))).decode()
    # DSSE v1, envelope: `keyid` is an unauthenticated hint; an empty one is allowed.
    return dump(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "", "sig": signature}],
        }
    )


def open_envelope(data: bytes, signers: Path | None, *, name: str) -> tuple[bytes, Signature]:
    """Return the statement of an envelope and who signed it.

    Keys are looked for among the allowed signers only: an envelope holds none, and DSSE v1
    forbids any security decision by ``keyid``. One signature by one of them is enough.

    Raises:
        IntegrityError: it is not an envelope of an in-toto statement.
        InputError: the allowed signers cannot be read, or cryptography is not installed.

    """
    payload, signatures = _parse(load(data, name), name)
    if signers is None:
        return payload, Signature(trust=Trust.UNKNOWN)
    _library()
    signed = preauthenticate(payload)
    for key in read_allowed_signers(signers, namespace=NAMESPACE):
        if _signed_by(key, signed, signatures):
            return payload, Signature(
                trust=Trust.TRUSTED, principal=key.principal, key=_fingerprint(key)
            )
    return payload, Signature(trust=Trust.UNKNOWN)


def _parse(envelope: dict[str, Any], name: str) -> tuple[bytes, list[bytes]]:
    try:
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"its payload type is {envelope['payloadType']!r}")
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError(
            "bad-envelope", f"{name} is not a DSSE envelope: {one_line(error)}"
        ) from error
    return payload, signatures


def _signed_by(key: AllowedKey, signed: bytes, signatures: Sequence[bytes]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        public = _library().load_ssh_public_key(key.line.encode())
    except (ValueError, TypeError):
        return False
    for signature in signatures:
        try:
            public.verify(signature, signed)
        except (InvalidSignature, TypeError):
            continue
        return True
    return False


def _fingerprint(key: AllowedKey) -> str:
    """Return the fingerprint as ``ssh-keygen -l`` shows it."""
    digest = hashlib.sha256(base64.b64decode(key.base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
