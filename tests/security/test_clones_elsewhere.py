"""A clone that names plugins outside of itself: they are not trusted by that."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pluginkit import Config, Host
from pluginkit.security.trusted import TrustStore, came_with_a_clone


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "clone/.git").mkdir(parents=True)
    return tmp_path / "clone"


def test_se_a_link_that_came_with_a_clone_is_the_clones(clone: Path) -> None:
    (clone / "plugins").symlink_to(clone.parent / "elsewhere")
    assert came_with_a_clone(clone / "plugins")
    (clone.parent / "link").symlink_to(clone)
    assert came_with_a_clone(clone.parent / "link")
    assert not came_with_a_clone(clone.parent / "elsewhere")


def test_se_a_directory_that_a_clones_configuration_names_is_not_trusted(clone: Path) -> None:
    file = clone / "config.json"
    file.write_text(json.dumps({"directories": {"plugins_dir": "../elsewhere"}}))
    found = Config.load(file, environ={}, is_found=True)
    named = Config.load(file, environ={})
    assert Host(found).setup.project_dirs == (found.plugins_dir,)
    assert Host(named).setup.project_dirs == ()


def test_se_trust_that_is_given_and_taken_at_once_is_not_mixed_up(tmp_path: Path) -> None:
    path = tmp_path / "state" / "trusted.json"
    digests = [f"{number:064x}" for number in range(24)]
    TrustStore(path).add((digest, tmp_path) for digest in digests[:12])

    def change(number: int) -> None:
        if number < 12:
            TrustStore(path).remove([digests[number]])
        else:
            TrustStore(path).add([(digests[number], tmp_path)])

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(change, range(24)))
    assert sorted(TrustStore(path).read()) == digests[12:]
