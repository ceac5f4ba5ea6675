import assert from "node:assert/strict";
import { resolve } from "node:path";
import test from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { configTemplate } from "../../../src/config/template.ts";
import { TomlDocument } from "../../../src/config/toml.ts";

const FILE = resolve("/etc/petit/config.toml");

for (const role of ["server", "client"] as const) {
  test(`config template: that of a ${role} says what the defaults are`, () => {
    assert.deepEqual(parseConfig(configTemplate(role), FILE), parseConfig("", FILE));
  });

  test(`config template: that of a ${role} sets every key there is, below a comment`, () => {
    const text = configTemplate(role);
    const document = new TomlDocument(text);
    const lines = text.split("\n");
    const paths = leaves(parseConfig("", FILE)[role], [role]);
    assert.ok(paths.length > 10);
    for (const path of paths) {
      assert.notEqual(document.get(path), undefined, `${path.join(".")} is not in the template`);
      const { line } = document.placeOf(path);
      assert.match(lines[line - 2] ?? "", /^# \S/, `${path.join(".")} has no comment`);
    }
  });

  test(`config template: no line of a ${role}'s comments is wider than 100 characters`, () => {
    const wide = configTemplate(role).split("\n").filter((line) => line.startsWith("#") && line.length > 100);
    assert.deepEqual(wide, []);
  });
}

test("config template: one file can have the sections of both roles", () => {
  const text = `${configTemplate("server")}\n${configTemplate("client")}`;
  assert.deepEqual(parseConfig(text, FILE), parseConfig("", FILE));
});

test("config template: another value is written, and its default named in the comment", () => {
  const text = configTemplate("client", { "client.local.port": 5432, "client.host": "petit.example.com" });
  const { client } = parseConfig(text, FILE);
  assert.equal(client.local.port, 5432);
  assert.equal(client.host, "petit.example.com");
  assert.match(text, /# .*\(default: 8080\)\nport = 5432\n/);
  assert.doesNotMatch(text, /\(default: 2222\)/, "a value that is the default needs no note");
});

/** The paths of all settings below a section. */
function leaves(section: object, path: string[]): string[][] {
  return Object.entries(section).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? leaves(value, [...path, key])
      : [[...path, key]]
  );
}
