// What was tapped and is not known to have arrived: a small store of this browser, for one account
// at a time. Names here are those that a sign-out clears.

export const DATABASE = "linli-phone";
export const CACHES = "linli-phone-";
const TAPS = "taps";

function opened() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TAPS, { keyPath: "key" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

async function inside(mode, work) {
  const database = await opened();
  try {
    return await new Promise((done, failed) => {
      const change = database.transaction(TAPS, mode);
      const asked = work(change.objectStore(TAPS));
      change.oncomplete = () => done(asked.result);
      change.onerror = change.onabort = () => failed(change.error);
    });
  } finally {
    database.close();
  }
}

export async function tapsOf(who) {
  const all = await inside("readonly", (store) => store.getAll());
  return all.filter((one) => one.who === who).sort((one, other) => one.at - other.at);
}

export const keep = (tap) => inside("readwrite", (store) => store.put(tap));
// What became of a tap is nothing to keep where somebody has signed out meanwhile.
export const renew = (tap) =>
  inside("readwrite", (store) => {
    const asked = store.get(tap.key);
    asked.onsuccess = () => asked.result && store.put(tap);
    return asked;
  });
export const forget = (key) => inside("readwrite", (store) => store.delete(key));

export async function forgetPages() {
  if (!("caches" in window)) return;
  const names = await caches.keys();
  await Promise.all(names.filter((one) => one.startsWith(CACHES)).map((one) => caches.delete(one)));
}

export function forgetTaps() {
  if ("indexedDB" in window) indexedDB.deleteDatabase(DATABASE);
}
