// What the page hands to GraphiQL, whichever version of it: where to ask, and the example tabs.
const WEEK_MS = 7 * 24 * 3600 * 1000;
const lastWeek = new Date(Date.now() - WEEK_MS).toISOString().slice(0, 10);

export const url = window.location.origin + window.location.pathname;
export const webSocketUrl = url.replace(/^http/, "ws");
export const defaultTabs = JSON.parse(document.getElementById("examples").textContent).map((query) => ({
  query: query.replaceAll("LAST_WEEK", lastWeek),
}));
