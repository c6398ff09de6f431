"""Ids and names: 64 hexadecimal digits, and ``eager_turing`` for people."""

from __future__ import annotations

import os

from pyctr.errors import InvalidParameter

_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME = _ALNUM | frozenset("_.-")
_HEX = frozenset("0123456789abcdef")

ADJECTIVES = """
    able agile airy amber ample apt ardent arty avid azure balmy basic bold brave breezy bright
    brisk bubbly calm candid chief civil clean clear clever cosy crisp curious daring dapper deft
    dewy direct dreamy eager early earnest easy elated even exact fabled fair famed fast fearless
    fertile fine firm fleet fluent fond frank free fresh friendly frosty gentle giddy glad gleaming
    golden good grand great green happy hardy hasty hearty humble ideal jolly jovial joyful keen
    kind known large lasting lavish level light likely lively lofty loyal lucid lucky lunar lush
    magic mellow merry mighty mild modest moral musing neat nimble noble novel open patient peppy
    placid plucky polite proud prompt pure quick quiet rapid ready regal robust rosy round royal
    rustic sage sharp silent simple sincere sleek smart smooth snappy snug sober solar solid sound
    spry stable steady stoic strong subtle sunny sure swift tender tidy timely tranquil true trusty
    upbeat urbane valiant vast vibrant vital vivid warm wise witty worthy young zany zen zesty
""".split()  # noqa: SIM905
SURNAMES = """
    abel adams agnesi ampere archimedes aryabhata babbage bardeen bell benz bernoulli bhabha bohr
    boole born bose boyle brahe cantor carson cauchy cayley chandrasekhar clarke codd cori crick
    curie dalton darwin davy descartes dijkstra dirac easley edison einstein elion euclid euler
    faraday fermat fermi feynman fibonacci fourier franklin galileo galois gauss germain gibbs
    goodall hamilton hawking heisenberg hertz herschel hilbert hodgkin hooke hopper hubble huygens
    hypatia jackson joliot joule kepler khorana knuth kovalevskaya lagrange lamarr laplace lavoisier
    leavitt leibniz liskov lister lovelace lumiere mandelbrot maxwell mayer mcclintock meitner
    mendel mendeleev minsky mirzakhani morse nash newton nightingale nobel noether ohm oppenheimer
    pascal pasteur pauli payne perlman planck poincare poisson pythagoras raman ramanujan rhodes
    riemann ritchie rosalind rubin rutherford sagan salk sammet shannon snow swartz tesla thompson
    tu turing villani volta watt wescoff wiles wilson wing wozniak wright wu yalow yonath
""".split()  # noqa: SIM905


def new_id() -> str:
    """A fresh id. Never one whose short form reads as a number: it becomes the host name, which may not."""
    while True:
        id = os.urandom(32).hex()
        if not id[:12].isdigit():
            return id


def random_name(retry: int = 0) -> str:
    """A name for a container that was given none; with ``retry`` a digit is added to get out of the way."""
    draw = int.from_bytes(os.urandom(4), "little")
    adjective = ADJECTIVES[draw % len(ADJECTIVES)]
    surname = SURNAMES[(draw >> 16) % len(SURNAMES)]
    return f"{adjective}_{surname}{draw % 10}" if retry else f"{adjective}_{surname}"


def is_name(text: str) -> bool:
    """``[a-zA-Z0-9][a-zA-Z0-9_.-]+``, at most 255 characters."""
    return 2 <= len(text) <= 255 and text[0] in _ALNUM and _NAME.issuperset(text)


def check_name(kind: str, text: str) -> str:
    """Give the name back, or say what a name of that kind looks like."""
    if not is_name(text):
        raise InvalidParameter(f"invalid {kind} name ({text}): only [a-zA-Z0-9][a-zA-Z0-9_.-]+ are allowed")
    return text


def is_id(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


def is_id_prefix(text: str) -> bool:
    return 0 < len(text) <= 64 and _HEX.issuperset(text)
