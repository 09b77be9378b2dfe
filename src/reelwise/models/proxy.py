"""The proxy that the environment names for https: a tunnel through it, so that TLS is between us and the endpoint.

HTTPS_PROXY (or https_proxy) is where it is; NO_PROXY (or no_proxy) lists hosts that are reached without it, as curl and Python read them.
Endpoints on this machine, and those that are not https, are never reached through it.
"""

from __future__ import annotations

import base64
import errno
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    import socket

__all__ = ["Proxy", "open_tunnel", "proxy_for"]

_HEAD_MAX = 65_536
_HINT = "HTTPS_PROXY=http://host:port, or NO_PROXY with this host in it"


class Proxy(Struct, frozen=True, kw_only=True):
    """Where a proxy is. It prints without the password that it may want."""

    host: str
    port: int
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def proxy_for(host: str, port: int) -> Proxy | None:
    """Return the proxy that leads to a host; None where there is none.

    Raises:
        InputError: the variable holds no address of an http proxy; what it holds is not repeated: there may be a password in it.
    """
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    address = proxies.get("https", "").strip()
    if not address or proxy_bypass_environment(f"{host}:{port}", proxies):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        number = parts.port or 8080
    except ValueError:
        raise InputError("is no address of a proxy", where="HTTPS_PROXY", hint=_HINT) from None
    if parts.scheme != "http" or not parts.hostname:
        raise InputError("is no http address of a proxy", where="HTTPS_PROXY", hint=_HINT)
    told = ""
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        told = f"Basic {base64.b64encode(user.encode()).decode()}"
    return Proxy(host=parts.hostname, port=number, authorization=told)


def open_tunnel(line: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Ask a proxy to connect us to a host; nothing of the call is sent before it says yes.

    Raises:
        OSError: it said no, or hung up.
    """
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if proxy.authorization:
        head += f"Proxy-Authorization: {proxy.authorization}\r\n"
    line.sendall(f"{head}\r\n".encode("latin-1"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):  # byte by byte: what follows is the endpoint's
        byte = line.recv(1)
        if not byte or len(answer) > _HEAD_MAX:
            raise OSError(errno.ECONNREFUSED, "the proxy hung up")
        answer += byte
    status = answer.split(b"\r\n", 1)[0].split(b" ")
    if len(status) < 2 or not status[0].startswith(b"HTTP/") or status[1] != b"200":
        said = status[1].decode("latin-1")[:3] if len(status) > 1 else "nonsense"
        raise OSError(errno.ECONNREFUSED, f"the proxy answered {said}")
