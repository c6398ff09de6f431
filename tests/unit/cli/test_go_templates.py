"""Templates, compared with what Go's text/template and fmt made of them (``go_templates.jsonl``).

Each line of the table is a template, whether it gave output or an error, and that. It was written by a Go
program with docker's functions and the value below, for templates of every construct, drawn at random.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pyctr.cli.template import NilList, StringMap, TemplateError, compile_template

BIND = {"Type": "bind", "Source": "/a", "RW": True, "N": 7}
VALUE: dict[str, Any] = {
    "Name": "web",
    "Empty": "",
    "Uni": "h\u00e9llo \u65e5\u672c",
    "N": 42,
    "Neg": -5,
    "Zero": 0,
    "F": 1.25,
    "B": True,
    "False": False,
    "L": ["c", "a", "b"],
    "LE": NilList(),
    "LI": [3, 1, 2],
    "Map": StringMap({"b": "2", "a": "1", "com.x": "y z"}),
    "ME": StringMap(),
    "MA": StringMap({"s": "str", "i": 5, "l": ["q"], "n": None}),
    "Ms": [BIND, {"Type": "volume", "Source": "/s", "RW": False, "N": 0}],
    "Ptr": None,
    "P": BIND,
    "Any": "x",
    "Nil": None,
}
TABLE = [
    json.loads(line)
    for line in Path(__file__).with_name("go_templates.jsonl").read_text(encoding="ascii").splitlines()
]


def test_the_table_is_there() -> None:
    assert len(TABLE) > 400


@pytest.mark.parametrize(("template", "kind", "text"), TABLE, ids=range(len(TABLE)))
def test_as_go_has_it(template: str, kind: str, text: str) -> None:
    if kind == "error":
        with pytest.raises(TemplateError) as problem:
            compile_template(template).execute(VALUE)
        assert str(problem.value) == text
    else:
        assert compile_template(template).execute(VALUE) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{.N | title}}", ":1:7: at <title>: wrong type for value; expected string; got int"),
        ("{{split .Name .N}}", ":1:14: at <.N>: wrong type for value; expected string; got int"),
        ('{{join .Name ","}}', ":1:7: at <.Name>: wrong type for value; expected []string; got string"),
        ("{{lower nil}}", ":1:8: at <nil>: cannot assign nil to string"),
        ("{{upper 5}}", ":1:8: at <5>: expected string; found 5"),
        ('{{truncate .Name "x"}}', ':1:17: at <"x">: expected integer; found "x"'),
        ("{{.Map.zz | upper}}", ":1:12: at <upper>: invalid value; expected string"),
        ("{{truncate .Name -1}}", "calling truncate: runtime error: slice bounds out of range [:-1]"),
        ("{{pad .Name -1 0}}", "calling pad: strings: negative Repeat count"),
        ("{{eq .L .Map}}", "calling eq: non-comparable types [c a b]: "),
    ],
)
def test_what_functions_refuse(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as problem:
        compile_template(template).execute(VALUE)
    assert reason in str(problem.value).replace('executing "" ', "")


def test_no_lone_surrogate_is_printed() -> None:
    """What no encoding can write would end the command with a traceback."""
    for number in (0xD800, 0xDFFF, 0x110000, -1):
        assert compile_template(f'{{{{printf "%c%q" {number} {number}}}}}').execute({}) == "\ufffd'\ufffd'"


def test_an_error_tells_what_was_printed_before() -> None:
    with pytest.raises(TemplateError) as problem:
        compile_template("a{{range .L}}{{.}}{{.X}}{{end}}").execute({"L": ["b"]})
    assert problem.value.output == "ab"
