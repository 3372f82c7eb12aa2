"""The names of every key. One hash tag: all of the catalogue lives in one slot of a Redis Cluster,
so that a commit is one atomic step there too.

key                      type    holds                                                  bound
{catalog}:format         string  number of the stored form                              1
{catalog}:demo           string  there in a store of demo data                          1
{catalog}:head           string  number of the newest version                           1
{catalog}:versions       hash    number -> Version (MessagePack)                        300 B each
{catalog}:changesets     hash    number -> Changeset (MessagePack, zstd); not the first 3 kB each
                                 of a source: that one is its keyframe
{catalog}:keyframes      hash    number -> the source's records (MessagePack, zstd)     310 kB, each 26th
{catalog}:newest         hash    source -> number of its newest version                 1 a source
{catalog}:line:S         zset    numbers of source S's versions                         1 a version
{catalog}:keyframed:S    zset    numbers of source S's keyframes                        1 a keyframe
{catalog}:digests:S      hash    content digest -> newest number that had it            80 B each
{catalog}:events         stream  id ``number-0``: Version; feed, outbox and history     300 B each
{catalog}:held           hash    id -> HeldVersion                                      1 a source
{catalog}:held-records   hash    id -> the candidate's records (MessagePack, zstd)      1 a source
{catalog}:states         hash    source -> SourceState                                  1 a source
{catalog}:lease:S        string  token of who syncs S; expires                          1 a source
{catalog}:fences         hash    source -> fencing token, counts leases; never expires  1 a source
"""

from __future__ import annotations

TAG = "{catalog}"
FORMAT = f"{TAG}:format"
DEMO = f"{TAG}:demo"
HEAD = f"{TAG}:head"
VERSIONS = f"{TAG}:versions"
CHANGESETS = f"{TAG}:changesets"
KEYFRAMES = f"{TAG}:keyframes"
NEWEST = f"{TAG}:newest"
EVENTS = f"{TAG}:events"
HELD = f"{TAG}:held"
HELD_RECORDS = f"{TAG}:held-records"
STATES = f"{TAG}:states"
FENCES = f"{TAG}:fences"


def line(source: str) -> str:
    """Key of the numbers of ``source``'s versions."""
    return f"{TAG}:line:{source}"


def keyframed(source: str) -> str:
    """Key of the numbers of ``source``'s keyframes."""
    return f"{TAG}:keyframed:{source}"


def digests(source: str) -> str:
    """Key of the content digests ``source`` ever had."""
    return f"{TAG}:digests:{source}"


def lease(source: str) -> str:
    """Key of the lease to sync ``source``."""
    return f"{TAG}:lease:{source}"
