"""What a template is made of once it is parsed. ``str()`` of a node is its source, for error texts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Node:
    """A piece of a template at ``position`` in its source."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


class Text(Node):
    """What is between the actions."""

    __slots__ = ("text",)

    def __init__(self, position: int, text: str) -> None:
        super().__init__(position)
        self.text = text


class Dot(Node):
    """``.``."""

    __slots__ = ()

    def __str__(self) -> str:
        return "."


class Nil(Node):
    """``nil``."""

    __slots__ = ()

    def __str__(self) -> str:
        return "nil"


class Literal(Node):
    """A number, a string or a truth value."""

    __slots__ = ("text", "value")

    def __init__(self, position: int, value: Any, text: str) -> None:
        super().__init__(position)
        self.value = value
        self.text = text

    def __str__(self) -> str:
        return self.text


class Field(Node):
    """``.A.B``."""

    __slots__ = ("names",)

    def __init__(self, position: int, names: Sequence[str]) -> None:
        super().__init__(position)
        self.names = names

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(Node):
    """``$x.A.B``."""

    __slots__ = ("name", "names")

    def __init__(self, position: int, name: str, names: Sequence[str] = ()) -> None:
        super().__init__(position)
        self.name = name
        self.names = names

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


class Identifier(Node):
    """The name of a function."""

    __slots__ = ("name",)

    def __init__(self, position: int, name: str) -> None:
        super().__init__(position)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Chain(Node):
    """``(pipeline).A.B``."""

    __slots__ = ("names", "node")

    def __init__(self, position: int, node: Node, names: Sequence[str]) -> None:
        super().__init__(position)
        self.node = node
        self.names = names

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return inner + "".join(f".{name}" for name in self.names)


class Command(Node):
    """A function or value and its arguments."""

    __slots__ = ("arguments",)

    def __init__(self, position: int, arguments: Sequence[Node]) -> None:
        super().__init__(position)
        self.arguments = arguments

    def __str__(self) -> str:
        return " ".join(
            f"({argument})" if isinstance(argument, Pipe) else str(argument) for argument in self.arguments
        )


class Pipe(Node):
    """Commands, each fed with what the one before gave; the result may be put in ``variables``."""

    __slots__ = ("assigns", "commands", "variables")

    def __init__(
        self, position: int, variables: Sequence[str], assigns: bool, commands: Sequence[Command]
    ) -> None:
        super().__init__(position)
        self.variables = variables
        self.assigns = assigns
        self.commands = commands

    def __str__(self) -> str:
        piped = " | ".join(map(str, self.commands))
        if not self.variables:
            return piped
        return f"{', '.join(self.variables)} {'=' if self.assigns else ':='} {piped}"


class Action(Node):
    """``{{pipeline}}``."""

    __slots__ = ("pipe",)

    def __init__(self, position: int, pipe: Pipe) -> None:
        super().__init__(position)
        self.pipe = pipe

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


class Control(Node):
    """``if``, ``with`` or ``range`` (``kind``) with its body and what is done otherwise."""

    __slots__ = ("body", "kind", "otherwise", "pipe")

    def __init__(
        self, position: int, kind: str, pipe: Pipe, body: Sequence[Node], otherwise: Sequence[Node] | None
    ) -> None:
        super().__init__(position)
        self.kind = kind
        self.pipe = pipe
        self.body = body
        self.otherwise = otherwise


class Jump(Node):
    """``break`` or ``continue``."""

    __slots__ = ("kind",)

    def __init__(self, position: int, kind: str) -> None:
        super().__init__(position)
        self.kind = kind


class Call(Node):
    """``{{template "name" pipeline}}``."""

    __slots__ = ("name", "pipe")

    def __init__(self, position: int, name: str, pipe: Pipe | None) -> None:
        super().__init__(position)
        self.name = name
        self.pipe = pipe

    def __str__(self) -> str:
        from pyctr.cli.golang import quote

        suffix = "" if self.pipe is None else f" {self.pipe}"
        return f"{{{{template {quote(self.name)}{suffix}}}}}"
