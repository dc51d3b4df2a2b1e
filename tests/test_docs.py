"""What the documentation says is so: commands parse and run, links lead somewhere, nothing is left out."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from core.cli import cli
from tests.app_pages import app_pages

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "data/README.md", *(ROOT / "docs").glob("*.md")])
USAGE = (ROOT / "docs/usage.md").read_text(encoding="utf-8")
VERBS = {name: verb for name, verb in cli.commands.items() if not verb.hidden}
PLACEHOLDERS = {"DIR": "data/demo", "NAME": "first", "T": "0.9", "F": "file.csv", "R": "first", "ID": "1"}

_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _commands() -> list[tuple[str, list[str]]]:
    """(page, words) of every command line in a fenced block or in backticks."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in _FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()]
        lines += re.findall(r"`((?:python -m|make) [^`]+)`", _FENCED.sub("", text))
        for line in lines:
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"] or words[:2] == ["python", "-m"]:
                found.append((_name(path), words))
    return found


COMMANDS = _commands()


def _label(command: tuple[str, list[str]]) -> str:
    return f"{command[0]}: {' '.join(command[1])}"


@pytest.mark.parametrize("command", COMMANDS, ids=_label)
def test_every_command_in_the_documentation_is_one_that_exists(command):
    words = [PLACEHOLDERS.get(word, word) for word in command[1]]
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in words[1:] if "=" not in word} <= set(targets)
        return
    module, arguments = words[2], words[3:]
    if module == "core":
        _parse(arguments)
    elif (ROOT / f"{module.split('.')[0]}").is_dir():
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), f"there is no module {module}"


def _parse(arguments: list[str]) -> None:
    """Fail unless click takes the arguments; nothing is done."""
    verb: click.Command = cli
    while isinstance(verb, click.Group) and arguments not in ([], ["--help"], ["VERB", "--help"]):
        verb, arguments = verb.commands[arguments[0]], arguments[1:]
    if not isinstance(verb, click.Group):
        with verb.make_context("verb", list(arguments)) as context:
            assert not context.args


def test_the_documentation_does_name_commands():
    assert len([words for _, words in COMMANDS if words[:3] == ["python", "-m", "core"]]) > 10


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_relative_link_leads_to_a_file(path):
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{_name(path)} links to {target}"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_explained_in_usage(verb):
    assert re.search(rf"^\| `{re.escape(verb)}\b", USAGE, re.MULTILINE), f"docs/usage.md has no row for {verb}"


def _with_subcommands() -> list[list[str]]:
    nested = [[name, below] for name, verb in VERBS.items() for below in getattr(verb, "commands", {})]
    return [[name] for name in VERBS if not hasattr(VERBS[name], "commands")] + nested


@pytest.mark.parametrize("verb", _with_subcommands(), ids=" ".join)
def test_the_help_of_every_verb_tells_what_it_does_and_its_common_options(verb):
    shown = CliRunner().invoke(cli, [*verb, "--help"])
    assert shown.exit_code == 0
    for option in ("--data", "--workspace", "--json"):
        assert option in shown.output


def test_every_page_of_the_app_is_in_the_tour():
    headings = re.findall(r"^### (.+)$", USAGE, re.MULTILINE)
    assert set(app_pages().values()) <= set(headings)


@pytest.mark.parametrize("verb", ["check", "runs", "jobs"])
def test_the_quick_verbs_run_as_documented(verb, demo_dir, tmp_path):
    shown = CliRunner().invoke(
        cli, [verb], env={"MASKDESK_DATA": str(demo_dir), "MASKDESK_WORKSPACE": str(tmp_path)}, catch_exceptions=False
    )
    assert shown.exit_code == 0
    assert shown.output.strip()


def test_methods_name_files_that_exist_and_a_source_each():
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:core|benchmarks)/[\w/]+\.py)`", text):
        assert (ROOT / path).exists(), f"docs/methods.md names {path}"


def test_architecture_names_every_room_of_core():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {path.stem for path in (ROOT / "core").iterdir() if path.stem[0] != "_"}
    assert {room for room in rooms if room not in text} == set()


def test_the_readme_names_every_folder_and_shows_the_demo():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("app.py", "pages/", "ui/", "core/", "data/", "tests/", "benchmarks/", "docs/"):
        assert f"`{name}`" in text
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert pictures
    assert all((ROOT / picture).stat().st_size < 300_000 for picture in pictures)


def test_pictures_are_small():
    pictures = [path for path in (ROOT / "docs/pictures").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in pictures) < 3_000_000


def test_every_verb_tells_in_a_sentence_what_it_does():
    for name, verb in VERBS.items():
        assert isinstance(verb, click.Command)
        assert (verb.help or "").split("\n\n")[0].rstrip().endswith("."), name
