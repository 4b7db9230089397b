"""The handshake of a manifest, compared with the host's: on paper, before anything is imported.

It finds plugins that are meant for another host, or for another version of what host and plugin say to
each other. It proves nobody's identity: whoever writes a manifest can write any cookie into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluginkit.discovery import Found
    from pluginkit.manifest import Handshake


def agreed_protocol(found: Found, host: Handshake | None) -> int | None:
    """The protocol version that a plugin and its host use: the highest common one.

    None if the plugin's manifest has no handshake, or they have none in common.
    """
    theirs = found.manifest.handshake
    return None if theirs is None else theirs.highest_common(host or type(theirs)())


def handshake_fault(found: Found, host: Handshake | None) -> Reason | None:
    """Why the handshakes of a plugin and its host do not fit; a manifest without one fits every host."""
    theirs = found.manifest.handshake
    if theirs is None:
        return None
    ours = host or type(theirs)()
    who = f"{found.name} {found.manifest.version}"
    if theirs.highest_common(ours) is None:
        text = f"{who} speaks {_versions(theirs.protocol_versions)}, this host {_versions(ours.protocol_versions)}"
        return Reason("incompatible-protocol", text)
    if not ours.magic_cookie_key:
        return None
    if theirs.magic_cookie_key != ours.magic_cookie_key:
        text = f"{who} has the cookie {theirs.magic_cookie_key!r}, plugins of this host have {ours.magic_cookie_key!r}"
        return Reason("incompatible-cookie", text)
    if theirs.magic_cookie_value != ours.magic_cookie_value:
        text = f"{who} has another value of the cookie {theirs.magic_cookie_key!r} than plugins of this host have"
        return Reason("incompatible-cookie", text)
    return None


def _versions(versions: Iterable[int]) -> str:
    numbers = [str(version) for version in versions]
    return f"protocol {numbers[0]}" if len(numbers) == 1 else f"the protocols {', '.join(numbers)}"
