// The desk, the lists and the page of one incident: keys, and taking a step back.

import { showWhatWasDone } from "../did.js";
import { listenToKeys } from "../keys.js";

showWhatWasDone();
listenToKeys();
