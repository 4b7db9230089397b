"""Contracts named in the config: found, or refused with what to write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluginkit.contracts import Animal, load_contract
from pluginkit.errors import ContractDefinitionError


@pytest.fixture
def host_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Write a module of the host program and make it importable."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)

    def write(name: str, source: str) -> None:
        tmp_path.joinpath(f"{name}.py").write_text(source, encoding="utf-8")

    yield write
    for name in set(sys.modules) - known:
        del sys.modules[name]


def refusal(spec: str) -> str:
    with pytest.raises(ContractDefinitionError) as caught:
        load_contract(spec, "animal")
    return str(caught.value)


def test_lh03_a_contract_is_loaded_by_name() -> None:
    contract = load_contract("pluginkit.contracts.samples:Animal", "animal")
    assert (contract.type, contract.cls) == ("animal", Animal)


def test_lh03_a_nested_class_of_another_project_is_loaded(host_module: Callable[[str, str], None]) -> None:
    host_module(
        "zoo_specs",
        "from pluginkit import HookspecMarker\n"
        "class Zoo:\n  class Animal:\n    @HookspecMarker('zoo')\n    def speak(self): ...\n",
    )
    contract = load_contract("zoo_specs:Zoo.Animal", "animal", project="zoo")
    assert (contract.project, list(contract.hooks)) == ("zoo", ["speak"])


@pytest.mark.parametrize(
    ("spec", "right"),
    [
        ("pluginkit.contracts.samples.Animal", "pluginkit.contracts.samples:Animal"),
        ("Animal", "myapp.contracts:Animal"),
        ("", "myapp.contracts:Animal"),
        ("a:b:c", "myapp.contracts:Animal"),
        ("../specs.py:Animal", "myapp.contracts:Animal"),
        (".specs:Animal", "myapp.contracts:Animal"),
        ("specs: Animal", "myapp.contracts:Animal"),
        ("a..b:Animal", "myapp.contracts:Animal"),
    ],
)
def test_lh03_a_spec_of_another_form_is_refused_with_the_right_one(spec: str, right: str) -> None:
    assert (
        refusal(spec)
        == f'contracts.animal: {spec!r} is not of the form module:Class; right would be animal: "{right}"'
    )


def test_lh03_a_missing_module_is_named_with_the_part_that_is_missing() -> None:
    assert "there is no module 'no_such_host' to import" in refusal("no_such_host.contracts:Animal")
    assert "there is no module 'pluginkit.no_such' to import" in refusal("pluginkit.no_such:Animal")


def test_lh03_what_the_hosts_module_lacks_is_told_apart(host_module: Callable[[str, str], None]) -> None:
    host_module("needy_specs", "import no_such_library")
    assert refusal("needy_specs:Animal") == (
        "contracts.animal: the module 'needy_specs' imports 'no_such_library', which is not installed"
    )


def test_lh03_a_module_that_fails_is_reported_with_its_error(host_module: Callable[[str, str], None]) -> None:
    host_module("broken_specs", "1 / 0")
    assert refusal("broken_specs:Animal") == (
        "contracts.animal: the module 'broken_specs' fails when it is imported: ZeroDivisionError: division by zero"
    )


def test_lh03_an_unknown_class_is_refused_with_the_nearest() -> None:
    assert "'pluginkit.contracts.samples' has no 'Animel'; did you mean 'Animal'?" in refusal(
        "pluginkit.contracts.samples:Animel"
    )


def test_lh03_something_that_is_no_class_is_refused() -> None:
    assert refusal("pluginkit.contracts.checking:check") == (
        "contracts.animal: pluginkit.contracts.checking:check is a function, not a class of hookspecs"
    )


def test_lh03_an_attribute_of_something_without_attributes_is_refused(
    host_module: Callable[[str, str], None],
) -> None:
    host_module("plain_specs", "number = 3")
    assert "'plain_specs' has no 'number.Animal'; there is none" in refusal("plain_specs:number.Animal")


def test_lh03_a_class_that_is_no_contract_is_refused() -> None:
    assert "has no method with @hookspec" in refusal("pluginkit.errors:Problem")
