"""A real HTTP server in threads, which keeps what it gets and answers what it is told to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Answer:
    """What the receiver says next."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thank you"
    #: Called with the handler instead of the above.
    by_hand: Callable[[BaseHTTPRequestHandler], None] | None = None

    def give(self, handler: BaseHTTPRequestHandler) -> None:
        """Say it."""
        if self.by_hand:
            self.by_hand(handler)
            return
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)


@dataclass(frozen=True)
class Request:
    """What it got."""

    path: str
    headers: dict[str, str]
    body: bytes
    #: The port from which it came: the same for requests on one connection.
    client_port: int


class WebhookReceiver:
    """Listens on a free port of the loopback.

    Parameters:
      tls: a context, to speak TLS.
      host: the address to listen on.
    """

    family = socket.AF_INET

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        #: Answers in order; the last one is given ever after.
        self.answers = [Answer()]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(self.path, headers, body, self.client_address[1]))
                receiver._next_answer().give(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = self.family

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up in the middle is what some tests are about."""

        self._server = Server((host, 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self.port}/hook"

    def _next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
