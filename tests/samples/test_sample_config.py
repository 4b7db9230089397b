"""The sample host's config: its contracts load, its calls fit, and it shows every section that there is."""

from __future__ import annotations

from pathlib import Path

from pluginkit.config import KEYS, Config
from pluginkit.contracts import Contract, arguments_from_values, ensure_distinct


def test_cf01_the_sample_config_is_right_without_a_notice(config: Config) -> None:
    assert config.notices == ()


def test_cf01_the_sample_config_shows_every_section(config: Config) -> None:
    text = Path(str(config.path)).read_text(encoding="utf-8")
    assert {name for name, *_ in KEYS if f"\n{name}:" not in text} == set()


def test_lh03_the_sample_contracts_share_no_hook(contracts: dict[str, Contract]) -> None:
    ensure_distinct(contracts.values())
    hooks = [name for contract in contracts.values() for name in contract.hooks]
    assert len(hooks) == len(set(hooks))


def test_cl03_every_call_of_the_sample_config_fits_its_hook(
    config: Config, contracts: dict[str, Contract]
) -> None:
    specs = {name: spec for contract in contracts.values() for name, spec in contract.hooks.items()}
    for call in config.calls:
        arguments_from_values(specs[call.hook], call.arguments)
    assert set(specs) - {call.hook for call in config.calls} == {
        "transformations"
    }  # too long a result to greet with
