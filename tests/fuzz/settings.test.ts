import assert from "node:assert/strict";
import fc from "fast-check";
import { isTenantName } from "../../src/tenant_name.ts";
import { configSchema } from "../../src/config/schema.ts";
import { durationSetting, parseDuration, parseSize, sizeSetting } from "../../src/config/units.ts";
import { PetitError } from "../../src/error.ts";
import { checkedAlias, idAddressed } from "../../src/registry/alias.ts";
import { addressList } from "../../src/server/forwarded_fields.ts";
import { usageRange } from "../../src/usage/usage_range.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const NOW = Date.UTC(2026, 0, 31);

function check(bytes: Buffer): void {
  const text = bytes.toString("utf8");
  checkUnits(text);
  checkRange(text);
  checkAlias(text);
  checkTime(text);
  if (isTenantName(text)) assert.match(text, /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/);
}

function checkUnits(text: string): void {
  const milliseconds = parseDuration(text);
  const size = parseSize(text);
  for (const value of [milliseconds, size]) {
    assert.ok(value === undefined || (Number.isSafeInteger(value) && value >= 0));
  }
  if (milliseconds !== undefined && milliseconds > 0) {
    assert.equal(inDuration(durationSetting(milliseconds)), milliseconds);
  }
  if (size !== undefined && size > 0) assert.equal(inSize(sizeSetting(size)), size);
}

/** As `parseDuration`, for whatever number of digits. */
const inDuration = (text: string) => {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) as unknown as [string, string, string];
  return Number(digits) * (parseDuration(`1${unit}`) as number);
};
const inSize = (text: string) => {
  const [, digits, unit] = /^(\d+)(B|KiB|MiB|GiB)$/.exec(text) as unknown as [string, string, string];
  return Number(digits) * (parseSize(`1${unit}`) as number);
};

/** What the config takes, the list of trusted proxies takes too. */
function checkRange(text: string): void {
  const result = configSchema.safeParse({ server: { trustedProxies: [text] } });
  if (!result.success) return;
  const list = addressList(result.data.server.trustedProxies);
  const [address = ""] = text.split("/");
  assert.equal(list.check(address, address.includes(":") ? "ipv6" : "ipv4"), true, `${text} does not hold ${address}`);
}

function checkAlias(text: string): void {
  try {
    const alias = checkedAlias(text);
    assert.equal(alias, text.toLowerCase());
    assert.match(alias, /^[a-z0-9.-]{1,253}$/);
    const id = idAddressed(alias);
    if (id !== undefined) assert.ok(alias.startsWith(String(id)));
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code === "alias-invalid", String(error));
  }
}

function checkTime(text: string): void {
  for (const [start, end] of [[text, undefined], [undefined, text], [text, text]] as const) {
    try {
      const range = usageRange(start, end, NOW);
      assert.ok(range.start <= range.end);
      // Both are told as dates.
      new Date(range.start).toISOString();
      new Date(range.end).toISOString();
    } catch (error) {
      assert.ok(error instanceof PetitError && error.code === "range-invalid", String(error));
    }
  }
}

const digits = fc.oneof(fc.nat(2 ** 31).map(String), fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String));
const duration = fc.tuple(digits, fc.constantFrom("ms", "s", "m", "h", "d", "B", "KiB", "MiB", "GiB", "", "S")).map((
  parts,
) => parts.join(""));
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::ffff:1.2.3.4", "fe80::1%eth0", "010.1.1.1", "1.2.3"));
const range = fc.tuple(
  address,
  fc.constantFrom("", "/0", "/8", "/32", "/33", "/128", "/129", "/-1", "/08", "/8/8", "/ 8", "/+8"),
).map((parts) => parts.join(""));
const host = fc.oneof(
  fc.domain(),
  fc.tuple(digits, fc.constantFrom("", "-", ".", "-x.example", ".example")).map((parts) => parts.join("")),
);
const date = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  digits,
  fc.constantFrom(
    "-271821-04-20",
    "+275760-09-13",
    "0000-00-00",
    "2026-02-31",
    "now",
    "-000001-01-01T00:00:00Z",
    "Sun Nov 06 1994",
  ),
);

fuzzTest({
  name: "settings",
  seeds: [
    "5s",
    "64KiB",
    "24h",
    "0B",
    "10.0.0.0/8",
    "::1",
    "2001:db8::/32",
    "db.example.com",
    "1002.example.com",
    "2026-01-31T12:00:00Z",
    "1769860800000",
    "default",
    "con.x",
  ],
  words: ["/", ".", ":", "-", "%", "0", "9", "e", "T", "Z", "+", " ", "\0", "\u{130}", "\u212a", "xn--"],
  made: [duration, range, host, date],
  short: 5000,
  check,
});
