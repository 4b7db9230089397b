"""The page docs/reference/cli.md, made of what the commands say of themselves.

`python -m tests.cli.cli_reference`, from the checkout, writes it; a test holds it to the commands.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.program import program

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"

JSON = {
    "list": (
        "plugins",
        (
            "`name`, `version`, `type`, `state`, `reason` (`code`, `text`), `origin`, `runtime`, `generation`, "
            "`priority`, `reloadable`, `errors`, `last_run` (`time`, `code`, `text`): why it failed in the last "
            "`run`, as long as its files are the same"
        ),
    ),
    "info": (
        "plugin, watching",
        (
            "the keys of `list`, and `problems` (as in `validate`), `manifest` (every default written out), "
            "`config` (`name`, `enabled`, `priority`, `type`, `settings`, `file`; secrets hidden), `conflicts` "
            "(`origin`, `reason`), `grants` (`rule`, `granted`: `whole`, `part` or `none`, `why`), `lingering` (old versions that are not gone: `generation`, `running`, `alive`); "
            "`watching` is null, or how the running host's watcher does, see [Watching](watching.md)"
        ),
    ),
    "hooks": (
        "hooks",
        (
            "`name`, `signature`, `contracts`, `parameters` (`name`, `type`, `required`, `default`), `returns`, "
            "`doc`, `required`, `firstresult`, `historic`, `async`; with `--load` or `--source` also "
            "`implementations` (`plugin`, `version`, `priority`, `kind`, `file`, `line`) and `source`, else null"
        ),
    ),
    "call": (
        "hook, arguments, results",
        (
            "`plugin`, `version`, `result`, `error` (`type`, `message`), `seconds`; what JSON cannot hold is "
            "given as base64 (bytes), as a mapping (dataclasses), or by its repr"
        ),
    ),
    "reload": (
        (
            "plugin, ok, old_generation, new_generation, seconds, together, failure, is_unchanged, is_check, "
            "running, alive, problems"
        ),
        (
            "`failure` is null or the step that failed: `plugin`, `step`, `reason` (`code`, `text`, `problems`), "
            "`error`, `file`, `line`, `traceback`, `time`"
        ),
    ),
    "rescan": (
        ("new, changed, reconfigured, unchanged, gone, loaded, reloads, unloads, settings, failed, ok"),
        "`reloads` are as of `reload --json`; `failed` as its `failure`",
    ),
    "jobs": (
        "jobs, per_second",
        (
            "`jobs` is null if none was ever submitted, else `metrics`, `max_workers`, `running`, `queued`, `stuck` "
            "(`job_id`, `name`, `owner`, `state`, `seconds`, `attempts`, `worker_id`, `progress`, `where`), `failed` "
            "(`job_id`, `name`, `owner`, `error`)"
        ),
    ),
    "queue": (
        "queue",
        (
            "null if there is none yet, else `name`, `counts` (`pending`, `delayed`, `leased`, `done`, `dead`, "
            "`dropped`, `bytes`), and as asked `dead` (`id`, `attempts`, `error`, `body`), `replayed`, `purged`"
        ),
    ),
    "events": ("kind, plugin, time, data", "one object for each event, on a line of its own"),
    "logs": (
        "the record's own",
        "one object for each record, on a line of its own",
    ),
    "audit": (
        "kind, plugin, pid, seq, and the record's own",
        "one object for each record, on a line of its own; see [The audit log](audit.md)",
    ),
    "validate": (
        "ok, files",
        (
            "`path`, `ok`, `name`, `version`, `type`, `problems` (`file`, `line`, `column`, `path`, `message`, "
            "`found`, `example`), `notices`"
        ),
    ),
    "doctor": (
        "ok, findings, layers",
        (
            "`check`, `severity` (`problem` or `notice`), `plugins`, `text`, `advice`, `file`, `line`; each "
            "layer (`name`, `present`, `text`)"
        ),
    ),
    "config": ("path, notices, config, origins", "`config` and `origins` map each dotted key"),
}
"""What `--json` of a command prints beside `schema_version`: the keys at the top, and those of a row."""

INTRODUCTION = """\
# pluginkit: the command line

<!-- Made by `python -m tests.cli.cli_reference`; change the help of the commands instead. -->

{about}

```text
{usage}
```

## Global options

Of one that is given twice, the last wins.

{options}

The configuration also reads the environment: `PLUGINKIT_LOGGING__LOG_LEVEL=debug`, see [config.md](config.md).

## Output

- Data goes to stdout; notices, errors, what is going on and what plugins print go to stderr.
- Tables are drawn on a terminal if [rich](https://rich.readthedocs.io) is installed (`pip install "pluginkit[rich]"`),
  and are aligned text otherwise, one line a row.
- Colours are for terminals. `NO_COLOR=1` switches them off everywhere, `FORCE_COLOR=1` on everywhere;
  `NO_COLOR` wins. Nothing is told by colour alone.
- A stream that is not UTF-8 gets characters that it lacks spelt out in ASCII.
- `--json` is complete and never cropped. Keys are always the same, null where there is nothing, and rows are
  sorted. `schema_version` is 1; a new key does not change it, a changed or dropped one does.

| command | keys beside `schema_version` | of each row |
|---|---|---|
{json}

## The running host

While a host serves with the same configuration, `list`, `info`, `hooks`, `call`, `enable` and `disable` ask it
instead of loading or reading anything themselves, and say so on stderr; `--no-host` leaves it alone. `load`,
`unload`, `reload`, `rescan` and `events` need one. `pluginkit run --serve` is such a host, and so is any program with
`Host(…, control=True)`. Hosts are told apart by their config file and their name (`application.app_name`, or
`--host NAME`); with `--plugins-dir` also by their plugins directory. See [control.md](control.md).

## Exit codes

| code | meaning |
|---|---|
{codes}

An error is one sentence that says what is wrong and what to write instead. A traceback is shown for a bug
of pluginkit itself, and with `--debug`.

## Completion

`pluginkit completion bash` (or `zsh`, `fish`) prints the script. Commands, options, plugins, hooks, parameters,
types and configuration keys are completed; no plugin is run for that.
"""


def reference() -> str:
    """The whole page."""
    context = click.Context(program, info_name="pluginkit")
    parts = [
        INTRODUCTION.format(
            about="\n".join(paragraphs(program.help or "")),
            usage=program.get_usage(context).partition(": ")[2],
            options="\n".join(options(program, context)),
            json="\n".join(
                f"| `{name}` | {', '.join(f'`{key}`' for key in top.split(', '))} | {rows} |"
                for name, (top, rows) in JSON.items()
            ),
            codes="\n".join(f"| {int(code)} | {code.meaning} |" for code in Exit),
        )
    ]
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if isinstance(command, Command):
            parts.append("\n".join(section(command, click.Context(command, context, info_name=name))))
    return "\n".join(parts).rstrip() + "\n"


def section(command: Command, context: click.Context) -> Iterator[str]:
    """One command."""
    yield f"## {command.name}\n"
    yield "```text"
    yield " ".join(command.get_usage(context).partition(": ")[2].split())
    yield "```\n"
    yield from paragraphs(command.help or "")
    listed = list(options(command, context))
    if len(listed) > 2:
        yield from ["", *listed]
    yield "\n```text"
    yield from (f"{line}  # {meaning}" for line, meaning in command.examples)
    yield "```\n"


def paragraphs(text: str) -> Iterator[str]:
    r"""The paragraphs of a help text; one that begins with `\b` keeps its lines."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        lines = [line.strip() for line in paragraph.splitlines()]
        if number:
            yield ""
        if lines[0] == "\b":
            yield from [
                "```text",
                *textwrap.dedent("\n".join(paragraph.splitlines()[1:])).splitlines(),
                "```",
            ]
        else:
            yield from lines


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """A table of the options of a command, without those that every command has."""
    yield "| option | meaning |"
    yield "|---|---|"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        is_listed = isinstance(parameter, click.Option) and not parameter.hidden
        if is_listed and record is not None and "--help" not in parameter.opts:
            yield f"| `{record[0].replace('|', chr(92) + '|')}` | {record[1]} |"


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
