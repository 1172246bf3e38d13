import "./old-browsers.js";
import htmx from "htmx.org";
import "htmx-ext-sse";
import { ring } from "./alerts.js";
import { sendFormsSafely } from "./forms.js";
import { foldAgain } from "./folds.js";
import { keepRegionsKeyed } from "./keyed.js";
import { LiveSource } from "./live.js";
import { offerPush } from "./push.js";
import { keepTimesFresh } from "./times.js";

keepRegionsKeyed(htmx);
sendFormsSafely();
keepTimesFresh();
offerPush();
foldAgain();
ring();
htmx.createEventSource = (url) => new LiveSource(url);
