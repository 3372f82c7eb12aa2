"""The names of every key. One hash tag: all of the catalogue lives in one slot of a Redis Cluster,
so that a commit is one atomic step there too.

Versions are of two kinds, numbered together: live ones follow upstream and make up the version line;
imported ones are history from files, and no head ever points to one.

key                      type    holds                                                  bound
{catalog}:format         string  number of the stored form                              1
{catalog}:demo           string  there in a store of demo data                          1
{catalog}:head           string  number of the newest live version                      1
{catalog}:last           string  the last number given to a version of either kind      1
{catalog}:line           zset    numbers of live versions                               1 a version
{catalog}:sources        set     sources with a version of either kind                  1 a source
{catalog}:versions       hash    number -> Version (MessagePack); stays when pruned     300 B each
{catalog}:changesets     hash    number -> Changeset (MessagePack, zstd); not the first 3 kB each
                                 of a chain: that one is its keyframe
{catalog}:keyframes      hash    number -> the source's records (MessagePack, zstd)     310 kB, each 26th
{catalog}:marks          hash    number of a keyframe -> Marks (MessagePack, zstd)      20 kB, each 26th
{catalog}:live           hash    source -> number of its newest live version            1 a source
{catalog}:line:S         zset    numbers of source S's live versions                    1 a version
{catalog}:keyframed:S    zset    those of them that have a keyframe                     1 a keyframe
{catalog}:imported:S     zset    numbers of source S's imported versions                1 a version
{catalog}:imported-keyframed:S   zset  those of them that have a keyframe               1 a keyframe
{catalog}:timeline       zset    every number, padded, by since when it was valid       1 a version
{catalog}:timeline:S     zset    the same of source S                                   1 a version
{catalog}:seen:S         zset    number@instant: seen valid then, once more; 0: closed  1 an unchanged file
{catalog}:digests:S      hash    content digest -> newest number that had it            80 B each
{catalog}:events         stream  id ``number-0``: live Version, ``number-1`` and on:    300 B each
                                 Notice; feed, outbox, history of what was told
{catalog}:held           hash    id -> HeldVersion                                      1 a source
{catalog}:held-records   hash    id -> the candidate's records (MessagePack, zstd)      1 a source
{catalog}:states         hash    source -> SourceState                                  1 a source
{catalog}:labels         hash    name -> Label                                          100 B each
{catalog}:audit          stream  AuditEntry: what people did, and SHA-1 of the one      10,000
                                 before and it: a chain
{catalog}:floor          string  the oldest live version kept for itself; none: all are  1
{catalog}:gone           zset    numbers of live versions whose content was pruned      1 each
{catalog}:documents:S    hash    digest -> Document of source S (MessagePack, zstd)     400 kB each, 12 a source
{catalog}:fetched:S      zset    digests of source S's kept documents, by fetch time    12
{catalog}:subscriptions  hash    id -> Subscription                                     10,000
{catalog}:sealed         hash    id -> Sealed: its secrets and address, encrypted       1 a subscription
{catalog}:healths        hash    id -> Health                                           1 a subscription
{catalog}:relayed        string  the place of the last event handed to queues           1
{catalog}:queue:I        list    QueueItem: what subscription I is still to be told     10,000
{catalog}:dropped        hash    id -> how many items its full queue lost               1 a subscription
{catalog}:due            zset    subscriptions by when to look at their queue, in ms    1 a subscription
{catalog}:claims         hash    id -> token of the sender that has it in hand          1 a subscription
{catalog}:trying         hash    id -> Delivery that is being retried                   1 a subscription
{catalog}:deliveries:I   hash    id -> Delivery to subscription I                       those of the next two
{catalog}:logged:I       zset    all of them but the next, by when settled, in ms       50 (setting)
{catalog}:dead:I         zset    those that were given up, by when, in ms               1,000
{catalog}:filters        hash    name -> SavedFilter                                    1,000
{catalog}:signing-key    string  the Ed25519 key, encrypted                             1
{catalog}:tokens         hash    SHA-256 of a token -> ApiToken, but when it was used   1,000
{catalog}:token-names    hash    name -> SHA-256 of the token                           1 a token
{catalog}:tokens-used    hash    SHA-256 of a token -> when it was used last, in s      1 a token
{catalog}:lease:S        string  token of who syncs S; expires                          1 a source
{catalog}:rate:M         hash    client -> requests in minute M; expires                3, 120,000 a process
{catalog}:fences         hash    source -> fencing token, counts leases; never expires  1 a source
{catalog}:restoring:T:K          what is to become key K (`restore`); expires           those of a backup
"""

from __future__ import annotations

TAG = "{catalog}"
FORMAT = f"{TAG}:format"
DEMO = f"{TAG}:demo"
HEAD = f"{TAG}:head"
LAST = f"{TAG}:last"
LINE = f"{TAG}:line"
SOURCES = f"{TAG}:sources"
VERSIONS = f"{TAG}:versions"
CHANGESETS = f"{TAG}:changesets"
KEYFRAMES = f"{TAG}:keyframes"
MARKS = f"{TAG}:marks"
LIVE = f"{TAG}:live"
TIMELINE = f"{TAG}:timeline"
EVENTS = f"{TAG}:events"
HELD = f"{TAG}:held"
HELD_RECORDS = f"{TAG}:held-records"
STATES = f"{TAG}:states"
LABELS = f"{TAG}:labels"
AUDIT = f"{TAG}:audit"
FLOOR = f"{TAG}:floor"
GONE = f"{TAG}:gone"
SUBSCRIPTIONS = f"{TAG}:subscriptions"
SEALED = f"{TAG}:sealed"
HEALTHS = f"{TAG}:healths"
RELAYED = f"{TAG}:relayed"
DROPPED = f"{TAG}:dropped"
DUE = f"{TAG}:due"
CLAIMS = f"{TAG}:claims"
TRYING = f"{TAG}:trying"
FILTERS = f"{TAG}:filters"
SIGNING_KEY = f"{TAG}:signing-key"
TOKENS = f"{TAG}:tokens"
TOKEN_NAMES = f"{TAG}:token-names"
TOKENS_USED = f"{TAG}:tokens-used"
FENCES = f"{TAG}:fences"


def line(source: str, *, imported: bool = False) -> str:
    """Key of the numbers of ``source``'s live versions, or of its imported ones."""
    return f"{TAG}:{'imported' if imported else 'line'}:{source}"


def keyframed(source: str, *, imported: bool = False) -> str:
    """Key of the numbers of ``source``'s keyframes, live or imported."""
    return f"{TAG}:{'imported-' if imported else ''}keyframed:{source}"


def timeline(source: str) -> str:
    """Key of ``source``'s versions by since when they were valid upstream."""
    return f"{TAG}:timeline:{source}"


def seen(source: str) -> str:
    """Key of the instants at which a version of ``source`` was seen valid after its first."""
    return f"{TAG}:seen:{source}"


def digests(source: str) -> str:
    """Key of the content digests ``source`` ever had."""
    return f"{TAG}:digests:{source}"


def documents(source: str) -> str:
    """Key of ``source``'s kept documents."""
    return f"{TAG}:documents:{source}"


def fetched(source: str) -> str:
    """Key of the digests of ``source``'s kept documents, oldest first."""
    return f"{TAG}:fetched:{source}"


def queue(subscription: str) -> str:
    """Key of what ``subscription`` is still to be told."""
    return f"{TAG}:queue:{subscription}"


def deliveries(subscription: str) -> str:
    """Key of the deliveries to ``subscription``."""
    return f"{TAG}:deliveries:{subscription}"


def logged(subscription: str) -> str:
    """Key of the order of the deliveries to ``subscription`` but those that were given up."""
    return f"{TAG}:logged:{subscription}"


def dead(subscription: str) -> str:
    """Key of those deliveries to ``subscription`` that were given up."""
    return f"{TAG}:dead:{subscription}"


def lease(source: str) -> str:
    """Key of the lease to sync ``source``."""
    return f"{TAG}:lease:{source}"


def rate(window: int) -> str:
    """Key of how often clients asked in ``window``."""
    return f"{TAG}:rate:{window}"
