// Proves that built scripts can run on the oldest phones we promise (Chrome 64, iOS 13): each is parsed
// as ECMAScript 2018, and names that came later are looked for. Prints one line for each finding.
//   node old-phones.cjs FILE…

const fs = require("fs");
const path = require("path");
const acorn = require("acorn");

// Properties and globals that one of the two lacks. What is only used where it is there, by a check
// in the code itself, stands in GUARDED, with the file it is in.
const MEMBERS = new Set(
  ("at replaceAll matchAll allSettled any flatMap replaceChildren toSorted toReversed toSpliced findLast " +
    "findLastIndex hasOwn randomUUID trimStart trimEnd showModal requestSubmit checkVisibility groupBy " +
    "withResolvers structuredClone getAnimations").split(" "),
);
const GLOBALS = new Set(
  ("globalThis structuredClone queueMicrotask AbortController AbortSignal BigInt WeakRef AggregateError " +
    "ResizeObserver FinalizationRegistry requestIdleCallback BroadcastChannel AudioContext OffscreenCanvas " +
    "createImageBitmap CompressionStream reportError").split(" "),
);
const POLYFILLED = new Set(["flat", "fromEntries"]); // src/old-browsers.js, in every page
const GUARDED = {
  "desk.js": ["showModal"], // if (help.showModal)
  "zones.js": ["at"], // a method of our own
};

function* nodes(node) {
  if (!node || typeof node.type !== "string") return;
  yield node;
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const one of value) yield* nodes(one);
    else yield* nodes(value);
  }
}

function checked(file) {
  const text = fs.readFileSync(file, "utf8");
  const name = path.basename(file);
  const allowed = new Set(GUARDED[name] || []);
  const found = new Set();
  let tree;
  try {
    tree = acorn.parse(text, { ecmaVersion: 2018, sourceType: "script" });
  } catch (error) {
    return [`${name}: newer syntax: ${error.message}`];
  }
  const asked = new Set(); // names behind typeof, or looked for with "in": they are known to be missing
  for (const node of nodes(tree)) {
    if (node.type === "UnaryExpression" && node.operator === "typeof") asked.add(node.argument.name);
    if (node.type === "BinaryExpression" && node.operator === "in") asked.add(node.left.value);
    if (node.type === "Literal" && node.regex && /\(\?<[=!]/.test(node.regex.pattern)) {
      found.add(`${name}: a regular expression that looks behind: /${node.regex.pattern}/`);
    }
  }
  for (const node of nodes(tree)) {
    const called = node.type === "CallExpression" && node.callee.type === "MemberExpression";
    const member = called && !node.callee.computed ? node.callee.property.name : null;
    const made = node.type === "NewExpression" || node.type === "CallExpression" ? node.callee : null;
    const used = made && made.type === "Identifier" ? made.name : null;
    for (const [one, list] of [[member, MEMBERS], [used, GLOBALS]]) {
      if (one && list.has(one) && !allowed.has(one) && !asked.has(one) && !POLYFILLED.has(one)) {
        found.add(`${name}: ${one}`);
      }
    }
  }
  return Array.from(found);
}

const findings = [].concat(...process.argv.slice(2).map(checked));
if (findings.length) {
  console.error(findings.join("\n"));
  process.exit(1);
}
