"""What all verbs share: ``--data``, ``--workspace``, ``--json``, progress, and how errors are told."""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from core.dataset.index import Index, load_index
from core.errors import LabelingError, SubmissionError
from core.workspace import Workspace, data_dir_from, workspace_from

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


@dataclass
class Settings:
    """The common options as given; ``click`` hands one to every verb."""

    data: str | None = None
    workspace: str | None = None
    json: bool = False

    @property
    def data_dir(self) -> Path:
        """The data set's folder."""
        return data_dir_from(self.data)

    def open_workspace(self) -> Workspace:
        """The workspace's folder."""
        return workspace_from(self.workspace)

    def load_index(self) -> Index:
        """The data set as one table, with progress on standard error."""
        return load_index(self.data_dir, self.open_workspace(), on_progress=progress("reading photos"))

    def finish(self, result: dict[str, Any], text: str) -> None:
        """Print the result: words for a person, or one JSON object as the last line."""
        click.echo(json.dumps(_jsonable(result), ensure_ascii=False, allow_nan=False) if self.json else text)


def _jsonable(value: Any) -> Any:
    """The same with null for what is no number; JSON knows no NaN."""
    if isinstance(value, dict):
        return {name: _jsonable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    settings = context.ensure_object(Settings)
    if value:
        setattr(settings, str(parameter.name), value)


def common_options(verb: AnyFunction) -> AnyFunction:
    """Accept the common options behind the verb as well as before it."""
    as_json = "Print one JSON object as the last line."
    workspace = "Runs, decisions, submissions. Default: $MASKDESK_WORKSPACE, else data/workspace."
    data = "The data set. Default: $MASKDESK_DATA, else data/demo."
    hidden: dict[str, Any] = {"expose_value": False, "callback": _remember}
    verb = click.option("--json", is_flag=True, help=as_json, **hidden)(verb)
    verb = click.option("--workspace", metavar="DIR", help=workspace, **hidden)(verb)
    return click.option("--data", metavar="DIR", help=data, **hidden)(verb)


class NewFile(click.Path):
    """The path of a file to write; a folder that is made for it is named, in case it was mistyped."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, with ``~`` as the home folder; one below a file is a usage error."""
        path = Path(os.fsdecode(super().convert(value, param, ctx))).expanduser()
        there = next(folder for folder in path.absolute().parents if folder.exists())
        if not there.is_dir():
            self.fail(f"{there} is a file, not a folder; correct the path.", param, ctx)
        if there != path.absolute().parent:
            click.echo(f"the folder {path.parent} is not there; it will be made", err=True)
        return path


pass_settings = click.make_pass_decorator(Settings, ensure=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@common_options
def cli() -> None:
    """MaskDesk: train, see what is wrong, fix it, combine runs, submit."""


def main() -> None:
    """Run a verb. Exit status 0, or 1 with one clear line on standard error."""
    try:
        cli.main(standalone_mode=False, prog_name="python -m core")
    except LabelingError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        _fail(error.format_message() + hint)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _fail(message: str) -> None:
    click.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(1)


def read_bytes(path: Path) -> bytes:
    """A file's bytes, or one clear error."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}; check the path") from None


def progress(title: str) -> Callable[[int, int], None]:
    """A callback for (done, total) that keeps one line on a terminal, or a line each tenth."""
    started = time.monotonic()
    last = [-1.0]

    def show(done: int, total: int) -> None:
        share = done / max(total, 1)
        terminal = sys.stderr.isatty()
        if share < 1 and share - last[0] < (0.005 if terminal else 0.1):
            return
        if last[0] < 0 and share >= 1 and time.monotonic() - started < 1:
            last[0] = share
            return
        last[0] = share
        end = "\n" if share >= 1 or not terminal else ""
        click.echo(f"{chr(13) if terminal else ''}{title}: {done:,} of {total:,}{end}", err=True, nl=False)

    return show
