"""HTTP to addresses that strangers name, against real servers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest
from certificates import Authority
from webhook_receiver import Answer, WebhookReceiver

from jobfleet.actors.public_address import ForbiddenAddress
from jobfleet.actors.safe_http import ANSWER_MAX, HttpFailed, plain_host, post

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as http:
        yield http


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_a_body_arrives_and_the_answer_comes_back(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(202, {"X-Shop": "yes"}, b"queued")]

    answer = post(receiver.url + "?a=1&b=%20", b"content", {"X-Own": "value"}, allowed=LOOPBACK)

    (request,) = receiver.requests
    assert (answer.status, answer.body, answer.headers["x-shop"]) == (202, b"queued", "yes")
    assert (request.path, request.body, request.headers["x-own"]) == ("/hook?a=1&b=%20", b"content", "value")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert "authorization" not in request.headers


def test_a_private_address_is_refused_before_anything_is_sent(receiver: WebhookReceiver) -> None:
    with pytest.raises(ForbiddenAddress, match="127.0.0.1 is 127.0.0.1, which is not on the public internet"):
        post(receiver.url, b"", {})
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "//127.0.0.1/hook",
        "ftp://127.0.0.1/hook",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://",
        "http:///hook",
        "http://user@127.0.0.1/",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:many/",
        "http://127.0.0.1 /",
        "http://127.0.0.1\\@example.com/",
        "http://127.0.0.1/a\r\nX: y",
        "http://[::1/",
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="the URL"):
        plain_host(url)
    with pytest.raises(ForbiddenAddress, match="the URL"):
        post(url, b"", {}, allowed=LOOPBACK)


def test_the_name_is_resolved_once_and_its_address_is_the_one_that_is_reached(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, *rest: object, **more: object) -> object:
        # A name server that first names an allowed address, then another one.
        if host == "shop.example":
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *rest, **more)  # type: ignore[arg-type]
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    answer = post(f"http://shop.example:{receiver.port}/hook", b"", {}, allowed=LOOPBACK)

    assert (answer.status, asked) == (200, ["shop.example"])
    assert receiver.requests[0].headers["host"] == f"shop.example:{receiver.port}"


def test_of_several_addresses_the_next_one_is_tried_and_the_private_ones_are_not(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def several(host: str, *rest: object, **more: object) -> object:
        if host != "shop.example":
            return real(host, *rest, **more)  # type: ignore[arg-type]
        return [a for ip in ("10.0.0.1", "127.0.0.9", "127.0.0.1") for a in real(ip, *rest, **more)]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", several)

    assert post(f"http://shop.example:{receiver.port}/", b"", {}, allowed=LOOPBACK).status == 200


def test_over_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")

    class Six(WebhookReceiver):
        family = socket.AF_INET6

    with Six(host="::1") as receiver:
        assert post(f"http://[::1]:{receiver.port}/hook", b"x", {}, allowed=LOOPBACK).status == 200
        assert receiver.requests[0].headers["host"] == f"[::1]:{receiver.port}"


def test_a_redirect_is_not_followed(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(302, {"Location": receiver.url + "/elsewhere"}), Answer(200)]

    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 302
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_a_connection_is_used_again_and_brings_no_cookies_along(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(200, {"Set-Cookie": "session=1"})]

    for _ in range(3):
        post(receiver.url, b"", {}, allowed=LOOPBACK)

    assert len({request.client_port for request in receiver.requests}) == 1
    assert not any("cookie" in request.headers for request in receiver.requests)


def test_of_a_long_answer_only_the_beginning_is_read(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(200, body=b"x" * (ANSWER_MAX * 100)), Answer(200)]

    assert len(post(receiver.url, b"", {}, allowed=LOOPBACK).body) == ANSWER_MAX
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).body == b"thank you"


def test_a_compressed_answer_is_not_unpacked(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(200, {"Content-Encoding": "gzip"}, b"not even gzip")]

    assert post(receiver.url, b"", {}, allowed=LOOPBACK).body == b"not even gzip"


def drip(handler: BaseHTTPRequestHandler, pieces: int) -> None:
    """One byte each 50 ms: each arrives before a socket's timeout."""
    try:
        for _ in range(pieces):
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        return


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(handler, 600)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
    drip(handler, 600)


def silence(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.recv(1)


@pytest.mark.parametrize("slow", [silence, drip_headers, drip_body])
def test_an_answer_that_takes_too_long_is_cut_off(receiver: WebhookReceiver, slow: object) -> None:
    receiver.answers = [Answer(by_hand=slow)]  # type: ignore[arg-type]

    with pytest.raises(HttpFailed, match=r"no answer within 0\.4 s"):
        post(receiver.url, b"", {}, allowed=LOOPBACK, timeout=0.4)


def test_a_slow_answer_over_tls_is_cut_off_too(authority: Authority) -> None:
    with WebhookReceiver(tls=authority.server_context("127.0.0.1")) as receiver:
        receiver.answers = [Answer(by_hand=drip_body)]
        with pytest.raises(HttpFailed, match=r"no answer within 0\.6 s"):
            post(f"https://127.0.0.1:{receiver.port}/", b"", {}, allowed=LOOPBACK, timeout=0.6, ca=str(authority.file))


def test_a_server_that_is_not_there(receiver: WebhookReceiver) -> None:
    with WebhookReceiver() as gone:
        pass
    with pytest.raises(HttpFailed, match="Connection refused"):
        post(gone.url, b"", {}, allowed=LOOPBACK)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(HttpFailed, match="gaierror"):
        post("http://nowhere.invalid/", b"", {})


def test_a_server_that_speaks_something_else(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(by_hand=lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"))]  # type: ignore[arg-type]

    with pytest.raises(HttpFailed):
        post(receiver.url, b"", {}, allowed=LOOPBACK)


def test_the_certificate_must_be_of_the_host_and_of_a_known_authority(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *a, **k: real("127.0.0.1" if host.endswith(".example") else host, *a, **k),
    )
    with WebhookReceiver(tls=authority.server_context("shop.example")) as receiver:
        right, wrong = (f"https://{name}:{receiver.port}/" for name in ("shop.example", "other.example"))
        assert post(right, b"", {}, allowed=LOOPBACK, ca=str(authority.file)).status == 200
        assert receiver.requests[0].headers["host"] == f"shop.example:{receiver.port}"
        with pytest.raises(HttpFailed, match="CERTIFICATE_VERIFY_FAILED"):
            post(wrong, b"", {}, allowed=LOOPBACK, ca=str(authority.file))
        with pytest.raises(HttpFailed, match="CERTIFICATE_VERIFY_FAILED"):
            post(right, b"", {}, allowed=LOOPBACK)
    assert len(receiver.requests) == 1
