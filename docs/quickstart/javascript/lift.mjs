// A lift that keeps the contract: a reading each second, one event, door holds.
//
//   npm ci && LINLI_PASSWORD=… node lift.mjs mqtt://127.0.0.1:1883 c001 b03 c001-lift2
//
// What waits for a receipt is kept in lift.json, written whole and renamed.
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import mqtt from "mqtt";

const [url, site, area, node, path = "lift.json"] = process.argv.slice(2);
const DEVICE = "lift-1";
const SEND_AGAIN = 10_000;
const base = `linli/v1/${site}/${area}/${node}`;
const session = randomBytes(4).toString("hex");
const now = () => new Date().toISOString();
const padded = (number) => String(number).padStart(20, "0");

function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// What outlives a restart: the stream, its last number, facts without a receipt, words on commands.
const store = existsSync(path)
  ? JSON.parse(readFileSync(path, "utf8"))
  : { stream: randomBytes(4).toString("hex"), last: 0, facts: {}, words: {} };

function save() {
  const file = openSync(`${path}.new`, "w");
  writeSync(file, JSON.stringify(store));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

function envelope(device, kind, name, data, place = {}) {
  return JSON.stringify({
    specversion: "1.0",
    id: uuid7(),
    source: `/${site}/${node}/${device}`,
    type: `linli.${kind}.${name}`,
    time: now(),
    recordedtime: now(),
    datacontenttype: "application/json",
    dataschema: `urn:linli:schema:${kind}/1.0`,
    clocksync: "synced", // only while a time server is heard
    ...place,
    data,
  });
}

function fact(kind, name, data) {
  const sequence = ++store.last;
  const low = Math.min(sequence, ...Object.keys(store.facts).map(Number));
  const place = { stream: store.stream, sequence: padded(sequence), low: padded(low) };
  const topic = `${base}/${DEVICE}/${kind}/${name}`;
  store.facts[sequence] = { topic, payload: envelope(DEVICE, kind, name, data, place) };
  save(); // before it is sent; the bytes never change again
}

const client = mqtt.connect(url, {
  protocolVersion: 5,
  clientId: node,
  username: node,
  password: process.env.LINLI_PASSWORD,
  reconnectPeriod: 2000,
  queueQoSZero: false,
  will: {
    topic: `${base}/self/health/status`,
    payload: JSON.stringify({ state: "lost", session }),
    qos: 1,
    retain: true,
    properties: { willDelayInterval: 10 },
  },
});
let ready = false;
let sent = new Map();
const flying = new Set(); // what has no PUBACK yet

const say = (device, kind, name, data, options = { qos: 1 }) =>
  client.publish(`${base}/${device}/${kind}/${name}`, envelope(device, kind, name, data), options);
const status = (state, done) =>
  client.publish(
    `${base}/self/health/status`,
    JSON.stringify({ state, session }),
    { qos: 1, retain: true },
    done,
  );
const report = () =>
  say(
    "self",
    "health",
    "report",
    { agent: "lift.mjs", uptime: process.uptime(), rss: process.memoryUsage.rss(), diskfree: 0 },
    { qos: 0 },
  );

client.on("connect", () => {
  ready = false;
  sent = new Map(); // what has no receipt goes again
  const system = `linli/v1/${site}/_sys`;
  client.subscribe(
    [
      `${system}/${node}/ingest/receipt/+`,
      `${system}/${node}/ingest/reject/+`,
      `${system}/all/ingest/health/status`,
      `${base}/+/command/+`,
    ],
    { qos: 1 },
  );
  status("ready");
  const keep = { qos: 1, retain: true };
  say("self", "meta", "describe", { kind: "edge", label: "Quick start" }, keep);
  const lift = { kind: "lift", label: "Lift 1", capabilities: ["door-hold", "door-release"] };
  say(DEVICE, "meta", "describe", lift, keep);
  report();
  console.log("connected");
});
client.on("close", () => {
  // The library would send it again by itself, before it is known whether the ingest is ready.
  for (const mid of flying) client.removeOutgoingMessage(mid);
  flying.clear();
});
client.on("error", (error) => console.log("refused:", error.message));

client.on("message", (topic, payload, packet) => {
  if (!payload.length) return;
  const said = JSON.parse(payload);
  const [, , , , , device, kind, name] = topic.split("/");
  if (kind === "health") ready = said.state === "ready";
  else if (kind === "receipt" && said.stream === store.stream) {
    for (const [first, last] of [[1, said.upto], ...(said.ranges ?? [])]) {
      for (const one of Object.keys(store.facts)) {
        if (first <= one && one <= last) delete store.facts[one];
      }
    }
    save();
  } else if (kind === "reject" && said.stream === store.stream) {
    console.log("refused:", said.code, said.path);
    delete store.facts[Number(said.sequence)];
    save();
  } else if (kind === "command" && !packet.retain) command(device, name, said);
});

function command(device, name, said) {
  if (device !== DEVICE || name !== "door-hold") return;
  const before = store.words[said.id];
  if (before) answer(said.id, before.phase);
  else if (new Date(said.expirytime) <= new Date()) answer(said.id, "expired");
  else {
    answer(said.id, "accepted");
    const seconds = Math.min(said.data.holds, 60);
    console.log(`the door is held for ${seconds} s`); // here the relay goes on
    setTimeout(() => console.log("the door is let go"), seconds * 1000).unref(); // here off
    answer(said.id, "done");
  }
}

function answer(command, phase) {
  for (const [id, word] of Object.entries(store.words)) {
    if (word.at < Date.now() - 86_400_000) delete store.words[id];
  }
  store.words[command] = { phase, at: Date.now() };
  save();
  say(DEVICE, "ack", "door-hold", { command, phase, code: phase === "expired" ? phase : "ok" });
}

const [episode, since] = [uuid7(), now()];
for (const phase of ["begin", "end"]) {
  fact("event", "door-blocked", { phase, episode, severity: "low", label: "door", since });
}
setInterval(() => {
  const readings = [{ n: "temperature", v: 21.5, u: "Cel", t: now() }];
  fact("telemetry", "sensor", { readings });
}, 1000);
setInterval(() => client.connected && report(), 60_000);
setInterval(() => {
  if (!ready || !client.connected) return;
  for (const [sequence, { topic, payload }] of Object.entries(store.facts).slice(0, 64)) {
    if (Date.now() < (sent.get(sequence) ?? 0)) continue;
    sent.set(sequence, Date.now() + SEND_AGAIN);
    client.publish(topic, payload, { qos: 1 }, () => flying.delete(mid));
    const mid = client.getLastMessageId();
    flying.add(mid);
  }
}, 100);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => status("stopped", () => client.end(false, () => process.exit(0))));
}
