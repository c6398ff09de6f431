"""The tokens of a template as the parser wants them: one at a time, and back again."""

from __future__ import annotations

from pyctr.cli.template.errors import ParseError
from pyctr.cli.template.lexer import KEYWORDS, Lexer, Token


class TokenStream:
    """Hands out tokens, remembers their line, and finds the words for those that are out of place."""

    def __init__(self, source: str) -> None:
        self.lexer = Lexer(source).tokens()
        self.ahead: list[Token] = []
        self.line = 1

    def next(self) -> Token:
        """Take the next token."""
        token = self.ahead.pop() if self.ahead else next(self.lexer)
        self.line = token.line
        return token

    def next_word(self) -> Token:
        """Take the next token that is not space."""
        while (token := self.next()).kind == "space":
            pass
        return token

    def back(self, *tokens: Token) -> None:
        """Give tokens back, in the order they came."""
        self.ahead.extend(reversed(tokens))

    def peek(self) -> Token:
        """Look at the next token."""
        token = self.next()
        self.back(token)
        return token

    def peek_word(self) -> Token:
        """Look at the next token that is not space, taking the space."""
        token = self.next_word()
        self.back(token)
        return token

    def problem(self, reason: str) -> ParseError:
        """Return an error at the current line."""
        return ParseError(self.line, reason)

    def unexpected(self, token: Token, context: str) -> ParseError:
        """Return the complaint about a token that cannot be here."""
        from pyctr.cli.golang import quote

        if token.kind == "eof":
            shown = "EOF"
        elif token.kind in KEYWORDS or token.kind == "dot":
            shown = f"<{token.text}>"
        else:
            shown = quote(token.text if len(token.text) <= 10 else token.text[:10]) + (
                "..." if len(token.text) > 10 else ""
            )
        return self.problem(f"unexpected {shown} in {context}")

    def expect(self, kind: str, context: str) -> Token:
        """Take the next word, which must be of this kind."""
        token = self.next_word()
        if token.kind != kind:
            raise self.unexpected(token, context)
        return token
