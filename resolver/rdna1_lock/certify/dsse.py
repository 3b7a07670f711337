"""The same statement in a DSSE envelope, signed with ed25519, for users of in-toto and cosign.

Needs the extra ``rdna1-lock[dsse]`` (cryptography). Keys are OpenSSH's, and so is the file of
allowed signers, so that one trust serves both forms.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.signature import NAMESPACE, Signature, Trust
from rdna1_lock.certify.strictjson import dump, load
from rdna1_lock.errors import InputError, IntegrityError, one_line

if TYPE_CHECKING:
    from pathlib import Path

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def preauthenticate(payload: bytes) -> bytes:
    """Return the bytes that are signed (DSSE v1, PAE)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise InputError(
            "no-cryptography",
            "DSSE envelopes need the library `cryptography`",
            hint="pip install 'rdna1-lock[dsse]', or sign with ssh-keygen (the default)",
        ) from None
    return serialization


def make_envelope(payload: bytes, key: Path) -> bytes:
    """Sign a statement with an ed25519 key in OpenSSH's form, without a passphrase.

    Raises:
        InputError: the key cannot be read, or is of another kind.

    """
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
    )

    try:
        private = serialization.load_ssh_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InputError("bad-key", f"{key} cannot be read: {one_line(error)}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError("bad-key", f"{key} is no ed25519 key, which DSSE needs here")
    signature = base64.b64encode(private.sign(preauthenticate(payload))).decode()
    return dump(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "", "sig": signature}],
        }
    )


def open_envelope(data: bytes, signers: Path | None, *, name: str) -> tuple[bytes, Signature]:
    """Return the statement of an envelope and who signed it.

    The ``keyid`` decides nothing. A key is looked for among the allowed signers only, since an
    envelope holds none.

    Raises:
        IntegrityError: it is no envelope of ours, or no allowed key signed it.

    """
    envelope = load(data, name)
    try:
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"its payload is {envelope['payloadType']!r}")
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError("bad-envelope", f"{name} is no DSSE envelope: {error}") from error
    if signers is None:
        return payload, Signature(trust=Trust.UNKNOWN)
    serialization = _library()
    from cryptography.exceptions import InvalidSignature

    for principal, line in _allowed(signers):
        try:
            public = serialization.load_ssh_public_key(line.encode())
        except (ValueError, TypeError):
            continue
        for signature in signatures:
            try:
                public.verify(signature, preauthenticate(payload))
            except (InvalidSignature, TypeError):
                continue
            digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
            key = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
            return payload, Signature(trust=Trust.TRUSTED, principal=principal, key=key)
    return payload, Signature(trust=Trust.UNKNOWN)


def _allowed(signers: Path) -> list[tuple[str, str]]:
    """Read the ed25519 lines of a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS)."""
    try:
        text = signers.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("no-signers", f"{signers} cannot be read: {one_line(error)}") from error
    found = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#") or "ssh-ed25519" not in words:
            continue
        at = words.index("ssh-ed25519")
        options = " ".join(words[1:at])
        if "cert-authority" in options or "valid-" in options:
            continue  # what cannot be honoured here is not trusted here
        if "namespaces=" in options:
            allowed = options.split("namespaces=", 1)[1].split('"')[1].split(",")
            if not any(fnmatch.fnmatchcase(NAMESPACE, pattern) for pattern in allowed):
                continue
        if len(words) > at + 1:
            found.append((words[0].split(",")[0], f"ssh-ed25519 {words[at + 1]}"))
    return found
