import assert from "node:assert/strict";
import fc from "fast-check";
import { parseConfig } from "../../src/config/load.ts";
import { configTemplate } from "../../src/config/template.ts";
import { parseTenantConfig } from "../../src/config/tenant_config.ts";
import { TomlDocument } from "../../src/config/toml.ts";
import { PetitError } from "../../src/error.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf } from "./world/pieces.ts";

const { client: { local } } = parseConfig("", "/nowhere/config.toml");

/** What is set by hand or by a command, and to what. */
const EDITS: readonly (readonly [section: string, key: string, value: string | number | boolean | string[]])[] = [
  ["server", "holdFor", "7s"],
  ["server.ssh", "port", 2022],
  ["server.vitae", "endpoint", 'http://"REGID"\\.\x7f\n'],
  ["server", "trustedProxies", ["10.0.0.0/8", "::1"]],
  ["client.local", "tls", true],
  ["local", "host", "db"],
];

function refused(error: unknown): void {
  assert.ok(error instanceof PetitError && error.exitCode === 2, String(error));
  assert.match(error.code, /^config-(?:syntax|invalid)$/);
  assert.match(error.message, /^\/nowhere\/config\.toml:\d+:\d+: /);
}

function check(bytes: Buffer): void {
  const text = bytes.toString("utf8");
  const good = accepted(() => parseConfig(text, "/nowhere/config.toml"));
  const tenant = accepted(() => parseTenantConfig(text, "/nowhere/config.toml", "/nowhere", local));
  assert.equal(Object.keys(Object.prototype).length, 0);
  checkEdit(text, good, tenant);
}

function accepted(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    refused(error);
    return false;
  }
}

/** Behind an edit the value reads as it was set, and everything else as before. */
function checkEdit(text: string, good: boolean, tenant: boolean): void {
  const [section, key, value] = EDITS[Math.floor(chanceOf(Buffer.from(text))() * EDITS.length)] as typeof EDITS[number];
  // Petit edits what it has read and found right.
  if (!(section === "local" ? tenant : good)) return;
  const document = new TomlDocument(text);
  const path = [...section.split("."), key];
  const edited = new TomlDocument(document.with(section, key, value));
  assert.deepEqual(edited.get(path), value);
  assert.deepEqual(without(edited.value, path), without(document.value, path));
  for (const comment of document.text.match(/^#.*$/gm) ?? []) assert.ok(edited.text.includes(comment));
}

/** A copy without the value at `path`, and without the tables above it that are empty then. */
function without(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || name === undefined) return value;
  const copy: Record<string, unknown> = { ...value };
  if (rest.length === 0) delete copy[name];
  else copy[name] = without(copy[name], rest);
  const below = copy[name];
  if (below === undefined || (typeof below === "object" && below !== null && Object.keys(below).length === 0)) {
    delete copy[name];
  }
  return copy;
}

const name = fc.constantFrom(
  ...["server", "client", "ssh", "vitae", "local", "port", "host", "tls", "holdFor", "trustedProxies", "endpoint", "x"],
  ...["__proto__", "constructor", '"a b"', '"server"', "'ssh'", '""'],
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("."));
const scalar = fc.constantFrom(
  ...[
    "1",
    "0xFFFFFFFF",
    "-0",
    "1e999",
    "nan",
    "inf",
    "true",
    '"5s"',
    "'x'",
    "[]",
    "{}",
    '"""\na"""',
    "1979-05-27",
    "2022",
  ],
  ...[
    "99999999999999999999",
    '"\\u0000"',
    '"\\x"',
    "[1,]",
    "[[1],[2]]",
    "{ port = 1 }",
    "{ ssh = { port = 1 } }",
    '["::1"]',
    "07:32:00",
  ],
);
const pair = fc.tuple(path, scalar).map(([path, value]) => `${path} = ${value}`);
const line = fc.oneof(
  pair,
  path.map((path) => `[${path}]`),
  path.map((path) => `[[${path}]]`),
  fc.constantFrom("# comment", "", "\t", "\r", "[", "a ="),
  fc.tuple(path, fc.array(pair, { maxLength: 3 })).map(([path, pairs]) => `${path} = { ${pairs.join(", ")} }`),
);
const made = fc.tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom("\n", "\r\n")).map(([lines, end]) =>
  lines.join(end)
);
const nested = fc.tuple(fc.constantFrom("a=[", "a={b=", "[", "a.", '"', "[[", "a='''", "\\"), fc.nat(3000))
  .map(([text, times]) => text.repeat(times));

fuzzTest({
  name: "toml",
  seeds: [
    configTemplate("server"),
    configTemplate("client"),
    'server.port = 1\n[server.ssh]\nport = 2222 # here\n\n[client]\nhost = "h"\n[client.local]\nport = 1\n',
    '\ufeff[server]\nvitae = { environment = "e" }\nssh = { port = 1, listenHost = "*" }\n',
    'name = "A"\nindex = 1\n[local]\nhost = "db"\nport = 5432\n',
    "server.holdFor = '5s'\nserver.ssh.port = 1\nclient.local = {}\n",
  ],
  words: [
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "#",
    "\n",
    "\r\n",
    "\0",
    "__proto__",
    "[server]\n",
    "[server.ssh]\n",
    "nan",
  ],
  made: [made, made, fc.nat(50).chain((often) => often === 0 ? nested : made)],
  short: 800,
  batch: 500,
  check,
});
