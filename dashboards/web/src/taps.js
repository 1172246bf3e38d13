// One tap on its way to the server: sent under a key of its own, so that however often it is sent it
// is done once; and only while the incident stands as it did when the button was pressed.

const DEEDS = ["acknowledge", "start", "resolve"]; // never anything that moves a door
export const TOO_OLD = 12 * 3600 * 1000;

export function tapOf(form, who) {
  const given = form.dataset;
  if (DEEDS.indexOf(given.deed) < 0) return null;
  return {
    key: randomKey(),
    who,
    deed: given.deed,
    incident: given.incident,
    tag: given.tag,
    count: Number(given.count),
    severity: given.severity,
    what: given.what,
    at: Date.now(),
    state: "waiting",
    why: "waiting",
    by: "",
  };
}

// Returns the tap as it stands now; throws when the network did not carry it.
export async function send(tap, api, session) {
  if (DEEDS.indexOf(tap.deed) < 0) return refused(tap, "gone");
  if (Date.now() - tap.at > TOO_OLD) return refused(tap, "old");
  let answer = await post(tap, tap.tag, api, session);
  if (answer.status === 412) {
    const found = await fetch(`${api}/incidents/${tap.incident}`, { credentials: "same-origin" });
    if (!found.ok) return judged(tap, found);
    const now = await found.json();
    const why = outdated(tap, now, session.name);
    if (why) return refused(tap, why[0], why[1]);
    answer = await post(tap, found.headers.get("ETag"), api, session);
  }
  return judged(tap, answer);
}

function post(tap, tag, api, session) {
  return fetch(`${api}/incidents/${tap.incident}/${tap.deed}`, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      "X-CSRF-Token": session.csrf,
      "Idempotency-Key": tap.key,
      "If-Match": tag.startsWith('"') ? tag : `"${tag}"`,
    },
    body: "{}",
  });
}

// Why a tap means nothing any more; newer figures alone are no reason.
function outdated(tap, now, me) {
  if (now.state === "resolved") return ["resolved", nameOf(now.resolved_by)];
  if (now.count !== tap.count || now.severity !== tap.severity) return ["changed", ""];
  const other = now.acknowledged_by && nameOf(now.acknowledged_by) !== me;
  if (tap.deed === "acknowledge" && now.state !== "open" && other) {
    return ["taken", nameOf(now.acknowledged_by)];
  }
  return null;
}

function judged(tap, answer) {
  // Done before, and only the answer is gone: that is as good.
  if (answer.ok || answer.status === 409) return { ...tap, state: "sent", why: "sent" };
  if (answer.status === 401) return { ...tap, why: "login" };
  if (answer.status === 412) return refused(tap, "changed");
  if (answer.status >= 500 || answer.status === 429) return { ...tap, why: "waiting" };
  return refused(tap, "gone");
}

const refused = (tap, why, by) => ({ ...tap, state: "refused", why, by: by || "" });
const nameOf = (actor) => (actor || "").replace(/^[a-z]+:/, "");

function randomKey() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => `0${one.toString(16)}`.slice(-2)).join("");
}
