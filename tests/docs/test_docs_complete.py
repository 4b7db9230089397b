"""QA01: nothing public is missing in the docs.

Walks what users meet (names, methods, parameters, states, reason codes, events, fields of the manifest,
commands, options, errors, exit codes) and looks for each in the page, and mostly in the section, where a
reader would look. What counts is inline code and headings; a name in an example explains nothing.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

import pluginkit
from pluginkit import errors
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.program import program
from pluginkit.discovery import reasons
from pluginkit.events import EVENT_KINDS
from pluginkit.manifest import manifest_schema

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGE = Path(pluginkit.__path__[0])

API, HOOKS, STATES = "reference/api.md", "reference/hooks.md", "reference/states.md"
JOBS = "reference/jobs.md"
LOGS = "reference/logging.md"
QUEUE = "reference/queue.md"
MANIFEST, CLI, TROUBLESHOOTING = "reference/manifest.md", "reference/cli.md", "troubleshooting.md"

_FENCED = re.compile(r"^( *)(```+)[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_SIGNATURE = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_HEADING = re.compile(r"^(#+) +(.*)$", re.MULTILINE)


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@cache
def code_of(name: str, heading: str | None = None) -> tuple[str, ...]:
    """The inline code of a page, or of the section below a heading that names `heading`."""
    text = page(name) if heading is None else section(page(name), heading)
    return tuple(match[2] for match in _INLINE.finditer(_FENCED.sub("", text)))


def section(text: str, heading: str) -> str:
    """The text from the heading that has `heading` as inline code to the next of its level, or ""."""
    headings = list(_HEADING.finditer(_blanked(text)))
    for index, found in enumerate(headings):
        if heading in [match[2] for match in _INLINE.finditer(found[2])]:
            later = (other for other in headings[index + 1 :] if len(other[1]) <= len(found[1]))
            end = next((other.start() for other in later), len(text))
            return text[found.start() : end]
    return ""


def _blanked(text: str) -> str:
    """The text with its fenced blocks blanked out: a comment in an example is no heading."""
    return _FENCED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def names(name: str, code: Iterable[str]) -> bool:
    """Whether one of the pieces of code has `name` as a word of its own."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(word.search(piece) for piece in code)


def missing(wanted: Iterable[str], code: Iterable[str]) -> list[str]:
    pieces = tuple(code)
    return sorted(name for name in set(wanted) if not names(name, pieces))


def reported(what: Mapping[str, list[str]]) -> str:
    return "\n".join(f"{place}: {', '.join(lacking)}" for place, lacking in what.items() if lacking)


# Names that one imports


@pytest.mark.parametrize(
    ("module", "pages"),
    [
        ("pluginkit", (API, HOOKS)),
        ("pluginkit.contracts", (API,)),
        ("pluginkit.testing", (API,)),
        ("pluginkit.hooks", (HOOKS,)),
        ("pluginkit.jobs", (JOBS,)),
        ("pluginkit.queue", (QUEUE,)),
        ("pluginkit.logs", (LOGS,)),
    ],
)
def test_qa01_every_public_name_is_documented(module: str, pages: tuple[str, ...]) -> None:
    public = [name.replace("__version__", "pluginkit.__version__") for name in names_of(module)]
    code = [piece for name in pages for piece in code_of(name)]
    assert missing(public, code) == []


def names_of(module: str) -> list[str]:
    return list(importlib.import_module(module).__all__)


# Classes: each public member, and each parameter of it, in the section of the class

PROTOCOL = {"load", "start", "close"}  # what `with host:` stands for is told there


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """The public attributes of a class, those that instances get in `__init__` included."""
    for name, value in inspect.getmembers(cls):
        if not name.startswith("_") and name not in vars(BaseException):
            yield name, value
    for name in _assigned(cls):
        if not hasattr(cls, name):
            yield name, None


def _assigned(cls: type) -> set[str]:
    import textwrap

    if "__init__" not in vars(cls) or not inspect.isfunction(cls.__init__):  # type: ignore[misc]  # asked of the class
        return set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls.__init__)))  # type: ignore[misc]  # as above
    except OSError:
        return set()  # a dataclass: its fields have slots, and are members
    targets = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node))
    return {name for name in targets if not name.startswith("_")}


def _is_self(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"


def parameters(function: object) -> list[str]:
    if not callable(function) or inspect.isclass(function):
        return []
    found = inspect.signature(function).parameters
    return [name for name in found if name not in ("self", "cls") and not name.startswith("_")]


CLASSES = [
    "Host",
    "Plugin",
    "LoadReport",
    "UnloadReport",
    "PluginContext",
    "CallContext",
    "Manifest",
    "Event",
    "Reason",
    "Problem",
    *(["ReloadReport"] if "ReloadReport" in pluginkit.__all__ else []),
]


@pytest.mark.parametrize("name", CLASSES)
def test_qa01_every_member_and_parameter_of_a_class_is_in_its_section(name: str) -> None:
    cls = getattr(pluginkit, name)
    body = section(page(API), name)
    assert body, f"{API} has no section `{name}`"
    signatures = [match[1] for match in _SIGNATURE.finditer(body)]
    code = [*code_of(API, name), *signatures]
    lacking = {member: missing([member, *parameters(value)], code) for member, value in members(cls)}
    lacking["__init__"] = missing(parameters(cls.__init__), code) if name in ("Host", "CallContext") else []
    assert not reported(lacking)


@pytest.mark.parametrize("name", ["LogChain", "AuditLog"])
def test_qa01_every_member_of_a_class_of_the_logs_is_in_its_section(name: str) -> None:
    cls = getattr(importlib.import_module("pluginkit.logs"), name)
    code = code_of(LOGS, name)
    assert not reported(
        {member: missing([member, *parameters(value)], code) for member, value in members(cls)}
    )


@pytest.mark.parametrize("name", ["Pool", "Job", "JobContext"])
def test_qa01_every_member_of_a_class_of_jobs_is_in_its_section(name: str) -> None:
    cls = getattr(importlib.import_module("pluginkit.jobs"), name)
    inherited = {"set_result", "set_exception", "set_running_or_notify_cancel"}  # refused, see Job
    lacking = {
        member: missing([member, *parameters(value)], code_of(JOBS, name))
        for member, value in members(cls)
        if member not in inherited
    }
    assert not reported(lacking)


@pytest.mark.parametrize(
    "name", ["PersistentQueue", "QueueView", "QueueCounts", "Leased", "DeadLetter", "Damage"]
)
def test_qa01_every_member_of_a_class_of_the_queue_is_in_its_section(name: str) -> None:
    cls = getattr(importlib.import_module("pluginkit.queue"), name)
    inherited = set(dir(tuple))
    lacking = {
        member: missing([member, *parameters(value)], code_of(QUEUE, name))
        for member, value in members(cls)
        if member not in inherited
    }
    lacking["__init__"] = missing(parameters(cls.__init__), code_of(QUEUE, name)) if name[0] in "PQ" else []
    assert not reported(lacking)


def test_a_class_that_lacks_a_member_would_be_found() -> None:
    lacking = missing(["load", "fly"], code_of(API, "Host"))
    assert lacking == ["fly"]


@pytest.mark.parametrize("marker", ["hookspec", "hookimpl"])
def test_qa01_every_option_of_the_markers_is_documented(marker: str) -> None:
    options = [name for name in parameters(type(getattr(pluginkit, marker)).__call__) if name != "function"]
    assert len(options) >= 5
    assert missing(options, code_of(HOOKS, marker)) == []


def test_qa01_every_form_of_a_hook_is_documented() -> None:
    class Contract:
        @pluginkit.hookspec
        def speak(self, is_loud: bool) -> str:
            """What the animal says."""
            raise NotImplementedError

    host = pluginkit.Host(contracts={"c": Contract}, entry_point_group=None)
    forms = [name for name in host.hook.speak.__dict__ if not name.startswith("_")]
    host.close()
    assert {"attributed", "only", "awaited"} <= set(forms)
    assert missing(forms, code_of(HOOKS)) == []


@pytest.mark.parametrize("function", ["check", "remarks", "newest_fulfilled", "load_contract"])
def test_qa01_parameters_of_functions_are_documented(function: str) -> None:
    from pluginkit import contracts

    assert missing(parameters(getattr(contracts, function)), code_of(API, "pluginkit.contracts")) == []


@pytest.mark.parametrize("name", ["IsolatedHost", "write_plugin"])
def test_qa01_parameters_of_the_test_kit_are_documented(name: str) -> None:
    from pluginkit import testing

    made = getattr(testing, name)
    function: Callable[..., object] = made.__init__ if inspect.isclass(made) else made
    assert missing(parameters(function), code_of(API, "pluginkit.testing")) == []


# States, reasons, events, errors, exit codes


def test_qa01_every_state_is_documented() -> None:
    assert missing(map(str, pluginkit.PluginState), code_of(STATES)) == []


# Function or class → which argument is a code. A code that is put together is listed here by hand.
_CODE_AT = {"Reason": 0, "step": 2, "_step": 2, "failure_of": 2, "refuse": 0, "hold": 0}
_PUT_TOGETHER = {
    "unknown-*": {"unknown-symbol", "unknown-implementation", "unknown-hook"},
    "incompatible-*": {"incompatible-host", "incompatible-python", "incompatible-pluginkit"},
    "*-failed": {"on-stop-failed", "on-unload-failed", "close-failed"},
}


def codes_in_source() -> Iterator[str]:
    """Every reason code that stands anywhere in pluginkit's source."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = _CODE_AT.get(name)
            if place is None or len(node.args) <= place:
                continue
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
            elif isinstance(argument, ast.JoinedStr):
                text = "".join(
                    str(piece.value) if isinstance(piece, ast.Constant) else "*" for piece in argument.values
                )
                assert text in _PUT_TOGETHER, f"{path}:{node.lineno}: say here which codes {text} can give"
                yield from _PUT_TOGETHER[text]


def test_qa01_every_reason_code_is_documented() -> None:
    codes = {*reasons.CODES, *codes_in_source()}
    assert {"no-manifest", "import-failed", "requirement-cycle", "on-stop-failed"} <= codes
    assert missing(codes, code_of(STATES)) == []


def test_qa01_troubleshooting_tells_what_to_do_about_every_reason() -> None:
    code = code_of(STATES)
    codes = {code for code in {*reasons.CODES, *codes_in_source()} if code != "failed"}
    assert missing(codes, code_of(TROUBLESHOOTING)) == []
    assert code


def test_qa01_every_event_kind_is_documented() -> None:
    assert missing(EVENT_KINDS, code_of(STATES)) == []


def test_qa01_every_error_class_is_documented() -> None:
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and value.__module__.startswith("pluginkit")
    ]
    assert len(classes) > 15
    assert missing(classes, code_of(STATES)) == []


def test_qa01_every_error_of_the_top_level_is_in_the_table_of_errors() -> None:
    public = [
        name
        for name in pluginkit.__all__
        if inspect.isclass(value := getattr(pluginkit, name)) and issubclass(value, BaseException)
    ]
    rows = [line.split("|")[1].strip(" `") for line in page(STATES).splitlines() if line.startswith("| `")]
    assert sorted(set(public) - set(rows)) == []


def test_qa01_every_exit_code_is_documented() -> None:
    assert missing([str(int(code)) for code in Exit], code_of(STATES)) == []


# Fields of the manifest


def fields(schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The dotted path of every field in a JSON Schema, lists as `field[]`."""
    while "$ref" in schema:
        schema = {
            **{key: value for key, value in schema.items() if key != "$ref"},
            **_referred(schema["$ref"], root),
        }
    if path == "settings":  # a JSON Schema of the plugin's own
        return
    for name, inner in schema.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield place
        yield from fields(inner, root, place)
    if isinstance(schema.get("items"), Mapping):
        yield from fields(schema["items"], root, f"{path}[]")
    for key in ("anyOf", "then", "else"):
        inner = schema.get(key, [])
        for choice in inner if isinstance(inner, list) else [inner]:
            is_list = choice.get("type") == "array"
            yield from (
                fields(choice.get("items", {}), root, path if key == "anyOf" else f"{path}[]")
                if is_list
                else fields(choice, root, path)
            )


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]  # a place in a JSON document


def test_qa01_every_field_of_the_manifest_is_documented() -> None:
    schema = manifest_schema()
    found = {place for place in fields(schema, schema) if not place.startswith("capabilities.process.exec.")}
    assert {"plugin.entrypoint", "capabilities.filesystem[].path", "http_services.routes[].label"} <= found
    code = code_of(MANIFEST)
    assert sorted(place for place in found if place not in code) == []


# The command line


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        yield name, command


def test_qa01_every_command_and_option_is_documented() -> None:
    code, lacking = code_of(CLI), {}
    texts = [*code, *(match[0] for match in _FENCED.finditer(page(CLI)))]
    for name, command in [("pluginkit", program), *commands()]:
        options = [
            option
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for option in (*parameter.opts, *parameter.secondary_opts)
        ]
        lacking[name] = [option for option in [name, *options] if not names(option, texts)]
    assert len(lacking) > 10
    assert not reported(lacking)


# Links


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.glob("**/*.md")])


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = (re.sub(r"[^\w\- ]", "", heading[2].lower()) for heading in _HEADING.finditer(_blanked(text)))
    return {heading.strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_qa01_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _blanked(path.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        if not other.exists() or (anchor and anchor not in anchors(other.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


def test_qa01_every_page_is_reached_from_the_index() -> None:
    reached, pending = set(), [DOCS / "index.md"]
    while pending:
        path = pending.pop()
        if path in reached or path.suffix != ".md" or not path.exists():
            continue
        reached.add(path)
        targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        pending += [(path.parent / target).resolve() for target in targets]
    assert [str(path.relative_to(ROOT)) for path in DOCS.glob("**/*.md") if path not in reached] == []


# What a reader is told about each reason is what pluginkit says


def sentences() -> dict[str, re.Pattern[str]]:
    """Reason code → the pattern of its sentence, as the tables of the troubleshooting page have it."""
    found = {}
    for line in page(TROUBLESHOOTING).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and re.fullmatch(r"(`[\w-]+`(, )?)+", cells[0].strip()):
            pattern = re.compile(".*".join(map(re.escape, cells[1].split("…"))), re.DOTALL)
            found.update(dict.fromkeys(re.findall(r"`([\w-]+)`", cells[0]), pattern))
    return found


def test_qa01_sentences_in_troubleshooting_are_those_of_pluginkit(tmp_path: Path) -> None:
    known, met = sentences(), set()
    for reason in (plugin.reason for plugin in plugins_of_each_bad_kind(tmp_path)):
        if reason is not None:
            met.add(reason.code)
            assert known[reason.code].fullmatch(reason.text), (reason.code, reason.text)
    assert len(met) > 20, "too few kinds of bad plugins to tell"


@cache
def texts_in_source() -> str:
    """Every text in pluginkit's source, pieces of f-strings included, put into one."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(node.value for node in nodes if isinstance(node.value, str))


@pytest.mark.parametrize("heading", ["Mistakes in manifests", "Mistakes in hooks"])
def test_qa01_quoted_messages_are_those_of_pluginkit(heading: str) -> None:
    table = page(TROUBLESHOOTING).partition(f"## {heading}\n")[2].partition("\n## ")[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(quoted) > 5
    # Names, and numbers, are the example's own; what stands between them is ours.
    pieces = [piece.strip(" ,;") for text in quoted for piece in re.split(r"'[^']*'|…|; |\d+", text)]
    assert [piece for piece in pieces if len(piece) > 8 and piece not in texts_in_source()] == []


def plugins_of_each_bad_kind(directory: Path) -> list[pluginkit.Plugin]:
    from pluginkit.contracts import Animal
    from pluginkit.testing import write_plugin
    from tests.support.bad_plugins import build_bad_plugins

    plugins, configs = directory / "plugins", directory / "configs"
    configs.mkdir()
    plugins.mkdir()
    build_bad_plugins(plugins)
    good = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return 'hello'\n"
    write_plugin(plugins, "new-host", good, type="animal", requires={"host": ">=2"})
    write_plugin(plugins, "left-out", good, type="animal")
    write_plugin(plugins, "off", good, type="animal")
    write_plugin(plugins, "off-by-file", good, type="animal")
    number = {"type": "object", "properties": {"number": {"type": "integer"}}}
    write_plugin(plugins, "wrong-setting", good, type="animal", settings=number)
    (configs / "off-by-file.config.yaml").write_text("enabled: false")
    (configs / "wrong-setting.config.yaml").write_text("settings: {number: many}")
    (plugins / "nowhere").symlink_to("no-such-place")
    (plugins / "single.py").write_text("def broken(:")
    (plugins / "both").mkdir()
    for name in ("manifest.yaml", "plugin.json"):
        (plugins / "both" / name).write_text("{}")
    config = pluginkit.Config.load(environ={}, overrides={"directories.plugin_configs_dir": configs})
    host = pluginkit.Host(
        config,
        contracts={"animal": Animal},
        plugins_dir=plugins,
        entry_point_group=None,
        state_dir=directory / "state",
        version="1.0.0",
        exclude=["left-*"],
    )
    host.disable("off")
    with host:
        return [*host.plugins.everything()]
