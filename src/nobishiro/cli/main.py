"""`nobishiro`: the command line. Errors end in one line on stderr and the exit code their kind has."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import typer

import nobishiro
from nobishiro.cli.backends import backends
from nobishiro.cli.backup import backup, restore
from nobishiro.cli.demo import demo
from nobishiro.cli.export import export
from nobishiro.cli.imports import import_
from nobishiro.cli.invite import invite
from nobishiro.cli.map import map_
from nobishiro.cli.match import match
from nobishiro.cli.pairs import pairs
from nobishiro.cli.plan import plan
from nobishiro.cli.recommend import recommend
from nobishiro.cli.run import run
from nobishiro.cli.serve import serve, worker
from nobishiro.cli.simulate import simulate
from nobishiro.cli.terminal import asked_language
from nobishiro.cli.tune import tune
from nobishiro.cli.undo import undo
from nobishiro.contracts.errors import NobishiroError

_INTERRUPTED: Final = 130

app = typer.Typer(
    name="nobishiro",
    help="Find where existing customers can still grow, whom to approach with what, and plan it.\n\n"
    "お客様の伸びしろを見つけ、誰に何を提案するかを決め、時間内の計画にします。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in (
    ("demo", demo),
    ("simulate", simulate),
    ("import", import_),
    ("undo", undo),
    ("match", match),
    ("run", run),
    ("tune", tune),
    ("export", export),
    ("map", map_),
    ("recommend", recommend),
    ("pairs", pairs),
    ("plan", plan),
    ("backends", backends),
    ("serve", serve),
    ("worker", worker),
    ("backup", backup),
    ("restore", restore),
    ("invite", invite),
):
    app.command(name)(command)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Say the version and stop."),
) -> None:
    if version:
        typer.echo(f"nobishiro {nobishiro.__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    _find_kernel_cache()
    try:
        app()
    except NobishiroError as error:
        if "--json" in sys.argv:
            said = {"error": type(error).__name__, "message": str(error), "message_ja": _worded(str(error), "ja")}
            sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        else:
            sys.stderr.write(f"nobishiro: {_worded(str(error), asked_language())}\n")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        # Typer turns Ctrl+C into exit code 130 by itself, and says nothing.
        if isinstance(stop, SystemExit) and stop.code != _INTERRUPTED:
            raise
        said_last = _worded("stopped; what was under way was discarded", asked_language())
        sys.stderr.write(f"nobishiro: {said_last}\n")
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)


def _worded(text: str, language: str) -> str:
    from nobishiro.pipelines.wording import word

    return word(text, language)


def _find_kernel_cache() -> None:
    """Name a place for compiled kernels where neither the installed package nor the home directory can be written."""
    if "NUMBA_CACHE_DIR" in os.environ or os.access(Path(nobishiro.__file__).parent, os.W_OK):
        return
    if not os.access(Path.home(), os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"nobishiro-kernels-{os.getuid()}")


if __name__ == "__main__":
    main()
