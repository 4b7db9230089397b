"""The Python that runs the blocks of one document, in order and in one namespace.

Reads one JSON object a line: `code`, `file` and `line` (where the code stands, from 1), `is_doctest`.
Answers each with one: `output`, and `error` (a traceback, or null).
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import sys
import traceback
from typing import Any

NAMESPACE: dict[str, Any] = {"__name__": "__main__"}


def run_code(code: str, file: str, line: int) -> None:
    # Empty lines in front make tracebacks name the line of the document.
    exec(compile("\n" * (line - 1) + code, file, "exec"), NAMESPACE)


def run_doctest(code: str, file: str, line: int) -> None:
    test = doctest.DocTestParser().get_doctest(code, {}, file, file, line - 1)
    # get_doctest copies its namespace, and the document's later blocks need the names too.
    test.globs = NAMESPACE
    runner = doctest.DebugRunner(optionflags=doctest.ELLIPSIS)
    try:
        runner.run(test, clear_globs=False)
    except doctest.DocTestFailure as failure:
        where = f"{file}:{line + failure.example.lineno}"
        wanted, got = failure.example.want, failure.got
        raise AssertionError(f"{where}: expected\n{wanted}got\n{got}") from None
    except doctest.UnexpectedException as unexpected:
        raise unexpected.exc_info[1] from None


def answer(request: dict[str, Any]) -> dict[str, str | None]:
    run = run_doctest if request["is_doctest"] else run_code
    error = None
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            run(request["code"], request["file"], request["line"])
        except BaseException:  # SystemExit of a block included: a document is not over there
            error = traceback.format_exc()
    return {"output": output.getvalue(), "error": error}


if __name__ == "__main__":
    # As for a script of the reader's: its own directory is the first place of imports.
    sys.path[0] = os.getcwd()
    replies = sys.stdout
    for request_line in sys.stdin:
        print(json.dumps(answer(json.loads(request_line))), file=replies, flush=True)
