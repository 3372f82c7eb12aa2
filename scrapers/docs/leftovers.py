"""What is evidently an endpoint and in no record of its page: the reason why the page is refused.

    Europe: 1.2.3.6, 1.2.3.7                an address in prose
    - collector.example.cn (telemetry)      a bullet, a paragraph or a "Allow ..." that begins with a host name
    | PowerPlatformPlex | Connectors |      a service tag these pages have, in a table too

In: the blocks that were read and all records. Called by `parse` at the end: an endpoint that moved to where no
reader looks must not vanish in silence. Examples, struck-out text and what is advised against are no endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from schema.endpoint_set import EndpointSet
from schema.prefix import Block as Prefix
from schema.prefix import parse_block, unsafe_reason
from scrapers.docs.mentions import first_word, is_evident_host
from scrapers.docs.page import Block, BulletList, Table, Text
from scrapers.docs.refusals import place
from scrapers.docs.tag_mentions import Stance, tag_mentions

_ADDRESS = re.compile(
    r"(?<![\w.:])(?<!version )(?:\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|(?:[0-9a-f]{1,4}:){2}[0-9a-f:]*(?:/\d{1,3})?)"
    r"(?![\w/:]|\.\d)",
    re.IGNORECASE,
)
_ALLOW = re.compile(r"(?:^|[.:]\s+)(?:also\s+)?(?:allow|permit|open|add)\s+(?P<words>.*)", re.IGNORECASE)
_AROUND = "`'\",;:()[]"


def leftovers(blocks: Iterable[Block], records: Iterable[EndpointSet]) -> Iterator[str]:
    """Yield a reason for each text with endpoints that none of ``records`` holds."""
    found = tuple(records)
    names = {name.lower() for record in found for name in (*record.fqdns, *record.patterns)}
    tags = {tag.lower() for record in found for tag in record.service_tags}
    prefixes = tuple(parse_block(prefix) for record in found for prefix in record.prefixes)
    for block in blocks:
        for text in map(_without_struck, _texts(block)):
            lost = [tag for tag in _tags(text) if tag.lower() not in tags]
            if not isinstance(block, Table):
                lost += [name for name in _names(text) if names.isdisjoint(_spellings(name))]
                lost += [address for address in _addresses(text) if not _is_inside(address, prefixes)]
            if lost:
                what = ", ".join(dict.fromkeys(lost))
                yield f"{place(block.headings)}: {text.text[:120]!r} names {what}, which is in no record"


def _texts(block: Block) -> tuple[Text, ...]:
    if isinstance(block, Table):
        return tuple(cell for row in (block.header, *block.rows) for cell in row)
    return block.items if isinstance(block, BulletList) else (block.text,)


def _without_struck(text: Text) -> Text:
    lines = text.lines
    for struck in text.strikes:
        lines = tuple(line.replace(struck, " ") for line in lines)
    return Text(lines=lines, codes=text.codes, bolds=text.bolds)


def _tags(text: Text) -> Iterator[str]:
    return (mention.tag for mention in tag_mentions(text) if mention.stance is not Stance.DECLINED)


def _names(text: Text) -> Iterator[str]:
    """Yield the host names that lines begin with, and those after an "Allow" of the text."""
    starts = map(first_word, text.lines)
    asked = (word for found in _ALLOW.finditer(text.text) for word in found["words"].split())
    words = (word.strip(_AROUND).rstrip(".") for word in (*starts, *asked))
    return (word for word in words if is_evident_host(word))


def _spellings(name: str) -> set[str]:
    host = name.replace("\\*", "*").lower()
    return {host, host.removeprefix("."), f"*{host}"}


def _addresses(text: Text) -> Iterator[str]:
    """Yield addresses that may stand in an allowlist: no loopback, no private network, no version number."""
    for found in _ADDRESS.finditer(text.text):
        try:
            if unsafe_reason(found[0]) is None:
                yield found[0]
        except ValueError:
            continue


def _is_inside(address: str, prefixes: tuple[Prefix, ...]) -> bool:
    inner = parse_block(address)
    return any(each.holds(inner) for each in prefixes)
