"""What a plugin is handed of its configuration: settings that it looks up by type."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, overload

from pluginkit.config.durations import parse_duration
from pluginkit.config.frozen import thaw
from pluginkit.config.kinds import Steps
from pluginkit.config.redaction import HIDDEN, is_secret, redacted
from pluginkit.config.validators import Check, Validators
from pluginkit.errors import ConfigError, Problem
from pluginkit.strict_yaml import shorten

D = TypeVar("D")

_log = logging.getLogger("pluginkit")


class Settings(Mapping[str, Any]):
    """A plugin's settings: a mapping that cannot be changed, with look-ups by type.

    The typed look-ups take a dotted key (`db.port`) and a default for when it is absent or
    null. A value of another type is a warning in the log and the default; in strict mode it is
    a `ConfigError`. Lists and mappings are handed out as copies, so that they may be changed
    freely. Secrets are hidden in `repr` and `as_dict`.

    >>> settings = Settings({"db": {"port": 5432, "password": "x"}, "retry": "1m30s"})
    >>> settings.get_int("db.port"), settings.get_duration("retry"), settings.get_str("user", "me")
    (5432, 90.0, 'me')
    >>> settings
    Settings({'db': {'port': 5432, 'password': '***'}, 'retry': '1m30s'})
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        plugin: str = "",
        secrets: frozenset[Steps] = frozenset(),
        strict: bool = False,
    ) -> None:
        """Hold a copy of `data`; `secrets` are the places of values that must not be shown."""
        self.validators = Validators()
        self._data: dict[str, Any] = thaw(data or {})
        self._plugin = plugin
        self._secrets = secrets
        self._strict = strict
        self._warned: set[tuple[str, str]] = set()

    def __getitem__(self, key: str) -> Any:
        return thaw(self._data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"Settings({self.as_dict()!r})"

    def as_dict(self, *, redact: bool = True) -> dict[str, Any]:
        """All settings as plain data, secrets hidden unless `redact` is false."""
        if not redact:
            return dict(self)
        plain: dict[str, Any] = redacted(_hide(self._data, self._secrets))
        return plain

    def find(self, key: str, default: Any = None) -> Any:
        """The value at a dotted key, of whatever type; null counts as absent.

        Keys that have dots in their own names are found as well, the longest such name first.
        """
        value = _descend(self._data, key)[0]
        return default if value is None else thaw(value)

    @overload
    def get_str(self, key: str) -> str | None: ...
    @overload
    def get_str(self, key: str, default: D) -> str | D: ...
    def get_str(self, key: str, default: Any = None) -> Any:
        """Text."""
        return self._typed(key, default, "text", _as_text)

    @overload
    def get_int(self, key: str) -> int | None: ...
    @overload
    def get_int(self, key: str, default: D) -> int | D: ...
    def get_int(self, key: str, default: Any = None) -> Any:
        """A whole number; `3.0` is one, a boolean is not."""
        return self._typed(key, default, "an integer", _as_integer)

    @overload
    def get_float(self, key: str) -> float | None: ...
    @overload
    def get_float(self, key: str, default: D) -> float | D: ...
    def get_float(self, key: str, default: Any = None) -> Any:
        """A number."""
        return self._typed(key, default, "a number", _as_number)

    @overload
    def get_bool(self, key: str) -> bool | None: ...
    @overload
    def get_bool(self, key: str, default: D) -> bool | D: ...
    def get_bool(self, key: str, default: Any = None) -> Any:
        """True or false; text such as `yes` is neither."""
        return self._typed(key, default, "true or false", _as_flag)

    @overload
    def get_list(self, key: str) -> list[Any] | None: ...
    @overload
    def get_list(self, key: str, default: D) -> list[Any] | D: ...
    def get_list(self, key: str, default: Any = None) -> Any:
        """A list, as a copy."""
        return self._typed(key, default, "a list", _as_list)

    @overload
    def get_duration(self, key: str) -> float | None: ...
    @overload
    def get_duration(self, key: str, default: D) -> float | D: ...
    def get_duration(self, key: str, default: Any = None) -> Any:
        """A length of time in seconds, written as `100ms`, `5m`, `1h30m` or a number of seconds."""
        return self._typed(key, default, "a duration", parse_duration)

    def validate(self, key: str, check: Check | None = None, *, required: bool = False) -> None:
        """Check a key now, and again whenever the settings change.

        `check` gets the value, and refuses it by raising (`ValueError` with a sentence reads
        best) or by returning False. It is not called for an absent key; `required` makes the
        absence itself an error. Raises `ConfigError`, which names the key; a validator that
        failed is not kept.

        >>> Settings({"port": 80}).validate("port", lambda port: port >= 1024)
        Traceback (most recent call last):
        ...
        pluginkit.errors.ConfigError: the settings cannot be used
          port: is refused by its validator (found 80)
        """
        validators = Validators([(key, check, required)])
        problems = validators.problems(self)
        if problems:
            raise ConfigError(f"the settings {self._of_plugin()}cannot be used", problems)
        self.validators.extend(validators)

    def describe(self, key: str) -> str | None:
        """The value at a dotted key as an error may show it, None if there is none."""
        value, steps = _descend(self._data, key)
        return None if value is None else self._shown(value, steps)

    def conceal(self, text: str) -> str:
        """Hide the secrets among the settings wherever they occur in `text` (a plugin's error)."""
        for secret in sorted(_secret_texts(self._data, self._secrets), key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _typed(self, key: str, default: Any, expected: str, convert: Callable[[Any], Any]) -> Any:
        value, steps = _descend(self._data, key)
        if value is None:
            return default
        try:
            return convert(value)
        except ValueError:
            problem = Problem(f"must be {expected}", path=key, found=self._shown(value, steps))
            self._complain(problem, expected, default)
            return default

    def _complain(self, problem: Problem, expected: str, default: Any) -> None:
        if self._strict:
            raise ConfigError(f"the settings {self._of_plugin()}cannot be used", [problem])
        # Once: a plugin may look a setting up in every call.
        if (problem.path, expected) not in self._warned:
            self._warned.add((problem.path, expected))
            shown = HIDDEN if is_secret(problem.path, default) else repr(default)
            _log.warning("settings %s%s; the default %s is used", self._of_plugin(), problem, shown)

    def _of_plugin(self) -> str:
        return f"of plugin {self._plugin!r} " if self._plugin else ""

    def _shown(self, value: Any, steps: Steps) -> str:
        names = [step for step in steps if isinstance(step, str)]
        if any(is_secret(name, value) for name in names) or any(
            steps[: len(secret)] == secret for secret in self._secrets
        ):
            return HIDDEN
        return shorten(repr(redacted(_hide(value, self._secrets, steps))))


def _descend(node: Any, key: str) -> tuple[Any, Steps]:
    """The value at a dotted key below `node`, and where it is; None if there is none."""
    if not isinstance(node, dict):
        return None, ()
    if key in node:
        return node[key], (key,)
    head, dot, _ = key.rpartition(".")
    while dot:
        value, steps = _descend(node.get(head), key[len(head) + 1 :])
        if value is not None:
            return value, (head, *steps)
        head, dot, _ = head.rpartition(".")
    return None, ()


def _hide(value: Any, secrets: frozenset[Steps], at: Steps = ()) -> Any:
    if at in secrets:
        return HIDDEN
    if isinstance(value, dict):
        return {key: _hide(item, secrets, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, secrets, (*at, index)) for index, item in enumerate(value)]
    return value


def _secret_texts(
    value: Any, secrets: frozenset[Steps], at: Steps = (), *, hidden: bool = False
) -> Iterator[str]:
    names = [step for step in at[-1:] if isinstance(step, str)]
    hidden = hidden or at in secrets or any(is_secret(name, value) for name in names)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _secret_texts(item, secrets, (*at, key), hidden=hidden)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secret_texts(item, secrets, (*at, index), hidden=hidden)
    elif hidden and not isinstance(value, bool) and len(str(value or "")) > 2:
        yield str(value)


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _as_integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError
    return value


def _as_number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError
    return float(value)


def _as_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    plain: list[Any] = thaw(value)
    return plain
