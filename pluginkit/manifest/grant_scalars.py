"""The single texts of the section `capabilities`, like those of the other sections in `scalars`."""

from __future__ import annotations

import re

from pluginkit.errors import did_you_mean

from .grants import PATH_VARIABLES, Argument, PortRange
from .scalars import is_normal, line

_GLOB = re.compile(r"[*?\[\]]")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_PORTS = re.compile(r"([1-9][0-9]{0,4})-([1-9][0-9]{0,4})\Z")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
HIGHEST_PORT = 65535
_LONGEST_HOST = 255


def grant_path(text: str) -> str:
    """The path of a filesystem grant: absolute, or below one of the plugin's own directories."""
    line(text)
    rest = text
    variable = _VARIABLE.match(text)
    if variable is not None:
        if variable[1] not in PATH_VARIABLES:
            raise ValueError(f"knows no ${{{variable[1]}}}{did_you_mean(variable[1], PATH_VARIABLES)}")
        rest = text[variable.end() :] or "/"
    if not rest.startswith("/"):
        raise ValueError("must be absolute, or begin with ${data}, ${cache}, ${config} or ${plugin}")
    if "$" in rest:
        raise ValueError(
            "must not contain '$' but in the ${…} that it may begin with; the environment is not read"
        )
    if _GLOB.search(rest):
        raise ValueError("must not contain *, ?, [ or ]: a grant names one directory or file")
    if not is_normal(rest):
        raise ValueError("must be written without '.', '..' and '//'")
    return text


def command_path(text: str) -> str:
    """The program of an exec rule."""
    line(text)
    if not text.startswith("/") or text.endswith("/"):
        raise ValueError("must be the absolute path of a program")
    if _GLOB.search(text) or "$" in text:
        raise ValueError("must name one program, without *, ?, [, ] and $")
    if not is_normal(text):
        raise ValueError("must be written without '.', '..' and '//'")
    return text


def argument(text: str) -> Argument:
    """The pattern of one argument of a command."""
    if "\0" in text:
        raise ValueError("must not contain NUL")
    if text.startswith("lit:"):
        return Argument("literal", text.removeprefix("lit:"))
    if text in ("*", "**"):
        return Argument("one" if text == "*" else "rest")
    if text.startswith("path:"):
        permission = text.removeprefix("path:")
        if permission not in ("read", "write"):
            raise ValueError(f"must be path:read or path:write{did_you_mean(permission, ['read', 'write'])}")
        return Argument("path", permission)
    if "*" in text:
        raise ValueError(
            "has a star inside, which is no pattern: * alone is one free argument, lit:… is literal"
        )
    return Argument("literal", text)


def environment_name(text: str) -> str:
    """The name of a variable that the plugin wants to see."""
    if not _ENVIRONMENT_NAME.match(text):
        raise ValueError("must be the name of an environment variable: letters, digits and '_'")
    return text


def port_range(text: str) -> PortRange:
    """The ports that a text stands for: `8000-8099`, or `*` for all."""
    if text == "*":
        return PortRange(1, HIGHEST_PORT)
    match = _PORTS.match(text)
    if match is None:
        raise ValueError('must be a port (a number), a range as in "8000-8099", or "*" for all')
    first, last = int(match[1]), int(match[2])
    if not first <= last <= HIGHEST_PORT:
        raise ValueError(f"must go from a lower to a higher port, at most {HIGHEST_PORT}")
    return PortRange(first, last)


def address(text: str) -> str:
    """An IP address to bind to."""
    return _address(text)


def origin(text: str) -> str:
    """Who may connect: an IP address, a network in CIDR notation, or an exact host name."""
    if "*" in text:
        raise ValueError("must be an IP address, a network as in 10.0.0.0/8, or a host name, without *")
    return host_pattern(text)


def host_pattern(text: str) -> str:
    """The hosts that an egress rule means, in normal form."""
    if len(text) > _LONGEST_HOST:
        raise ValueError(f"must not be longer than {_LONGEST_HOST} characters")
    if text == "*":
        return text
    if "/" in text or ":" in text:
        return _network(text)
    name = text.removeprefix("**.").removeprefix("*.") if text.startswith(("*.", "**.")) else text
    prefix = text[: len(text) - len(name)]
    name = _host_name(name)
    if _NUMERIC_LABEL.match(name.rpartition(".")[2]):
        # Resolvers take 127.1, 0x7f.1 and 2130706433 for addresses: only the one strict form is let in.
        return _network(text)
    return prefix + name


def _host_name(text: str) -> str:
    name = text.lower().removesuffix(".")
    if not name.isascii():
        raise ValueError(f"must be in ASCII{_as_a_label(name)}")
    if not _HOST_NAME.match(name):
        hint = "; a star stands alone, or at the beginning as in *.example.com" if "*" in name else ""
        raise ValueError(f"must be a host name, an IP address or a network as in 10.0.0.0/8{hint}")
    return name


def _as_a_label(name: str) -> str:
    try:
        return f", as in {name.encode('idna').decode('ascii')!r}"
    except UnicodeError:
        return ""


def _network(text: str) -> str:
    import ipaddress

    if "://" in text:
        raise ValueError("must be a host, not a web address: neither https:// nor a path")
    if "/" not in text:
        return _address(text)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        if "host bits" in str(error):
            right = ipaddress.ip_network(text, strict=False)
            raise ValueError(f"has bits set beyond its prefix; the network is {right}") from None
        raise ValueError("is not a network in CIDR notation, as 10.0.0.0/8 is") from None


def _address(text: str) -> str:
    import ipaddress

    try:
        if "%" in text:
            raise ValueError("a zone means something on one machine only")
        return str(ipaddress.ip_address(text))
    except ValueError:
        hint = "; ports have a key of their own" if re.match(r"[^:]+:[0-9]+\Z", text) else ""
        raise ValueError(f"is not an IP address in its full form{hint}") from None
