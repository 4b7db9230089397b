"""Does a plugin fulfil its contract? Decided when it is loaded, never by the first call.

`check` gives what makes the load fail, `remarks` what the author should know of. Both look at
signatures and marks only and run nothing of the plugin. The first line of each message is a
sentence; the wrong and the right code follow on lines of their own.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence

from pluginkit.contracts.definition import Contract
from pluginkit.contracts.hook_info import HookSpecInfo
from pluginkit.contracts.implementation import Given, Implementable, location_of, name_of
from pluginkit.contracts.mistakes import is_unmarked, side_by_side, where_it_hides
from pluginkit.contracts.signatures import may_iterate, never_passed, passed, signature_complaints
from pluginkit.errors import Problem, did_you_mean, nearest
from pluginkit.versions import Version


def check(
    contract: Contract,
    implementations: Mapping[str, Implementable],
    *,
    plugin: str,
    target: object = None,
    allowed: Collection[str] = (),
    elsewhere: Mapping[str, str] | None = None,
) -> tuple[Problem, ...]:
    """Compare what a plugin implements with what its contract asks for.

    Args:
        contract: the contract of the plugin's type.
        implementations: hook name to function, or to an object with `.function`.
        plugin: the plugin's name, for problems that have no better place.
        target: the plugin's object; with it, a hook that is there but unmarked is pointed at.
        allowed: hooks that are welcome beside the contract's (the host's lenient hookspecs).
        elsewhere: hooks of the host's other contracts, name to type, for a better sentence.

    Returns:
        Every problem at once; an empty tuple means that the contract is fulfilled.

    >>> from pluginkit.contracts.samples import Animal
    >>> def speak(loud): ...
    >>> print(check(Contract.of("animal", Animal), {"speak": speak}, plugin="cat")[0].message)
    takes 'loud', which hook 'speak' does not pass; did you mean 'is_loud'?
          wrong:  def speak(loud):
          right:  def speak(is_loud):
    """
    given = _read(contract, implementations)
    unknown = [one for one in given if one.hook not in {*contract.hooks, *allowed} and not one.is_optional]
    strange = [one for one in unknown if one.hook not in (elsewhere or {})]
    return (
        *_missing(contract, given, strange, plugin=plugin, target=target),
        *(_unknown(contract, one, elsewhere or {}) for one in unknown),
        *(problem for spec, one in _known(contract, given) for problem in _misshapen(spec, one)),
    )


def remarks(
    contract: Contract, implementations: Mapping[str, Implementable], *, target: object = None
) -> tuple[Problem, ...]:
    """What is allowed, yet probably not meant; for the log and for `pluginkit validate`."""
    known = _known(contract, _read(contract, implementations))
    return (
        *(problem for spec, one in known for problem in _doubtful(spec, one)),
        *_unmarked_optional(contract, implementations, target),
    )


def newest_fulfilled(
    contracts: Sequence[Contract],
    implementations: Mapping[str, Implementable],
    *,
    plugin: str,
    target: object = None,
) -> tuple[Contract, tuple[Problem, ...]]:
    """Of several versions of one contract, the highest that a plugin fulfils.

    If it fulfils none, the newest stands with its problems: that is the one to write for.
    """
    newest_first = sorted(contracts, key=lambda contract: Version.parse(contract.version), reverse=True)
    verdicts = [
        (contract, check(contract, implementations, plugin=plugin, target=target))
        for contract in newest_first
    ]
    return next((verdict for verdict in verdicts if not verdict[1]), verdicts[0])


def _read(contract: Contract, implementations: Mapping[str, Implementable]) -> list[Given]:
    return [
        Given.read(
            name,
            implementation,
            contract.project,
            expected=contract.hooks[name].parameters if name in contract.hooks else (),
        )
        for name, implementation in implementations.items()
    ]


def _known(contract: Contract, given: Sequence[Given]) -> list[tuple[HookSpecInfo, Given]]:
    return [(contract.hooks[one.hook], one) for one in given if one.hook in contract.hooks]


def _missing(
    contract: Contract, given: Sequence[Given], strange: Sequence[Given], *, plugin: str, target: object
) -> Iterator[Problem]:
    present = {one.hook for one in given}
    # A misspelt hook is one mistake: it is reported as unknown, with the nearest name.
    misspelt = {nearest(one.hook, contract.hooks) for one in strange}
    for name in contract.required:
        if name in present or name in misspelt:
            continue
        spec = contract.hooks[name]
        sentence = f"hook {name!r} of contract {contract.type!r} is not implemented"
        slip = where_it_hides(target, spec, contract.project) if target is not None else None
        if slip is None:
            first = () if inspect.ismodule(target) else ("self",)
            method = f"def {name}({', '.join([*first, *spec.parameters])}):"
            yield _problem(f"{sentence}{side_by_side((), ('@hookimpl', method))}", plugin)
        else:
            yield _problem(
                f"{sentence}; {slip.clause}{side_by_side(slip.wrong, slip.right)}",
                name_of(slip.function),
                location_of(slip.function),
            )


def _unknown(contract: Contract, one: Given, elsewhere: Mapping[str, str]) -> Problem:
    owner = elsewhere.get(one.hook)
    if owner is not None:
        return _about(
            one,
            f"hook {one.hook!r} belongs to contract {owner!r}, and this plugin is of type {contract.type!r}; "
            f"move it to a plugin of type {owner!r}",
        )
    sentence = f"contract {contract.type!r} has no hook {one.hook!r}{did_you_mean(one.hook, contract.hooks)}"
    close = nearest(one.hook, contract.hooks)
    if close is None:
        return _about(one, sentence)
    if one.options.get("specname"):
        return _about(one, sentence, (f'specname="{one.hook}"',), (f'specname="{close}"',))
    right = one.corrected(passed(contract.hooks[close]), name=close)
    return _about(one, sentence, (one.written(),), (right,))


def _misshapen(spec: HookSpecInfo, one: Given) -> Iterator[Problem]:
    """What is wrong with an implementation of a known hook: it cannot be called, or would not do its work."""
    complaints = list(signature_complaints(spec, one))
    if complaints:
        yield _about(one, "; ".join(complaints), (one.written(),), (one.corrected(passed(spec)),))
    elif one.is_wrapper and not one.is_generator:
        yield _wrapper_without_yield(spec, one)
    elif one.is_generator and not one.is_wrapper and may_iterate(spec) is False:
        yield _generator(spec, one)


def _doubtful(spec: HookSpecInfo, one: Given) -> Iterator[Problem]:
    if one.is_coroutine and not spec.is_async:
        yield _about(
            one,
            f"is async while hook {spec.name!r} is not: a plain call of the hook is an error for this "
            f"plugin; await host.hook.{spec.name}.awaited(…) serves it",
        )
    if one.is_generator and not one.is_wrapper and may_iterate(spec) is None:
        yield _generator(spec, one)
    for name, meant in never_passed(spec, one):
        yield _about(one, f"takes {name!r}, which always keeps its default; did you mean {meant!r}?")


def _unmarked_optional(
    contract: Contract, implementations: Mapping[str, Implementable], target: object
) -> Iterator[Problem]:
    for name, spec in contract.hooks.items():
        if not spec.required and name not in implementations and is_unmarked(target, spec, contract.project):
            yield _problem(
                f"has a method {name!r} without @hookimpl, so hook {name!r} does not call it", name
            )


def _wrapper_without_yield(spec: HookSpecInfo, one: Given) -> Problem:
    head = ("@hookimpl(wrapper=True)", one.written())
    return _about(
        one,
        f"is a wrapper of hook {spec.name!r} but has no yield, where the others would run",
        (*head, "    return …"),
        (*head, "    result = yield", "    return result"),
    )


def _generator(spec: HookSpecInfo, one: Given) -> Problem:
    return _about(
        one,
        f"is a generator: hook {spec.name!r} would answer with one, and nothing in it would run "
        f"(to surround the others instead, write @hookimpl(wrapper=True))",
        (one.written(), "    yield …"),
        (one.written(), "    return …"),
    )


def _about(one: Given, sentence: str, wrong: Sequence[str] = (), right: Sequence[str] = ()) -> Problem:
    return _problem(sentence + side_by_side(wrong, right), one.where, one.location)


def _problem(message: str, where: str, location: tuple[str | None, int | None] = (None, None)) -> Problem:
    return Problem(message, path=where, file=location[0], line=location[1])
