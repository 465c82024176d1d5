// Keeps the page's own files, so that the page opens without its host. A service worker: it answers for
// files of this site, below its own folder, and for nothing else.
//
// A file with a hash in its name never changes: a kept one is given at once. The page itself comes from the
// host where that answers, else as it was kept. It is kept only together with the files it needs.
"use strict";

const CACHE = "simcse-lab";
const HASHED = /[\w-]+-[0-9a-f]{16}(?:_bg)?\.(?:js|wasm|css|svg)/g;
const ONE_HASHED = new RegExp(`^${HASHED.source}$`);
// Programs that are fetched when they are wanted, and kept then.
const LATER = /^(?:gpu|trainer|puller)-/;
const home = new URL("./", self.location).href;

// A kept response has the address it was fetched from; a worker's must be the one that was asked for.
const copyOf = ({ body, status, statusText, headers }) =>
  new Response(body, { status, statusText, headers });

const keepPage = async (response) => {
  const html = await response.clone().text();
  // A café's sign-in page, say, is not ours.
  if (!html.includes('name="simcse-worker"')) return;
  const names = new Set(html.match(HASHED));
  const cache = await caches.open(CACHE);
  for (const name of names) {
    if (!LATER.test(name) && !(await cache.match(home + name))) await cache.add(home + name);
  }
  await cache.put(home, response);
  for (const { url } of await cache.keys()) {
    const name = url.slice(home.length);
    // Programs are named without their endings, too.
    const stem = name.replace(/(?:_bg)?\.\w+$/, "");
    if (ONE_HASHED.test(name) && !html.includes(stem)) await cache.delete(url);
  }
};

// Where there is no room, or the host is gone in the middle, the next visit tries again.
const quietly = (work) => work.catch(() => undefined);

const page = async (event) => {
  const fetched = await fetch(event.request).catch(() => undefined);
  if (fetched?.ok) {
    event.waitUntil(quietly(keepPage(fetched.clone())));
    return fetched;
  }
  const kept = await caches.match(home);
  return kept ? copyOf(kept) : fetched ?? Response.error();
};

const file = async (event, path) => {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(home + path);
  if (kept) return copyOf(kept);
  const fetched = await fetch(event.request);
  if (fetched.status === 200) event.waitUntil(quietly(cache.put(home + path, fetched.clone())));
  return fetched;
};

// What may change: from the host where it answers.
const fresh = async (event, path) => {
  const cache = await caches.open(CACHE);
  const fetched = await fetch(event.request).catch(() => undefined);
  if (fetched?.status === 200) event.waitUntil(quietly(cache.put(home + path, fetched.clone())));
  if (fetched) return fetched;
  const kept = await cache.match(home + path);
  return kept ? copyOf(kept) : Response.error();
};

self.addEventListener("install", (event) => {
  const begin = async () => {
    const response = await fetch(home);
    if (response.ok) await keepPage(response);
  };
  event.waitUntil(quietly(begin()).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || request.headers.has("Range")) return;
  if (!request.url.startsWith(home)) return;
  const path = request.url.slice(home.length).split(/[?#]/)[0];
  if (request.mode === "navigate") {
    if (path === "" || path === "index.html") event.respondWith(page(event));
  } else if (ONE_HASHED.test(path)) {
    event.respondWith(file(event, path));
  } else if (path.startsWith("corpora/")) {
    event.respondWith(fresh(event, path));
  }
});
