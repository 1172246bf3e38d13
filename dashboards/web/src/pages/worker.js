// Beside the pages: shows what was pushed to this phone and opens the page behind it; keeps the last
// state of the phone's own pages for when there is no network. No picture is ever kept, and no page
// that is reached by a link to one person.

const CACHE = "linli-phone-1";
const PATIENCE = 8000;
const scope = new URL(self.registration.scope).pathname;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names
            .filter((one) => one.startsWith("linli-phone-") && one !== CACHE)
            .map((one) => caches.delete(one)),
        ),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  const path = address.pathname.slice(scope.length);
  if (path === "m" || /^m\/[0-9a-z-]+$/i.test(path)) {
    event.respondWith(page(event.request));
  } else if (path.startsWith("static/") && address.search.startsWith("?v=")) {
    event.respondWith(asset(event.request, address));
  }
});

async function page(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await soon(fetch(request));
    if (answer.redirected || answer.type === "opaqueredirect" || answer.status === 401) {
      await caches.delete(CACHE); // nobody is signed in here any more
    } else if (answer.ok) {
      await cache.put(request.url, answer.clone());
    } else if (answer.status >= 500) {
      throw new Error("the server is not there");
    }
    return answer;
  } catch (error) {
    const kept = await cache.match(request.url);
    if (!kept) throw error;
    const text = (await kept.text()).replace("<html ", '<html data-kept="1" ');
    return new Response(text, { headers: { "Content-Type": "text/html; charset=utf-8" } });
  }
}

function soon(promise) {
  return Promise.race([
    promise,
    new Promise((_, failed) => setTimeout(() => failed(new Error("slow")), PATIENCE)),
  ]);
}

// By its version an asset never changes; an older version of it is thrown away.
async function asset(request, address) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const known = await cache.keys();
    const older = known.filter((one) => new URL(one.url).pathname === address.pathname);
    await Promise.all(older.map((one) => cache.delete(one)));
    await cache.put(request.url, answer.clone());
  }
  return answer;
}

self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data.json();
  } catch (error) {
    said = {};
  }
  event.waitUntil(
    self.registration.showNotification(String(said.title || "Linli 邻里"), {
      body: String(said.body || ""),
      tag: String(said.tag || "linli"),
      lang: String(said.lang || "zh-CN"),
      icon: `${scope}static/icon-192.png`,
      renotify: true,
      requireInteraction: said.stays === true,
      data: { url: said.url },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  let there;
  try {
    there = new URL(event.notification.data.url);
  } catch (error) {
    return;
  }
  if (there.origin === self.location.origin) event.waitUntil(self.clients.openWindow(there.href));
});
