"""What a host grants its plugins: its configuration's policy, its places, and what was approved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.discovery import Found
    from pluginkit.host_setup import HostSetup
    from pluginkit.lifecycle import Plugin
    from pluginkit.manifest import Capabilities
    from pluginkit.security import Grants, Places, Policy
    from pluginkit.security.guard import Guard

Approved = Callable[["Found"], "Capabilities | None"]
"""What was approved of a plugin before; None where nothing has to be."""


def _nothing_to_approve(_found: Found) -> Capabilities | None:
    return None


class HostGrants:
    """Gives each plugin its grants when it is loaded; raises `ConfigError` for a policy that cannot be read."""

    def __init__(
        self,
        setup: HostSetup,
        config: Config | None,
        publish: Callable[..., object],
        *,
        approved: Approved = _nothing_to_approve,
    ) -> None:
        self._setup = setup
        self._config = config
        self.approved = approved
        self._policy: Policy | None = None
        self.guard: Guard | None = None
        if config is not None and config.capabilities.guard != "off":
            from pluginkit.security.guard import Guard

            self.guard = Guard(config.capabilities.guard, publish)
        if config is not None and (
            config.capabilities.allow or config.capabilities.deny or config.capabilities.plugins
        ):
            self._policy = _read(config)

    @property
    def policy(self) -> Policy:
        """The host's policy; without one nothing is granted."""
        if self._policy is None:
            from pluginkit.security import Policy

            self._policy = Policy()
        return self._policy

    def of(self, found: Found) -> Grants:
        """What a plugin is granted, whether it asks for anything or not; nothing of it is run."""
        from pluginkit.security import effective

        return effective(
            found.name,
            found.manifest.capabilities,
            self.policy.of(found.name),
            self.places(found),
            approved=self.approved(found),
        )

    def standing(self, plugin: Plugin) -> Grants | None:
        """What the version in service got, or the plugin would get; None if its manifest cannot be read."""
        from pluginkit.discovery import Found

        if plugin._live is not None:
            return plugin._live.context.grants
        return self.of(plugin.source) if isinstance(plugin.source, Found) else None

    def wanted(self, found: Found) -> Grants | None:
        """What a plugin is granted; None for one that asks for nothing, as most do."""
        from pluginkit.manifest import Capabilities

        return None if found.manifest.capabilities == Capabilities() else self.of(found)

    def marks(self, found: Found) -> dict[str, object]:
        """What the guard knows a plugin's code by."""
        return {} if self.guard is None else self.guard.marks(self.of(found))

    def close(self) -> None:
        """End the guard, if there is one."""
        if self.guard is not None:
            self.guard.close()

    def places(self, found: Found) -> Places:
        """The plugin's own directories, and all that it never gets."""
        import sysconfig

        from pluginkit.security import Places
        from pluginkit.security.trusted import TrustStore

        setup = self._setup
        configs = setup.plugin_configs_dir
        protected = [setup.state_dir, *([setup.config_file] if setup.config_file else [])]
        if configs is not None:
            protected.append(configs)
        # What was approved, and who is trusted, is not a plugin's to say.
        protected.append(setup.lock_file)
        if found.manifest.capabilities.filesystem:
            protected.append(TrustStore().path)
        if self._config is not None:
            # The log, its queue and the audit trail: what tells of plugins is not theirs to change.
            protected.append(self._config.directories.logs_dir)
        return Places(
            data=setup.state_dir / "data" / found.name,
            cache=setup.state_dir / "cache" / found.name,
            config=None if configs is None else configs / found.name,
            plugin=found.root,
            protected=tuple(protected),
            code=(*setup.plugins_dirs, Path(sysconfig.get_path("purelib"))),
        )


def _read(config: Config) -> Policy:
    from pluginkit.security import read_policy

    keys = config.capabilities
    return read_policy(allow=keys.allow, deny=keys.deny, plugins=keys.plugins)
