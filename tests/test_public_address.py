"""Which addresses strangers may make us talk to."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobfleet.actors.public_address import ForbiddenAddress, is_public, resolve, unwrapped

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.167.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2606:4700::1111",
    "2a00:1450:4001:80b::200e",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_on_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_reached(address: str) -> None:
    assert is_public(ip_address(address))


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_no_wrapping_makes_a_private_address_public(inner: object) -> None:
    number = int(inner)  # type: ignore[call-overload]
    for wrapped in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"):
        assert unwrapped(ip_address(wrapped)) == inner
        assert is_public(ip_address(wrapped)) == is_public(inner)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "017700000001", "::1", "::ffff:127.0.0.1"]
)
def test_every_spelling_of_the_loopback_is_refused(host: str) -> None:
    with pytest.raises(
        ForbiddenAddress, match="not on the public internet; WEBHOOK_ALLOW_NETWORKS names the exceptions"
    ):
        resolve(host, 80, [])


def test_a_network_that_is_allowed_is_reached_in_every_wrapping() -> None:
    allowed = [ip_network("127.0.0.0/8")]

    assert resolve("127.0.0.1", 80, allowed) == ["127.0.0.1"]
    assert resolve("::ffff:127.0.0.1", 80, allowed) == ["::ffff:127.0.0.1"]
    with pytest.raises(ForbiddenAddress):
        resolve("10.0.0.1", 80, allowed)


def test_a_name_that_does_not_exist_is_no_forbidden_one() -> None:
    with pytest.raises(OSError):  # noqa: PT011 (the text is the resolver's)
        resolve("nowhere.invalid", 80, [])


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(ForbiddenAddress, match="is no name of a host"):
        resolve("a" * 64 + ".example", 80, [])
