"""Patterns of a published record: served with their types, stored and compared, in no allowlist."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from catalog_service.export.document import AllowlistView
from catalog_service.store.connect import Store
from catalog_service.views.diffs import Diff
from catalog_service.views.records import Pattern, Record
from schema.change import AttributeChange
from schema.fqdn import PatternType
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section
from tests.api_client import DAY, PAGE, START, application, client, commit, graphql, row
from tests.docs_pages import by_key, refusal

PAGE_RULES = PageRules(service="Mail", sections=(Section("mail", "Mail", "mail"),))
PLAIN = row("mail", "autodiscover.*.example.com", "*.example.com")
TYPED = replace(PLAIN, patterns=("<tenant>.example.com", "localhost"))
ALONE = replace(row("alone"), patterns=("*.crm#.example.com",))
SHOWN = (Pattern("<tenant>.example.com", PatternType.PLACEHOLDER), Pattern("localhost", PatternType.LOCAL))


async def test_patterns_are_served_with_their_types(store: Store) -> None:
    """REST and GraphQL show each pattern's text and type, and flag wildcards past the beginning of a name."""
    await commit(store, PAGE, (TYPED,), START)
    app, _ = await application(store)
    async with client(app) as opened:
        rest = msgspec.json.decode((await opened.get(f"/v1/endpoints/{PAGE}:mail")).content, type=Record)
        answer = await graphql(opened, f'{{ endpoint(id: "{PAGE}:mail") {{ patterns {{ text type }} midWildcards }} }}')
    assert (rest.patterns, rest.mid_wildcards) == (SHOWN, ("autodiscover.*.example.com",))
    assert answer["data"]["endpoint"] == {
        "patterns": [{"text": one.text, "type": one.type.name} for one in SHOWN],
        "midWildcards": ["autodiscover.*.example.com"],
    }


async def test_patterns_come_and_go_as_a_change(store: Store) -> None:
    """A version that adds patterns says so, and the next one that takes them back says that."""
    for day, content in enumerate(((PLAIN,), (TYPED,), (PLAIN,))):
        await commit(store, PAGE, content, START + day * DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        there, back, both = [
            msgspec.json.decode((await opened.get(f"/v1/diff/{span}")).content, type=Diff)
            for span in ("1...2", "2...3", "1...3")
        ]
    assert there.changes[0].attributes == (AttributeChange("patterns", current=TYPED.patterns),)
    assert back.changes[0].attributes == (AttributeChange("patterns", previous=TYPED.patterns),)
    assert both.changes == ()


async def test_no_allowlist_holds_a_pattern(store: Store) -> None:
    """Allowlists hold host names alone, and a record of patterns alone adds nothing to one."""
    await commit(store, PAGE, (TYPED, ALONE), START)
    app, _ = await application(store)
    async with client(app) as opened:
        listed = msgspec.json.decode((await opened.get("/v1/allowlist?format=json")).content, type=AllowlistView)
        others = [(await opened.get(f"/v1/allowlist?format={name}")).text for name in ("txt", "csv")]
    assert listed.fqdns == PLAIN.fqdns
    assert not any(mark in text for text in others for mark in ("tenant", "localhost", "crm#"))
    assert all("*.example.com" in text for text in others)


def test_a_row_or_a_bullet_of_patterns_is_a_record() -> None:
    """Patterns stand beside names, or alone, in tables and in lists; an id is made of a pattern's letters."""
    page = """# T

## Mail

| Domains | Protocols |
|---|---|
| `<tenant>.example.com`, a.example.com | https |
| https://*.crm#.example.com and http://*.crm#.example.com | https |
| localhost | https |

Allow these domains:

- `{yourGuid}.example.net` (one of yours)
- `b.example.com`
"""
    found = by_key(PAGE_RULES, page)
    assert {key: (one.fqdns, one.patterns, one.protocols) for key, one in found.items()} == {
        "mail:public:a.example.com": (("a.example.com",), ("<tenant>.example.com",), ("https",)),
        "mail:public:crm-example-com": ((), ("*.crm#.example.com",), ("http", "https")),
        "mail:public:localhost": ((), ("localhost",), ("https",)),
        "mail:public:yourguid-example-net": ((), ("{yourGuid}.example.net",), ()),
        "mail:public:b.example.com": (("b.example.com",), (), ()),
    }


def test_patterns_under_an_unknown_header_are_not_passed_over() -> None:
    """A column of names with holes is a column of endpoints, whatever its header says."""
    page = "# T\n\n## Mail\n\n| Domains |\n|---|\n| a.example.com |\n\n| Where |\n|---|\n| `<tenant>.example.com` |\n"
    assert any("holds endpoints, but its header is not known" in reason for reason in refusal(PAGE_RULES, page))
