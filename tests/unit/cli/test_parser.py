"""The command line parser: pflag's rules, and the same tables read by typer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.context import Context
from pyctr.cli.help import DockerCommand, identifier
from pyctr.cli.main import ROOT
from pyctr.cli.parser import HelpRequested, UsageError, check_arguments, parse
from pyctr.cli.registry import GROUPS, TOP, load
from pyctr.cli.values import BOOL, DURATION, FILTER, FLAG, INT, ONE, STRING, STRING_MAP, STRINGS

MODULES = sorted({*TOP.values(), *(module for _, words in GROUPS.values() for module in words.values())})


def nothing(_context: Context, _parsed: Parsed) -> None:
    pass


def command(*, interspersed: bool = True) -> Command:
    return Command(
        "test",
        "",
        "",
        run=nothing,
        options=(
            Option("all", "a", BOOL, ""),
            Option("yes", "y", BOOL, "", default=True),
            Option("env", "e", STRINGS, ""),
            Option("map", "", STRING_MAP, ""),
            Option("name", "n", STRING, "", default="x", env="TEST_NAME"),
            Option("count", "c", INT, "", default=0, also="number"),
            Option("filter", "f", FILTER, ""),
            Option("wait", "w", DURATION, ""),
        ),
        interspersed=interspersed,
    )


def read(*argv: str, interspersed: bool = True, environ: dict[str, str] | None = None) -> Parsed:
    return parse(command(interspersed=interspersed), argv, environ or {})


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        ([], "all", False),
        ([], "yes", True),
        ([], "env", []),
        ([], "map", {}),
        ([], "name", "x"),
        (["-a"], "all", True),
        (["--all"], "all", True),
        (["--all=false"], "all", False),
        (["-a=0"], "all", False),
        (["-ay=f"], "yes", False),
        (["--yes=F"], "yes", False),
        (["-e", "v"], "env", ["v"]),
        (["-ev"], "env", ["v"]),
        (["-e=v"], "env", ["v"]),
        (["-e=", "v"], "env", ["="]),
        (["-e", "-a"], "env", ["-a"]),
        (["-ae", "1", "--env=2", "--env", "3"], "env", ["1", "2", "3"]),
        (["--env="], "env", [""]),
        (["--map", "a=b=c", "--map", "d", "--map", "a=z"], "map", {"a": "z", "d": ""}),
        (["-n", "a", "--name", "b"], "name", "b"),
        (["--number", "5"], "count", 5),
        (["-c", "-5"], "count", -5),
        (["-c-5"], "count", -5),
        (["-f", "Label = x ", "-f", "label=y", "-f", "", "-f", "label=x"], "filter", {"label": ["x", "y"]}),
        (["-w", "1h1m1.5s"], "wait", 3_661_500_000_000),
        (["-w-2ms"], "wait", -2_000_000),
    ],
)
def test_values(argv: list[str], name: str, value: Any) -> None:
    assert read(*argv)[name] == value


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--what"], "unknown flag: --what"),
        (["--what=1"], "unknown flag: --what"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["-axe"], "unknown shorthand flag: 'x' in -xe"),
        (["-'"], "unknown shorthand flag: '\\'' in -'"),
        (["--="], "bad flag syntax: --="),
        (["---all"], "bad flag syntax: ---all"),
        (["-e"], "flag needs an argument: 'e' in -e"),
        (["-ae"], "flag needs an argument: 'e' in -e"),
        (["--env"], "flag needs an argument: --env"),
        (
            ["-c", "x"],
            'invalid argument "x" for "-c, --count" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            ["--all=x"],
            'invalid argument "x" for "-a, --all" flag: strconv.ParseBool: parsing "x": invalid syntax',
        ),
        (
            ["-f", "x"],
            'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)',
        ),
        (["-w", "5"], 'invalid argument "5" for "-w, --wait" flag: time: missing unit in duration "5"'),
        (["--map"], "flag needs an argument: --map"),
    ],
)
def test_refusals(argv: list[str], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(*argv)
    assert refused.value.message == words
    assert refused.value.exit_code == 125


def test_arguments_and_options_may_mix_unless_the_command_says_no() -> None:
    assert read("x", "-a", "y").arguments == ["x", "y"]
    assert read("x", "-a", "y")["all"] is True
    stopped = read("-a", "x", "-e", "--", "y", interspersed=False)
    assert stopped.arguments == ["x", "-e", "--", "y"]
    assert stopped["env"] == []


def test_two_dashes_end_the_options() -> None:
    assert read("-a", "--", "-e", "--").arguments == ["-e", "--"]
    assert read("-", "x").arguments == ["-", "x"]


def test_the_environment_stands_in_for_an_option() -> None:
    assert read(environ={"TEST_NAME": "outside"})["name"] == "outside"
    assert read("-n", "inside", environ={"TEST_NAME": "outside"})["name"] == "inside"
    assert "name" not in read(environ={"TEST_NAME": "outside"}).given


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["-ah"], ["x", "--help"]])
def test_help(argv: list[str]) -> None:
    with pytest.raises(HelpRequested):
        read(*argv)


@pytest.mark.parametrize(
    ("least", "most", "count", "words"),
    [
        (1, None, 0, "requires at least 1 argument"),
        (2, None, 1, "requires at least 2 arguments"),
        (2, 2, 1, "requires 2 arguments"),
        (1, 1, 2, "requires 1 argument"),
        (0, 0, 1, "accepts no arguments"),
        (0, 1, 2, "requires at most 1 argument"),
    ],
)
def test_the_number_of_arguments(least: int, most: int | None, count: int, words: str) -> None:
    table = Command("t", "", "", run=nothing, least=least, most=most)
    with pytest.raises(UsageError) as refused:
        check_arguments(table, ["x"] * count, "pyctr t")
    assert refused.value.message == f"pyctr: 'pyctr t' {words}"
    assert refused.value.exit_code == 1


# The same tables in typer


def options_of_typer(table: Command) -> dict[str, Any]:
    built = DockerCommand(table, "x")
    return {
        spelling: param
        for param in built.params
        for spelling in param.opts
        if param.param_type_name == "option"
    }


@pytest.mark.parametrize("module", [*MODULES, ""])
def test_every_option_is_in_both(module: str) -> None:
    table = load(module) if module else ROOT
    spellings = set()
    for option in table.options:
        spellings |= {f"--{option.name}"} | ({f"-{option.short}"} if option.short else set())
        spellings |= {f"--{option.also}"} if option.also else set()
    found = options_of_typer(table)
    assert set(found) == spellings
    for option in table.options:
        param = found[f"--{option.name}"]
        assert param.is_flag == (option.kind.shape == FLAG)
        assert param.multiple == (option.kind.shape not in (FLAG, ONE))
        assert param.hidden == option.hidden


@pytest.mark.parametrize("module", MODULES)
def test_tables_are_sound(module: str) -> None:
    table = load(module)
    names = [name for option in table.options for name in (option.name, option.also) if name]
    letters = [option.short for option in table.options if option.short]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)
    assert table.help
    assert all(option.help for option in table.options)


TABLES = {module: load(module) for module in MODULES}
PLAIN = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.:/", min_size=1, max_size=6)


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A command and words for it, in the spellings both parsers know."""
    module = draw(st.sampled_from(MODULES))
    table = TABLES[module]
    words: list[str] = []
    for option in draw(st.lists(st.sampled_from([None, *table.options]), max_size=5)):
        if option is not None and option.name != "help":
            words += draw(spelled(option))
        if table.interspersed and draw(st.booleans()):
            words.append(draw(PLAIN))
    if draw(st.booleans()):
        words += ["--", *draw(st.lists(PLAIN | st.just("-x"), max_size=2))]
    return module, words


@st.composite
def spelled(draw: st.DrawFn, option: Option) -> list[str]:
    names = [f"--{option.name}"] + ([f"--{option.also}"] if option.also else [])
    name = draw(st.sampled_from(names))
    if option.kind.shape == FLAG:
        return [draw(st.sampled_from([name, f"-{option.short}"])) if option.short else name]
    value = draw(VALUES.get(option.kind.metavar, PLAIN))
    forms = [[name, value], [f"{name}={value}"]]
    if option.short:
        forms += [[f"-{option.short}", value], [f"-{option.short}{value}"]]
    return draw(st.sampled_from(forms))


VALUES = {
    "int": st.integers(0, 1000).map(str),
    "uint16": st.integers(0, 1000).map(str),
    "bytes": st.integers(0, 1000).map(lambda number: f"{number}m"),
    "decimal": st.sampled_from(["1", "0.5"]),
    "filter": PLAIN.map(lambda text: f"label={text}"),
    "map": PLAIN.map(lambda text: f"net.{text}=1"),
    "ulimit": st.just("nofile=1:2"),
    "mount": st.just("type=tmpfs,dst=/x"),
}


@given(command_lines())
def test_both_parsers_read_the_same(drawn: tuple[str, list[str]]) -> None:
    module, words = drawn
    table = TABLES[module]
    try:
        mine = parse(table, words, {})
    except UsageError as refused:
        if "invalid argument" not in refused.message:  # a value: typer is not asked to check those
            raise
        return
    context = DockerCommand(table, "x").make_context("x", list(words))
    assert list(context.params["arguments"] or ()) == mine.arguments
    for option in table.options:
        collected: Any = option.kind.initial(option.default if option.name not in mine.given else None)
        for text in texts(context, option):
            collected = option.kind.add(collected, text)
        if not option.also:
            assert mine[option.name] == collected


def texts(context: Any, option: Option) -> list[str]:
    """Return the texts typer collected for an option."""
    value = context.params[identifier(option.name)]
    if option.kind.shape == FLAG:
        return ["true"] if value else []
    return [] if value is None else list(value) if isinstance(value, tuple | list) else [value]
