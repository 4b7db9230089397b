"""The files of a plugin as what people vouch for: every one of them, by path and content.

A plugin's own checksum and signature files are left out, for they are made from the rest. What
the snapshot leaves out (`__pycache__`, editors' temporary files) is never loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.snapshot import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pluginkit.security.subject import Subject
    from pluginkit.snapshot import Snapshot

SIGNATURE = "plugin.sig"
CHECKSUMS = "plugin.sha256"


def checksum_names(subject: Subject) -> tuple[str, ...]:
    """What a checksum file of this plugin may be called.

    For the entrypoint `cat:Cat` that is `cat.sha256` or `cat.py.sha256`, else `plugin.sha256`.
    """
    module = subject.module.replace(".", "/") or ("__init__" if subject.root.is_dir() else subject.root.stem)
    names = (f"{module}.sha256", f"{module}.py.sha256")
    # Beside a plugin of one file lie others: a name for all of them would say nothing.
    return (*names, CHECKSUMS) if subject.root.is_dir() else names


def vouched_files(subject: Subject, files: Snapshot) -> dict[str, str]:
    """The sha256 of all files that a checksum, a signature or a lock covers, by path."""
    left_out = {SIGNATURE, *checksum_names(subject)}
    return {name: digest for name, digest in sorted(files.files.items()) if name not in left_out}


def tree_digest(files: Mapping[str, str]) -> str:
    """The sha256 of a plugin's whole tree, as `plugins.lock` and the trust store keep it."""
    return digest_of(files)
