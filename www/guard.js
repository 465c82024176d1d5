// Runs before anything else: says what is wrong where the page cannot start at all.
"use strict";
(() => {
  // (module (func (result v128) i32.const 0 i8x16.splat)): valid only where SIMD is known.
  const simdProbe = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
  ]);
  const supported =
    typeof WebAssembly === "object" &&
    typeof Worker === "function" &&
    WebAssembly.validate(simdProbe);

  // `reason` is the id of one of the messages of index.html.
  const show = (reason) => {
    const message = document.getElementById(reason);
    const loading = document.getElementById("loading");
    if (message && loading) {
      loading.hidden = true;
      message.hidden = false;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!supported) show("unsupported");
  });
  // A script or its wasm that does not arrive, or fails before the app is up; afterwards the
  // messages are gone from the page and nothing is shown.
  const failed = () => show(supported ? "incomplete" : "unsupported");
  window.addEventListener(
    "error",
    (event) => {
      if (event.target === window || event.target instanceof HTMLScriptElement) failed();
    },
    true,
  );
  window.addEventListener("unhandledrejection", failed);
})();
