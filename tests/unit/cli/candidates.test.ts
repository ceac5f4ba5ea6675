import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Command } from "../../../src/cli/commands/command.ts";
import { candidatesFor } from "../../../src/cli/completions/candidates.ts";
import { lookUpState } from "../../../src/cli/completions/lookup_state.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";
import { petit } from "./captured.ts";

const run = () => Promise.resolve(0);
const commands: Command[] = [
  {
    path: ["server"],
    summary: "Run the server",
    options: { config: { type: "string", short: "c", value: "FILE", help: "file" } },
    run,
  },
  {
    path: ["server", "log"],
    arguments: "LEVEL",
    maxArguments: 1,
    argumentChoices: [["debug", "info"]],
    summary: "Set the level",
    options: {
      for: { type: "string", value: "TIME", help: "how long" },
      form: { type: "string", value: "FORM", choices: ["json", "text"], help: "the form" },
      tenant: { type: "string", short: "t", value: "TENANT", help: "the tenant" },
    },
    run,
  },
  { path: ["server", "join"], summary: "Print a join code", run },
  { path: ["server", "join", "list"], summary: "List them", run },
  {
    path: ["service", "install"],
    arguments: "ROLE",
    maxArguments: 1,
    argumentChoices: [["server"]],
    summary: "Install",
    run,
  },
  { path: ["__complete"], summary: "Not for people", hidden: true, run },
];

/** The candidates' values behind a line; what is looked up are "acme" and "other" for TENANT. */
function after(line: string): string[] {
  const typed = line.split(" ");
  const current = typed.pop() as string;
  const lookup = (kind: string) =>
    kind === "TENANT" ? ["acme", "other"].map((value) => ({ value, description: "" })) : [];
  const { candidates, file } = candidatesFor(commands, typed, current, lookup);
  return [...candidates.map(({ value }) => value), ...file ? [":file"] : []];
}

const cases: Record<string, [line: string, wanted: string[]][]> = {
  "commands, and of a group what is in it": [
    ["", ["server", "service", "help"]],
    ["se", ["server", "service"]],
    ["server ", ["log", "join"]],
    ["server j", ["join"]],
    ["server join ", ["list"]],
    ["service ", ["install"]],
    ["__", []],
  ],
  "nothing behind words that there are not": [["sevrer ", []], ["server jion x", []]],
  "options where a dash is typed, or where nothing else is left": [
    ["server log --f", ["--for", "--form"]],
    ["server log -", ["--for", "--form", "--tenant", "--help"]],
    ["server join list ", ["--help"]],
    ["server log debug ", ["--for", "--form", "--tenant", "--help"]],
    ["server -c x --c", ["--config"]],
  ],
  "values of options, however they are written": [
    ["server log --form ", ["json", "text"]],
    ["server log --form j", ["json"]],
    ["server log --form=t", ["--form=text"]],
    ["server log --form = t", ["text"]],
    ["server log --form =", ["json", "text"]],
    ["server log -t o", ["other"]],
    ["server log --for ", []],
    ["server log --none=", []],
  ],
  "files where an option wants one": [
    ["server -c ", [":file"]],
    ["server --config x", [":file"]],
    ["server --config=x", [":file"]],
  ],
  "arguments, also behind options": [
    ["server log ", ["debug", "info"]],
    ["server log --for 5m d", ["debug"]],
    ["server log --form=json d", ["debug"]],
    ["service install s", ["server"]],
  ],
  "commands behind help": [["help ", ["server", "service"]], ["help server l", ["log"]], ["help server log -", []]],
};

for (const [name, lines] of Object.entries(cases)) {
  test(`completions: ${name}`, () => {
    for (const [line, wanted] of lines) assert.deepEqual(after(line), wanted, line);
  });
}

test("completions: tenants and ids come from the client's folder; one that cannot be read has none", (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  assert.deepEqual(lookUpState("TENANT", ["client", "unregister", "-c", config]), []);
  for (const [name, text] of [["acme", '{"id":"1001","port":11081}'], ["broken", "{"]] as const) {
    mkdirSync(join(folder, "tenants", name), { recursive: true });
    writeFileSync(join(folder, "tenants", name, "registration"), text);
  }
  for (const option of [["-c", config], ["--config", config], [`--config=${config}`], ["--config", "=", config]]) {
    const values = (kind: string) => lookUpState(kind, ["client", "unregister", ...option]).map(({ value }) => value);
    assert.deepEqual(values("TENANT"), ["acme", "broken"]);
    assert.deepEqual(values("ID"), ["1001"]);
    assert.deepEqual(values("TIME"), []);
  }
  assert.deepEqual(lookUpState("ID", ["server", "disconnect", "-c", config]), []);
});

test("completions: what the shells call answers lines, and never an error", async () => {
  const cases: [argv: string[], wanted: RegExp][] = [
    [[":serve"], /^server\tRun the server in the foreground\n$/],
    [["server", "join", "-c", ":x"], /^:file\n$/],
    [["no", "such", "--thing", "-h", ":"], /^$/],
    [["server", "--help", ":"], /^/],
    [[], /^/],
  ];
  for (const [argv, wanted] of cases) {
    const { code, out, err } = await petit("__complete", ...argv);
    assert.equal(code, 0, argv.join(" "));
    assert.equal(err, "");
    assert.match(out, wanted);
  }
});

test("completions: each script says how to have it, and that of PowerShell hands words over without evaluating them", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, out } = await petit("completions", shell);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^(?:#compdef.*\\n)?# Completions of petit for .*\\n# To have them in every shell`));
    assert.ok(out.includes(`petit completions ${shell}`));
    // In none but the comments, which say how to load the script.
    const code_ = out.split("\n").filter((line) => !line.startsWith("#")).join("\n");
    assert.doesNotMatch(code_, /\beval\b|Invoke-Expression|iex\b/);
    assert.match(code_, /__complete/);
  }
  const { out } = await petit("completions", "powershell");
  assert.match(out, /^Register-ArgumentCompleter -Native -CommandName 'petit', 'petit\.exe' -ScriptBlock \{$/m);
  assert.match(out, /__complete @words ":\$wordToComplete"/);
  for (const [open, close] of ["{}", "()", "[]"]) {
    assert.equal(out.split(open as string).length, out.split(close as string).length, `${open}${close}`);
  }
});
