import assert from "node:assert/strict";
import test from "node:test";
import { commands } from "../../../src/cli/commands/commands.ts";
import { parseArguments } from "../../../src/cli/parse_arguments.ts";
import { selectCommand } from "../../../src/cli/select_command.ts";
import { version } from "../../../src/platform/version.ts";
import { petit } from "./captured.ts";

/** Text as one line: help is wrapped. */
const flat = (text: string) => text.replace(/\s+/g, " ");
const listed = commands.filter(({ hidden }) => hidden !== true);

for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
  test(`help: "petit ${argv.join(" ")}" lists every command with what it does`, async () => {
    const { code, out, err } = await petit(...argv);
    assert.equal(code, 0);
    assert.equal(err, "");
    for (const { path, summary, shortFor, arguments: positional } of listed) {
      if (shortFor !== undefined) {
        assert.match(out, new RegExp(`Short forms:[^:]*[ ,]${path.join(" ")}(?:,|:)`));
        continue;
      }
      // It is in the help of the command above it.
      if (path.length > 2) continue;
      const words = path.at(-1) === "run" ? [...path.slice(0, -1), "[run]"] : path;
      const usage = [...words, ...(positional === undefined ? [] : [positional])].join(" ");
      assert.ok(
        flat(out).includes(` ${usage} ${summary}`) || flat(out).includes(` ${usage} [run] ${summary}`),
        path.join(" "),
      );
    }
  });
}

for (const { path, options = {}, summary, examples } of listed) {
  test(`help: "petit ${path.join(" ")} --help" tells every option, an example, and runs nothing`, async () => {
    for (const argv of [[...path, "--help"], [...path, "-h"], ["help", ...path]]) {
      const { code, out, err } = await petit(...argv);
      assert.equal(code, 0);
      assert.equal(err, "");
      assert.ok(out.startsWith(`Usage: petit ${path.join(" ")}`));
      assert.ok(flat(out).includes(summary));
      for (const [name, { help }] of Object.entries(options)) {
        assert.match(out, new RegExp(`^ {2}.*--${name}\\b`, "m"));
        assert.ok(flat(out).includes(help), name);
      }
      assert.ok(examples !== undefined && examples.length > 0, "has an example");
      for (const example of examples) assert.ok(out.includes(`\n  ${example}\n`), example);
    }
  });
}

const shownExamples = new Set(listed.flatMap(({ examples = [] }) => examples.map((example) => `  ${example}`)));

test("help: where no terminal tells its width, lines end before column 80", async () => {
  for (const argv of [["help"], ...listed.map(({ path }) => ["help", ...path])]) {
    const { out } = await petit(...argv);
    // A long path or address, and an example, are not broken.
    const prose = out.split("\n").filter((line) => !shownExamples.has(line) && !/\S{40}/.test(line));
    assert.deepEqual(prose.filter((line) => line.length > 80), []);
  }
});

test("help: that of a group lists its commands and no others", async () => {
  for (const argv of [["server", "--help"], ["help", "server"], ["server", "help"]]) {
    const { out } = await petit(...argv);
    for (const name of ["init", "join", "addalias", "removealias"]) {
      assert.match(out, new RegExp(`^ {2}server ${name} `, "m"));
    }
    assert.doesNotMatch(out, /^ {2}client/m);
  }
});

test("help: what is below a command is listed in the help of that", async () => {
  for (const { path, summary } of listed.filter(({ path }) => path.length > 2)) {
    const { out } = await petit("help", ...path.slice(0, -1));
    assert.match(out, new RegExp(`^ {2}${path.join(" ")}`, "m"));
    assert.ok(flat(out).includes(summary));
  }
});

test("help: every example is a command that there is, with options that it has", () => {
  for (const { examples = [] } of listed) {
    for (const example of examples.filter((line) => /^petit /.test(line))) {
      const [, ...argv] = (example.split(/ [<>|&] ?/)[0] as string).trim().split(" ");
      const command = selectCommand(commands, argv);
      assert.doesNotThrow(() => parseArguments(command, argv.slice(command.path.length), commands), example);
    }
  }
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
