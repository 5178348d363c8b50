"""A dict as TOML text, for inputs that the library reads as TOML."""

import json
import math
import os
import re

from ._core import InputError


def _value(value, key):
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
        return repr(value)
    if isinstance(value, (str, os.PathLike)):
        return json.dumps(os.fspath(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v, k)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v, key) for v in value) + "]"
    raise InputError(f"{key}: a {type(value).__name__} has no place in an input")


def _key(key):
    if not isinstance(key, str):
        raise InputError(f"{key!r}: keys of an input are texts")
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def dumps(table):
    """One line a key of the outermost table; tables inside are written inline."""
    if not isinstance(table, dict):
        raise InputError(f"expected a dict of keys or the path of a file, got {type(table).__name__}")
    return "".join(f"{_key(key)} = {_value(value, key)}\n" for key, value in table.items())
