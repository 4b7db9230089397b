"""WR01, WR03 to WR08: whatever writes a plugin's files, the last content serves, by one reload each."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.watch.conftest import CODE, Yard, health, says, settled, until

ATOMIC = """
import os, sys, tempfile
path, text = sys.argv[1:]
handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
os.write(handle, text.encode())
os.close(handle)
os.replace(temporary, path)
"""

VIM = """
import os, sys
path, text = sys.argv[1:]
directory, name = os.path.split(path)
swap = os.path.join(directory, f".{name}.swp")
open(swap, "w").write("b0VIM")
probe = os.path.join(directory, "4913")
open(probe, "w").close()
os.unlink(probe)
os.rename(path, path + "~")
with open(path, "w") as file:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
os.chmod(path, 0o644)
os.unlink(path + "~")
os.unlink(swap)
"""
"""The system calls of one `:w` of vim with backupcopy=no, by strace."""


def run(*command: str, cwd: Path | None = None, text: str | None = None) -> None:
    subprocess.run(command, cwd=cwd, input=text, text=True, check=True, capture_output=True)


def redirect(path: Path, text: str) -> None:
    run("sh", "-c", f"cat > {shlex.quote(str(path))}", text=text)


def atomic_replace(path: Path, text: str) -> None:
    run(sys.executable, "-c", ATOMIC, str(path), text)


def sed_in_place(path: Path, text: str) -> None:
    old = path.read_text("utf-8").split("return ")[1].strip()
    new = text.split("return ")[1].strip()
    run("sed", "-i", f"s/{old}/{new}/", str(path))


def vim_calls(path: Path, text: str) -> None:
    run(sys.executable, "-c", VIM, str(path), text)


def real_vim(path: Path, text: str) -> None:
    old = path.read_text("utf-8").split("return ")[1].strip()
    new = text.split("return ")[1].strip()
    arguments = ("-u", "NONE", "-es", "-c", "set backup writebackup backupcopy=no", "-c", f"%s/{old}/{new}/")
    run("vim", *arguments, "-c", "wq", str(path))


def rsync_calls(path: Path, text: str) -> None:
    """What rsync does with a file: a hidden one beside it, the time set, then renamed."""
    program = (
        "import os, sys\npath, text = sys.argv[1:]\ndirectory, name = os.path.split(path)\n"
        "part = os.path.join(directory, f'.{name}.Xa3b9Z')\nopen(part, 'w').write(text)\n"
        "os.utime(part, (1, 1))\nos.replace(part, path)\n"
    )
    run(sys.executable, "-c", program, str(path), text)


def real_rsync(path: Path, text: str) -> None:
    source = path.parents[2] / "source" / path.name
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, "utf-8")
    run("rsync", "-a", str(source), str(path))


WRITERS: dict[str, Callable[[Path, str], None]] = {
    "redirect": redirect,
    "atomic": atomic_replace,
    "sed": sed_in_place,
    "vim-calls": vim_calls,
    "rsync-calls": rsync_calls,
}
WRITERS |= {
    name: writer for name, writer in {"vim": real_vim, "rsync": real_rsync}.items() if shutil.which(name)
}


def caplog_has(caplog: pytest.LogCaptureFixture, message: str) -> bool:
    return message in caplog.messages


def reloads(yard: Yard) -> list[str | None]:
    return [plugin for _, plugin in yard.kinds("reloaded")]


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_wr05_one_save_is_one_reload_of_that_plugin(yard: Yard, writer: Callable[[Path, str], None]) -> None:
    yard.add("cat", "one")
    yard.add("dog", "woof")
    host = yard.watch()
    writer(yard.code_of("cat"), CODE.format(says="two"))
    until(says(host, "two", "woof"), "the new code")
    settled(host)
    assert reloads(yard) == ["cat"]
    # And once more, over what the writer has left.
    writer(yard.code_of("cat"), CODE.format(says="three"))
    until(says(host, "three", "woof"), "the newest code")
    settled(host)
    assert reloads(yard) == ["cat", "cat"]


def test_wr01_each_kind_of_change_is_logged_with_plugin_and_file(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    directory = yard.add("cat", "one")
    host = yard.watch()
    data = directory / "data.txt"
    steps: list[tuple[Callable[[], object], str]] = [
        (lambda: data.write_text("a", "utf-8"), "plugin 'cat': data.txt created"),
        (lambda: data.write_text("b", "utf-8"), "plugin 'cat': data.txt modified"),
        (lambda: data.chmod(0o600), "plugin 'cat': attributes of data.txt changed"),
        (lambda: data.rename(directory / "new.txt"), "plugin 'cat': data.txt renamed to new.txt"),
        ((directory / "new.txt").unlink, "plugin 'cat': new.txt removed"),
    ]
    for do, message in steps:
        do()
        until(partial(caplog_has, caplog, message), message)
        settled(host)
    told = [event.data for event in yard.events if event.kind == "file_changed" and event.plugin == "cat"]
    assert [(data["action"], os.path.basename(str(data["file"]))) for data in told] == [
        ("created", "data.txt"),
        ("modified", "data.txt"),
        ("attributes", "data.txt"),
        ("renamed", "new.txt"),
        ("removed", "new.txt"),
    ]
    assert told[3]["before"] == str(directory / "data.txt")
    # A data file is a part of the plugin; its attributes are not.
    assert reloads(yard) == ["cat"] * 4


def test_wr05_a_git_checkout_of_hundreds_of_files_is_one_reload(yard: Yard) -> None:
    many = 200
    check = (
        "from pluginkit import hookimpl\nfrom importlib import import_module\n"
        f"VERSIONS = {{import_module(f'cat.part{{n}}').VERSION for n in range({many})}}\n"
        "class Told:\n    @hookimpl\n    def tell(self):\n        return '+'.join(sorted(VERSIONS))\n"
    )
    directory = yard.add("cat", code=check)

    def write(version: str) -> None:
        for number in range(many):
            (directory / f"part{number}.py").write_text(f"VERSION = {version!r}\n", "utf-8")

    def git(*arguments: str) -> None:
        run("git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments, cwd=yard.directory)

    git("init", "-q", "-b", "one")
    write("one")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "two")
    write("two")
    git("commit", "-qam", "two")
    git("checkout", "-q", "one")
    host = yard.watch()
    until(says(host, "one"), "the first branch")
    git("checkout", "-q", "two")
    until(says(host, "two"), "the other branch")
    write("three")
    until(says(host, "three"), "edits of the work tree")
    git("stash", "-q")
    until(says(host, "two"), "git stash")
    git("stash", "pop", "-q")
    until(says(host, "three"), "git stash pop")
    settled(host)
    assert reloads(yard) == ["cat"] * 4


def test_wr05_a_switched_symlink_is_one_reload(yard: Yard) -> None:
    releases = yard.directory / "releases"
    for number, words in (("1", "one"), ("2", "two")):
        made = yard.add("cat", words)
        releases.mkdir(exist_ok=True)
        made.rename(releases / number)
    (yard.directory / "current").symlink_to("releases/1")
    (yard.plugins / "cat").symlink_to(yard.directory / "current", target_is_directory=True)
    host = yard.watch()
    until(says(host, "one"), "the first release")
    (yard.directory / "next").symlink_to("releases/2")
    (yard.directory / "next").replace(yard.directory / "current")
    until(says(host, "two"), "the second release")
    # The files behind the new target are watched now.
    (releases / "2" / "cat.py").write_text(CODE.format(says="mended"), "utf-8")
    until(says(host, "mended"), "an edit behind the link")
    settled(host)
    assert reloads(yard) == ["cat", "cat"]
    assert yard.kinds("unloaded") == []


def test_wr05_a_replaced_directory_is_a_reload_and_no_unload(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    host = yard.watch()
    shutil.rmtree(directory)
    yard.add("cat", "two")
    until(says(host, "two"), "the directory that was made anew")
    old, new = yard.directory / "old", yard.directory / "new"
    shutil.copytree(directory, new)
    (new / "cat.py").write_text(CODE.format(says="three"), "utf-8")
    directory.rename(old)
    new.rename(directory)
    until(says(host, "three"), "the directory that was renamed")
    settled(host)
    assert reloads(yard) == ["cat", "cat"]
    assert yard.kinds("unloaded") == []


def test_wr08_a_plugin_dropped_in_is_loaded_and_a_removed_one_unloaded(yard: Yard) -> None:
    yard.add("cat")
    host = yard.watch()
    yard.add("dog")
    (yard.plugins / "tool.py").write_text(CODE.format(says="tool"), "utf-8")
    until(lambda: "dog" in host.plugins and host.plugins["dog"].state.is_live, "the new plugin")
    until(lambda: "tool" in host.plugins and host.plugins["tool"].state.is_live, "the new file")
    shutil.rmtree(yard.plugins / "dog")
    until(says(host, "cat"), "the removed plugin is gone")
    until(lambda: yard.kinds("unloaded") == [("unloaded", "dog")], "it is told")
    assert health(host).is_running


def test_wr08_a_renamed_plugin_is_unloaded_and_loaded_and_never_there_twice(yard: Yard) -> None:
    directory = yard.add("cat", "cat")
    host = yard.watch()
    manifest = (directory / "manifest.yaml").read_text("utf-8").replace("cat", "lion")
    directory.rename(yard.plugins / "lion")
    (yard.plugins / "lion" / "manifest.yaml").write_text(manifest, "utf-8")
    (yard.plugins / "lion" / "cat.py").rename(yard.plugins / "lion" / "lion.py")
    until(lambda: "lion" in host.plugins and host.plugins["lion"].state.is_live, "the plugin's new name")
    assert host.hook.tell() == ["cat"]
    assert yard.kinds("loaded", "unloaded", "reloaded")[-2:] == [("unloaded", "cat"), ("loaded", "lion")]


def test_wr08_a_manifest_only_edit_is_checked_and_a_changed_entrypoint_reloads(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    directory = yard.add(
        "cat", code=CODE.format(says="one") + CODE.format(says="other").replace("Told", "Other")
    )
    host = yard.watch()
    manifest = directory / "manifest.yaml"
    good = manifest.read_text("utf-8")
    manifest.write_text(good.replace("cat:Told", "cat:Nobody"), "utf-8")
    until(lambda: any("Nobody" in message for message in caplog.messages), "the wrong manifest is told")
    assert host.hook.tell() == ["one"]
    manifest.write_text(good.replace("cat:Told", "cat:Other"), "utf-8")
    until(says(host, "other"), "the other entrypoint")


def test_pg07_a_settings_only_edit_is_delivered_and_reloads_nothing(yard: Yard) -> None:
    code = (
        "from pluginkit import hookimpl\nclass Told:\n"
        "    def __init__(self, ctx): self.words = ctx.settings.get('words', 'none')\n"
        "    def on_config(self, settings): self.words = settings.get('words', 'none')\n"
        "    @hookimpl\n    def tell(self): return self.words\n"
    )
    yard.add("cat", code=code)
    host = yard.watch()
    generation = host.plugins["cat"].generation
    (yard.configs / "cat.config.yaml").write_text("settings: {words: hello}\n", "utf-8")
    until(says(host, "hello"), "the new setting")
    (yard.configs / "cat.config.yaml").write_text("settings: {words: [1}\n", "utf-8")
    settled(host)
    assert host.hook.tell() == ["hello"]
    (yard.configs / "cat.config.yaml").unlink()
    until(says(host, "none"), "the default")
    assert reloads(yard) == []
    assert host.plugins["cat"].generation == generation


def test_wr07_a_new_a_changed_and_a_deleted_submodule_are_seen(yard: Yard) -> None:
    code = (
        "from pluginkit import hookimpl\nfrom . import words\n"
        "try:\n    from . import extra\nexcept ImportError:\n    extra = None\n"
        "class Told:\n    @hookimpl\n    def tell(self): return words.WORD + (extra.MORE if extra else '')\n"
    )
    directory = yard.add("cat", code=code)
    (directory / "words.py").write_text("WORD = 'a'\n", "utf-8")
    host = yard.watch()
    assert host.hook.tell() == ["a"]
    (directory / "words.py").write_text("WORD = 'b'\n", "utf-8")
    until(says(host, "b"), "an edited submodule")
    (directory / "extra.py").write_text("MORE = '!'\n", "utf-8")
    until(says(host, "b!"), "a new submodule")
    (directory / "extra.py").unlink()
    until(says(host, "b"), "a deleted submodule")
    deep = directory / "one" / "two"
    deep.mkdir(parents=True)
    (deep / "__init__.py").write_text("", "utf-8")
    (deep.parent / "__init__.py").write_text("", "utf-8")
    settled(host)
    (directory / "words.py").write_text("from .one.two import DEEP as WORD\n", "utf-8")
    (deep / "__init__.py").write_text("DEEP = 'deep'\n", "utf-8")
    until(says(host, "deep"), "a new directory in a new directory")
    (deep / "__init__.py").write_text("DEEP = 'deeper'\n", "utf-8")
    until(says(host, "deeper"), "an edit in a directory that is new")


def test_wr03_plugins_that_require_the_changed_one_are_reloaded_with_it_and_no_other(yard: Yard) -> None:
    yard.add("base", "base")
    yard.add("other", "other")
    user = (
        "from pluginkit import hookimpl\nfrom base.base import Told as Base\nclass Told:\n"
        "    @hookimpl\n    def tell(self): return 'user of ' + Base().tell()\n"
    )
    yard.add("user", code=user, requires={"plugins": ["base"]})
    host = yard.watch()
    until(says(host, "base", "other", "user of base"), "all three")
    yard.code_of("base").write_text(CODE.format(says="new base"), "utf-8")
    until(says(host, "new base", "other", "user of new base"), "both moved together")
    settled(host)
    assert sorted(map(str, reloads(yard))) == ["base", "user"]
