"""``tfvars``: Terraform variables as ``catalog.auto.tfvars.json`` takes them.

    {"catalog_ipv4": ["20.1.2.0/24"], "catalog_ipv6": [], "catalog_fqdns": ["*.flow.microsoft.com"]}

What was asked for has its variable, even one that is empty: a module declares all of them.
"""

from __future__ import annotations

import msgspec

from catalog_service.export.format import Content, Format
from schema.words import Kind


def render_tfvars(content: Content) -> bytes:
    """Return the variables ``NAME_ipv4``, ``NAME_ipv6`` and ``NAME_fqdns``."""
    variables: dict[str, tuple[str, ...]] = {}
    if Kind.PREFIX in content.kinds:
        variables |= {f"{content.name}_ipv{family}": prefixes for family, prefixes in content.by_family}
    if Kind.FQDN in content.kinds:
        variables[f"{content.name}_fqdns"] = content.listed.fqdns
    return msgspec.json.format(msgspec.json.encode(variables), indent=2) + b"\n"


TFVARS = Format(
    "tfvars",
    "application/json",
    "auto.tfvars.json",
    render_tfvars,
    "Terraform variables `NAME_ipv4`, `NAME_ipv6` and `NAME_fqdns`, as lists of strings.",
    name_length=60,
)
