// Shows what was pushed to this phone, and opens the page behind it; keeps nothing.
"use strict";

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
