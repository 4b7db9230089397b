"""The judgement on one plugin, in the order in which it is made.

1. `foresee`, from the manifest alone, whenever plugins are looked at: is it below the version that
   the lock has, does it ask for more than was approved, is it in the lock at all?
2. `check`, on the snapshot whose bytes will be compiled, each time before a plugin is loaded or
   reloaded: is the manifest that was judged the one in the snapshot; checksums; signature; lock;
   and, for plugins that came with a project, whether the user trusts these very files.

What has passed stays true for what runs: code comes from the snapshot's memory, whatever happens to
the files on disk afterwards. Compiled modules and data files are read from disk again by whoever
uses them; only the runtimes that isolate can do more about that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.errors import UsageError
from pluginkit.security.lock import Approval, LockFile
from pluginkit.security.subject import hold, refuse

# What hashes and compares is imported where it is needed: most commands only ask whether there is a lock.

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pluginkit.manifest import Capabilities
    from pluginkit.security.signatures import TrustedKeys
    from pluginkit.security.subject import Subject
    from pluginkit.security.trust_policy import TrustPolicy
    from pluginkit.security.trusted import TrustStore
    from pluginkit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Evidence:
    """A plugin's files, and what vouches for them: the tree's digest, its checksum file, the signer's key."""

    tree: str
    checksums: Path | None = None
    signer: str | None = None


class Judge:
    """Holds plugins to a host's policy of trust. It raises `Refused`, and changes nothing.

    Args:
        policy: what the host demands.
        lock: the host's `plugins.lock`.
        project_dirs: plugins directories that came with a project and are not trusted by that alone.
        store: what the user trusts; needed only where there are `project_dirs`.
    """

    def __init__(
        self,
        policy: TrustPolicy,
        lock: LockFile,
        *,
        project_dirs: tuple[Path, ...] = (),
        store: TrustStore | None = None,
    ) -> None:
        self.policy = policy
        self.lock = lock
        self._project_dirs = tuple(directory.absolute() for directory in project_dirs)
        self._store = store
        self._keys: TrustedKeys | None = None

    def approved(self, name: str) -> Capabilities | None:
        """What the plugin may ask for by its last approval; None if nobody has ever approved it.

        Raises `Refused` if there is a lock that cannot be understood.
        """
        approval = self._approval(name)
        return None if approval is None else approval.capabilities

    # Before its files are read

    def foresee(self, subject: Subject) -> None:
        """Raise `Refused` if the manifest alone says that the plugin must not be loaded."""
        if self.policy.lock != "off":
            self._foresee_lock(subject, self._approval(subject.name))
        if self._is_projects_own(subject):
            from pluginkit.security.tree import tree_digest, vouched_files
            from pluginkit.snapshot import SnapshotError, take

            try:
                tree = tree_digest(vouched_files(subject, take(subject.root)))
            except (SnapshotError, OSError):
                return  # loading it will say why
            self._require_trust(subject, tree)

    def _foresee_lock(self, subject: Subject, approval: Approval | None) -> None:
        if approval is None:
            if self.policy.lock == "required":
                text = f"is not in {self.lock.path}, which trust.lock requires; look at it, then: pluginkit lock {subject.name}"
                raise refuse("not-locked", text)
            return
        self.require_no_downgrade(subject, approval)
        self.require_no_growth(subject, approval)

    def require_no_downgrade(self, subject: Subject, approval: Approval, *, allow: bool = False) -> None:
        """Raise `Refused` (`downgrade`) if the plugin is older than its approval."""
        if subject.version < approval.version and not allow:
            text = (
                f"is version {subject.version}, and {self.lock.path} has {approval.version}: an older version may have "
                f"flaws that were mended since; if you want it: pluginkit lock {subject.name} --allow-downgrade"
            )
            raise refuse("downgrade", text)

    def require_no_growth(self, subject: Subject, approval: Approval) -> None:
        """Raise `Refused` (`approval-needed`) if the plugin asks for more than was approved."""
        from pluginkit.security.growth import exceeding

        more = exceeding(subject.capabilities, approval.capabilities)
        if more:
            text = (
                f"asks for more than was approved for version {approval.version}: {'; '.join(more)}; "
                f"if it may have that: pluginkit approve {subject.name}"
            )
            raise hold("approval-needed", text)

    # On the very bytes that will run

    def check(self, subject: Subject, files: Snapshot) -> None:
        """Raise `Refused` unless the policy lets these very files be loaded."""
        if self.policy.lock != "off":
            # The lock may have changed since the plugin was judged.
            self._foresee_lock(subject, self._approval(subject.name))
        if not self._needs_listing(subject):
            return
        evidence = self.examine(subject, files)
        self._check_lock(subject, evidence.tree)
        if self._is_projects_own(subject):
            self._require_trust(subject, evidence.tree)

    def examine(self, subject: Subject, files: Snapshot) -> Evidence:
        """What vouches for these files beside the lock; raises `Refused` if any of it speaks against them."""
        from pluginkit.security.tree import tree_digest, vouched_files

        present = vouched_files(subject, files)
        self._require_same_manifest(subject, files)
        checksum_file = self._check_checksums(subject, present)
        # Without a key in the configuration there is nobody whose signature could be checked.
        signer = self._check_signature(subject, present) if self._signature_counts() else None
        return Evidence(tree_digest(present), checksum_file, signer)

    def _needs_listing(self, subject: Subject) -> bool:
        """Whether anything is known or demanded that the files have to be hashed for."""
        from pluginkit.security.checksums import find_checksums

        policy = self.policy
        return (
            self._is_projects_own(subject)
            or policy.checksums == "required"
            or policy.signatures == "required"
            or (policy.lock != "off" and self._approval(subject.name) is not None)
            or (policy.checksums != "off" and find_checksums(subject) is not None)
            or self._signature_counts()
        )

    def _signature_counts(self) -> bool:
        return self.policy.signatures == "required" or (
            self.policy.signatures == "if_present" and bool(self.policy.keys)
        )

    def _check_checksums(self, subject: Subject, present: Mapping[str, str]) -> Path | None:
        if self.policy.checksums == "off":
            return None
        from pluginkit.security import checksums

        file = checksums.find_checksums(subject)
        if file is not None:
            checksums.check_listed(checksums.read_checksums(file), present, file)
        elif self.policy.checksums == "required":
            text = (
                "has no plugin.sha256, which trust.checksums requires; look at the plugin, then: "
                f"pluginkit verify {subject.name} --write"
            )
            raise refuse("checksum-missing", text, file=subject.root)
        return file

    def _check_signature(self, subject: Subject, present: Mapping[str, str]) -> str | None:
        from pluginkit.security.signatures import TrustedKeys, check_signature, read_signature

        signature = read_signature(subject.root)
        if signature is None:
            if self.policy.signatures == "required":
                text = "is not signed, and trust.signatures requires a signature by one of trust.keys"
                raise refuse("signature-missing", text, file=subject.root)
            return None
        if self._keys is None:
            self._keys = TrustedKeys.of(self.policy.keys, self.policy.revoked)
        return check_signature(signature, self._keys, subject, present)

    def _check_lock(self, subject: Subject, tree: str) -> None:
        approval = self._approval(subject.name) if self.policy.lock != "off" else None
        if approval is None:
            return
        # A later version has other files by its nature; only `required` wants each one approved.
        is_same = subject.version == approval.version
        if (is_same or self.policy.lock == "required") and tree != approval.sha256:
            which = "these are not the files" if is_same else f"this is not version {approval.version}"
            text = f"{which} that {self.lock.path} has; look at what changed, then: pluginkit lock {subject.name}"
            raise refuse("tree-changed", text)

    def _approval(self, name: str) -> Approval | None:
        return None if self.policy.lock == "off" else self.lock.get(name)

    # Plugins that came with a project

    def _is_projects_own(self, subject: Subject) -> bool:
        """Whether the plugin was found in a project's directory, whether or not that only links to it."""
        if not self._project_dirs:
            return False
        lies_in = {subject.place.absolute().parent, subject.place.resolve().parent}
        return any(directory in lies_in or directory.resolve() in lies_in for directory in self._project_dirs)

    def _require_trust(self, subject: Subject, tree: str) -> None:
        try:
            is_trusted = self._store is not None and tree in self._store
        except UsageError as error:
            raise hold("not-trusted", str(error)) from error
        if not is_trusted:
            was_trusted = (
                self._store is not None and str(subject.place.absolute()) in self._store.read().values()
            )
            what = "has changed since it was trusted" if was_trusted else "nobody has said that it is trusted"
            text = f"came with this project, and {what}; look at it, then: pluginkit trust {subject.name}"
            raise hold("not-trusted", text)

    # What was judged and what is there

    def _require_same_manifest(self, subject: Subject, files: Snapshot) -> None:
        """The manifest is read before the files are: it must be the one that they were vouched with."""
        import hashlib

        from pluginkit.manifest import InvalidManifest, parse_manifest
        from pluginkit.strict_yaml import YamlError, load_file, read_regular_file

        file = subject.manifest.file
        if file is None or not subject.root.is_dir() or subject.root.resolve() not in file.resolve().parents:
            return  # derived from metadata, or beside a plugin of one file
        name = file.resolve().relative_to(files.directory).as_posix()
        try:
            content = read_regular_file(file)
            is_same = hashlib.sha256(content).hexdigest() == files.files.get(name)
            is_same = (
                is_same and parse_manifest(load_file(file, content=content), file=file) == subject.manifest
            )
        except (YamlError, InvalidManifest):
            is_same = False
        if not is_same:
            text = "was changed while the plugin was being checked; try again"
            raise refuse("changed-while-checked", text, file=file)
