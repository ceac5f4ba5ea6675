// Loaded into a client of 0.6.34 before its own code: its heartbeat of 120 s and its loopback of 300 s come 200 times as often, and the names of
// its endpoints lead to this machine.
const dns = require("node:dns");
const { setInterval } = globalThis;
globalThis.setInterval = (call, milliseconds, ...args) =>
  setInterval(call, milliseconds >= 60_000 ? milliseconds / 200 : milliseconds, ...args);
const { lookup } = dns;
dns.lookup = (name, ...args) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, ...args);
