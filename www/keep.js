// Once the page runs, its files are kept, so that it opens without its host: see `offline.js`.
"use strict";
(() => {
  // What the visitor waits for goes first.
  const PAUSE_MS = 5000;
  const isBench = location.pathname.endsWith("/bench.html");
  if (!navigator.serviceWorker || isBench) return;
  const register = () => {
    navigator.serviceWorker.register("./offline.js").catch(() => {
      // A private window, or no room: the next visit needs the host.
    });
  };
  window.addEventListener("load", () => setTimeout(register, PAUSE_MS));
})();
