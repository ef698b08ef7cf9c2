"""Pages that follow from the program: commands, catalogue, file forms, recorded results."""

import argparse
from pathlib import Path

import forms
import results
from catalogue_pages import deltas, operators, units

from lnsarith import cli

COMMANDS = list(cli.COMMANDS)
MARK = "<!-- Made by the build; change docs/_ext or the program. -->\n\n"


def write(folder: Path) -> None:
    """Write every page that is made, those alone whose text has changed."""
    folder.mkdir(exist_ok=True)
    for page in folder.glob("**/[tg][0-9]*.rst"):  # of a script that is gone
        if not (folder.parent / page.relative_to(folder).with_suffix(".py")).exists():
            page.unlink()
    pages = {"commands": commands(), "operators": operators(), "units": units(),
             "deltas": deltas(), "decide": results.decide(), "compare": results.compare(),
             "measured": results.measured(),
             **{f"form-{name}": table for name, table in forms.pages().items()}}
    for name, text in pages.items():
        path, text = folder / f"{name}.md", MARK + text
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def commands() -> str:
    """Return the page of every command and its actions, from the parsers."""
    lines = ["# Commands", "",
             "What each `--help` says, of this version. `--help` of `train` shows the options that "
             "most people need, `--help-all` every one. All commands take `--verbose` and "
             "`--plugin`; answers go to stdout, progress and complaints to stderr; the exit code "
             "is 0 for done, 1 for checked and found wrong, 2 for what cannot be, 130 after "
             "Ctrl-C.", ""]
    for name, (summary, _) in cli.COMMANDS.items():
        parser = _sub(cli._parser([name]))[name]
        lines += [f"## {name}", "", f"{_sentence(summary)}", "", *_command(parser, 3)]
    return "\n".join(lines) + "\n"


def _command(parser: argparse.ArgumentParser, level: int) -> list[str]:
    actions = _sub(parser)
    if actions:
        lines = []
        for name, action in actions.items():
            title = action.prog.removeprefix("lnsarith ")
            help_text = next((c.help for c in _choices(parser) if c.dest == name), "") or ""
            lines += [f"{'#' * level} {title}", "", _sentence(help_text), "",
                      *_command(action, level + 1)]
        return lines
    return ["```text", _usage(parser), "```", "", *_groups(parser)]


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage with its positional arguments alone: the table has the options."""
    words = [a.metavar or a.dest for a in parser._actions if not a.option_strings
             and not isinstance(a, argparse._SubParsersAction)]
    return " ".join([parser.prog, *map(str, words), "[options]"])


def _groups(parser: argparse.ArgumentParser) -> list[str]:
    lines = []
    hidden = {id(action): text for all_ in parser._actions if hasattr(all_, "hidden")
              for action, _, text in all_.hidden}
    for group in parser._action_groups:
        rows = [a for a in group._group_actions if not isinstance(a, argparse._HelpAction)
                and not a.dest.startswith(cli.PLUGIN) and a.dest != "verbose"]
        if not rows:
            continue
        title = {"positional arguments": "", "options": ""}.get(group.title, group.title)
        about = hidden.get(id(group), group.description) or ""
        lines += [f"**{title}**" + (f" – {about}" if about else ""), ""] if title else []
        lines += ["| option | |" if rows[0].option_strings else "| argument | |", "|---|---|",
                  *(_row(a, hidden) for a in rows), ""]
    return lines


def _row(action, hidden) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    if action.option_strings and action.nargs != 0:
        value = action.metavar or (action.choices and "{" + ",".join(map(str, action.choices))
                                   + "}") or action.dest.upper()
        name += f" {value}"
    text = hidden.get(id(action), action.help) or ""
    if text == argparse.SUPPRESS:
        text = ""
    text = text.replace("%%", "%").replace("|", "\\|").replace("<", "&lt;").replace("$", "\\$")
    return f"| `{name.replace('|', chr(92) + '|')}` | {text.replace('*', chr(92) + '*')} |"


def _sub(parser) -> dict:
    return next((a.choices for a in parser._actions
                 if isinstance(a, argparse._SubParsersAction)), {})


def _choices(parser):
    return next((a._choices_actions for a in parser._actions
                 if isinstance(a, argparse._SubParsersAction)), [])


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:]).rstrip(".") + "." if text else ""
