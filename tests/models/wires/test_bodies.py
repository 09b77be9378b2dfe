"""Bodies that are sent in pieces, keys over TLS, and usage that cannot be."""

from __future__ import annotations

import base64
import datetime as dt
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError, NotSentError
from reelwise.models.body import Inliner, json_body, multipart
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.used import read_usage, tier_of
from reelwise.models.work import Source, Text, Work, source


@pytest.mark.parametrize("size", [1, 2, 3, 196_607, 196_608, 196_609, 500_000])
def test_a_file_inside_a_document_is_its_base64(size, tmp_path):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    inliner = Inliner()
    body = json_body(
        {
            "a": [inliner.base64(Source(path=str(path), mime="video/mp4")), 'quo"te'],
            "b": inliner.base64(Source(data=data, mime="x/y")),
        },
        inliner,
    )
    whole = body.whole()
    found = json.loads(whole)

    assert len(whole) == body.length
    assert base64.b64decode(found["a"][0]) == data == base64.b64decode(found["b"])
    assert max(len(chunk) for chunk in body.chunks()) <= max(4 * 196_608 // 3, len(found["b"]) + 100)


@settings(max_examples=50, deadline=None)
@given(
    fields=st.lists(st.tuples(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(max_size=30)), max_size=4),
    data=st.binary(min_size=1, max_size=300),
)
def test_forms_have_the_length_they_say(fields, data):
    body = multipart(fields, "file", 'na"me\r\n.jsonl', Source(data=data, mime="application/jsonl"))

    assert len(body.whole()) == body.length
    assert data in body.whole()
    assert b'filename="name.jsonl"' in body.whole()


def test_a_file_that_shrinks_while_it_is_sent_is_said(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG" + bytes(100))
    inliner = Inliner()
    body = json_body([inliner.base64(source(path))], inliner)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="became shorter"):
        body.whole()


@pytest.mark.parametrize("given", ["/no/such/file.mp4", b"", b"who knows"])
def test_sources_that_cannot_be(given):
    with pytest.raises(InputError):
        source(given)


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", ""), ("parts", ()), ("tokens_output", 0), ("identity", "a b"), ("timeout_seconds", 0), ("schema", b"{"), ("schema", b"[]"), ("mode", "quick")],
)  # fmt: skip
def test_work_that_cannot_be_is_refused(field, value):
    fields = {"model": "gpt-4o", "parts": (Text(text="?"),), field: value}
    with pytest.raises(InputError):
        Work(**fields).check()


def test_over_tls_whole_and_cut(tmp_path, monkeypatch):
    certificate(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers["content-length"])
            stream = b'"stream":true' in self.rfile.read(length)
            if stream:
                self.send_response(200)
                self.end_headers()
                for at in range(3):
                    chunk = {"id": "1", "model": "gpt-4o", "choices": [{"delta": {"content": f"w{at}  "}}]}
                    self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                done.wait(5)
                self.close_connection = True
                return
            reply = {"id": "1", "model": "gpt-4o", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
                     "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}  # fmt: skip
            body = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    done = threading.Event()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}/v1"
    work = Work(model="gpt-4o", parts=(Text(text="?"),))
    try:
        with OpenAIChat(url, sleep=lambda _: None) as end, pytest.raises(NotSentError, match="cannot be reached"):
            end.ask(work)  # nobody vouches for its certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        with OpenAIChat(url) as end:
            assert [end.ask(work).text for _ in range(2)] == ["hi", "hi"]
        with OpenAIChat(url) as end:
            with end.stream(work) as stream:
                next(iter(stream))
            assert stream.answer.used.tokens_output in {1, 2, 3}
            assert not stream.answer.used.complete
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder):
    x509 = pytest.importorskip("cryptography.x509")
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (None, "says nothing"),
        ({}, "says nothing"),
        ({"prompt_tokens": -1, "completion_tokens": 2}, "cannot be read"),
        ({"prompt_tokens": 1.5, "completion_tokens": 2}, "cannot be read"),
        ({"prompt_tokens": 1e300, "completion_tokens": 2}, "cannot be read"),
        ({"prompt_tokens": "many", "completion_tokens": 2}, "cannot be read"),
        ({"completion_tokens": 2}, "cannot be read"),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 101}}, "more than their sum"),
    ],
)
def test_usage_that_is_nonsense_is_unpriced_and_kept_raw(usage, why):
    used = read_usage({"usage": usage, "model": "gpt-4o"}, provider="openai", flavor="chat", model="gpt-4o")

    assert why in used.unpriced
    assert used.tokens_input == 0
    assert not used.input_known
    assert (used.raw != "") is (usage is not None)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_parts_of_the_input_add_up(text, audio, cached, output):
    usage = {
        "prompt_tokens": text + audio + cached,
        "completion_tokens": output,
        "prompt_tokens_details": {"audio_tokens": audio, "cached_tokens": cached},
    }
    used = read_usage({"usage": usage, "model": "gpt-4o"}, provider="openai", flavor="chat", model="gpt-4o")

    assert (used.tokens_text, used.tokens_audio, used.tokens_cached, used.tokens_output) == (
        text,
        audio,
        cached,
        output,
    )
    assert used.tokens_input == text + audio + cached


def test_tiers_and_an_hour_in_a_cache():
    assert tier_of("default") == ("standard", "")
    assert tier_of("SERVICE_TIER_FLEX") == ("flex", "")
    assert "not known" in tier_of("scale")[1]
    usage = {"input_tokens": 5, "output_tokens": 1, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 7,
             "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}  # fmt: skip
    used = read_usage({"usage": usage, "model": "claude-haiku-4-5"}, provider="anthropic", flavor="default", model="")

    assert (used.tokens_text, used.tokens_cached, used.tokens_cache_write, used.tokens_cache_write_1h) == (5, 7, 10, 20)
    assert not used.unpriced
    assert used.request().tokens_cache_write_1h == 20


def test_a_total_that_does_not_add_up_is_unpriced():
    from reelwise.models.gemini import read_generated

    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 400}
    assert "does not add up" in read_generated({"usageMetadata": usage}, "gemini-2.5-pro", None).unpriced


def test_importing_the_package_loads_no_wire():
    import subprocess
    import sys

    code = "import sys, reelwise.models; print([m for m in sys.modules if m in ('ssl', 'http.client', 'numpy', 'genai_prices')])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
