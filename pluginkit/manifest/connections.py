"""What host and plugin agree on before they talk: the sections `handshake` and `http_services`."""

from __future__ import annotations

from dataclasses import dataclass

from . import scalars
from .fields import Node
from .names import word

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ROUTES = "routes: [{route: /api/cat/:id, method: GET, label: cat.get}]"


@dataclass(frozen=True, slots=True)
class Handshake:
    """What host and plugin tell each other first. It finds mistakes; it proves no identity.

    `protocol_versions` are the versions of the host's own protocol with its plugins that one side
    speaks, each 1 or more. The cookie is a word that all plugins of one host know; a host without
    one compares none.

    >>> Handshake((1, 2), "ZOO_PLUGIN", "9f2c41").highest_common(Handshake((2, 3)))
    2
    """

    protocol_versions: tuple[int, ...] = (1,)
    magic_cookie_key: str = ""
    magic_cookie_value: str = ""

    def highest_common(self, other: Handshake) -> int | None:
        """The highest protocol version that both speak, None if there is none."""
        return max(set(self.protocol_versions).intersection(other.protocol_versions), default=None)


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP route and the label under which `execute` is called for it."""

    route: str
    method: str
    label: str


@dataclass(frozen=True, slots=True)
class HttpServices:
    """The routes that a plugin serves."""

    driver: str
    routes: tuple[Route, ...] = ()


def read_handshake(node: Node) -> Handshake:
    """The handshake: all three fields are required once the section is there."""
    section = node.section(("protocol_version", "magic_cookie_key", "magic_cookie_value"), "handshake: {…}")
    version = section.require("protocol_version", "protocol_version: 1")
    key, value = "magic_cookie_key", "magic_cookie_value"
    return Handshake(
        protocol_versions=_read_versions(version) if version is not None else (1,),
        magic_cookie_key=section.text(key, scalars.line, "", example=f"{key}: CAT_PLUGIN", required=True),
        magic_cookie_value=section.text(value, scalars.line, "", example=f'{value}: "9f2c…"', required=True),
    )


def _read_versions(node: Node) -> tuple[int, ...]:
    """One version, or a list of those that the plugin can speak."""
    many = (
        node.items("protocol_version: [1, 2]", allow_empty=False) if isinstance(node.value, list) else [node]
    )
    return tuple(sorted({one.integer(1, lowest=1, example="1") for one in many}))


def read_http_services(node: Node) -> HttpServices:
    """The HTTP routes that the plugin serves."""
    section = node.section(("driver", "routes"), f"http_services: {{driver: starlette, {_ROUTES}}}")
    routes = section.require("routes", _ROUTES)
    return HttpServices(
        driver=section.text("driver", word, "", example="driver: starlette", required=True),
        routes=tuple(map(_read_route, routes.items(_ROUTES))) if routes is not None else (),
    )


def _read_route(node: Node) -> Route:
    section = node.section(("route", "method", "label"), "{route: /api/cat/:id, method: GET, label: cat.get}")
    method = section.require("method", "method: GET")
    return Route(
        route=section.text("route", scalars.route, "", example="route: /api/cat/:id", required=True),
        method=(method.choice(METHODS) if method is not None else None) or "",
        label=section.text("label", scalars.line, "", example="label: cat.get", required=True),
    )
