"""`pluginkit lock` and `pluginkit approve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import complain, notice, remark, show
from pluginkit.cli.session import Session, pass_session
from pluginkit.errors import UsageError
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pluginkit.cli.checks.vouching import Candidate
    from pluginkit.security.judge import Judge
    from pluginkit.security.lock import Approval


@click.command(
    "lock",
    cls=Command,
    examples=[
        ("pluginkit lock", "record the present files of all plugins"),
        ("pluginkit lock cat --allow-downgrade", "go back to an older version of one"),
    ],
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=plugin_names)
@click.option("--allow-downgrade", is_flag=True, help="Let a plugin be older than the lock has it.")
@pass_session
def lock_command(session: Session, names: tuple[str, ...], allow_downgrade: bool) -> int:
    """Record plugins in plugins.lock: version, origin, the sha256 of all files, capabilities, signer.

    From then on other files under the same version are refused, and so is an older version. Without a
    NAME all plugins are recorded, and those that are gone are taken out. A plugin that asks for more than
    was approved is left as it was: that is for `pluginkit approve`. The exit code is 1 if any was left.
    """
    return _record(session, names, approve=False, allow_downgrade=allow_downgrade)


@click.command(
    "approve",
    cls=Command,
    examples=[("pluginkit approve cat", "it may have what its manifest asks for, and loads again")],
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=plugin_names)
@pass_session
def approve_command(session: Session, names: tuple[str, ...]) -> int:
    """Approve what plugins ask for in their manifests, with the files that they have now.

    A plugin that asks for more than was approved is `held` until then; what it asks for more is
    shown. A host that runs loads it after `pluginkit load NAME` or `pluginkit reload NAME`.
    """
    return _record(session, names, approve=True, allow_downgrade=False)


def _record(session: Session, names: tuple[str, ...], *, approve: bool, allow_downgrade: bool) -> int:
    from pluginkit.cli.checks.vouching import candidates
    from pluginkit.manifest import normalise_name
    from pluginkit.security.subject import Refused

    judge = session.host.setup.judge()
    wanted = candidates(session, names)
    approvals: list[Approval] = []
    left = 0
    for candidate in wanted:
        try:
            approvals.append(_approval(judge, candidate, approve=approve, allow_downgrade=allow_downgrade))
        except Refused as refused:
            left += 1
            complain(f"plugin {candidate.name!r} is not recorded ({refused.reason.code}): {refused}")
    # A plugin that is refused now keeps the entry that refuses it.
    present = {normalise_name(plugin.name) for plugin in session.host.plugins.values()}
    try:
        judge.lock.put(*approvals, keep=None if names else present.__contains__)
    except (Refused, OSError) as error:
        raise UsageError(f"{judge.lock.path} was not written: {error}") from error
    for approval in approvals:
        show(
            f"{approval.name} {approval.version}: {'approved' if approve else 'locked'} {approval.sha256[:16]}"
        )
    _tell_running(session, [approval.name for approval in approvals])
    if judge.policy.lock == "off":
        notice("trust.lock is `off`: nobody looks at the lock")
    return Exit.PROBLEM if left else Exit.FINE


def _tell_running(session: Session, names: list[str]) -> None:
    """A host that runs goes on with what it has: it reads the lock when it loads."""
    from pluginkit.cli.running import running_host

    with running_host(session) as running:
        if running is not None and names:
            live = {row["name"] for row in running.ask("list")["plugins"] if row["generation"] is not None}
            for name in names:
                remark(
                    f"the host that runs takes it up with: pluginkit {'reload' if name in live else 'load'} {name}"
                )


def _approval(judge: Judge, candidate: Candidate, *, approve: bool, allow_downgrade: bool) -> Approval:
    """The new entry of a plugin whose checksums and signature hold; raises `Refused`."""
    from pluginkit.security.growth import exceeding
    from pluginkit.security.lock import Approval

    subject = candidate.subject
    before = judge.lock.get(subject.name)
    if before is not None:
        judge.require_no_downgrade(subject, before, allow=allow_downgrade)
        if not approve:
            judge.require_no_growth(subject, before)
        for text in exceeding(subject.capabilities, before.capabilities):
            show(one_line(f"{subject.name} may now also: {text}"))
    evidence = judge.examine(subject, candidate.files)
    return Approval(
        subject.name, subject.version, subject.origin, evidence.tree, subject.capabilities, evidence.signer
    )
