// GraphiQL 5 with the explorer, on the address of the page it stands on. The page carries its example tabs as
// JSON; GraphiQL keeps what people write in the browser's storage, so the examples are there on the first visit
// and whenever that is cleared.
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";

import { defaultTabs, url, webSocketUrl } from "./page.js";

const WORKERS = { graphql: "graphql.worker.js", json: "json.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? "editor.worker.js", import.meta.url), { type: "module" }),
};

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={createGraphiQLFetcher({ url, wsClient: createClient({ url: webSocketUrl }) })}
    plugins={[HISTORY_PLUGIN, explorerPlugin()]}
    defaultTabs={defaultTabs}
    defaultEditorToolsVisibility={false}
  />,
);
