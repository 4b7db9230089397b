"""Why a candidate cannot be used: every reason that discovery gives, worded in one place.

Each sentence says what was found, where, and what to write instead. The codes are stable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pluginkit.errors import Problem, Reason, describe_exception
from pluginkit.printable import one_line

CODES = frozenset(
    {
        "no-manifest",
        "two-manifests",
        "manifest-invalid",
        "name-mismatch",
        "name-reserved",
        "entrypoint-missing",
        "not-fetched",
        "symlink-inside",
        "unreadable",
        "dangling-symlink",
        "syntax-error",
        "metadata-unreadable",
        "entry-point-invalid",
        "package-not-found",
        "in-archive",
        "conflict",
        "not-included",
        "excluded",
        "filtered",
        "filter-failed",
    }
)
"""All codes of this room, for the reference of states and its test."""

_MINIMAL = (
    'plugin: {{name: {name}, type: TYPE, format: native, entrypoint: "{module}:CLASS", '
    "language: python, version: 1.0.0}}"
)


def no_manifest(directory: str, package: str) -> Reason:
    """A directory that does not say what it is."""
    name = one_line(os.path.basename(directory))
    example = _MINIMAL.format(name=name, module=one_line(package))
    return _about(
        "no-manifest",
        f"the directory has no manifest.yaml (nor a plugin.json); write one there: {example}",
        file=directory,
        example=example,
    )


def two_manifests(directory: str, names: Sequence[str]) -> Reason:
    """Two manifests in one directory; neither is preferred."""
    both = " and ".join(names)
    return _about(
        "two-manifests",
        f"there are {both}, which may disagree; keep one and remove the other",
        file=directory,
    )


def manifest_invalid(problems: Sequence[Problem], *, file: str) -> Reason:
    """A manifest that cannot be used; the problems hold all that is wrong with it."""
    first = str(problems[0]) if problems else f"{file}: the manifest is not valid"
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return Reason("manifest-invalid", f"{first}{more}", tuple(problems))


def name_mismatch(name: str, *, file: str | None, what: str, expected: str) -> Reason:
    """A manifest whose name is not that of its directory, file or entry point (`what`)."""
    return _about(
        "name-mismatch",
        f"the manifest calls the plugin {name!r}, but its {what} is {expected!r}; make the two equal "
        "(only `-`, `_`, `.` and case may differ)",
        file=file,
        path="plugin.name",
        found=repr(name),
        example=f"name: {expected}",
    )


def name_reserved(package: str, *, file: str | None) -> Reason:
    """A package that would take the name of one of Python's modules, or of pluginkit."""
    whose = "pluginkit itself" if package == "pluginkit" else f"Python's standard module {package!r}"
    return _about(
        "name-reserved",
        f"the package would be called {package!r}, which is {whose}: every `import {package}` would become "
        f"ambiguous; rename the plugin, for example to {package + '-plugin'!r}",
        file=file,
        path="plugin.name",
    )


def entrypoint_missing(entrypoint: str, *, root: str, tried: Iterable[str], file: str | None) -> Reason:
    """An entrypoint whose module is not in the plugin; `tried` are the files that would be it."""
    looked = " or ".join(tried)
    return _about(
        "entrypoint-missing",
        f"the entrypoint {entrypoint!r} is not in {root}: no {looked} there",
        file=file,
        path="plugin.entrypoint",
        found=repr(entrypoint),
    )


def not_fetched(url: str, *, directory: str, file: str | None) -> Reason:
    """A plugin that is only described here."""
    return _about(
        "not-fetched",
        f"the plugin's code is still to be fetched from {url}; put a checkout of it into {directory}",
        file=file,
    )


def symlink_inside(path: str, *, file: str | None = None) -> Reason:
    """A link inside the plugin, on the way to its manifest or its code."""
    target = _link_target(path)
    return _about(
        "symlink-inside",
        f"{path} is a symbolic link (to {target}); the plugin's directory itself may be one, but nothing inside it, "
        "because a link can lead out of it: put the file itself there",
        file=file or path,
    )


def dangling_symlink(path: str) -> Reason:
    """A link in a plugins directory that leads nowhere."""
    target = _link_target(path)
    return _about(
        "dangling-symlink", f"{path} is a symbolic link to {target}, which does not exist", file=path
    )


def unreadable(path: str, error: OSError) -> Reason:
    """A file or directory that cannot be read."""
    return _about("unreadable", f"{path} cannot be read: {error.strerror or type(error).__name__}", file=path)


def syntax_error(path: str, message: str, line: int | None) -> Reason:
    """A single file that is not Python, so that nothing can be read off it."""
    where = f"{path}:{line}" if line is not None else path
    problem = Problem(message, file=path, line=line)
    return Reason("syntax-error", f"{one_line(where)}: not valid Python: {message}", (problem,))


def why(error: Exception) -> str:
    """What an exception says about a file that somebody else read."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, ValueError) else describe_exception(error)


def metadata_unreadable(info: str, what: str) -> Reason:
    """A distribution whose own metadata cannot be used."""
    return _about(
        "metadata-unreadable",
        f"the installed distribution's metadata in {info} cannot be used: {what}; install it again (pip install --force-reinstall)",
        file=info,
    )


def entry_point_invalid(name: str, value: str, what: str, *, file: str) -> Reason:
    """An entry point whose name or value is of the wrong form."""
    return _about(
        "entry-point-invalid",
        f"the entry point {name!r} = {value!r} cannot be used: {what}",
        file=file,
        found=repr(value),
        example=f"{name} = package.module:attribute",
    )


def package_not_found(module: str, *, distribution: str, info: str, editable: bool) -> Reason:
    """An entry point whose package is not where its distribution says."""
    how = (
        "its source directory was not found without running the import hook that its build backend installed; "
        "install it without -e, or with a backend that writes a .pth file or setuptools' mapping"
        if editable
        else "its list of files has no such package or module; install it again (pip install --force-reinstall)"
    )
    return _about(
        "package-not-found",
        f"the entry point's module {module!r} is not part of {distribution}: {how}",
        file=info,
    )


def in_archive(module: str, *, distribution: str, archive: str) -> Reason:
    """An entry point whose package is packed away."""
    return _about(
        "in-archive",
        f"the entry point's module {module!r} is inside the archive {archive}, and plugins are loaded from files "
        f"of their own; install {distribution} with pip, which unpacks it",
        file=archive,
    )


def conflict(what: str, winner: object, loser: object) -> Reason:
    """A plugin that lost its name to another; `what` is taken."""
    return Reason(
        "conflict",
        one_line(f"{what} is taken: {winner} is used, {loser} is not; rename or remove one of them"),
    )


def not_included(globs: Iterable[str]) -> Reason:
    """A plugin that no glob asks for."""
    return Reason("not-included", f"its name matches none of the globs to include: {', '.join(globs)}")


def excluded(glob: str) -> Reason:
    """A plugin that a glob leaves out."""
    return Reason("excluded", f"its name matches {glob!r}, which is to be excluded")


def filtered() -> Reason:
    """A plugin that the host's filter leaves out."""
    return Reason("filtered", "the host's filter does not want it")


def filter_failed(error: Exception) -> Reason:
    """A plugin for which the host's filter raised."""
    return Reason("filter-failed", f"the host's filter raised {describe_exception(error)}; mend the filter")


def combined(reasons: Sequence[Reason]) -> Reason:
    """One reason for several defects: the first one's code and sentence, the problems of all."""
    first = reasons[0]
    problems = tuple(problem for reason in reasons for problem in reason.problems)
    more = "".join(f"; {reason.text}" for reason in reasons[1:])
    return Reason(first.code, first.text + more, problems)


def _about(
    code: str,
    text: str,
    *,
    file: str | None,
    path: str = "",
    found: str | None = None,
    example: str | None = None,
) -> Reason:
    text = one_line(text)  # paths are in it, and others have named them
    return Reason(code, text, (Problem(text, path=path, found=found, example=example, file=file),))


def _link_target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError as error:
        return f"somewhere unreadable: {error.strerror}"
