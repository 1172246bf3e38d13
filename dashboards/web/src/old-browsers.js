// What the libraries use and browsers of 2018 lack; syntax is lowered by the bundler.
if (!Object.fromEntries) {
  Object.fromEntries = function (pairs) {
    var made = {};
    Array.from(pairs).forEach(function (pair) {
      made[pair[0]] = pair[1];
    });
    return made;
  };
}
if (!Array.prototype.flat) {
  Object.defineProperty(Array.prototype, "flat", {
    configurable: true,
    writable: true,
    value: function () {
      return Array.prototype.concat.apply([], this);
    },
  });
}
