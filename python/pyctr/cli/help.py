"""Help: typer's commands built from our tables. Imported only when somebody asks."""

from __future__ import annotations

from functools import partial
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from pyctr.cli.command import Command, Option
from pyctr.cli.registry import ALIASES, GROUPS, TOP, load
from pyctr.cli.values import FLAG, ONE

COMMON = ("run", "exec", "ps", "images", "import", "version", "info")
"""The commands help shows first."""
_SETTINGS = {"max_content_width": 120}


class DockerCommand(TyperCommand):
    """A command whose usage line and aliases are docker's."""

    def __init__(self, table: Command, name: str) -> None:
        super().__init__(
            name=name,
            help=table.help,
            params=[*options(table), arguments(table)],
            add_help_option=False,
            context_settings={**_SETTINGS, "allow_interspersed_args": table.interspersed},
            rich_markup_mode=None,
        )
        self.table = table

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [line_usage(self.table.usage, ctx.command_path)]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        super().format_help_text(ctx, formatter)
        names = (self.table.words, *self.table.aliases)
        if len(names) > 1:
            with formatter.section("Aliases"):
                formatter.write_text(", ".join(f"pyctr {name}" for name in names))


class DockerGroup(TyperGroup):
    """A group: ``container``, ``image`` …, or everything."""

    def __init__(self, name: str, text: str, commands: dict[str, Any], table: Command | None = None) -> None:
        super().__init__(
            name=name,
            help=text,
            commands=commands,
            params=options(table) if table else [],
            add_help_option=table is None,
            context_settings=_SETTINGS,
            rich_markup_mode=None,
        )
        self.usage = table.usage if table else "COMMAND"

    def collect_usage_pieces(self, _ctx: Any) -> list[str]:
        return [self.usage]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)
        rows = [param.get_help_record(ctx) for param in self.get_params(ctx)]
        with formatter.section("Options"):
            formatter.write_dl([row for row in rows if row])

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        groups = [name for name, command in shown.items() if isinstance(command, TyperGroup)]
        common = [name for name in COMMON if name in shown] if groups else []
        others = sorted(set(shown) - set(groups) - set(common))
        for title, names in (
            ("Common Commands", common),
            ("Management Commands", groups),
            ("Commands", others),
        ):
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, shown[name].help or "") for name in names])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        formatter.write_paragraph()
        formatter.write_text(f"Run '{ctx.command_path} COMMAND --help' for more information on a command.")


def line_usage(usage: str, path: str) -> str:
    """Return the usage of a command that can be written in several ways, one a line."""
    return usage.replace("\n", f"\n       {path} ")


def options(table: Command) -> list[Any]:
    """Return the options of a command, by name as docker sorts them."""
    rows = sorted(table.options, key=lambda option: option.name)
    listed = [_option(option, option.name, hidden=option.hidden) for option in rows]
    return listed + [_option(option, option.also, hidden=True) for option in rows if option.also]


def arguments(table: Command) -> TyperArgument:
    """Return the arguments of a command."""
    source = _source(table.complete)
    return TyperArgument(param_decls=["arguments"], nargs=-1, hidden=True, autocompletion=source)


def _option(option: Option, name: str, *, hidden: bool) -> TyperOption:
    flag = option.kind.shape == FLAG
    short = [f"-{option.short}"] if option.short and name == option.name else []
    return TyperOption(
        param_decls=[identifier(name), *short, f"--{name}"],
        is_flag=flag,
        multiple=not flag and option.kind.shape != ONE,
        default=None,
        metavar=None if flag else option.kind.metavar,
        help=_help(option),
        hidden=hidden,
        envvar=option.env or None,
        show_envvar=bool(option.env),
        autocompletion=_source(option.complete),
    )


def identifier(name: str) -> str:
    """Return the name typer keeps an option's value under."""
    return f"option_{name.replace('-', '_')}"


def _help(option: Option) -> str:
    """Return an option's help with its default, where that is not plainly nothing."""
    default = option.default
    shown = default not in (None, "", 0, False)
    text = option.help
    if shown and "(default" not in text:
        text += f" (default {_default(default)})"
    return f"\b\n{text}" if "\n" in text else text


def _default(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )


def _source(name: str) -> Any:
    """Return the function typer calls for completions, or None."""
    if not name:
        return None
    from pyctr.cli.completion import candidates

    return partial(_complete, candidates, name)


def _complete(
    candidates: Any, name: str, ctx: Any = None, _args: Any = None, incomplete: str = ""
) -> list[Any]:
    found: list[Any] = candidates(name, ctx, incomplete)
    return found


def tree(root: Command) -> DockerGroup:
    """Return everything as one typer group."""
    commands: dict[str, Any] = {
        name: DockerGroup(name, text, _members(words)) for name, (text, words) in GROUPS.items()
    }
    commands.update({word: DockerCommand(load(module), word) for word, module in TOP.items()})
    return DockerGroup("pyctr", root.help, commands, root)


def _members(words: dict[str, str]) -> dict[str, Any]:
    members = {}
    for word, module in sorted(words.items()):
        members[word] = DockerCommand(load(module), word)
        members[word].hidden = word in ALIASES
    return members


def help_text(words: list[str], command: Command, group: str) -> str:
    """Return the help of a command, of a group, or of everything."""
    built: Any
    built = DockerCommand(command, words[-1]) if words and not group else tree(command)
    if group:
        built = built.commands[group]
    context = built.make_context(" ".join(("pyctr", *words)), [], resilient_parsing=True)
    return f"{built.get_help(context)}\n"
