// What pages do by themselves: ask whether something changed, keys, dark and light. They work without it, less comfortably.
"use strict";
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const REFRESH = 3000, STEP = 1000; // milliseconds, at least: of a page, and of a run

document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["x-stead-form"] = document.body.dataset.form;
});

// A page that nobody looks at asks nothing and holds no stream. Where there is no stream, it asks again and again.
let stream = null, refused = false, waiting = 0, last = 0;
const seen = () => document.visibilityState === "visible" && document.querySelector('[hx-trigger*="refresh"]') !== null;
function refresh() {
  clearTimeout(waiting);
  waiting = 0;
  last = Date.now();
  htmx.trigger(document.body, "refresh");
}
function soon(least) {
  if (!waiting) waiting = setTimeout(refresh, Math.max(0, last + least - Date.now()));
}
function listen() {
  if (stream && !seen()) { stream.close(); stream = null; }
  if (stream || refused || !seen()) return;
  stream = new EventSource("/portal/live");
  stream.addEventListener("open", () => soon(0)); // for what has changed before
  const steps = document.querySelector("[data-steps]") !== null;
  stream.addEventListener("changed", () => soon(steps ? STEP : REFRESH));
  stream.addEventListener("steps", () => { if (steps) soon(STEP); });
  stream.addEventListener("error", () => {
    if (stream && stream.readyState === EventSource.CLOSED) { stream = null; refused = true; }
  });
}
document.addEventListener("visibilitychange", () => { listen(); if (seen()) refresh(); });
setInterval(() => {
  listen();
  if (seen() && !(stream && stream.readyState === EventSource.OPEN)) refresh();
}, REFRESH);
listen();

function showChosen() {
  const chosen = all('input[name="id"]:checked').length;
  for (const bulk of all("[data-bulk]")) {
    bulk.hidden = !chosen;
    bulk.querySelector("[data-chosen]").textContent = chosen;
  }
}
let ticked = new Set();
document.body.addEventListener("htmx:beforeSwap", () => {
  ticked = new Set(all('input[name="id"]:checked').map((one) => one.value));
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const one of all('input[name="id"]')) if (ticked.has(one.value)) one.checked = true;
  showChosen();
});
document.addEventListener("change", (event) => {
  const at = event.target;
  if (at.matches("[data-all]")) for (const one of all('input[name="id"]')) one.checked = at.checked;
  if (at.matches('[data-all], input[name="id"]')) showChosen();
  if (at.matches("[data-submit]")) at.form.requestSubmit();
});
document.addEventListener("focusin", (event) => {
  const name = event.target.dataset && event.target.dataset.reveal;
  if (name) htmx.trigger(document.body, name);
});

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("stead-theme", root.dataset.theme);
}
function switchMenu() {
  const open = document.body.classList.toggle("menu-open");
  for (const one of all("[data-menu]")) one.setAttribute("aria-expanded", String(open));
}
function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog && !dialog.open) dialog.showModal();
}
document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-theme-switch], [data-menu], [data-keys]");
  if (!at) return;
  if (at.matches("[data-theme-switch]")) switchTheme();
  if (at.matches("[data-menu]")) switchMenu();
  if (at.matches("[data-keys]")) showKeys();
});

const GO = { o: "/portal/", i: "/portal/instances", n: "/portal/networks", v: "/portal/volumes", h: "/portal/hosts" };
let lastKey = "";
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, textarea, [contenteditable], .xterm");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || !document.querySelector("nav.side")) return;
  const key = event.key;
  if (lastKey === "g" && GO[key]) location.href = GO[key];
  else if (key === "?") showKeys();
  else if (key === "t") switchTheme();
  else if (key === "n") location.href = "/portal/new/instance";
  else if (key === "/") {
    const field = document.querySelector("[data-search]");
    if (field) { event.preventDefault(); field.focus(); }
  }
  lastKey = key;
});
