"""The table of `test_same_answer`: each line is a question as each surface puts it; None: it does not have it.

They are asked of the catalogue that `test_same_answer` fills.
"""

from __future__ import annotations

from datetime import timedelta

from tests.api_client import PAGE, START, TAGS
from tests.catalogs import CONNECTORS, WORLDWIDE
from tests.surfaces import SAME, Question

DATED = f"{START + timedelta(days=5.5):%Y-%m-%dT%H:%M:%SZ}"
"""When version 6 was the newest."""
TAG = f"{TAGS}:AzureConnectors"
QUESTIONS = (
    # Allowlists; a page has none
    Question("13.66.60.0/25", "/v1/allowlist?format=json", "allowlist", "export", None),
    Question(
        "13.66.60.64/26",
        f"/v1/allowlist?format=json&source={TAGS}&region=West Europe&kind=prefix&cloud=public",
        f'allowlist(filter: {{source: ["{TAGS}"], region: ["West Europe"], kind: [PREFIX], cloud: [PUBLIC]}})',
        f"export --source {TAGS} --region 'West Europe' --kind prefix --cloud public",
        None,
    ),
    Question(
        "20.60.0.0/16",
        "/v1/allowlist?format=json&service=storage&at=prod",
        'allowlist(filter: {service: ["storage"]}, at: "prod")',
        "export --service storage --at prod",
        None,
    ),
    Question(
        "20.60.0.0/16",
        "/v1/allowlist?format=json&tag=storage&resolve=tags&at=prod",
        'allowlist(filter: {tag: ["storage"], resolve: [TAGS]}, at: "prod")',
        "export --tag storage --resolve tags --at prod",
        None,
    ),
    Question(
        "20.9.0.0/16",
        "/v1/allowlist?format=json&at=2025-05-07",
        'allowlist(at: "2025-05-07")',
        "export --at 2025-05-07",
        None,
    ),
    Question(
        "13.66.60.0/24", "/v1/allowlist?format=json&family=4&aggregate=yes", None, "export --family 4 --aggregate", None
    ),
    Question(
        "13.66.60.0-13.66.60.255",
        "/v1/allowlist?format=txt&family=4&ranges=range&aggregate=yes",
        None,
        "export --format txt --family 4 --ranges range --aggregate",
        None,
    ),
    Question(
        TAG,
        f"/v1/allowlist?format=csv&source={PAGE},{TAGS}&service=connectors,AzureConnectors&resolve=tags&cloud=public",
        None,
        f"export --format csv --source {PAGE},{TAGS} --service connectors --service AzureConnectors --resolve tags --cloud public",
        None,
    ),
    Question(
        '"scenario":"connectors"',
        "/v1/allowlist?format=json&scenario=connectors&region=westeurope&cloud=public&partial=yes",
        'allowlist(filter: {scenario: ["connectors"], region: ["westeurope"], cloud: [PUBLIC]}, partial: true)',
        "export --scenario connectors --region westeurope --cloud public --partial",
        None,
    ),
    # Endpoint sets; a command lists them by scenario alone, a page shows one
    Question("2603:1020::/48", "/v1/endpoints", "endpoints", None, None),
    Question(
        "make.powerautomate.com",
        "/v1/endpoints?direction=outbound&kind=fqdn&at=prod",
        'endpoints(filter: {direction: [OUTBOUND], kind: [FQDN]}, at: "prod")',
        None,
        None,
    ),
    Question(
        f"{TAGS}:Old", "/v1/endpoints?at=2025-05-06T12:00:00Z", 'endpoints(at: "2025-05-06T12:00:00Z")', None, None
    ),
    Question(
        '"via":',
        "/v1/endpoints?scenario=connectors&region=westeurope&cloud=public",
        'endpoints(filter: {scenario: ["connectors"], region: ["westeurope"], cloud: [PUBLIC]})',
        "scenarios connectors --region westeurope --cloud public",
        None,
    ),
    Question("13.67.0.0/16", f"/v1/endpoints/{TAG}", f'endpoint(id: "{TAG}")', None, SAME),
    Question(
        "*.flow.microsoft.com", f"/v1/endpoints/{PAGE}:flow?at=3", f'endpoint(id: "{PAGE}:flow", at: "3")', None, SAME
    ),
    # Diffs
    Question(
        '"moves":[{',
        "/v1/diff/first...latest?space=yes",
        'diff(from: "first", to: "latest", space: true)',
        "diff first latest --space",
        SAME,
    ),
    Question(
        '"significance":"space"',
        "/v1/diff/latest~1...latest?space=yes",
        "diff(space: true)",
        "diff 'latest~1' --space",
        SAME,
    ),
    Question(
        '"to":10',
        f"/v1/diff/prod...latest?source={TAGS}&material=yes&space=yes",
        f'diff(from: "prod", to: "latest", filter: {{source: ["{TAGS}"], material: true}}, space: true)',
        f"diff prod --source {TAGS} --material --space",
        SAME,
    ),
    Question(
        "RemovedIpOrUrl",
        "/v1/diff/3...10?service=storage,Storage.WestEurope&only=removed&family=4&kind=prefix&space=yes",
        (
            'diff(from: "3", to: "10", space: true, '
            'filter: {service: ["storage", "Storage.WestEurope"], only: REMOVED, family: IPV4, kind: [PREFIX]})'
        ),
        "diff 3 10 --service storage,Storage.WestEurope --only removed --family 4 --kind prefix --space",
        SAME,
    ),
    Question(
        f"{PAGE}:flow",
        "/v1/diff/3...10?cloud=usgov&direction=outbound&space=yes",
        'diff(from: "3", to: "10", space: true, filter: {cloud: [USGOV], direction: [OUTBOUND]})',
        "diff 3 10 --cloud usgov --direction outbound --space",
        SAME,
    ),
    Question(
        "Storage.WestEurope",
        "/v1/diff/3...10?impact=AddedIp,ChangedIsExpressRoute&region=West Europe&space=yes",
        (
            'diff(from: "3", to: "10", space: true, '
            'filter: {impact: [ADDED_IP, CHANGED_IS_EXPRESS_ROUTE], region: ["West Europe"]})'
        ),
        "diff 3 10 --impact AddedIp --impact ChangedIsExpressRoute --region 'West Europe' --space",
        SAME,
    ),
    Question(
        f"{PAGE}:storage",
        "/v1/diff/5...10?tag=storage,AzureConnectors&space=yes",
        'diff(from: "5", to: "10", space: true, filter: {tag: ["storage", "AzureConnectors"]})',
        "diff 5 10 --tag storage,AzureConnectors --space",
        SAME,
    ),
    Question(
        "RemovedIpOrUrl",
        "/v1/diff/3...10?impact_at_least=RemovedIpOrUrl&impact=RemovedIpOrUrl,MovedIpOrUrl&space=yes",
        (
            'diff(from: "3", to: "10", space: true, '
            "filter: {impactAtLeast: REMOVED_IP_OR_URL, impact: [REMOVED_IP_OR_URL, MOVED_IP_OR_URL]})"
        ),
        "diff 3 10 --impact-at-least RemovedIpOrUrl --impact RemovedIpOrUrl --impact MovedIpOrUrl --space",
        SAME,
    ),
    Question(
        '"changes":[]',
        "/v1/diff/3...10?impact=MovedIpOrUrl&space=yes",
        'diff(from: "3", to: "10", space: true, filter: {impact: [MOVED_IP_OR_URL]})',
        "diff 3 10 --impact MovedIpOrUrl --space",
        SAME,
    ),
    Question(
        "express_route",
        f"/v1/diff/6...7?source={WORLDWIDE}",
        f'diff(from: "6", to: "7", filter: {{source: ["{WORLDWIDE}"]}})',
        f"diff 6 7 --source {WORLDWIDE}",
        None,
    ),
    Question(
        "as_of",
        f"/v1/diff/2025-05-07...{DATED}?space=yes",
        f'diff(from: "2025-05-07", to: "{DATED}", space: true)',
        f"diff 2025-05-07 {DATED} --space",
        SAME,
    ),
    Question("# Changes", "/v1/diff/3...10?format=markdown", None, "diff 3 10 --format markdown", None),
    Question("Storage", "/v1/diff/3...10?format=csv", None, "diff 3 10 --format csv", None),
    Question(
        '"changes":[]', "/v1/diff/3...3?space=yes", 'diff(from: "3", to: "3", space: true)', "diff 3 3 --space", None
    ),
    # Lookups
    Question("13.66.60.64/26", "/v1/lookup?q=13.66.60.65", 'lookup(query: "13.66.60.65")', "lookup 13.66.60.65", SAME),
    Question(
        '"relation":"inside"',
        "/v1/lookup?q=13.66.60.0/24&at=prod",
        'lookup(query: "13.66.60.0/24", at: "prod")',
        "lookup 13.66.60.0/24 --at prod",
        SAME,
    ),
    Question(
        '"looked_up":',
        "/v1/lookup?q=https://api.flow.microsoft.com/v2&at=3",
        'lookup(query: "https://api.flow.microsoft.com/v2", at: "3")',
        "lookup https://api.flow.microsoft.com/v2 --at 3",
        SAME,
    ),
    Question(
        "13.67.0.0/16",
        "/v1/lookup?q=::ffff:13.67.1.2",
        'lookup(query: "::ffff:13.67.1.2")',
        "lookup ::ffff:13.67.1.2",
        SAME,
    ),
    Question(
        CONNECTORS,
        "/v1/lookup?q=13.66.60.65&region=europe&cloud=public",
        'lookup(query: "13.66.60.65", filter: {region: ["europe"], cloud: [PUBLIC]})',
        "lookup 13.66.60.65 --region europe --cloud public",
        None,
    ),
    Question(
        "matches",
        "/v1/lookup?at=2025-05-07",
        'lookupMany(queries: $lines, at: "2025-05-07")',
        "lookup - --at 2025-05-07",
        "/lookup?at=2025-05-07&q=20.9.1.1%0Ahttps://outlook.office.com/mail%0A13.66.60.1%0Anonsense",
        lines=("20.9.1.1", "https://outlook.office.com/mail", "13.66.60.1", "nonsense"),
    ),
    Question(
        '"error":',
        "/v1/lookup",
        "lookupMany(queries: $lines)",
        "lookup -",
        "/lookup?q=13.66.60.65%0A198.51.100.1%0Amake.powerautomate.com%0Ano/thing",
        lines=("13.66.60.65", "198.51.100.1", "make.powerautomate.com", "no/thing"),
    ),
    # Biographies
    Question(
        '"deed":"left"',
        "/v1/history?q=13.66.60.0/24",
        'biography(query: "13.66.60.0/24")',
        "history 13.66.60.0/24",
        SAME,
    ),
    Question(
        '"on":{',
        "/v1/history?q=20.9.1.1&on=2025-05-10",
        'biography(query: "20.9.1.1", on: "2025-05-10")',
        "history 20.9.1.1 --on 2025-05-10",
        SAME,
    ),
    Question(
        WORLDWIDE,
        "/v1/history?q=make.powerautomate.com",
        'biography(query: "make.powerautomate.com")',
        "history make.powerautomate.com",
        SAME,
    ),
    Question('"series":', f"/v1/history?q={TAG}", f'biography(query: "{TAG}")', f"history {TAG}", SAME),
    Question(
        '"known":[{',
        f"/v1/history?q=make.powerautomate.com&source={PAGE}",
        f'biography(query: "make.powerautomate.com", source: ["{PAGE}"])',
        f"history make.powerautomate.com --source {PAGE}",
        None,
    ),
    # Versions, sources, what waits, labels, regions, scenarios, conflicts
    Question('"imported":true', "/v1/versions", "versions", "versions --limit 50", SAME),
    Question(
        '"version":8',
        f"/v1/versions?source={TAGS}",
        f'versions(source: "{TAGS}")',
        f"versions --source {TAGS} --limit 50",
        SAME,
    ),
    Question('"version":5', "/v1/versions/prod", 'version(at: "prod")', None, None),
    Question('"status":"held"', "/v1/sources", "sources", "sources", "/"),
    Question("0123456789ab", "/v1/held", "held", "held list", "/"),
    Question(
        f"{PAGE}:flow", "/v1/held/0123456789ab", 'heldVersion(id: "0123456789ab")', "held show 0123456789ab", SAME
    ),
    Question("ann", "/v1/labels", "labels", "label list", "/versions"),
    Question("westeurope", "/v1/regions", "regions", "regions", None),
    Question("approval-email", "/v1/scenarios", "scenarios", "scenarios", None),
    Question(
        "make.powerautomate.com",
        f"/v1/conflicts?kind=ports,prefixes&source={PAGE},{CONNECTORS}",
        f'conflicts(kind: [PORTS, PREFIXES], source: ["{PAGE}", "{CONNECTORS}"])',
        f"conflicts --kind ports --kind prefixes --source {PAGE} --source {CONNECTORS}",
        None,
    ),
    # Errors
    Question("UNKNOWN_VERSION", "/v1/diff/5...99", 'diff(from: "5", to: "99")', "diff 5 99", SAME, status=404),
    Question(
        '"nearest":3',
        "/v1/lookup?q=13.66.60.65&at=2",
        'lookup(query: "13.66.60.65", at: "2")',
        "lookup 13.66.60.65 --at 2",
        SAME,
        status=410,
    ),
    Question(
        "UNKNOWN_SOURCE",
        "/v1/diff/3...10?source=nobody",
        'diff(from: "3", to: "10", filter: {source: ["nobody"]})',
        "diff 3 10 --source nobody",
        SAME,
        status=404,
    ),
    Question(
        '"parameter":"region"',
        "/v1/diff/3...10?region=atlantis",
        'diff(from: "3", to: "10", filter: {region: ["atlantis"]})',
        "diff 3 10 --region atlantis",
        SAME,
        status=400,
    ),
    Question(
        '"parameter":"tag"',
        "/v1/diff/3...10?tag=Storage.West",
        'diff(from: "3", to: "10", filter: {tag: ["Storage.West"]})',
        "diff 3 10 --tag Storage.West",
        SAME,
        status=404,
    ),
    Question(
        '"parameter":"impact_at_least"',
        "/v1/diff/3...10?impact_at_least=AddedIp&impact=MovedIpOrUrl",
        'diff(from: "3", to: "10", filter: {impactAtLeast: ADDED_IP, impact: [MOVED_IP_OR_URL]})',
        "diff 3 10 --impact-at-least AddedIp --impact MovedIpOrUrl",
        SAME,
        status=400,
    ),
    Question(
        '"parameter":"q"', "/v1/lookup?q=300.1.1.1", 'lookup(query: "300.1.1.1")', "lookup 300.1.1.1", SAME, status=400
    ),
    Question(
        '"parameter":"on"',
        "/v1/history?q=13.66.60.65&on=yesterday",
        'biography(query: "13.66.60.65", on: "yesterday")',
        "history 13.66.60.65 --on yesterday",
        SAME,
        status=404,
    ),
    Question(
        "BAD_PARAMETER",
        "/v1/history?q=13.66.60.65&on=3",
        'biography(query: "13.66.60.65", on: "3")',
        "history 13.66.60.65 --on 3",
        SAME,
        status=400,
    ),
    Question(
        "UNKNOWN_ENDPOINT_SET",
        f"/v1/endpoints/{TAGS}:Nothing",
        f'endpoint(id: "{TAGS}:Nothing")',
        None,
        SAME,
        status=404,
    ),
    Question(
        "UNKNOWN_HELD",
        "/v1/held/000000000000",
        'heldVersion(id: "000000000000")',
        "held show 000000000000",
        SAME,
        status=404,
    ),
    Question(
        "NO_MATCH",
        "/v1/allowlist?service=Nothing",
        'allowlist(filter: {service: ["Nothing"]})',
        "export --service Nothing",
        None,
        status=404,
    ),
    Question(
        '"limit":1',
        "/v1/allowlist?format=panos-ip&limit=1",
        None,
        "export --format panos-ip --limit 1",
        None,
        status=422,
    ),
    Question(
        "NOT_READY",
        "/v1/allowlist?scenario=approval-email",
        'allowlist(filter: {scenario: ["approval-email"]})',
        "export --scenario approval-email",
        None,
        status=503,
    ),
)
