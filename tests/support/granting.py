"""A plugin context with grants, as a host would make it, out of the texts of a manifest and a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pluginkit.config import Settings
from pluginkit.events import Event, EventBus
from pluginkit.manifest import Capabilities
from pluginkit.security import Grants, Places, effective, read_policy
from pluginkit.services import HostFunctions, PluginContext


@dataclass
class Granted:
    context: PluginContext
    events: list[Event] = field(default_factory=list)

    @property
    def denials(self) -> list[Mapping[str, Any]]:
        return [event.data for event in self.events if event.kind == "capability_denied"]


def wishes(section: Mapping[str, Any]) -> Capabilities:
    """The section `capabilities` of a manifest, read."""
    allow = read_policy(allow=section).everybody.allow
    assert isinstance(allow, Capabilities)
    return allow


def grants_of(
    requested: Mapping[str, Any],
    data: Path,
    *,
    allow: Mapping[str, Any] | str = "requested",
    deny: Mapping[str, Any] | None = None,
    approved: Mapping[str, Any] | None = None,
    dangerous: bool = False,
    protected: tuple[Path, ...] = (),
    code: tuple[Path, ...] = (),
) -> Grants:
    policy = read_policy(plugins={"cat": {"allow": allow, "deny": deny or {}, "dangerous": dangerous}})
    places = Places(data=data, cache=data.parent / "cache", protected=protected, code=code)
    return effective(
        "cat",
        wishes(requested),
        policy.of("cat"),
        places,
        approved=None if approved is None else wishes(approved),
    )


@contextmanager
def granted(requested: Mapping[str, Any], data: Path, **more: Any) -> Iterator[Granted]:
    """A plugin with these grants, until the end of the block."""
    bus = EventBus()
    made = Granted(
        PluginContext(
            name="cat",
            version="1.0.0",
            generation=1,
            settings=Settings({}),
            hook=None,
            functions=HostFunctions({}),
            data_dir=data,
            grants=grants_of(requested, data, **more),
            publish=bus.publish,
        )
    )
    bus.subscribe(made.events.append)
    yield made
    assert made.context.close(timeout=5.0) == []
