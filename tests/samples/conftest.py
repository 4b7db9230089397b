"""The sample plugins as objects, made of their real manifests, settings and code, without a host."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluginkit.config import Config, PluginConfig
from pluginkit.contracts import Contract, Execute, load_contract
from pluginkit.discovery import Catalogue, Found, discover
from pluginkit.manifest import ManifestReader, Vocabulary
from pluginkit.services import HostFunctions, PluginContext

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sample:
    """One sample plugin: what it says of itself, and the object that a host would call."""

    found: Found
    target: Any

    @property
    def implementations(self) -> dict[str, Any]:
        members = {name: getattr(self.target, name) for name in dir(self.target) if name[0] != "_"}
        return {name: member for name, member in members.items() if hasattr(member, "pluginkit_impl")}


LoadSample = Callable[..., Sample]


@pytest.fixture(scope="session")
def config() -> Config:
    """The sample host's config, whatever the environment says."""
    return Config.load(ROOT / "config.yaml", environ={}, strict=True)


@pytest.fixture(scope="session")
def contracts(config: Config) -> dict[str, Contract]:
    named = {name: load_contract(spec, name) for name, spec in config.contracts.items()}
    return {"execute": Contract.of("execute", Execute), **named}


@pytest.fixture(scope="session")
def catalogue(config: Config, contracts: dict[str, Contract]) -> Catalogue:
    vocabulary = Vocabulary(types=frozenset({*contracts, "pluggy"}))
    return discover(plugins_dirs=[config.plugins_dir], manifests=ManifestReader(vocabulary))


@pytest.fixture
def load_sample(config: Config, catalogue: Catalogue, tmp_path: Path) -> Iterator[LoadSample]:
    """Make a sample plugin's object; `settings_dir` is where its config file lies."""
    known = set(sys.modules)

    def load(name: str, settings_dir: Path = config.plugin_configs_dir) -> Sample:
        found = catalogue.found[name]
        target = _entrypoint(found)
        if isinstance(target, type):
            target = _make(target, found, settings_dir, tmp_path)
        return Sample(found, target)

    yield load
    for name in set(sys.modules) - known:
        if not name.startswith("pluginkit"):
            del sys.modules[name]


def _entrypoint(found: Found) -> Any:
    _import_package(found)
    entrypoint = found.manifest.entrypoint
    inside = importlib.util.find_spec(f"{found.package}.{entrypoint.module}") if found.root.is_dir() else None
    module = importlib.import_module(inside.name if inside is not None else found.package)
    return module if entrypoint.attribute is None else getattr(module, entrypoint.attribute)


def _import_package(found: Found) -> None:
    """Make the plugin's root importable under its name; a directory without `__init__.py` is a package too."""
    file = found.root / "__init__.py" if found.root.is_dir() else found.root
    if not file.exists():
        package = ModuleType(found.package)
        package.__path__ = [str(found.root)]
        sys.modules[found.package] = package
        return
    spec = importlib.util.spec_from_file_location(found.package, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[found.package] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def _make(cls: type, found: Found, settings_dir: Path, data_dir: Path) -> Any:
    if "ctx" not in inspect.signature(cls).parameters:
        return cls()
    return cls(
        PluginContext(
            name=found.name,
            version=str(found.manifest.version),
            generation=1,
            settings=PluginConfig.read(settings_dir, found.name).settings_for(found.manifest),
            hook=None,
            functions=HostFunctions({}),
            data_dir=data_dir,
        )
    )
