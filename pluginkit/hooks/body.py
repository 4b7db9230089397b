"""The text of a hook's body: one plain function that calls exactly who is there.

For two plugins, with their errors recorded, it is this, and all else here varies it:

    def speak(is_loud):
        results = []
        try:
            result = cat(is_loud)
            if result is not None:
                results.append(result)
        except BaseException as error:
            if failed(implementations[0], error):
                raise
        try:
            result = dog(is_loud)
            if result is not None:
                results.append(result)
        except BaseException as error:
            if failed(implementations[1], error):
                raise
        return results

Nothing is looked up or built that could be written down beforehand: no list of arguments, no
loop, no test of an option. What is switched off is not in the text at all. `try` costs nothing
unless something is raised. Wrappers are entered before the others and left after them, in
reverse; see `wrapping.py`.

The names that the text uses (`cat`, `failed`, `implementations`, …) are the globals of its
function, one dictionary for each version of the hook; see `compiling.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from pluginkit.hooks.naming import RESERVED, labels

Role = Literal["plain", "async", "perhaps async", "wrapper", "old wrapper"]


@dataclass(frozen=True, slots=True)
class Callee:
    """One implementation as the text sees it: a name to call and the arguments to pass."""

    label: str
    argnames: tuple[str, ...]
    kwargnames: tuple[str, ...]
    role: Role = "plain"
    # For a wrapper, the variable that holds it while it is entered.
    variable: str = ""

    @property
    def is_wrapper(self) -> bool:
        return self.role in ("wrapper", "old wrapper")


@dataclass(frozen=True, slots=True)
class Form:
    """What kind of body is wanted.

    Args:
        name: the hook's name, as an identifier.
        parameters: argument name to its name in the text, in order; None if the arguments come
            in one mapping, which is how irregular calls and hooks without a spec are made.
        firstresult: end at the first answer that is not None, and give it alone.
        errors: `none` lets exceptions fly, as pluggy does; `caught` asks `failed` about each;
            `grouped` collects them beside the results.
        timed: report the seconds of each call to `spent`.
        observed: a first parameter `observer` is told of each beginning, answer and error.
        holder: the name under which the text finds the implementations themselves.
        accepts: variables of arguments that are checked before all else, each with the name
            of the function that gives the value to go on with.
        answer: the name of the function that each answer goes through; empty if there is none.
    """

    name: str
    parameters: Mapping[str, str] | None
    firstresult: bool = False
    errors: Literal["none", "caught", "grouped"] = "caught"
    timed: bool = False
    observed: bool = False
    holder: str = "implementations"
    accepts: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""


class Participant(Protocol):
    """What the text has to know of an implementation, be it ours or pluggy's."""

    @property
    def plugin_name(self) -> str: ...
    @property
    def argnames(self) -> tuple[str, ...]: ...
    @property
    def kwargnames(self) -> tuple[str, ...]: ...


Q = TypeVar("Q", bound=Participant)


def body_text(form: Form, callees: Sequence[Callee]) -> str:
    """The source of the function that calls `callees`, in their order."""
    parameters = ["arguments"] if form.parameters is None else list(form.parameters.values())
    if form.observed:
        parameters.insert(0, "observer")
    return text_of([f"def {form.name}({', '.join(parameters)}):", *indented(body_lines(form, callees))])


def body_lines(form: Form, callees: Sequence[Callee]) -> list[str]:
    """The same without the `def`, for a function whose first lines are written elsewhere."""
    write = _Wrapped if any(callee.is_wrapper for callee in callees) else _Plain
    checked = [f"{variable} = {function}({variable})" for variable, function in form.accepts.items()]
    return [*checked, *write(form, callees).lines()]


def callees_of(implementations: Sequence[Q], role: Callable[[Q], Role], taken: Iterable[str]) -> list[Callee]:
    """The implementations as the text sees them, none under a name that is taken."""
    names = [implementation.plugin_name for implementation in implementations]
    chosen = labels([*names, *(f"in_{name}" for name in names)], RESERVED.union(taken))
    return [
        Callee(
            label=chosen[index],
            argnames=implementation.argnames,
            kwargnames=implementation.kwargnames,
            role=role(implementation),
            variable=chosen[len(names) + index],
        )
        for index, implementation in enumerate(implementations)
    ]


def text_of(lines: Iterable[str]) -> str:
    """The lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def indented(lines: Iterable[str]) -> list[str]:
    """The lines one level deeper."""
    return [f"    {line}" for line in lines]


class _Plain:
    """A body without wrappers: one block after another, each ending in the results."""

    def __init__(self, form: Form, callees: Sequence[Callee]) -> None:
        self.form = form
        self.callees = callees
        self.outcome = "result" if form.firstresult else "results"
        # Otherwise there is something left to do at the end, and the rest is passed over.
        self.returns_early = form.firstresult and form.errors != "grouped"

    def lines(self) -> list[str]:
        lines = self.beginning()
        for index, callee in enumerate(self.callees):
            lines += self.block(index, callee)
        return [*lines, *(["return None"] if self.returns_early else self.ending())]

    def beginning(self) -> list[str]:
        lines = (
            [] if self.returns_early else [f"{self.outcome} = {'None' if self.form.firstresult else '[]'}"]
        )
        return [*lines, "errors = []"] if self.form.errors == "grouped" else lines

    def ending(self) -> list[str]:
        if self.form.errors != "grouped":
            return [f"return {self.outcome}"]
        return ["if errors:", f"    raise grouped(errors, {self.outcome})", f"return {self.outcome}"]

    def this(self, index: int) -> str:
        return f"{self.form.holder}[{index}]"

    def block(self, index: int, callee: Callee) -> list[str]:
        """All that is written for one implementation that is no wrapper."""
        block = self.guarded(index, self.answer(index, callee))
        if self.form.firstresult and not self.returns_early:
            return ["if result is None:", *indented(block)]
        return block

    def answer(self, index: int, callee: Callee) -> list[str]:
        """Call one implementation and keep what it gives."""
        lines = self.called(index, callee)
        if callee.role == "async" or (self.form.firstresult and not self.returns_early):
            return lines
        kept = "return result" if self.returns_early else "results.append(result)"
        return [*lines, "if result is not None:", f"    {kept}"]

    def called(self, index: int, callee: Callee) -> list[str]:
        if callee.role == "async":
            return [f"refuse({self.this(index)})"]
        call = self.call(index, callee)
        if callee.role == "perhaps async":
            call = f"settled({self.this(index)}, {call})"
        if self.form.answer:
            call = f"{self.form.answer}({call})"
        lines = [f"result = {call}"]
        if self.form.observed:
            lines.append(f"observer.answered({self.this(index)}, result)")
        return lines

    def call(self, index: int, callee: Callee) -> str:
        if self.form.parameters is None:
            given = [f"*picked({self.this(index)}, arguments)"] if callee.argnames else []
            if callee.kwargnames:
                given.append(f"**optional({self.this(index)}, arguments)")
        else:
            local = self.form.parameters
            given = [local[name] for name in callee.argnames]
            given += [f"{name}={local[name]}" for name in callee.kwargnames if name in local]
        return f"{callee.label}({', '.join(given)})"

    def guarded(self, index: int, lines: list[str]) -> list[str]:
        """Put what belongs to every implementation around its block: errors, time, observation."""
        this = self.this(index)
        before, handlers = [], []
        if self.form.timed:
            before.append("begun = clock()")
        if self.form.observed:
            before.append(f"observer.begins({this})")
        if self.form.errors != "none":
            kept = ", errors" if self.form.errors == "grouped" else ""
            handlers += ["except BaseException as error:"]
            if self.form.observed:
                handlers += [f"    observer.raised({this}, error)"]
            handlers += [f"    if failed({this}, error{kept}):", "        raise"]
        if self.form.timed:
            handlers += ["finally:", f"    spent[{index}](clock() - begun)"]
        if not handlers:
            return before + lines
        return [*before, "try:", *indented(lines), *handlers]


class _Wrapped(_Plain):
    """A body with wrappers: those that were entered are left whatever happened inside.

    Each wrapper has a variable that stays None until it is entered. `flying` is what flies
    through them on the way out; recorded errors of the others never get there.
    """

    def __init__(self, form: Form, callees: Sequence[Callee]) -> None:
        super().__init__(form, callees)
        self.returns_early = False

    def lines(self) -> list[str]:
        wrappers = [(index, callee) for index, callee in enumerate(self.callees) if callee.is_wrapper]
        inside = []
        for index, callee in wrappers:
            inside += self.guarded(index, [f"{callee.variable} = {self.entering(index, callee)}"])
        for index, callee in enumerate(self.callees):
            if not callee.is_wrapper:
                inside += self.block(index, callee)
        return [
            *self.beginning(),
            "flying = []",
            f"{' = '.join(callee.variable for _, callee in wrappers)} = None",
            "try:",
            *indented(inside),
            "except BaseException as error:",
            "    flying.append(error)",
            *(line for index, callee in reversed(wrappers) for line in self.leaving(index, callee)),
            "if flying:",
            "    raise flying.pop()",
            *self.ending(),
        ]

    def entering(self, index: int, callee: Callee) -> str:
        call = self.call(index, callee)
        if callee.role == "old wrapper":
            call = f"adapted({call}, {self.this(index)})"
        return f"entered({call})"

    def leaving(self, index: int, callee: Callee) -> list[str]:
        given = f"{callee.variable}, {self.outcome}, flying"
        if self.form.errors != "none":
            given += f", {self.this(index)}"
        if self.form.errors == "grouped":
            given += ", errors"
        return [f"if {callee.variable} is not None:", f"    {self.outcome} = leave({given})"]
