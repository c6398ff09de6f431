"""Go's text/template, as ``--format`` of docker understands it.

``lexer`` cuts the text into tokens, ``parser`` makes ``nodes`` of them, ``evaluator`` walks these with a
value, ``functions`` are what a pipeline can call, ``gofmt`` and ``printf`` print values as Go does.
"""

from __future__ import annotations

from pyctr.cli.template.errors import TemplateError
from pyctr.cli.template.evaluator import Template, compile_template
from pyctr.cli.template.values import NO_VALUE, NilList, Record, StringMap

__all__ = ["NO_VALUE", "NilList", "Record", "StringMap", "Template", "TemplateError", "compile_template"]
