"""Carries out a parsed template."""

from __future__ import annotations

from pyctr.cli.template import nodes
from pyctr.cli.template.errors import ExecutionError, TemplateError
from pyctr.cli.template.functions import BUILTIN, LAZY, TYPES, Refused, fits, truth
from pyctr.cli.template.gofmt import show, type_name
from pyctr.cli.template.parser import Definitions, parse_template
from pyctr.cli.template.values import NO_VALUE, Record, StringMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Functions = Mapping[str, tuple[Callable[..., Any], int, int | None]]

_DEEPEST_CALL = 50
"""Templates calling each other; Go allows 100000, which Python's stack does not."""
_MISSING = object()


class Template:
    """A template ready to be carried out, as often as wanted."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.definitions: Definitions = parse_template(source, (*BUILTIN, *LAZY))
        self.pieces = _pieces(self.definitions.get("", ()))

    def execute(self, value: Any, functions: Functions = BUILTIN) -> str:
        """Return the template's text for ``value``; raises TemplateError."""
        if self.pieces is not None and type(value) is Record:
            filled = self._filled_in(value)
            if filled is not None:
                return filled
        state = _State(self, "", functions, 0, value)
        try:
            state.walk(self.definitions.get("", ()), value)
        except TemplateError as problem:
            problem.output = "".join(state.out)
            raise
        return "".join(state.out)

    def _filled_in(self, record: Record) -> str | None:
        """Return the text for a record of a template that only names fields; None if one is not there."""
        out, fields, subject = [], record.fields, record.subject
        for text, name in self.pieces or ():
            if name:
                if name not in fields:
                    return None
                value = fields[name](subject)
                out.append(value if type(value) is str else show(value))
            else:
                out.append(text)
        return "".join(out)


def _pieces(body: Sequence[nodes.Node]) -> list[tuple[str, str]] | None:
    """Return the texts and the names of the fields of a template without anything else, or None.

    Such are the tables and most of what people write; it saves a third of the time of a long listing.
    """
    pieces = []
    for node in body:
        if isinstance(node, nodes.Text):
            pieces.append((node.text, ""))
            continue
        pipe = node.pipe if isinstance(node, nodes.Action) else None
        if pipe is None or pipe.variables or len(pipe.commands) != 1:
            return None
        arguments = pipe.commands[0].arguments
        if len(arguments) != 1 or not isinstance(arguments[0], nodes.Field) or len(arguments[0].names) != 1:
            return None
        pieces.append(("", arguments[0].names[0]))
    return pieces


def compile_template(source: str) -> Template:
    """Parse a template; raises TemplateError."""
    return Template(source)


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _State:
    """The execution of one template: its output and its variables."""

    def __init__(self, template: Template, name: str, functions: Functions, depth: int, value: Any) -> None:
        self.template = template
        self.name = name
        self.functions = functions
        self.depth = depth
        self.out: list[str] = []
        self.variables: list[tuple[str, Any]] = [("$", value)]
        self.at: nodes.Node = nodes.Dot(0)

    def problem(self, reason: str) -> ExecutionError:
        """Return an error at the node being evaluated."""
        before = self.template.source[: self.at.position]
        line_start = before.rfind("\n") + 1
        column = len(before[line_start:].encode(errors="surrogateescape"))
        return ExecutionError(1 + before.count("\n"), column, self.name, str(self.at), reason)

    # Structure

    def walk(self, body: Sequence[nodes.Node], dot: Any) -> None:
        for node in body:
            if isinstance(node, nodes.Text):
                self.out.append(node.text)
            elif isinstance(node, nodes.Action):
                value = self.pipe(node.pipe, dot)
                if not node.pipe.variables:
                    self.out.append(show(value))
            elif isinstance(node, nodes.Control):
                known = len(self.variables)
                (self.range if node.kind == "range" else self.condition)(node, dot)
                del self.variables[known:]
            elif isinstance(node, nodes.Jump):
                raise _Break if node.kind == "break" else _Continue
            elif isinstance(node, nodes.Call):
                self.call_template(node, dot)

    def condition(self, node: nodes.Control, dot: Any) -> None:
        value = self.pipe(node.pipe, dot)
        if truth(value):
            self.walk(node.body, value if node.kind == "with" else dot)
        else:
            self.walk(node.otherwise or (), dot)

    def range(self, node: nodes.Control, dot: Any) -> None:
        value = self.pipe(node.pipe, dot)
        known = len(self.variables)
        count = 0
        for count, (index, item) in enumerate(self.items(value, node), 1):  # noqa: B007 - read below
            self.bind(node.pipe, index, item)
            mark = len(self.variables)
            try:
                self.walk(node.body, item)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self.variables[mark:]
        if not count:
            del self.variables[known:]
            self.walk(node.otherwise or (), dot)

    def items(self, value: Any, node: nodes.Control) -> Iterator[tuple[Any, Any]]:
        if isinstance(value, dict):
            return iter([(key, value[key]) for key in sorted(value)])
        if isinstance(value, list | tuple):
            return iter(list(enumerate(value)))
        if value is NO_VALUE or value is None:
            return iter(())
        if isinstance(value, int) and not isinstance(value, bool):
            if len(node.pipe.variables) > 1:
                raise self.problem(f"can't use {value} to iterate over more than one variable")
            return ((number, number) for number in range(value))
        raise self.problem(f"range can't iterate over {show(value)}")

    def bind(self, pipe: nodes.Pipe, index: Any, item: Any) -> None:
        """Give the variables of a range their values for one round: the element, or index and element."""
        names = pipe.variables
        values = (item,) if len(names) == 1 else (index, item)
        for name, value in zip(names, values, strict=False):
            if pipe.assigns:
                self.assign(name, value)
            else:
                place = self.place(name)
                self.variables[place] = (name, value)

    def call_template(self, node: nodes.Call, dot: Any) -> None:
        self.at = node
        body = self.template.definitions.get(node.name)
        if body is None:
            from pyctr.cli.golang import quote

            raise self.problem(f"template {quote(node.name)} not defined")
        if self.depth >= _DEEPEST_CALL:
            raise self.problem(f"exceeded maximum template depth ({_DEEPEST_CALL})")
        value = self.pipe(node.pipe, dot) if node.pipe else NO_VALUE
        inner = _State(self.template, node.name, self.functions, self.depth + 1, value)
        inner.walk(body, value)
        self.out += inner.out

    # Variables

    def place(self, name: str) -> int:
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                return place
        raise self.problem(f"undefined variable: {name}")

    def assign(self, name: str, value: Any) -> None:
        self.variables[self.place(name)] = (name, value)

    # Expressions

    def pipe(self, pipe: nodes.Pipe, dot: Any) -> Any:
        self.at = pipe
        value: Any = _MISSING
        for command in pipe.commands:
            value = self.command(command, dot, value)
        for name in pipe.variables:
            if pipe.assigns:
                self.assign(name, value)
            else:
                self.variables.append((name, value))
        return value

    def command(self, command: nodes.Command, dot: Any, final: Any) -> Any:
        """Evaluate a command; ``final`` is what the command before it in the pipe gave."""
        first, arguments = command.arguments[0], command.arguments[1:]
        self.at = first
        if isinstance(first, nodes.Identifier):
            return self.function(first, command, dot, final)
        if isinstance(first, nodes.Field):
            return self.fields(first, dot, first.names, arguments, dot, final)
        if isinstance(first, nodes.Chain):
            receiver = self.operand(first.node, dot)
            self.at = first
            return self.fields(first, receiver, first.names, arguments, dot, final)
        if isinstance(first, nodes.Variable) and first.names:
            receiver = self.variables[self.place(first.name)][1]
            return self.fields(first, receiver, first.names, arguments, dot, final)
        if arguments or final is not _MISSING:
            raise self.problem(f"can't give argument to non-function {first}")
        if isinstance(first, nodes.Nil):
            raise self.problem("nil is not a command")
        return self.operand(first, dot)

    def operand(self, node: nodes.Node, dot: Any) -> Any:
        """Evaluate a node that stands as an argument."""
        self.at = node
        if isinstance(node, nodes.Dot):
            return dot
        if isinstance(node, nodes.Nil):
            return None
        if isinstance(node, nodes.Literal):
            return node.value
        if isinstance(node, nodes.Pipe):
            return self.pipe(node, dot)
        if isinstance(node, nodes.Variable) and not node.names:
            return self.variables[self.place(node.name)][1]
        return self.command(nodes.Command(node.position, (node,)), dot, _MISSING)

    def fields(  # noqa: PLR0917 - all of a call: who, what, with what
        self, node: nodes.Node, receiver: Any, names: Sequence[str], arguments: Any, dot: Any, final: Any
    ) -> Any:
        """Walk ``.A.B.C`` from ``receiver``; the last may be a method, which gets the arguments."""
        for name in names[:-1]:
            receiver = self.field(receiver, name)
        last = names[-1]
        given = bool(arguments) or final is not _MISSING
        method = receiver.method(last) if isinstance(receiver, Record) else None
        if method is not None:
            values = [self.operand(argument, dot) for argument in arguments]
            self.at = node
            return self.invoke(last, method, 1, 1, [*values, *(() if final is _MISSING else (final,))])
        value = self.field(receiver, last)
        if given and isinstance(receiver, dict):
            raise self.problem(f"{last} is not a method but has arguments")
        if given:
            raise self.problem(f"{last} has arguments but cannot be invoked as function")
        return value

    def field(self, receiver: Any, name: str) -> Any:
        if isinstance(receiver, Record):
            getter = receiver.field(name)
            if getter is not None:
                return getter(receiver.subject)
        elif isinstance(receiver, StringMap):
            return receiver.get(name, NO_VALUE)
        elif isinstance(receiver, dict):
            return self.document_field(receiver, name)
        elif receiver is NO_VALUE:
            raise self.problem(f'nil data; no entry for key "{name}"')
        elif receiver is None:
            raise self.problem(f"nil pointer evaluating interface {{}}.{name}")
        raise self.problem(f"can't evaluate field {name} in type {type_name(receiver)}")

    def document_field(self, document: dict[str, Any], name: str) -> Any:
        """Return a field, by its JSON name or by Go's, which differs from it in case alone."""
        if name in document:
            return document[name]
        lowered = name.lower()
        for key, value in document.items():
            if key.lower() == lowered:
                return value
        raise self.problem(f'map has no entry for key "{name}"')

    def function(self, node: nodes.Identifier, command: nodes.Command, dot: Any, final: Any) -> Any:
        arguments = command.arguments[1:]
        if node.name in LAZY:
            return self.lazy(node, arguments, dot, final)
        function, least, most = self.functions[node.name]
        count = len(arguments) + (final is not _MISSING)
        if count < least or (most is not None and count > most):
            wanted = f"at least {least}" if most is None else str(least)
            raise self.problem(f"wrong number of args for {node.name}: want {wanted} got {count}")
        types = TYPES.get(node.name, ())
        values = []
        for place, argument in enumerate(arguments):
            values.append(self.operand(argument, dot))
            if place < len(types) and not fits(values[-1], types[place]):
                self.at = argument
                raise self.misfit(values[-1], types[place])
        if final is not _MISSING:
            if len(values) < len(types) and not fits(final, types[len(values)]):
                raise self.misfit(final, types[len(values)])
            values.append(final)
        self.at = command
        return self.invoke(node.name, function, least, most, values)

    def misfit(self, value: Any, wanted: str) -> ExecutionError:
        """Return the error of an argument, the node we are at, of another type than the function's."""
        if isinstance(self.at, nodes.Nil):
            return self.problem(f"cannot assign nil to {wanted}")
        if isinstance(self.at, nodes.Literal):
            kind = {"int": "integer"}.get(wanted, wanted)
            told = f"can't handle {self.at} for arg of type {wanted}"
            return self.problem(told if wanted == "[]string" else f"expected {kind}; found {self.at}")
        if value is None or value is NO_VALUE:
            return self.problem(f"invalid value; expected {wanted}")
        return self.problem(f"wrong type for value; expected {wanted}; got {type_name(value)}")

    def lazy(self, node: nodes.Identifier, arguments: Sequence[nodes.Node], dot: Any, final: Any) -> Any:
        """``and`` and ``or``: the first argument that decides, or the last."""
        count = len(arguments) + (final is not _MISSING)
        if not count:
            raise self.problem(f"wrong number of args for {node.name}: want at least 1 got 0")
        value: Any = NO_VALUE
        for argument in arguments:
            value = self.operand(argument, dot)
            if truth(value) == (node.name == "or"):
                return value
        return value if final is _MISSING else final

    def invoke(
        self, name: str, function: Callable[..., Any], least: int, most: int | None, values: list[Any]
    ) -> Any:
        if len(values) < least or (most is not None and len(values) > most):
            raise self.problem(f"wrong number of args for {name}: want {least} got {len(values)}")
        try:
            return function(*values)
        except Refused as problem:
            raise self.problem(f"error calling {name}: {problem}") from None
        except RecursionError:
            raise TemplateError("template: the value is nested too deeply") from None
