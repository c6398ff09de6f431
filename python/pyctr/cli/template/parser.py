"""Makes nodes of tokens."""

from __future__ import annotations

from pyctr.cli.template import nodes
from pyctr.cli.template.literals import number, unquote
from pyctr.cli.template.tokens import TokenStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pyctr.cli.template.lexer import Token

Definitions = dict[str, "Sequence[nodes.Node]"]
_OPERANDS = (
    "bool",
    "char constant",
    "dot",
    "field",
    "identifier",
    "left",
    "nil",
    "number",
    "string",
    "variable",
)
_DEEPEST = 100
"""Parentheses and blocks inside each other; beyond it Python's own stack would be at risk."""


def parse_template(source: str, functions: Collection[str]) -> Definitions:
    """Return the template by the name ``""`` and those it defines; raises ParseError."""
    return _Parser(source, functions).parse()


class _Parser(TokenStream):
    def __init__(self, source: str, functions: Collection[str]) -> None:
        super().__init__(source)
        self.functions = functions
        self.variables = ["$"]
        self.ranges = 0
        self.depth = 0
        self.definitions: Definitions = {}

    # Structure

    def parse(self) -> Definitions:
        """Parse the whole template."""
        body: list[nodes.Node] = []
        while self.peek().kind != "eof":
            if self.at_definition():
                self.definition()
                continue
            node = self.node()
            if isinstance(node, _Mark):
                raise self.problem(f"unexpected {node}")
            body.append(node)
        self.define("", body)
        return self.definitions

    def define(self, name: str, body: Sequence[nodes.Node]) -> None:
        """Remember a template; one that is empty may be defined again."""
        if not _is_empty(self.definitions.get(name)):
            if not _is_empty(body):
                from pyctr.cli.golang import quote

                raise self.problem(f"template: multiple definition of template {quote(name)}")
            return
        self.definitions[name] = body

    def at_definition(self) -> bool:
        """Take ``{{define``, which is allowed outside of everything else alone, if it comes next."""
        token = self.next()
        if token.kind != "open":
            self.back(token)
            return False
        word = self.next_word()
        if word.kind != "define":
            self.back(token, word)
            return False
        return True

    def node(self) -> nodes.Node:
        """Parse text or one action."""
        token = self.next_word()
        if token.kind == "text":
            return nodes.Text(token.position, token.text)
        if token.kind != "open":
            raise self.unexpected(token, "input")
        return self.action()

    def body(self) -> tuple[list[nodes.Node], _Mark]:
        """Parse up to ``end`` or ``else``."""
        found: list[nodes.Node] = []
        self.deeper()
        while self.peek_word().kind != "eof":
            node = self.node()
            if isinstance(node, _Mark):
                self.depth -= 1
                return found, node
            found.append(node)
        raise self.problem("unexpected EOF")

    def deeper(self) -> None:
        """Count one level down."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.problem("max expression depth exceeded")

    def action(self) -> nodes.Node:
        token = self.next_word()
        kind = token.kind
        if kind in ("if", "with", "range"):
            return self.control(kind)
        if kind in ("break", "continue"):
            return self.jump(token)
        if kind in ("template", "block"):
            return self.call(kind)
        if kind == "else":
            return self.otherwise()
        if kind == "end":
            return _Mark(self.expect("close", "end").position, "end")
        self.back(token)
        pipe = self.pipeline("command", "close")
        return nodes.Action(pipe.position, pipe)

    def otherwise(self) -> _Mark:
        token = self.peek_word()
        if token.kind in ("if", "with"):
            return _Mark(token.position, "else")
        return _Mark(self.expect("close", "else").position, "else")

    def control(self, kind: str) -> nodes.Control:
        """Parse what follows ``if``, ``with`` or ``range``; ``else if`` is an if of its own in the else."""
        known = len(self.variables)
        pipe = self.pipeline(kind, "close")
        self.ranges += kind == "range"
        body, mark = self.body()
        self.ranges -= kind == "range"
        otherwise: list[nodes.Node] | None = None
        if mark.kind == "else" and kind != "range" and self.peek().kind == kind:
            self.next()
            self.deeper()
            otherwise = [self.control(kind)]
            self.depth -= 1
        elif mark.kind == "else":
            otherwise, mark = self.body()
            if mark.kind != "end":
                raise self.problem(f"expected end; found {mark}")
        del self.variables[known:]
        return nodes.Control(pipe.position, kind, pipe, body, otherwise)

    def jump(self, token: Token) -> nodes.Jump:
        kind = token.kind
        if (after := self.next_word()).kind != "close":
            raise self.unexpected(after, f"{{{{{kind}}}}}")
        if not self.ranges:
            raise self.problem(f"{{{{{kind}}}}} outside {{{{range}}}}")
        return nodes.Jump(token.position, kind)

    def call(self, kind: str) -> nodes.Call:
        context = f"{kind} clause"
        token = self.next_word()
        if token.kind != "string":
            raise self.unexpected(token, context)
        name, pipe = self.string(token), None
        if kind == "block":
            pipe = self.pipeline(context, "close")
            self.definition_body(name, context)
        elif (after := self.next_word()).kind != "close":
            self.back(after)
            pipe = self.pipeline(context, "close")
        return nodes.Call(token.position, name, pipe)

    def definition(self) -> None:
        context = "define clause"
        name = self.string(self.expect("string", context))
        self.expect("close", context)
        self.definition_body(name, context)

    def definition_body(self, name: str, context: str) -> None:
        """Parse a template inside this one: it sees none of our variables, nor our range."""
        variables, ranges = self.variables, self.ranges
        self.variables, self.ranges = ["$"], 0
        body, mark = self.body()
        if mark.kind != "end":
            raise self.problem(f"unexpected {mark} in {context}")
        self.variables, self.ranges = variables, ranges
        self.define(name, body)

    def string(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as problem:
            raise self.problem(str(problem)) from None

    # Expressions

    def pipeline(self, context: str, end: str) -> nodes.Pipe:
        position = self.peek_word().position
        variables, assigns = self.declarations(context)
        commands: list[nodes.Command] = []
        while (token := self.next_word()).kind != end:
            if token.kind not in _OPERANDS:
                raise self.unexpected(token, context)
            self.back(token)
            commands.append(self.command())
        if not commands:
            raise self.problem(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.arguments[0], nodes.Literal | nodes.Dot | nodes.Nil):
                raise self.problem(f"non executable command in pipeline stage {stage}")
        return nodes.Pipe(position, variables, assigns, commands)

    def declarations(self, context: str) -> tuple[list[str], bool]:
        """Parse ``$x :=``, ``$x =`` or, for range, ``$i, $x :=``."""
        found: list[str] = []
        while (variable := self.peek_word()).kind == "variable":
            self.next()
            space = self.next()
            sign = self.next_word() if space.kind == "space" else space
            if sign.kind in ("assign", "declare"):
                found.append(variable.text)
                self.variables.append(variable.text)
                return found, sign.kind == "assign"
            if sign.kind != "char" or sign.text != ",":
                self.back(*([variable, space, sign] if space.kind == "space" else [variable, sign]))
                break
            found.append(variable.text)
            self.variables.append(variable.text)
            if context != "range" or len(found) > 1:
                raise self.problem(f"too many declarations in {context}")
            if self.peek_word().kind not in ("variable", "close", "right"):
                raise self.problem("range can only initialize variables")
        return found, False

    def command(self) -> nodes.Command:
        position = self.peek_word().position
        arguments: list[nodes.Node] = []
        while True:
            self.peek_word()
            operand = self.operand()
            if operand is not None:
                arguments.append(operand)
            token = self.next()
            if token.kind == "space":
                continue
            if token.kind in ("close", "right"):
                self.back(token)
            elif token.kind != "pipe":
                raise self.unexpected(token, "operand")
            break
        if not arguments:
            raise self.problem("empty command")
        return nodes.Command(position, arguments)

    def operand(self) -> nodes.Node | None:
        """Parse a term and the fields taken of it."""
        node = self.term()
        if node is None or self.peek().kind != "field":
            return node
        position, names = self.peek().position, []
        while self.peek().kind == "field":
            names.append(self.next().text[1:])
        if isinstance(node, nodes.Field):
            return nodes.Field(position, [*node.names, *names])
        if isinstance(node, nodes.Variable):
            return nodes.Variable(position, node.name, [*node.names, *names])
        if isinstance(node, nodes.Literal | nodes.Nil | nodes.Dot):
            from pyctr.cli.golang import quote

            raise self.problem(f"unexpected . after term {quote(str(node))}")
        return nodes.Chain(position, node, names)

    def term(self) -> nodes.Node | None:  # noqa: PLR0911 - one per kind
        from pyctr.cli.golang import quote

        token = self.next_word()
        position, text = token.position, token.text
        match token.kind:
            case "identifier":
                if text not in self.functions:
                    raise self.problem(f"function {quote(text)} not defined")
                return nodes.Identifier(position, text)
            case "dot":
                return nodes.Dot(position)
            case "nil":
                return nodes.Nil(position)
            case "variable":
                if text not in self.variables:
                    raise self.problem(f"undefined variable {quote(text)}")
                return nodes.Variable(position, text)
            case "field":
                return nodes.Field(position, [text[1:]])
            case "bool":
                return nodes.Literal(position, text == "true", text)
            case "number" | "char constant":
                return nodes.Literal(position, self.number(text), text)
            case "string":
                return nodes.Literal(position, self.string(token), text)
            case "left":
                self.deeper()
                pipe = self.pipeline("parenthesized pipeline", "right")
                self.depth -= 1
                return pipe
        self.back(token)
        return None

    def number(self, text: str) -> int | float:
        try:
            return number(text)
        except ValueError as problem:
            raise self.problem(str(problem)) from None


class _Mark(nodes.Node):
    """``end`` or ``else``: where a body stops."""

    def __init__(self, position: int, kind: str) -> None:
        super().__init__(position)
        self.kind = kind

    def __str__(self) -> str:
        return f"{{{{{self.kind}}}}}"


def _is_empty(body: Sequence[nodes.Node] | None) -> bool:
    return all(isinstance(node, nodes.Text) and not node.text.strip() for node in body or ())
