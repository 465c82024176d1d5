// Starts the worker while the page's own program is still on its way. `browser::bridge` takes it
// over, with what it has said until then.
"use strict";
(() => {
  const address = document.querySelector('meta[name="simcse-worker"]')?.content;
  if (!address || typeof Worker !== "function" || typeof WebAssembly !== "object") return;
  try {
    const worker = new Worker(address, { type: "module" });
    const early = [];
    worker.onmessage = worker.onerror = (event) => early.push(event);
    window.simcseWorker = { worker, early };
  } catch {
    // The page tries again, and says why it does not work.
  }
})();
