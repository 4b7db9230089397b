"""`pluginkit sign`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import show
from pluginkit.cli.session import Session, pass_session
from pluginkit.errors import UsageError
from pluginkit.printable import one_line


@click.command(
    "sign",
    cls=Command,
    examples=[
        ("pluginkit sign --new-key me.pem", "make a key, and print what hosts have to be told"),
        ("pluginkit sign plugins/cat --key keys/me.pem", "write plugins/cat/plugin.sig"),
    ],
)
@click.argument("plugins", metavar="[PLUGIN]...", nargs=-1)
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="The private key, in PEM.")
@click.option("--new-key", metavar="FILE", type=click.Path(path_type=Path), help="Make a new private key.")
@pass_session
def sign_command(session: Session, plugins: tuple[str, ...], key: Path | None, new_key: Path | None) -> int:
    """Sign plugins' files with an ed25519 key; PLUGIN is a name or a path.

    The signature is written beside the files, as plugin.sig, and covers every one of them, the name
    and the version. Hosts that list the public key under trust.keys check it before they import
    anything. Keep the private key to yourself; it is not encrypted.
    """
    if new_key is not None:
        _make_key(new_key)
        key = key or new_key
    elif not plugins:
        raise UsageError("nothing to sign: name a plugin, or make a key with --new-key FILE")
    if plugins and key is None:
        raise UsageError("signing needs a private key: --key FILE, or --new-key FILE to make one")
    if plugins and key is not None:
        _sign(session, plugins, key)
    return Exit.FINE


def _make_key(file: Path) -> None:
    import base64

    from pluginkit.security import signatures

    private, public = signatures.new_key()
    try:
        # Never over a key that is there, and never readable by others, not even for a moment.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{file}: the key cannot be written: {error.strerror}") from error
    with open(descriptor, "wb") as stream:
        stream.write(private)
        stream.flush()
        os.fsync(stream.fileno())
    show(
        f"key {signatures.key_id(base64.b64decode(public))} in {one_line(str(file))}; hosts trust it by this line in trust.keys of their config:"
    )
    show(f"NAME: {public}")


def _sign(session: Session, plugins: tuple[str, ...], key: Path) -> None:
    from pluginkit.atomic import write_atomic
    from pluginkit.cli.checks.vouching import candidates
    from pluginkit.security import signatures
    from pluginkit.security.tree import vouched_files

    try:
        private = key.read_bytes()
    except OSError as error:
        raise UsageError(f"{key}: the key cannot be read: {error.strerror}") from error
    for candidate in candidates(session, plugins):
        files = vouched_files(candidate.subject, candidate.files)
        signature = signatures.sign(private, candidate.subject, files)
        file = signatures.signature_file(candidate.subject.root)
        write_atomic(file, signature.as_text().encode())
        show(
            f"{candidate.name} {candidate.subject.version}: {len(files)} files signed by {signature.key_id}: {one_line(str(file))}"
        )
