// GraphiQL 2 from its static package, for where GraphiQL 5 cannot be built: hook.py puts this below the scripts
// of that package, into one app.js. The same page, the same tabs; no explorer.
import { defaultTabs, url, webSocketUrl } from "./page.js";

const { GraphiQL, React, ReactDOM, graphqlWs } = globalThis;
const wsClient = graphqlWs.createClient({ url: webSocketUrl });

ReactDOM.render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url, wsClient }),
    defaultTabs,
    defaultEditorToolsVisibility: false,
  }),
  document.getElementById("graphiql"),
);
