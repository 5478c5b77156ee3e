// Before anything is drawn, so that nothing flashes. Without a choice, the browser's own is taken.
const chosen = localStorage.getItem("stead-theme");
if (chosen) document.documentElement.dataset.theme = chosen;
