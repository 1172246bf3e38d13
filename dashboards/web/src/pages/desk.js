// The desk, the lists and the page of one incident: keys, sound, and taking a step back.

import { ring } from "../alerts.js";
import { showWhatWasDone } from "../did.js";
import { listenToKeys } from "../keys.js";

showWhatWasDone();
listenToKeys();
ring();
