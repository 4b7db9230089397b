"""What is done with the values of a hook's calls where its spec declares rules for them.

Bodies have it only where a rule is declared: an argument is checked before anything is called,
an answer as soon as it is there, so that a bad one is an error of the plugin that gave it.
What wrappers make of the answers is checked when each is left; a bad outcome is that
wrapper's error, and the outcome stays what it was inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pluginkit.contracts.declared import RESULT, Declared
from pluginkit.contracts.rule import wrong_type
from pluginkit.errors import InvalidArgument, InvalidValue
from pluginkit.hooks import wrapping
from pluginkit.hooks.naming import RESERVED, labels


class Checks:
    """The rules of one hook, at work.

    Args:
        hook: the hook's name.
        rules: what is declared, by argument; `return` is the result.
        defaults: what arguments are if a caller leaves them out. These are the host's own, and
            pass whatever the rule says.
    """

    def __init__(self, hook: str, rules: Mapping[str, Declared], defaults: Mapping[str, Any]) -> None:
        self._hook = hook
        self._arguments = {name: rule for name, rule in rules.items() if name != RESULT}
        self._result = rules.get(RESULT)
        self._defaults = defaults

    @property
    def of_result(self) -> bool:
        """Whether there is a rule for the result."""
        return self._result is not None

    def written(self, local: Mapping[str, str] | None, taken: Iterable[str] = ()) -> Written:
        """How a body makes these checks; `local` is what it calls the arguments, None for one mapping."""
        return Written(self, self._arguments, local, taken)

    def argument(self, name: str, value: Any) -> Any:
        """The value of an argument as implementations get it.

        Raises:
            InvalidArgument: the rule does not allow it.
        """
        if name in self._defaults and value is self._defaults[name]:
            return value
        try:
            return self._arguments[name].check(value)
        except InvalidValue as error:
            raise InvalidArgument(error.problem, self._hook, name) from None

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments of a call, checked; those that are missing stay so."""
        return {
            name: self.argument(name, value) if name in self._arguments else value
            for name, value in given.items()
        }

    def result(self, value: Any) -> Any:
        """What one implementation gave, as the host gets it; None is no answer, and passes.

        Raises:
            InvalidValue: the rule does not allow it.
        """
        if value is None or self._result is None:
            return value
        try:
            return self._result.check(value)
        except InvalidValue as error:
            raise InvalidValue(error.problem, self._hook) from None

    def leaving(self, *, single: bool) -> Callable[[wrapping.Wrapper, Any, list[BaseException]], Any]:
        """What takes the place of `wrapping.leave`; `single` if the outcome is one answer, not a list."""
        if self._result is None:
            return wrapping.leave

        def leave(wrapper: wrapping.Wrapper, outcome: Any, flying: list[BaseException]) -> Any:
            # The wrapper may change the lists that it gets, and then fail.
            inside = _copied(outcome)
            result = wrapping.leave(wrapper, outcome, flying)
            if flying:
                return inside
            try:
                return self.result(result) if single else self._results(result)
            except InvalidValue as error:
                flying.append(error)
                return inside

        return leave

    def _results(self, results: Any) -> Any:
        if results is None:
            return None
        if not issubclass(type(results), list):
            problem = wrong_type("the list of results", results)
            raise InvalidValue(f"from a wrapper, {problem}", self._hook)
        return [self.result(result) for result in list.copy(results)]


class Written:
    """The checks in the text of one body: what they are called there, and what is called.

    `accepts` has the local variables that are checked first, each with its function's name;
    `answer` is the name of the function that each answer goes through, or empty.
    """

    def __init__(
        self,
        checks: Checks,
        arguments: Iterable[str],
        local: Mapping[str, str] | None,
        taken: Iterable[str],
    ) -> None:
        checked: dict[str, tuple[str, Callable[[Any], Any]]] = {}
        if local is not None:
            checked = {local[name]: (f"valid_{name}", partial(checks.argument, name)) for name in arguments}
        elif arguments:
            checked = {"arguments": ("valid_arguments", checks.arguments)}
        given = [*checked.values(), *([("valid_result", checks.result)] if checks.of_result else [])]
        unavailable = RESERVED.union(taken, (local or {}).values())
        names = labels([name for name, _ in given], unavailable)
        self.functions = dict(zip(names, (function for _, function in given), strict=True))
        self.accepts = dict(zip(checked, names, strict=False))
        self.answer = names[-1] if checks.of_result else ""


def _copied(outcome: Any) -> Any:
    """The outcome with lists of its own; what is checked has a list of lists at most."""
    return [_copied(one) for one in outcome] if isinstance(outcome, list) else outcome
