"""`pluginkit verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import Painted, show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import hanging

if TYPE_CHECKING:
    from pluginkit.cli.checks.vouching import Candidate
    from pluginkit.security.judge import Judge


@click.command(
    "verify",
    cls=Command,
    examples=[
        ("pluginkit verify", "all plugins: checksums, signatures, lock"),
        ("pluginkit verify cat --json", "one, for programs"),
        ("pluginkit verify plugins/cat --write", "write its plugin.sha256"),
    ],
)
@click.argument("plugins", metavar="[PLUGIN]...", nargs=-1, shell_complete=plugin_names)
@click.option(
    "--write", is_flag=True, help="Write each plugin's list of files, plugin.sha256, before checking."
)
@json_option
@pass_session
def verify_command(session: Session, plugins: tuple[str, ...], write: bool, as_json: bool) -> int:
    """Check that plugins' files are those that somebody vouched for; PLUGIN is a name or a path.

    What is checked is what loading checks: the checksum file, the signature by a trusted key, and
    plugins.lock, each as the configuration's section `trust` demands it. No plugin is run. The exit
    code is 1 if any of them would be refused.
    """
    from pluginkit.cli.checks.vouching import candidates

    judge = session.host.setup.judge()
    if write:
        for candidate in candidates(session, plugins):
            _write_list(candidate)
    rows = [_row(judge, candidate) for candidate in candidates(session, plugins)]
    is_fine = all(row["ok"] for row in rows)
    if as_json:
        show_json({"ok": is_fine, "plugins": rows})
    for row in rows if not as_json else ():
        if row["ok"]:
            by = ", ".join(_witnesses(row)) or "nobody vouches for its files"
            show(f"{row['name']} {row['version']}: ", Painted("fine", "green"), f" ({by})")
        else:
            show(
                f"{row['name']} {row['version']}: ", Painted(row["code"], "red"), hanging(f": {row['text']}")
            )
    return Exit.FINE if is_fine else Exit.PROBLEM


def _write_list(candidate: Candidate) -> None:
    from pluginkit.atomic import write_atomic
    from pluginkit.security.checksums import as_text, find_checksums
    from pluginkit.security.tree import CHECKSUMS, vouched_files

    root = candidate.subject.root
    usual = root / CHECKSUMS if root.is_dir() else root.with_name(f"{root.name}.sha256")
    text = as_text(vouched_files(candidate.subject, candidate.files))
    write_atomic(find_checksums(candidate.subject) or usual, text.encode())


def _row(judge: Judge, candidate: Candidate) -> dict[str, Any]:
    from pluginkit.security.subject import Refused

    row: dict[str, Any] = {
        "name": candidate.name,
        "version": str(candidate.subject.version),
        "ok": True,
        "code": None,
        "text": None,
        "sha256": None,
        "checksums": None,
        "signer": None,
        "locked": False,
    }
    try:
        evidence = judge.examine(candidate.subject, candidate.files)
        row |= {"sha256": evidence.tree, "signer": evidence.signer}
        row["checksums"] = None if evidence.checksums is None else str(evidence.checksums)
        judge.check(candidate.subject, candidate.files)
        row["locked"] = judge.policy.lock != "off" and judge.lock.get(candidate.name) is not None
    except Refused as refused:
        row |= {"ok": False, "code": refused.reason.code, "text": str(refused)}
    return row


def _witnesses(row: dict[str, Any]) -> list[str]:
    said = [("checksums", "checksums"), ("signer", f"signed by {row['signer']}"), ("locked", "lock")]
    return [text for key, text in said if row[key]]
