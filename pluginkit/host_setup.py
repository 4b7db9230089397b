"""Where a host looks and by what it judges: its arguments and its configuration made one."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from pluginkit.defaults import ENTRY_POINT_GROUP
from pluginkit.errors import ConfigError, Problem, Reason, UsageError
from pluginkit.lifecycle import Circumstances, QuarantineRule
from pluginkit.manifest import normalise_name
from pluginkit.security.trust_policy import TrustPolicy
from pluginkit.versions import Version

if TYPE_CHECKING:
    from os import PathLike

    from pluginkit.config import Config
    from pluginkit.contracts import Contract
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.lifecycle import StateFile
    from pluginkit.manifest import Handshake, ManifestReader
    from pluginkit.security.judge import Judge

ErrorPolicy = Literal["record", "raise", "group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSetup:
    """The resolved circumstances of one host; paths are absolute."""

    plugins_dirs: tuple[Path, ...]
    plugin_configs_dir: Path | None
    state_dir: Path
    entry_point_group: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    select: Callable[[Found], bool] | None
    disabled: tuple[str, ...]
    errors: ErrorPolicy
    timing: bool
    strict: bool
    quarantine: QuarantineRule
    version: Version | None
    handshake: Handshake | None
    config_file: Path | None
    trust: TrustPolicy = field(default_factory=TrustPolicy)
    lock_file: Path
    project_dirs: tuple[Path, ...] = ()

    @property
    def pluginkit_version(self) -> str:
        """The version of pluginkit that runs."""
        return str(own_version())

    def discover(self, manifests: ManifestReader) -> Catalogue:
        """Look into the plugins directories and the installed distributions."""
        from pluginkit.discovery import Selection, discover

        catalogue = discover(
            plugins_dirs=self.plugins_dirs,
            entry_point_group=self.entry_point_group,
            manifests=manifests,
        )
        return Selection(self.include, self.exclude, self.select).apply(catalogue)

    def judge(self) -> Judge:
        """Who holds plugins to what the host trusts."""
        from pluginkit.security.judge import Judge
        from pluginkit.security.lock import LockFile
        from pluginkit.security.trusted import TrustStore

        store = TrustStore() if self.project_dirs else None
        return Judge(self.trust, LockFile(self.lock_file), project_dirs=self.project_dirs, store=store)

    def circumstances(self, store: StateFile, judge: Judge) -> Circumstances:
        """What plugins are judged against now: versions, and who is switched off by whom."""
        disabled = {
            name: Reason("disabled-by-user", "switched off with `pluginkit disable`")
            for name in store.read().disabled
        }
        for name in self.disabled:
            place = self.config_file or "the host's configuration"
            disabled[normalise_name(name)] = Reason(
                "disabled-by-config", f"listed in plugins.disabled of {place}"
            )
        return Circumstances(
            python=Version.parse(platform.python_version().rstrip("+")),
            pluginkit=own_version(),
            host=self.version,
            disabled=disabled,
            plugin_configs_dir=self.plugin_configs_dir,
            strict=self.strict,
            judge=judge,
            handshake=self.handshake,
        )


def own_version() -> Version:
    """The version of pluginkit that runs."""
    from pluginkit import __version__

    return Version.parse(__version__)


def resolve(  # noqa: PLR0913  # the arguments of Host, one by one
    config: Config | None,
    *,
    plugins_dir: str | PathLike[str] | Iterable[str | PathLike[str]] | None,
    entry_point_group: str | None,
    include: Iterable[str],
    exclude: Iterable[str],
    select: Callable[[Found], bool] | None,
    state_dir: str | PathLike[str] | None,
    version: str | None,
    handshake: Handshake | None,
    errors: ErrorPolicy | None,
    quarantine: tuple[int, float] | None,
    strict: bool,
) -> HostSetup:
    """Let arguments win over the configuration, and that over the defaults."""
    directories = _directories(plugins_dir, config)
    if config is not None and entry_point_group == ENTRY_POINT_GROUP:
        entry_point_group = config.plugins.entry_point_group if config.plugins.entry_points else None
    state = _state_dir(state_dir, config, directories)
    trust = TrustPolicy() if config is None else TrustPolicy.read(config.trust, config.path)
    # Beside the configuration, so that both are committed together; without one, with the rest of the state.
    beside = state if config is None else (config.path or Path("config.yaml")).absolute().parent
    return HostSetup(
        plugins_dirs=directories,
        plugin_configs_dir=None if config is None else config.plugin_configs_dir,
        state_dir=state,
        entry_point_group=entry_point_group,
        include=_globs(include) or (config.plugins.include if config is not None else ()),
        exclude=_globs(exclude) or (config.plugins.exclude if config is not None else ()),
        select=select,
        disabled=config.plugins.disabled if config is not None else (),
        errors=_errors(errors, config),
        timing=config is not None and config.hooks.timing,
        quarantine=_quarantine(quarantine, config),
        strict=strict,
        version=_host_version(version, config),
        handshake=_handshake(config) if handshake is None else handshake,
        config_file=None if config is None else config.path,
        trust=trust,
        lock_file=beside / trust.lock_file,
        project_dirs=_project_dirs(config, directories) if plugins_dir is None else (),
    )


def _quarantine(given: tuple[int, float] | None, config: Config | None) -> QuarantineRule:
    if given is not None:
        return QuarantineRule(*given)
    if config is None:
        return QuarantineRule()
    return QuarantineRule(config.hooks.quarantine.errors, config.hooks.quarantine.window)


def _host_version(given: str | None, config: Config | None) -> Version | None:
    """The host's version, or None if nobody said it: then no range of it is checked."""
    if given is not None:
        try:
            return Version.parse(given)
        except ValueError as error:
            raise UsageError(f"Host(version={given!r}): {error}") from error
    if config is None or config.host_version is None:
        return None
    return config.application.app_version.version


def _handshake(config: Config | None) -> Handshake | None:
    """The host's part of a handshake; None where the configuration says nothing of it."""
    if config is None:
        return None
    ours = config.handshake
    key, value = ours.magic_cookie_key.strip(), ours.magic_cookie_value.strip()
    if bool(key) != bool(value):
        both = ("magic_cookie_key", "magic_cookie_value")
        given, missing = both if key else reversed(both)
        problem = Problem(
            f"is needed where there is a {given}",
            path=f"handshake.{missing}",
            example=f"{missing}: ZOO",
            file=config.path,
        )
        raise ConfigError("the configuration cannot be used", [problem])
    if not key and ours.protocol_version == (1,):
        return None  # what it is anyway, and most hosts need not import the class for it
    from pluginkit.manifest import Handshake

    return Handshake(ours.protocol_version, key, value)


def _globs(given: Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _errors(given: ErrorPolicy | None, config: Config | None) -> ErrorPolicy:
    policy = given or (config.hooks.errors if config is not None else "record")
    if policy not in get_args(ErrorPolicy):
        raise UsageError(f"Host(errors={policy!r}): use one of {', '.join(get_args(ErrorPolicy))}")
    return policy


def _directories(
    given: str | PathLike[str] | Iterable[str | PathLike[str]] | None, config: Config | None
) -> tuple[Path, ...]:
    if given is None:
        return () if config is None else (config.plugins_dir,)
    many = [given] if isinstance(given, str) or hasattr(given, "__fspath__") else given
    return tuple(Path(directory).absolute() for directory in many)  # type: ignore[arg-type]  # one or many, decided above


def _project_dirs(config: Config | None, directories: tuple[Path, ...]) -> tuple[Path, ...]:
    """The directories of plugins that may have come with a clone: nobody but the clone itself named them."""
    if config is None or not config.is_found:
        return ()
    origin = config.origin("directories.plugins_dir")
    if origin != "default" and not origin.startswith("file:"):
        return ()
    says = config.trust.get("plugins_dir")
    if says is None:
        from pluginkit.security.trusted import came_with_a_clone

        # A clone can name a directory that lies elsewhere, or put a link in its place.
        file = config.path
        is_clones = file is not None and came_with_a_clone(file.parent)
        return tuple(directory for directory in directories if is_clones or came_with_a_clone(directory))
    return () if says else directories


def _state_dir(
    given: str | PathLike[str] | None, config: Config | None, directories: tuple[Path, ...]
) -> Path:
    if given is not None:
        return Path(given).absolute()
    if config is not None:
        return config.state_dir
    if directories:
        return directories[0].parent / ".pluginkit"
    from platformdirs import user_state_path

    return user_state_path("pluginkit", appauthor=False)


@contextmanager
def importable_beside(config_file: Path | None) -> Iterator[None]:
    """Let modules that lie beside config.yaml be imported in the block, as `python -m pluginkit` would.

    Last on the path: what is installed is not shadowed by what happens to lie there.
    """
    directory = None if config_file is None else str(config_file.absolute().parent)
    if directory is None or directory in sys.path:
        yield
        return
    sys.path.append(directory)
    try:
        yield
    finally:
        sys.path.remove(directory)


def read_contracts(config: Config | None, given: Mapping[str, type], project: str) -> dict[str, Contract]:
    """The contracts by type: the built-in `execute`, those of the configuration, those given."""
    from pluginkit.contracts import Contract, Execute, load_contract

    contracts = {"execute": Contract.of("execute", Execute)}
    for name, spec in config.contracts.items() if config is not None else ():
        contracts[name] = load_contract(spec, name, project=project)
    for name, cls in given.items():
        contracts[name] = Contract.of(name, cls, project)
    return contracts


def read_config(config: Config | str | PathLike[str] | None) -> Config | None:
    """A configuration as it is, or read from its path."""
    if config is None:
        return None
    from pluginkit.config import Config

    return config if isinstance(config, Config) else Config.load(Path(config))
