// Starts GraphiQL on the address of this page, with one tab an example. GraphiQL keeps what people
// write in the browser's storage, so the examples are there on the first visit and whenever that is cleared.
"use strict";

const EXAMPLES = [
  `# What changed last? Press the pink button.
# from, to: a number, latest~1, a date ...
query LastChange {
  diff(from: "latest~1", to: "latest") {
    from
    to
    summary {
      endpointSetsAdded
      endpointSetsRemoved
      endpointSetsChanged
      prefixesAdded
      prefixesRemoved
      fqdnsAdded
      fqdnsRemoved
    }
    changes(first: 20) {
      id
      disposition
      prefixesAdded
      prefixesRemoved
      fqdnsAdded
      fqdnsRemoved
      attributes {
        name
        previous
        current
      }
    }
  }
}
`,
  `# The prefixes of a service tag in every region.
# One region: "AzureConnectors.WestEurope"
query ServiceTag {
  endpoints(filter: { service: ["AzureConnectors"], cloud: [PUBLIC] }, first: 20) {
    version
    items {
      id
      title
      region
      prefixes
    }
    next
  }
}
`,
  `# Which endpoint sets hold this address,
# CIDR block or host name?
query WhatIs {
  lookup(query: "make.powerautomate.com") {
    version
    matches {
      id
      title
      prefix
      fqdn
      cloud
      direction
      tcpPorts
    }
  }
}
`,
  `# What Power Automate needs, from its own page.
query PowerAutomate {
  endpoints(filter: { service: ["Power Automate"] }, first: 100) {
    version
    items {
      title
      cloud
      clouds
      direction
      prefixes
      fqdns
      protocols
      serviceTags
      purpose
    }
  }
}
`,
  `# A question by name: what connectors call from, in Europe, by way of which tags.
query Connectors {
  endpoints(filter: { scenario: ["connectors"], region: ["Europe"] }) {
    version
    items {
      id
      prefixes
      scenarios {
        scenario
        direction
      }
      via {
        tag
        version
      }
    }
    unpublished {
      cloud
      sentence
    }
    missing
  }
}
`,
  `# What is read, and how it is.
query Sources {
  catalogVersion
  sources {
    name
    status
    version
    upstreamVersion
    checkedAt
    counts {
      endpointSets
      prefixes
      fqdns
    }
    held
    error
  }
}
`,
];

const fetcher = GraphiQL.createFetcher({ url: window.location.pathname });

ReactDOM.render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: EXAMPLES.map((query) => ({ query })),
    defaultEditorToolsVisibility: false,
    isHeadersEditorEnabled: false,
  }),
  document.getElementById("graphiql"),
);
