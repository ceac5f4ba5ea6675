import assert from "node:assert/strict";
import test from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { version } from "../../../src/platform/version.ts";
import { petit } from "./captured.ts";

for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
  test(`help: "petit ${argv.join(" ")}" lists every command with what it does`, async () => {
    const { code, out, err } = await petit(...argv);
    assert.equal(code, 0);
    assert.equal(err, "");
    for (const { path, summary } of commands) {
      const lines = out.split("\n").filter((line) => line.includes(` petit ${path.join(" ")} `));
      assert.ok(lines.some((line) => line.endsWith(summary)), path.join(" "));
    }
  });
}

for (const { path, options = {}, summary } of commands) {
  test(`help: "petit ${path.join(" ")} --help" tells every option and runs nothing`, async () => {
    for (const flag of ["--help", "-h"]) {
      const { code, out, err } = await petit(...path, flag);
      assert.equal(code, 0);
      assert.equal(err, "");
      assert.ok(out.startsWith(`Usage: petit ${path.join(" ")}`));
      assert.ok(out.includes(summary));
      for (const [name, { help }] of Object.entries(options)) {
        assert.ok(out.split("\n").some((line) => line.includes(`--${name}`) && line.endsWith(help)), name);
      }
    }
  });
}

test("help: that of a group lists its commands", async () => {
  const { out } = await petit("server", "--help");
  for (const name of ["init", "join", "addalias", "removealias"]) {
    assert.match(out, new RegExp(`petit server ${name} `));
  }
  assert.doesNotMatch(out, /petit client/);
});

test("version: it is that of package.json, in every place where it is asked for", async () => {
  for (const argv of [["version"], ["--version"], ["server", "version"], ["client", "version"]]) {
    const { code, out } = await petit(...argv);
    assert.equal(code, 0);
    assert.ok(out.startsWith(`petit ${version} (`), out);
    assert.ok(out.endsWith(")\n"));
  }
});

test("version: a program gets it as one line of JSON", async () => {
  const { code, out, err } = await petit("version", "--json");
  assert.equal(code, 0);
  assert.equal(err, "");
  assert.equal(out.split("\n").length, 2);
  const facts = JSON.parse(out);
  assert.equal(facts.version, version);
  assert.deepEqual(Object.keys(facts).sort(), ["arch", "platform", "runtime", "version"]);
});
