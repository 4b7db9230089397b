"""verify, lock, approve, sign and trust, as a user has them; none of them runs a plugin."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin

Cli = Callable[..., Any]
READ = {"filesystem": [{"path": "${data}/", "permissions": ["read"]}]}
WRITE = {"filesystem": [{"path": "${data}/", "permissions": ["read", "write"]}]}
BOMB = "raise SystemExit('plugin code was run')\n"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state directory of the test; what is trusted there is nobody's but its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def configure(project: Path, **trust: Any) -> None:
    text = project.joinpath("config.yaml").read_text("utf-8")
    project.joinpath("config.yaml").write_text(f"{text}trust: {json.dumps(trust)}\n", "utf-8")


def bomb(project: Path, version: str = "1.0.0", **sections: Any) -> Path:
    """A plugin that tells at once if any of it is run."""
    return write_plugin(project / "plugins", "bomb", BOMB, type="animal", version=version, **sections)


def state(cli: Cli, name: str) -> tuple[str, str | None]:
    rows = {row["name"]: row for row in cli("list", "--json", status=None).data["plugins"]}
    reason = rows[name]["reason"]
    return rows[name]["state"], reason["code"] if reason else None


# verify


def test_cl06_verify_without_anything_that_vouches_is_fine_and_says_so(project: Path, cli: Cli) -> None:
    bomb(project)
    done = cli("verify")
    assert "cat 1.0.0: fine (nobody vouches for its files)" in done.stdout
    assert "bomb 1.0.0: fine" in done.stdout


def test_cl06_verify_writes_the_list_and_finds_a_changed_file(project: Path, cli: Cli) -> None:
    cli("verify", "plugins/cat", "--write")
    lines = (project / "plugins/cat/plugin.sha256").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["cat.py", "manifest.yaml"]
    assert "fine (checksums)" in cli("verify", "cat").stdout
    with (project / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")
    done = cli("verify", "cat", "--json", status=1)
    [row] = done.data["plugins"]
    assert (done.data["ok"], row["code"]) == (False, "checksum-mismatch")
    assert "cat.py was changed" in row["text"]
    assert "checksum-mismatch" in cli("verify", "cat", status=1).stdout


def test_cl06_verify_has_always_the_same_keys(project: Path, cli: Cli) -> None:
    cli("verify", "cat", "--write")
    good = cli("verify", "cat", "--json").data["plugins"][0]
    (project / "plugins/cat/more.py").write_text("")
    bad = cli("verify", "cat", "--json", status=1).data["plugins"][0]
    assert good.keys() == bad.keys()
    assert good["checksums"].endswith("plugin.sha256")
    assert len(good["sha256"]) == 64


def test_cl06_verify_an_unknown_name_or_a_broken_plugin_exits_2(project: Path, cli: Cli) -> None:
    assert "cat" in cli("verify", "cta", status=2).stderr
    write_plugin(project / "plugins", "empty", "").joinpath("manifest.yaml").unlink()
    assert "manifest" in cli("verify", "plugins/empty", status=2).stderr
    (project / "plugins/cat/link").symlink_to("/etc/passwd")
    assert "symbolic link" in cli("verify", "cat", status=2).stderr


# lock and approve


def test_cl06_lock_records_all_and_a_change_is_then_refused(project: Path, cli: Cli) -> None:
    bomb(project)
    cli("lock")
    entries = json.loads((project / "plugins.lock").read_text())["plugins"]
    assert sorted(entries) == ["bomb", "cat"]
    assert entries["cat"]["origin"] == "directory:cat"
    assert "fine (lock)" in cli("verify", "cat").stdout
    with (project / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")
    assert "tree-changed" in cli("verify", "cat", status=1).stdout
    cli("call", "speak", "is_loud=true", status=None)
    cli("lock", "cat")
    assert "fine (lock)" in cli("verify", "cat").stdout


def test_cl06_lock_takes_out_what_is_gone_only_when_all_are_locked(project: Path, cli: Cli) -> None:
    path = bomb(project)
    cli("lock")
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    cli("lock", "cat")
    assert "bomb" in json.loads((project / "plugins.lock").read_text())["plugins"]
    cli("lock")
    assert list(json.loads((project / "plugins.lock").read_text())["plugins"]) == ["cat"]


def test_cl06_lock_does_not_go_back_to_an_older_version_unless_it_is_told_to(project: Path, cli: Cli) -> None:
    bomb(project, "2.0.0")
    cli("lock")
    bomb(project, "1.0.0")
    assert state(cli, "bomb") == ("failed", "downgrade")
    assert "(downgrade)" in cli("lock", status=1).stderr
    assert state(cli, "bomb") == ("failed", "downgrade")
    cli("lock", "bomb", "--allow-downgrade")
    assert state(cli, "bomb") == ("discovered", None)


def test_cp10_a_plugin_that_asks_for_more_is_held_in_list_until_it_is_approved(
    project: Path, cli: Cli
) -> None:
    bomb(project, capabilities=READ)
    cli("approve", "bomb")
    assert state(cli, "bomb") == ("discovered", None)
    bomb(project, "1.1.0", capabilities=WRITE)
    assert state(cli, "bomb") == ("held", "approval-needed")
    # Locking is not approving.
    assert "(approval-needed)" in cli("lock", status=1).stderr
    assert state(cli, "bomb") == ("held", "approval-needed")
    assert "bomb may now also: filesystem: read, write ${data}/" in cli("approve", "bomb").stdout
    assert state(cli, "bomb") == ("discovered", None)


def test_cl06_what_does_not_verify_is_not_approved(project: Path, cli: Cli) -> None:
    cli("verify", "cat", "--write")
    (project / "plugins/cat/more.py").write_text("")
    assert "(unlisted-file)" in cli("approve", "cat", status=1).stderr
    assert json.loads((project / "plugins.lock").read_text())["plugins"] == {}


def test_cl06_a_lock_that_cannot_be_read_is_not_overwritten(project: Path, cli: Cli) -> None:
    (project / "plugins.lock").write_text("{")
    assert "plugins.lock" in cli("lock", status=2).stderr
    assert (project / "plugins.lock").read_text() == "{"
    assert state(cli, "cat") == ("failed", "lock-unreadable")


def test_cl06_a_lock_that_nobody_looks_at_is_told(project: Path, cli: Cli) -> None:
    configure(project, lock="off")
    assert "nobody looks at the lock" in cli("lock").stderr


def test_cl06_the_lock_lies_where_the_configuration_says(project: Path, cli: Cli) -> None:
    configure(project, lock="required", lock_file="locks/ours.lock")
    (project / "locks").mkdir()
    assert state(cli, "cat") == ("failed", "not-locked")
    cli("lock")
    assert (project / "locks/ours.lock").is_file()
    assert state(cli, "cat") == ("discovered", None)


# sign


def test_se07_sign_with_a_new_key_and_verify(project: Path, cli: Cli, tmp_path: Path) -> None:
    key = tmp_path / "me.pem"
    made = cli("sign", "--new-key", str(key)).stdout
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    public = made.split("NAME: ")[1].strip()
    configure(project, signatures="required", keys={"me": public})
    assert "signature-missing" in cli("verify", "cat", status=1).stdout
    assert "2 files signed by" in cli("sign", "cat", "--key", str(key)).stdout
    assert "signed by" in cli("verify", "cat").stdout
    cli("lock", "cat")
    entry = json.loads((project / "plugins.lock").read_text())["plugins"]["cat"]
    assert entry["signer"] in made
    with (project / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")
    assert "signature-invalid" in cli("verify", "cat", status=1).stdout


def test_se07_sign_never_overwrites_a_key_and_says_what_is_missing(
    project: Path, cli: Cli, tmp_path: Path
) -> None:
    key = tmp_path / "me.pem"
    key.write_text("precious")
    assert "cannot be written" in cli("sign", "--new-key", str(key), status=2).stderr
    assert key.read_text() == "precious"
    assert "no private key" in cli("sign", "cat", "--key", str(key), status=2).stderr
    assert "cannot be read" in cli("sign", "cat", "--key", str(tmp_path / "no.pem"), status=2).stderr
    assert "--key FILE" in cli("sign", "cat", status=2).stderr
    assert "nothing to sign" in cli("sign", status=2).stderr


# Plugins that came with a clone


@pytest.fixture
def clone(project: Path) -> Path:
    """The project as somebody else's repository, just cloned."""
    (project / ".git").mkdir()
    bomb(project)
    return project


def test_se_plugins_of_a_clone_are_held_and_none_is_run(clone: Path, cli: Cli) -> None:
    assert state(cli, "bomb") == ("held", "not-trusted")
    assert state(cli, "cat") == ("held", "not-trusted")
    done = cli("call", "speak", "is_loud=true", status=None)
    assert "MEOW" not in done.stdout
    assert "plugin code was run" not in done.stdout + done.stderr


def test_se_trust_is_of_content_and_can_be_taken_back(clone: Path, cli: Cli, own_state: Path) -> None:
    before = sorted(path for path in clone.rglob("*") if path.is_file())
    cli("trust", "cat")
    assert state(cli, "cat") == ("discovered", None)
    assert state(cli, "bomb") == ("held", "not-trusted")
    assert "MEOW!" in cli("call", "speak", "is_loud=true", status=None).stdout
    with (clone / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")
    assert state(cli, "cat") == ("held", "not-trusted")
    cli("trust")
    assert {state(cli, "cat"), state(cli, "bomb")} == {("discovered", None)}
    cli("trust", "cat", "--remove")
    assert state(cli, "cat") == ("held", "not-trusted")
    # Nothing of it is in the project, where the next pull could bring it.
    assert (
        sorted(path for path in clone.rglob("*") if path.is_file() and ".pluginkit" not in path.parts)
        == before
    )
    [store] = own_state.rglob("trusted.json")
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_se_the_configuration_may_trust_them_or_not(clone: Path, cli: Cli) -> None:
    configure(clone, plugins_dir=True)
    assert state(cli, "cat") == ("discovered", None)


def test_se_outside_of_a_clone_only_a_no_of_the_configuration_holds_them(project: Path, cli: Cli) -> None:
    assert state(cli, "cat") == ("discovered", None)
    configure(project, plugins_dir=False)
    assert state(cli, "cat") == ("held", "not-trusted")


@pytest.mark.parametrize("option", [("--config", "config.yaml"), ("--plugins-dir", "plugins")])
def test_se_what_the_user_names_is_trusted(clone: Path, cli: Cli, option: tuple[str, str]) -> None:
    rows = {row["name"]: row["state"] for row in cli(*option, "list", "--json").data["plugins"]}
    assert rows["cat"] == "discovered"


def test_se_a_link_to_a_clones_plugins_is_the_clones(clone: Path, cli: Cli) -> None:
    (clone / "plugins").rename(clone / "elsewhere")
    (clone / "plugins").symlink_to(clone / "elsewhere")
    assert state(cli, "cat") == ("held", "not-trusted")


def test_se_a_store_that_cannot_be_read_trusts_nothing(clone: Path, cli: Cli, own_state: Path) -> None:
    cli("trust")
    [store] = own_state.rglob("trusted.json")
    store.write_text('{"schema_version": 9, "trees": {}}')
    assert state(cli, "cat") == ("held", "not-trusted")
    assert "nothing is trusted" in cli("trust", status=2).stderr


def test_se_a_host_in_a_program_trusts_the_directory_that_it_names(clone: Path) -> None:
    from pluginkit import Host
    from pluginkit.contracts.samples import Animal

    with Host(contracts={"animal": Animal}, plugins_dir=clone / "plugins", entry_point_group=None) as host:
        assert host.hook.speak(is_loud=False) == ["Meow"]


def test_se_doctor_and_calls_tell_of_what_waits_and_what_to_do(clone: Path, cli: Cli) -> None:
    done = cli("doctor", status=1)
    assert "look at it, then: pluginkit trust cat" in done.stdout + done.stderr
    told = cli("call", "speak", "is_loud=true", status=None).stderr
    assert "plugin 'cat'" in told
    assert "pluginkit trust cat" in told


def test_cl06_a_plugin_that_is_begun_in_a_clone_comes_with_what_to_say_of_trust(
    clone: Path, cli: Cli
) -> None:
    told = "say that you trust this project's own plugins, in config.yaml:  trust: {plugins_dir: true}"
    done = cli("new", "dog", "--type", "animal")
    assert told in done.stdout + done.stderr
    assert state(cli, "dog") == ("held", "not-trusted")
    configure(clone, plugins_dir=True)
    done = cli("new", "cow", "--type", "animal")
    assert told not in done.stdout + done.stderr
    assert state(cli, "cow") == ("discovered", None)


def reason(cli: Cli) -> str:
    rows = {row["name"]: row for row in cli("list", "--json", status=None).data["plugins"]}
    return str(rows["cat"]["reason"]["text"])


def test_se_what_has_changed_since_it_was_trusted_is_said_so(clone: Path, cli: Cli) -> None:
    assert "nobody has said that it is trusted" in reason(cli)
    cli("trust", "cat")
    with (clone / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")
    assert "has changed since it was trusted" in reason(cli)
