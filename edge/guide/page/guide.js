// What is to be shown is asked for again and again: this works on tablets of ten years ago.
(function () {
  "use strict";
  var KNOWN = ["idle", "looking", "ask", "recyclable", "hazardous", "food", "residual", "away"];
  var missed = 0;
  function show(what) {
    if (document.body.className !== what) { document.body.className = what; }
  }
  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", "state");
    request.timeout = 3000;
    request.onload = function () {
      var shown = request.status === 200 ? JSON.parse(request.responseText).shown : "";
      if (KNOWN.indexOf(shown) >= 0) { missed = 0; show(shown); } else { fail(); }
      setTimeout(ask, 300);
    };
    request.onerror = request.ontimeout = function () { fail(); setTimeout(ask, 1000); };
    request.send();
  }
  function fail() {
    missed += 1;
    if (missed >= 3) { show("away"); }
  }
  ask();
}());
