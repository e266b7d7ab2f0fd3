"""The other end of webhooks: endpoints that take them, fail them, and remember each one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

#: What an endpoint answers, given how often this very webhook has come to it before.
Behaviour = Callable[[int], int]

#: Seconds after which an idle connection is closed.
IDLE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class ReceivedWebhook:
    """One delivery, as the endpoint saw it."""

    path: str
    #: The header ``webhook-id``, which is the job's id.
    webhook_id: str
    #: The header ``X-Attempt``.
    attempt: int
    payload: Any
    #: Whether both signatures were right.
    signed: bool
    status: int
    #: Seconds since the epoch.
    at: float


class WebhookReceiver:
    """HTTP endpoints on a free port of the loopback address, in threads of this process.

    Parameters:
      endpoints: what each path answers; any other path is 404. A webhook whose signature is wrong gets 401.
      secret: with which all of them are signed.
    """

    def __init__(self, endpoints: Mapping[str, Behaviour], secret: str) -> None:
        self._endpoints = dict(endpoints)
        self._secret = secret
        self._received: list[ReceivedWebhook] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="jobfleet-receiver", daemon=True
        )

    @property
    def received(self) -> list[ReceivedWebhook]:
        """Every delivery so far, in order."""
        with self._lock:
            return list(self._received)

    def url(self, path: str) -> str:
        """The address of an endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def mend(self, path: str) -> None:
        """Let an endpoint answer 200 from now on."""
        self._endpoints[path] = lambda earlier: 200

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Judge one delivery and remember it.

        Parameters:
          headers: by name in lower case.

        Returns:
          the status to answer.
        """
        webhook_id = headers.get("webhook-id", "")
        signed = self._is_signed(headers, body)
        behaviour: Behaviour = self._endpoints.get(path, _missing)
        with self._lock:
            earlier = sum(seen.webhook_id == webhook_id and seen.path == path for seen in self._received)
            status = behaviour(earlier) if signed else 401
            self._received.append(
                ReceivedWebhook(
                    path=path,
                    webhook_id=webhook_id,
                    attempt=int(headers.get("x-attempt", "0")),
                    payload=json.loads(body),
                    signed=signed,
                    status=status,
                    at=time.time(),
                )
            )
        return status

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Check both headers as a receiver would that knows nothing of us but the documentation."""
        plain = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        content = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        standard = base64.b64encode(hmac.new(self._secret.encode(), content, hashlib.sha256).digest()).decode()
        return hmac.compare_digest(headers.get("x-webhook-signature", ""), plain) and any(
            hmac.compare_digest(given, f"v1,{standard}") for given in headers.get("webhook-signature", "").split(" ")
        )


class _Server(ThreadingHTTPServer):
    # The usual 5 are too few for all threads of a fleet: a connection beyond them waits for a second.
    request_queue_size = 128


def _missing(earlier: int) -> int:
    return 404


def _handler(receiver: WebhookReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.receive(self.path, headers, body)
            answer = b"" if status < 300 else b"as the demo wanted it"
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
