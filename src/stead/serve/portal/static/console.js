// A terminal over one WebSocket. xterm.js writes styles of its own, which the page's policy allows by a nonce only.
"use strict";
const nonce = document.currentScript.dataset.nonce;
const make = document.createElement.bind(document);
document.createElement = (name, options) => {
  const made = make(name, options);
  if (name === "style") made.nonce = nonce;
  return made;
};

const screen = document.getElementById("screen");
const state = document.querySelector("[data-state]");
const terminal = new Terminal({ cursorBlink: true, screenReaderMode: false, fontSize: 14, scrollback: 5000, theme: { background: "#0f1215" } });
const fit = new FitAddon.FitAddon();
terminal.loadAddon(fit);
terminal.open(screen);
fit.fit();
addEventListener("resize", () => fit.fit());

function show(text, kind) {
  state.textContent = text;
  state.className = `pill ${kind}`;
}
const socket = new WebSocket(screen.dataset.socket.replace(/^/, location.origin.replace(/^http/, "ws")));
socket.binaryType = "arraybuffer";
socket.onopen = () => {
  show(state.dataset.open, "active");
  terminal.focus();
};
socket.onmessage = (event) => terminal.write(new Uint8Array(event.data));
socket.onclose = (event) => {
  const why = { 4403: state.dataset.denied, 4429: state.dataset.full }[event.code] || state.dataset.closed;
  show(why, "shutoff");
};
terminal.onData((text) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(text);
});
