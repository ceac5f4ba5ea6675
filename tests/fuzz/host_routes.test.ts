import assert from "node:assert/strict";
import fc from "fast-check";
import type { Registration, Registry } from "../../src/registry/registry.ts";
import { Routes } from "../../src/server/routes.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const ALIASES: Record<string, readonly string[]> = {
  "1001": ["db.example.com", "a"],
  "1002": ["1002.example.com", "xn--mnchen-3ya.example"],
  "1003": [],
  "10010": ["db.example.com.evil.example"],
};

const registrations = Object.entries(ALIASES).map(([id, aliases], index) =>
  ({ id, port: 12_000 + index, aliases, fingerprint: id }) as unknown as Registration
);
const routes = new Routes({ registrations: () => registrations, version: () => 1 } as unknown as Registry, () => {});
routes.close();

function check(bytes: Buffer): void {
  const host = bytes.toString("latin1");
  const found = routes.byHost(host);
  // The second time it may be remembered.
  assert.equal(routes.byHost(host), found);
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  const owner = Object.entries(ALIASES).find(([, aliases]) => aliases.includes(name))?.[0];
  const digits = name.split(/[-.]/, 1)[0] as string;
  const wanted = owner ?? (/^\d+$/.test(digits) && Object.hasOwn(ALIASES, digits) ? digits : undefined);
  assert.equal(found?.id, wanted);
}

const made = fc.tuple(
  fc.constantFrom(...Object.keys(ALIASES), ...Object.values(ALIASES).flat(), "1001a", "01001", "999", "__proto__", ""),
  fc.constantFrom("", "-", ".", "-x", ".example", ".example.", "..", "@1002", "\\1002", "%2e", "\0", "\t"),
  fc.constantFrom("", ":", ":80", ":99999", ":80:80", ":x"),
).map((parts) => parts.join(""));

fuzzTest({
  name: "host_routes",
  seeds: ["1001.example.com", "1002-sales.example.com:8090", "db.example.com", "1003", "10010."],
  words: ["1001", "1002", "-", ".", ":", "80", "db.example.com", "\0", " ", "\xb9", "\u212a"],
  // As long as a head may be: what is remembered of it must not be.
  made: [made, made, made, made, fc.nat(40_000).map((size) => `1001.${size}${"x".repeat(60_000 - size % 7)}`)],
  short: 5000,
  check,
});
