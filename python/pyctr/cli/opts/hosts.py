"""Values that end up in /etc/hosts and /etc/resolv.conf: ``--add-host``, ``--dns``, ``--dns-search``."""

from __future__ import annotations

import ipaddress


def ip_address(text: str) -> str:
    """Return an address in its shortest form."""
    return str(_address(text.strip(), f"IP address is not correctly formatted: {text}"))


def _address(text: str, problem: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(problem) from None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError(problem)
        return address.ipv4_mapped or address
    return address


def search_domain(text: str) -> str:
    """Return a domain to search; ``.`` means none."""
    domain = text.strip(" ")
    if domain == ".":
        return domain
    name = domain.rstrip().removesuffix(".")
    labels = name.split(".")
    lettered = any(character.isascii() and character.isalpha() for character in domain)
    if not lettered or len(name) >= 255 or not all(_is_label(label) for label in labels):
        raise ValueError(f"{domain} is not a valid domain")
    return name


def _is_label(label: str) -> bool:
    # docker's pattern writes (:? where (?: was meant, so a label may start with a colon there, and here.
    body = label.lstrip(":")
    allowed = all(character.isascii() and (character.isalnum() or character == "-") for character in body)
    return bool(body) and allowed and body[0] != "-" and body[-1] != "-"


def extra_host(text: str) -> str:
    """``name:address`` or ``name=address``; the address may be ``host-gateway`` or in brackets."""
    name, separator, address = text.partition("=")
    if not separator:
        name, separator, address = text.partition(":")
    if not separator or not name or ":" in name:
        raise ValueError(f"bad format for add-host: {_quoted(text)}")
    if address == "host-gateway":
        return f"{name}:{address}"
    if len(address) > 2 and address[0] == "[" and address[-1] == "]":
        address = address[1:-1]
    problem = f"invalid IP address in add-host: {_quoted(address)}"
    try:
        ip_address(address)
    except ValueError:
        raise ValueError(problem) from None
    return f"{name}:{address}"


def _quoted(text: str) -> str:
    from pyctr.cli.golang import quote

    return quote(text)
