"""One version of a hook: the implementations that are there, and the bodies made for them.

A version never changes. A change of the hook makes a new one, whose bodies are generated when
they are first called and dropped with it: whoever still runs in a body keeps the version, and
the version keeps the implementations, so that their end tells the end of the last call.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pluginkit.hooks import wrapping
from pluginkit.hooks.arguments import optional, picked
from pluginkit.hooks.asyncness import refuse, settled
from pluginkit.hooks.body import Callee, Form, Role, body_text, callees_of
from pluginkit.hooks.checks import Written
from pluginkit.hooks.compiling import function_of
from pluginkit.hooks.entry import Body
from pluginkit.hooks.metrics import Metrics
from pluginkit.hooks.naming import identifier, locals_of
from pluginkit.hooks.policy import Failures, Report
from pluginkit.hooks.spec import HookSpec
from pluginkit.hooks.values import Implementation
from pluginkit.markers.typed import ErrorPolicy


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to call a hook; each has a body of its own.

    Args:
        errors: the policy.
        first: end at the first answer, whatever the spec says.
        mapping: the arguments come in one mapping.
        observed: the body's first argument is told of each implementation's beginning and end.
    """

    errors: ErrorPolicy = "record"
    first: bool = False
    mapping: bool = False
    observed: bool = False


class Version:
    """The implementations of one hook between two changes, in call order, wrappers first."""

    __slots__ = ("__weakref__", "_bodies", "_parts", "_report", "implementations", "metrics", "spec")

    def __init__(
        self,
        spec: HookSpec,
        implementations: Sequence[Implementation],
        *,
        report: Report | None,
        metrics: Metrics | None,
    ) -> None:
        self.spec = spec
        self.implementations = tuple(implementations)
        self.metrics = metrics
        self._report = report
        self._bodies: dict[Variant, Body] = {}
        self._parts: dict[str, Version] = {}

    def body(self, variant: Variant) -> Body:
        """The function that makes a call in this way; generated at the first demand, then kept.

        Two threads that ask first may both make one; either is right.
        """
        body = self._bodies.get(variant)
        if body is None:
            body = self._bodies[variant] = self.made(variant)
        return body

    def made(self, variant: Variant) -> Body:
        """Generate the body of this variant anew; the version does not keep it."""
        written = self._written(variant)
        form = self._form(variant, written)
        callees = self._callees(form, written)
        names = self._names(variant, written)
        for callee, implementation in zip(callees, self.implementations, strict=True):
            names[callee.label] = implementation.function
        return function_of(body_text(form, callees), names, self.spec.name)

    def source(self, variant: Variant) -> str:
        """The text of that function."""
        written = self._written(variant)
        form = self._form(variant, written)
        return body_text(form, self._callees(form, written))

    def of_plugin(self, plugin: str) -> Version:
        """The same with the implementations of one plugin only."""
        part = self._parts.get(plugin)
        if part is None:
            part = self.with_only(*(one for one in self.implementations if one.plugin == plugin))
            if part.implementations:
                self._parts[plugin] = part
        return part

    def with_only(self, *implementations: Implementation) -> Version:
        """A version of the same hook with these implementations."""
        return Version(self.spec, implementations, report=self._report, metrics=self.metrics)

    def failures(self, policy: ErrorPolicy, *, first: bool = False) -> Failures:
        """Who decides about the errors of calls under this policy; see `Variant` for `first`."""
        report = self._report if self.metrics is None else self.metrics.reporting(self._report)
        failures = Failures(self.spec.name, report, isolating=policy != "raise")
        if self.spec.checks is not None:
            failures.leave_wrapper = self.spec.checks.leaving(single=self.spec.firstresult or first)
        return failures

    def _written(self, variant: Variant) -> Written | None:
        """The checks that the body makes, if the spec declares any."""
        if self.spec.checks is None:
            return None
        return self.spec.checks.written(None if variant.mapping else locals_of(self.spec.argnames))

    def _callees(self, form: Form, written: Written | None) -> list[Callee]:
        taken = () if form.parameters is None else tuple(form.parameters.values())
        if written is not None:
            taken = (*taken, *written.functions)
        return callees_of(self.implementations, partial(_role, self.spec), taken)

    def _form(self, variant: Variant, written: Written | None) -> Form:
        return Form(
            name=identifier(self.spec.name),
            parameters=None if variant.mapping else locals_of(self.spec.argnames),
            firstresult=self.spec.firstresult or variant.first,
            errors="grouped" if variant.errors == "group" else "caught",
            timed=self.metrics is not None,
            observed=variant.observed,
            accepts={} if written is None else written.accepts,
            answer="" if written is None else written.answer,
        )

    def _names(self, variant: Variant, written: Written | None) -> dict[str, Any]:
        """What the text of a body uses, beside the implementations' own labels."""
        failures = self.failures(variant.errors, first=variant.first)
        names: dict[str, Any] = {
            "implementations": self.implementations,
            "failed": failures.failed,
            "grouped": failures.grouped,
            "leave": failures.leave,
            "entered": wrapping.entered,
            "adapted": partial(wrapping.adapted, hook=self.spec.name),
            "refuse": refuse,
            "settled": settled,
            "picked": picked,
            "optional": optional,
        }
        if self.metrics is not None:
            counters = [self.metrics.counter(one.plugin, one.hook) for one in self.implementations]
            names.update(clock=time.perf_counter, spent=tuple(counter.spent for counter in counters))
        if written is not None:
            names.update(written.functions)
        return names


def _role(spec: HookSpec, implementation: Implementation) -> Role:
    if implementation.wrapper:
        return "wrapper"
    if implementation.hookwrapper:
        return "old wrapper"
    if implementation.asyncness == "yes":
        return "async"
    return "perhaps async" if spec.is_async or implementation.asyncness == "perhaps" else "plain"
