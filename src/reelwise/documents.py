"""Read YAML documents into typed structs, and write files whole or not at all.

Every document error names the file, the field and what to do. Numbers that are not finite are refused here, once, for all documents.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import math
import os
import re
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from reelwise.errors import DocumentError, OutputError
from reelwise.yaml_bounds import DEEPEST, check_bounds

__all__ = ["decode", "fields_of", "read_text", "read_yaml", "write_whole"]

T = TypeVar("T")

_LARGEST = 5_000_000
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")


def read_text(path: Path, *, largest: int = _LARGEST) -> str:
    """Read a text file of at most `largest` bytes.

    Raises:
        DocumentError: missing, unreadable, too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(largest + 1)  # a device or a pipe says nothing of its size beforehand
        if len(raw) > largest:
            raise DocumentError(f"larger than {largest:,} bytes", where=str(path), hint="is this the right file?")
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise DocumentError("no such file", where=str(path), hint="check the path") from None
    except IsADirectoryError:
        raise DocumentError("is a folder, a file was expected", where=str(path), hint="name the file in it") from None
    except UnicodeDecodeError:
        raise DocumentError(
            "not a text file (UTF-8)", where=str(path), hint="is this a clip? try `reelwise audit`"
        ) from None
    except OSError as error:
        raise DocumentError(error.strerror or "cannot be read", where=str(path), hint="check its permissions") from None
    except ValueError:  # a NUL in the name
        raise DocumentError("no file can have this name", where=repr(str(path)), hint="check the path") from None


def read_yaml(path: Path) -> Any:
    """Read one YAML document as plain Python values (safe loader, finite numbers, bounded depth).

    Raises:
        DocumentError: not YAML, or a value no document may hold.
    """
    return parse_yaml(read_text(path), where=str(path))


def parse_yaml(text: str, *, where: str) -> Any:
    """Parse YAML text; see `read_yaml`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        check_bounds(yaml.parse(text, Loader=loader), where)
        value = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DocumentError(f"not YAML: {error.problem}{at}", where=where, hint="check the indentation there") from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise DocumentError(f"not YAML: {error}", where=where, hint="check the file") from None
    except (IndexError, KeyError, AttributeError):  # how the loader refuses !!int "", !!bool maybe, !!timestamp soon
        raise DocumentError("not YAML: a value does not fit its tag", where=where, hint="leave tags (!!) out") from None
    return _checked(value, where, "$", 0)


def _checked(value: Any, where: str, path: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise DocumentError(
            f"nested deeper than {DEEPEST} levels", where=f"{where} {path}", hint="no document needs that"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentError("not a finite number", where=f"{where} {path}", hint="give a number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1e18:
        raise DocumentError("absurdly large number", where=f"{where} {path}", hint="check its unit")
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): _checked(v, where, f"{path}.{k}", depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_checked(v, where, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise DocumentError(
        f"a {type(value).__name__} is not expected here", where=f"{where} {path}", hint="use text or a number"
    )


def decode(value: Any, kind: type[T], *, where: str) -> T:
    """Turn plain values into a struct, strictly, with the path of what is wrong.

    Raises:
        DocumentError: unknown field, wrong type or value out of range.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        message, _, at = text.partition(" - at ")
        hint = "see the schema named in the file's first line"
        unknown = _UNKNOWN.search(message)
        if unknown and (homes := places_of(kind, unknown["name"])):
            hint = f"it belongs under {' or '.join(f'`{home}`' for home in homes[:3])}"
        elif unknown:
            names = sorted(fields_of(kind))
            turned = [name for name in names if sorted(name) == sorted(unknown["name"])]  # modle: model, and not mode
            near = turned or difflib.get_close_matches(unknown["name"], names, n=1, cutoff=0.6)
            hint = f"did you mean `{near[0]}`?" if near else hint
        if "got `str`" in message and ("`float" in message or "`int" in message):
            hint = "write a plain number: 1000000 or 1.0e+6 (YAML reads 1e6 as text)"
        message = message[:1].lower() + message[1:]
        raise DocumentError(message, where=f"{where} {at.strip('`')}".strip(), hint=hint) from None


def places_of(kind: Any, name: str) -> list[str]:
    """List the top-level fields of a document under which a field of this name may stand; empty if it is one itself."""
    import typing

    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    own = {field.encode_name for field in msgspec.structs.fields(kind)}
    if name in own:
        return []
    hints = typing.get_type_hints(kind)
    return [field.encode_name for field in msgspec.structs.fields(kind) if name in fields_of(hints[field.name])]


def fields_of(kind: Any, seen: frozenset[Any] = frozenset()) -> set[str]:
    """List the field names that a document of this kind may hold, at any depth."""
    import typing

    names: set[str] = set()
    if kind in seen:
        return names
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            names.add(field.encode_name)
            names |= fields_of(field.type, seen | {kind})
    for part in typing.get_args(kind):
        names |= fields_of(part, seen | {kind})
    return names


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file so that it is there whole, or as it was before.

    Raises:
        OutputError: the folder is missing, read-only or full.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = ""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(raw)  # a device or a pipe takes the bytes as they come; it must not become a file
            return
        path = path.resolve()  # a link stays a link: the file behind it is replaced
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}", where=str(path), hint="name another place"
        ) from None
    except (ValueError, RuntimeError):  # a NUL in the name, links in a circle
        raise OutputError("no file can have this name", where=repr(str(path)), hint="name another") from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
