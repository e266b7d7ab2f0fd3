"""Signatures, verified with what a receiver has: openssl's arithmetic written out, not our own code."""

from __future__ import annotations

import base64
import hashlib

import pytest

from jobfleet.actors.webhook_signature import body_signature, standard_signature
from jobfleet.broker.errors import PermanentFailure


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 from its text."""
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


def test_the_body_is_signed_with_the_secret_as_it_is() -> None:
    assert body_signature("whsec_abc", b'{"a":1}') == hmac_sha256(b"whsec_abc", b'{"a":1}').hex()


def test_the_example_of_standard_webhooks() -> None:
    # From the specification's own libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'

    signature = standard_signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_rotated_both_sign() -> None:
    new, old = standard_signature(["new secret", "whsec_b2xk"], "job-1", 1700000000, b"{}").split(" ")

    for signature, key in ((new, b"new secret"), (old, b"old")):
        version, _, digest = signature.partition(",")
        assert version == "v1"
        assert base64.b64decode(digest) == hmac_sha256(key, b"job-1.1700000000.{}")


def test_a_secret_that_only_claims_to_be_base64_is_a_clear_error() -> None:
    with pytest.raises(PermanentFailure, match="is not base64"):
        standard_signature(["whsec_?"], "job-1", 1, b"")
