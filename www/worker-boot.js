// Starts the worker: /worker-boot.js?module=NAME.js&wasm=NAME_bg.wasm, both in this file's folder.
// With &helper the first message brings the compiled module from the worker that it helps.
// Messages that arrive before the module runs are kept and handed over. Whatever goes wrong ends as
// an error of this script, so that the page hears of it through the Worker's `error` event.

const early = [];
const hold = (event) => early.push(event);
const helps = new URLSearchParams(self.location.search).has("helper");
const first = new Promise((resolve) => {
  const take = ({ data }) => {
    resolve(data);
    self.addEventListener("message", hold);
  };
  if (helps) self.addEventListener("message", take, { once: true });
  else self.addEventListener("message", hold);
});

// An error thrown outside any promise reaches the page; a rejection nobody handles does not.
const surface = (reason) => setTimeout(() => { throw reason; });
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  surface(event.reason);
});

const sibling = (name, ending) => {
  const file = new URLSearchParams(self.location.search).get(name) ?? "";
  if (!/^[\w.-]+$/.test(file) || !file.endsWith(ending)) {
    throw new Error(`worker-boot.js: "${name}" must name a ${ending} file in its own folder`);
  }
  return new URL(`./${file}`, import.meta.url);
};

try {
  // The program is compiled while its glue is on its way. Where that fails (a host that gives wasm
  // another type), the glue does it itself, and its error is the one that counts.
  const program = helps
    ? first.then((message) => message?.module)
    : WebAssembly.compileStreaming(fetch(sibling("wasm", ".wasm"))).catch(() => undefined);
  const { default: init } = await import(sibling("module", ".js").href);
  await init({ module_or_path: (await program) ?? sibling("wasm", ".wasm") });
  self.removeEventListener("message", hold);
  for (const { data } of early) {
    self.dispatchEvent(new MessageEvent("message", { data }));
  }
} catch (error) {
  surface(error);
}
