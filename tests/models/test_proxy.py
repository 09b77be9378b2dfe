"""https endpoints are reached through the proxy that the environment names, and TLS is between us and them."""

from __future__ import annotations

import datetime as dt
import http.server
import select
import socket
import ssl
import threading

import pytest

from reelwise.errors import InputError, NotSentError
from reelwise.models.connection import Connection, endpoint_of
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.proxy import Proxy, proxy_for
from reelwise.models.work import Text, Work

HOST = "models.test"
WORK = Work(model="gpt-4o", parts=(Text(text="hi"),))
REPLY = (
    b'{"id": "c1", "model": "gpt-4o", "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}],'
    b' "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}'
)
VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of models.test, made for this run."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


@pytest.fixture
def vendor(certificate, monkeypatch):
    """An endpoint behind TLS, whose certificate is trusted here."""
    public, private = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(public))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(REPLY)))
            self.end_headers()
            self.wfile.write(REPLY)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class _Proxy:
    """A proxy that connects to one place, whatever it is asked for, and notes what it was asked."""

    def __init__(self, target, answer=b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"):
        self._target, self._answer = target, answer
        self.heads = []
        self.through = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(line,), daemon=True).start()

    def _one(self, line):
        with line:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += line.recv(1)
            self.heads.append(head.decode())
            line.sendall(self._answer)
            if b" 200 " not in self._answer:
                return
            with socket.create_connection(("127.0.0.1", self._target)) as there:
                pair = {line: there, there: line}
                while True:
                    for one in select.select(list(pair), [], [])[0]:
                        try:
                            data = one.recv(65536)
                        except OSError:
                            return
                        if not data:
                            return
                        self.through += data
                        pair[one].sendall(data)

    def close(self):
        self._server.close()


@pytest.fixture
def proxy(vendor):
    found = _Proxy(vendor)
    yield found
    found.close()


def test_a_call_goes_through_the_tunnel_and_the_proxy_sees_neither_key_nor_words(proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    with OpenAIChat(f"https://{HOST}/v1") as chat:
        answers = [chat.ask(WORK) for _ in range(3)]

    assert [one.text for one in answers] == ["yes"] * 3
    assert len(proxy.heads) == 1  # the tunnel is kept, as a connection is
    assert proxy.heads[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.heads[0]
    assert b"sk-test" not in proxy.through
    assert b"gpt-4o" not in proxy.through


def test_what_measures_and_segments_uses_it_too(proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
    answer = Connection(endpoint_of(f"https://{HOST}/x", {"Content-Type": "image/jpeg"})).send(b"1", 30)

    assert (answer.status, answer.trouble, answer.kind) == (200, "", "application/json")
    assert len(proxy.heads) == 1


@pytest.mark.parametrize(("answer", "said"), [
    (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407"),
    (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy answered 403"),
    (b"nonsense\r\n\r\n", "the proxy answered nonsense"),
    (b"HTTP/1.1 200", "the proxy hung up"),
])  # fmt: skip
def test_a_proxy_that_says_no_is_named_and_nothing_was_sent(answer, said, monkeypatch):
    refusing = _Proxy(0, answer if b"\r\n\r\n" in answer else answer.replace(b" 200", b" 20"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{refusing.port}")
    with pytest.raises(NotSentError) as caught:
        OpenAIChat(f"https://{HOST}/v1", sleep=lambda _: None).ask(WORK)
    refusing.close()

    assert said in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_who_is_reached_without_it(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inner.example,.own.example:8443")

    assert proxy_for("api.openai.com", 443) == Proxy(host="proxy.example", port=3128)
    assert proxy_for("inner.example", 443) is None
    assert proxy_for("a.own.example", 8443) is None
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxy_for("api.openai.com", 443) is None
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_for("api.openai.com", 443) is None


def test_this_machine_and_plain_http_are_never_reached_through_it(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    from reelwise.testing import sandbox

    with sandbox() as box:
        assert OpenAIChat(f"{box.url}/v1").ask(WORK).text


@pytest.mark.parametrize(
    "address", ["socks5://user:secret@proxy:1080", "https://proxy:8443", "http://:secret@", "http://proxy:port"]
)
def test_an_address_that_is_no_http_proxy_is_refused_without_repeating_it(address, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(InputError) as caught:
        OpenAIChat(f"https://{HOST}/v1")

    assert "HTTPS_PROXY" in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint} {Proxy(host='a', port=1, authorization='secret')!r}"
