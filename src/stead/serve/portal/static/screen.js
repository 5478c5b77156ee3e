// A guest's screen over one WebSocket, by noVNC.
"use strict";
const screen = document.getElementById("screen");
const state = document.querySelector("[data-state]");
const keys = document.querySelector("[data-keys]");

function show(text, kind) {
  state.textContent = text;
  state.className = `pill ${kind}`;
}
const socket = new WebSocket(screen.dataset.socket.replace(/^/, location.origin.replace(/^http/, "ws")));
socket.addEventListener("close", (event) => {
  const why = { 4403: state.dataset.denied, 4429: state.dataset.full }[event.code] || state.dataset.closed;
  show(why, "shutoff");
  keys.disabled = true;
});
const viewer = new noVNC.default(screen, socket, { shared: true });
viewer.scaleViewport = true;
viewer.background = "#0f1215";
viewer.addEventListener("connect", () => {
  show(state.dataset.open, "active");
  keys.disabled = false;
  viewer.focus();
});
keys.addEventListener("click", () => {
  viewer.sendCtrlAltDel();
  viewer.focus();
});
