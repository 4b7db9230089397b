"""Entering and leaving wrappers: generators with exactly one `yield`.

What is said before the `yield` runs before the wrapped implementations; the `yield` gives
their outcome or raises what they raised; what is returned, or raised, takes its place.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn, Protocol, TypeAlias

from pluginkit.hooks.arguments import warn_caller

Wrapper: TypeAlias = Generator[None, Any, Any]


class Described(Protocol):
    """What a warning says of an old-style wrapper."""

    @property
    def plugin_name(self) -> str: ...


def entered(wrapper: Wrapper) -> Wrapper:
    """Run a wrapper up to its `yield`."""
    try:
        next(wrapper)
    except StopIteration:
        _wrong_yields(wrapper, "did not yield")
    return wrapper


def leave(wrapper: Wrapper, outcome: Any, flying: list[BaseException]) -> Any:
    """Run a wrapper to its end; gives the outcome from now on.

    `flying` holds the exception that is on its way out, if there is one, and is changed when
    the wrapper stops it or raises another. It is a list because the frames of a call are found
    through the tracebacks of its exceptions: one that knew the exception by a variable would
    hold it for as long as the exception holds the frame.
    """
    try:
        if flying:
            wrapper.throw(flying[0])
        else:
            wrapper.send(outcome)
        wrapper.close()
        _wrong_yields(wrapper, "has second yield")
    except StopIteration as stop:
        flying.clear()
        return stop.value
    except BaseException as error:
        if _is_only_wrapped(error, flying):
            wrapper.close()
        else:
            flying[:] = [error]
    return outcome


def _is_only_wrapped(error: BaseException, flying: list[BaseException]) -> bool:
    """A generator cannot let a StopIteration pass; Python makes a RuntimeError of it."""
    return (
        isinstance(error, RuntimeError)
        and bool(flying)
        and isinstance(flying[0], StopIteration)
        and error.__cause__ is flying[0]
    )


def adapted(wrapper: Generator[None, Any, Any], implementation: Described, hook: str) -> Wrapper:
    """Make an old-style wrapper, which gets a `pluggy.Result`, look like a new-style one."""
    from pluggy import Result

    try:
        next(wrapper)
    except StopIteration:
        _wrong_yields(wrapper, "did not yield")
    try:
        outcome = yield
        result: Result[Any] = Result(outcome, None)
    except BaseException as error:
        result = Result(None, error)
    try:
        wrapper.send(result)
    except StopIteration:
        pass
    except BaseException as error:
        _warn_of_teardown(implementation, hook, error)
        raise
    else:
        _wrong_yields(wrapper, "has second yield")
    finally:
        wrapper.close()
    if result.exception is None:
        return result.get_result()
    try:
        raise result.exception
    finally:
        # This frame is in the exception's traceback.
        del result


def _wrong_yields(wrapper: Wrapper, what: str) -> NoReturn:
    code = wrapper.gi_code  # type: ignore[attr-defined]  # typeshed has it on types.GeneratorType only
    raise RuntimeError(f"wrap_controller at {code.co_name!r} {code.co_filename}:{code.co_firstlineno} {what}")


def _warn_of_teardown(implementation: Described, hook: str, error: BaseException) -> None:
    from pluggy import PluggyTeardownRaisedWarning

    message = (
        f"A plugin raised an exception during an old-style hookwrapper teardown.\n"
        f"Plugin: {implementation.plugin_name}, Hook: {hook}\n{type(error).__name__}: {error}\n"
        f"Write a new-style wrapper instead: @hookimpl(wrapper=True), result = yield, return result"
    )
    warn_caller(PluggyTeardownRaisedWarning(message))
