// The one stream of a page, with the face of an EventSource that never gives up: it shows when it
// is down, notices silence, and leaves its connection to other pages of the browser when the
// server asks, until a person looks at the page again.

const SILENCE = 40000;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60000;
const RELOAD_RETRY = 5000;

let untouched = true;

export class LiveSource {
  constructor(url, longest = LONGEST_RETRY) {
    this.url = url;
    this.longest = longest;
    this.listeners = [];
    this.readyState = EventSource.CONNECTING;
    this.source = null;
    this.failures = 0;
    this.retry = 0;
    this.heard = Date.now();
    this.resting = false;
    this.onopen = null;
    this.onerror = null;
    this.awake = () => {
      if (!document.hidden && (this.resting || this.failures || this.isSilent())) this.connect();
    };
    this.watch = window.setInterval(() => this.check(), 5000);
    document.addEventListener("visibilitychange", this.awake);
    window.addEventListener("online", this.awake);
    window.addEventListener("pagehide", () => this.drop());
    window.addEventListener("pageshow", (event) => event.persisted && this.connect());
    this.connect();
  }

  addEventListener(name, listener) {
    this.listeners.push([name, listener]);
    if (this.source) this.source.addEventListener(name, listener);
  }

  removeEventListener(name, listener) {
    this.listeners = this.listeners.filter((one) => one[0] !== name || one[1] !== listener);
    if (this.source) this.source.removeEventListener(name, listener);
  }

  close() {
    this.readyState = EventSource.CLOSED;
    window.clearInterval(this.watch);
    document.removeEventListener("visibilitychange", this.awake);
    window.removeEventListener("online", this.awake);
    this.drop();
  }

  drop() {
    window.clearTimeout(this.retry);
    if (this.source) this.source.close();
    this.source = null;
  }

  connect() {
    this.drop();
    this.resting = false;
    this.heard = Date.now();
    // Only the first time the page is still as it was made; later it needs all there is.
    const url = untouched ? this.url : this.url.replace(/&have=[^&]*/, "");
    untouched = false;
    const source = new EventSource(url, { withCredentials: true });
    this.source = source;
    source.addEventListener("hello", (event) => this.greeted(event.data));
    source.addEventListener("beat", () => this.alive());
    source.addEventListener("login", reloadWhenAnswered);
    source.addEventListener("rest", () => {
      this.resting = true;
      this.drop();
      showConnection("resting");
    });
    source.onerror = () => this.failed();
    this.listeners.forEach((one) => source.addEventListener(one[0], one[1]));
  }

  greeted(version) {
    this.alive();
    if (document.documentElement.dataset.version !== version) reloadWhenAnswered();
    if (this.onopen) this.onopen(new Event("open"));
  }

  alive() {
    this.heard = Date.now();
    this.failures = 0;
    showConnection("up");
  }

  failed() {
    this.drop();
    showConnection("down");
    if (this.onerror) this.onerror(new Event("error"));
    this.failures += 1;
    const longest = Math.min(FIRST_RETRY * 2 ** this.failures, this.longest);
    this.retry = window.setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
  }

  isSilent() {
    return Date.now() - this.heard > SILENCE;
  }

  check() {
    if (this.source && this.isSilent()) this.failed();
  }
}

// Not before the server answers: a browser that shows its own error page never comes back.
export function reloadWhenAnswered() {
  fetch(window.location.href, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer : Promise.reject(answer)))
    .then(() => window.location.reload())
    .catch(() => window.setTimeout(reloadWhenAnswered, RELOAD_RETRY));
}

function showConnection(state) {
  document.documentElement.dataset.connection = state;
  Array.from(document.querySelectorAll("[data-connection]")).forEach((line) => {
    if (line !== document.documentElement) line.hidden = line.dataset.connection !== state;
  });
}
