// At the door: the last state of somebody's pages is nobody else's. What was tapped and waits is
// kept for its account, unless they signed out on purpose.

import { forgetPages, forgetTaps } from "../store.js";

forgetPages().catch(() => 0);
if (/[?&]out=1/.test(location.search)) forgetTaps();
