"""What must not be shown: values whose names say that they are secrets.

Everything that prints configuration goes through here. A name that only might be a secret is
hidden as well: a hidden harmless value costs a look into the file, a shown password much more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_SECRET_WORDS = re.compile(
    # What the cookie of a handshake is called is no secret.
    r"passw|passphrase|passcode|pwd|secret|token(?!i[sz])|credential|cookie(?!_key)|authorization|bearer"
    r"|dsn$|connection_?string"
    r"|(?:api|access|private|auth|encryption|signing|session|shared|master|account|storage|service|ssh|license)_?key"
)
_QUANTITY_WORDS = re.compile(r"(?:^|_)(?:max|min|limit|count|length|size|ttl|timeout|age|per|budget)(?:_|$)")
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^@\s/]+(?=@)")


def is_secret(name: str, value: object = "") -> bool:
    """Whether a value of that name must not be shown.

    Booleans and null say nothing, nor do numbers whose name speaks of a quantity.

    >>> is_secret("apiKey"), is_secret("db_password"), is_secret("max_tokens", 4096)
    (True, True, False)
    """
    if value is None or isinstance(value, bool):
        return False
    words = _WORD_BORDER.sub("_", name).lower()
    if isinstance(value, int | float) and _QUANTITY_WORDS.search(words):
        return False
    return _SECRET_WORDS.search(words) is not None


def redacted(value: Any, name: str = "") -> Any:
    """Copy a value (mapping, list or scalar) with all that is secret in it hidden.

    A `{"$env": NAME}` or `{"$file": PATH}` that was not resolved stays: it tells where a secret
    is, not what it is.

    >>> redacted({"host": "db", "password": "x", "url": "postgres://me:pw@db/1"})
    {'host': 'db', 'password': '***', 'url': 'postgres://me:***@db/1'}
    """
    if is_reference(value):
        return dict(value)
    if value != "" and is_secret(name, value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: redacted(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, name) for item in value]
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\1{HIDDEN}", value)
    return value


def is_reference(value: object) -> bool:
    """Whether a value only says where the real one is (`$env`, `$file`)."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    ((kind, target),) = value.items()
    return kind in ("$env", "$file") and isinstance(target, str)
