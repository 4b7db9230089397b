"""Policies that lose a denial, or an allowance that was written out."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import ConfigError
from pluginkit.manifest import Capabilities
from pluginkit.security import Places, effective, hosts, read_policy
from pluginkit.security.growth import exceeding
from pluginkit.security.refusal import Refusal
from tests.support.granting import grants_of, wishes


def egress(*names: str, ports: Any = (443,), protocol: str = "tcp") -> dict[str, Any]:
    return {"network": {"egress": [{"protocol": protocol, "hosts": list(names), "ports": list(ports)}]}}


def test_cp10_two_keys_for_one_plugin_lose_no_denial() -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(plugins={"My_Cat": {"deny": egress("*")}, "my-cat": {"allow": "requested"}})
    assert caught.value.problems[0].path == "capabilities.plugins.my-cat"


@pytest.mark.parametrize("general", [True, False], ids=["for everybody", "for the plugin"])
def test_cp10_a_star_that_is_written_out_counts_beside_requested(tmp_path: Path, general: bool) -> None:
    one, other = (egress("*"), "requested") if general else ("requested", egress("*"))
    policy = read_policy(allow=one, plugins={"cat": {"allow": other}})
    places = Places(data=tmp_path / "data", cache=tmp_path / "cache")
    grants = effective("cat", wishes({**egress("*"), "env": ["LANG"]}), policy.of("cat"), places)
    address = ipaddress.ip_address("1.1.1.1")
    grants.require_egress(hosts.read_host("example.com"), address, "tcp", 443)
    assert grants.env == ("LANG",)
    with pytest.raises(Refusal):
        grants.require_egress(hosts.read_host("example.com"), address, "tcp", 80)


def test_cp10_requested_alone_is_still_no_star(tmp_path: Path) -> None:
    grants = grants_of(egress("*"), tmp_path)
    with pytest.raises(Refusal):
        grants.require_lookup(hosts.read_host("example.com"), "tcp", 443)
    assert grants.layers[1] == Capabilities()


def test_cp10_a_manifest_with_thousands_of_hosts_is_compared_in_no_time() -> None:
    many = {
        "network": {
            "egress": [
                {
                    "protocol": "tcp",
                    "hosts": ["*", *(f"h{n}.example.com" for n in range(2000))],
                    "ports": list(range(1, 4000)),
                }
            ]
        }
    }
    asked = wishes(many)
    start = time.process_time()
    assert exceeding(asked, asked) == ()
    fewer = Capabilities(egress=(replace(asked.egress[0], hosts=asked.egress[0].hosts[1:]),))
    assert exceeding(fewer, asked) == ()
    assert len(exceeding(asked, fewer)) == 1
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("address", ["fec0::1", "3fff::1", "192.0.0.2"])
def test_n3_what_only_some_versions_of_python_know_as_local_is_not_public(address: str) -> None:
    assert not hosts.is_public(ipaddress.ip_address(address))


def fs(*grants: tuple[str, str] | tuple[str, str, bool]) -> dict[str, Any]:
    rows = [
        {"path": path, "permissions": permissions.split(), "recursive": bool(more and more[0])}
        for path, permissions, *more in grants
    ]
    return {"filesystem": rows}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (fs(("/srv/data", "read")), fs(("/srv/data", "read", True))),
        (fs(("/srv/", "read write", True), ("/srv/key/", "list", True)), fs(("/srv/", "read write", True))),
        (fs(("/srv/", "read", True), ("/srv/key/", "list", True)), fs(("/srv/key/", "read", True))),
        (fs(("/srv/", "read", True), ("/srv/key/", "read")), fs(("/srv/", "read", True))),
        (
            fs(("/srv/", "read", True), ("/srv/key/", "list", True)),
            fs(("/srv/", "read", True), ("/srv/key/x", "read")),
        ),
    ],
    ids=[
        "recursive without a slash",
        "the narrower one dropped",
        "the narrower one widened",
        "reach",
        "inside the narrower",
    ],
)
def test_cp10_growth_is_seen_where_a_narrower_grant_decided(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert exceeding(wishes(new), wishes(old))
    assert not exceeding(wishes(old), wishes(old))
    assert not exceeding(wishes(new), wishes(new))
    assert not exceeding(wishes(fs(("/srv/other", "read"))), wishes(fs(("/srv/", "read", True))))


def test_cp10_fewer_or_narrower_grants_are_no_growth() -> None:
    old = fs(("/srv/", "read write", True), ("/srv/key/", "list read", True))
    for new in (
        fs(("/srv/", "read", True)),
        fs(("/srv/", "read write", True), ("/srv/key/", "list", True)),
        fs(("/srv/other/", "read write", True)),
        fs(("/srv/key/", "read")),
    ):
        assert not exceeding(wishes(new), wishes(old)), new
