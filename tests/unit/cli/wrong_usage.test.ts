import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { temporaryFolder } from "../../world/world.ts";
import { petit } from "./captured.ts";

const wrong: Record<string, [argv: string[], message: string, hint: string | RegExp]> = {
  "a mistyped command": [["sevrer"], 'There is no command "petit sevrer"', 'Did you mean "petit server"'],
  "a mistyped command of a group": [
    ["server", "jion"],
    'There is no command "petit server jion"',
    'Did you mean "petit server join"',
  ],
  "a mistyped command of the other group": [
    ["client", "registr", "petit-abc"],
    'There is no command "petit client registr"',
    'Did you mean "petit client register"',
  ],
  "a command in capitals": [["Version"], 'There is no command "petit Version"', 'Did you mean "petit version"'],
  "a command that resembles none": [
    ["xyzzy"],
    'There is no command "petit xyzzy"',
    '"petit --help" lists what there is',
  ],
  "a command of a group that resembles none": [
    ["server", "xyzzy"],
    'There is no command "petit server xyzzy"',
    '"petit server --help" lists what there is',
  ],
  "a command of another group": [
    ["client", "addalias", "1001", "x"],
    'There is no command "petit client addalias"',
    'Did you mean "petit server addalias"',
  ],
  "a command without its group": [
    ["addalias", "1001", "x"],
    'There is no command "petit addalias"',
    'Did you mean "petit server addalias"',
  ],
  "a mistyped group before a right word": [
    ["sevrer", "version"],
    'There is no command "petit sevrer"',
    'Did you mean "petit server version"',
  ],
  "a mistyped group before a mistyped word": [
    ["clinet", "regsiter", "petit-abc"],
    'There is no command "petit clinet"',
    'Did you mean "petit client register"',
  ],
  "words the wrong way round": [
    ["version", "server"],
    '"server" is one argument too many',
    'Did you mean "petit server version"',
  ],
  "help about a command that is not there": [
    ["help", "server", "jion"],
    'There is no command "petit server jion"',
    'Did you mean "petit server join"',
  ],
  "help about a mistyped command": [
    ["server", "jion", "--help"],
    'There is no command "petit server jion"',
    'Did you mean "petit server join"',
  ],
  "a group of commands without one of them": [
    ["service"],
    'Which command of "petit service"?',
    '"petit service --help" lists them',
  ],
  "a mistyped command of such a group": [
    ["service", "instal", "client"],
    'There is no command "petit service instal"',
    'Did you mean "petit service install"',
  ],
  "a long option with one dash": [["version", "-json"], 'There is no option "-j"', 'Did you mean "--json"'],
  "an option in capitals": [["version", "--JSON"], 'There is no option "--JSON"', 'Did you mean "--json"'],
  "an unknown shell": [
    ["completions", "tcsh"],
    'There are no completions for "tcsh"',
    "Wanted: bash, zsh, fish or powershell",
  ],
  "no shell": [["completions"], "Completions for which shell?", "Wanted: bash, zsh, fish or powershell"],
  "a service of neither side": [
    ["service", "install", "sever"],
    '"sever" is not a daemon of petit',
    'Did you mean "server"',
  ],
  "a service of no side": [["service", "install"], "Which daemon?", "Wanted: server or client"],
  "an option without a command": [["--json"], "Which command?", '"petit --help" lists them'],
  "an empty command": [[""], 'There is no command "petit "', /petit/],
  "a mistyped option": [["version", "--jsno"], 'There is no option "--jsno"', 'Did you mean "--json"'],
  "an option that resembles none": [
    ["version", "--frobnicate"],
    'There is no option "--frobnicate"',
    '"petit version --help" tells how it is used',
  ],
  "a short option that is not there": [
    ["version", "-x"],
    'There is no option "-x"',
    /petit version --help/,
  ],
  "an option of another command": [
    ["version", "--uses", "3"],
    'There is no option "--uses"',
    /petit version --help/,
  ],
  "an option that only objects have": [
    ["version", "--constructor"],
    'There is no option "--constructor"',
    /petit version --help/,
  ],
  "an option without its value": [
    ["server", "join", "--uses"],
    'The option "--uses" needs a value: N',
    '"petit server join --help" tells how it is used',
  ],
  "a short option without its value": [["server", "-c"], 'The option "-c" needs a value: FILE', /petit server --help/],
  "an option with an empty value": [
    ["server", "join", "--config="],
    'The option "--config" needs a value: FILE',
    /petit server join --help/,
  ],
  "a flag with a value": [["version", "--json=yes"], 'The option "--json" takes no value', /petit version --help/],
  "an argument too many": [
    ["version", "please"],
    '"please" is one argument too many',
    '"petit version --help" tells how it is used',
  ],
  "an argument too many behind others": [
    ["server", "addalias", "1001", "a", "b"],
    '"b" is one argument too many',
    /petit server addalias --help/,
  ],
  "an argument behind the options of a group": [
    ["server", "--config", "x", "jion"],
    '"jion" is one argument too many',
    /petit server --help/,
  ],
  "a number of uses that is none": [
    ["server", "join", "--uses", "many"],
    '"many" is not a number of uses',
    "Wanted: a whole number from 1",
  ],
  "no uses at all": [["server", "join", "--uses", "0"], '"0" is not a number of uses', /whole number/],
  "a time without a unit": [
    ["server", "join", "--expires", "24"],
    '"24" is not a time for --expires',
    "Wanted: a number with a unit, such as 30m, 24h or 7d",
  ],
  "no time at all": [["server", "join", "--expires", "0s"], '"0s" is not a time for --expires', /unit/],
  "an id that is none": [
    ["server", "addalias", "first", "db.example.com"],
    '"first" is not an id',
    /Wanted: a number such as 1001/,
  ],
  "an alias that is no host name": [
    ["server", "addalias", "1001", "http://db.example.com"],
    '"http://db.example.com" is not a host name',
    /Wanted: a name such as db\.example\.com/,
  ],
  "a join code that is none": [
    ["client", "register", "hello"],
    'This is not a join code: it does not begin with "petit-"',
    /petit server join/,
  ],
};

for (const [name, [argv, message, hint]] of Object.entries(wrong)) {
  test(`command line: ${name} is refused with exit code 2 and what to do`, async () => {
    const { code, out, err } = await petit(...argv);
    const [first, second, ...more] = err.split("\n");
    assert.equal(first, `petit: ${message}`);
    if (typeof hint === "string") assert.equal(second?.trim(), hint);
    else assert.match(second ?? "", hint);
    assert.match(second ?? "", /^ {7}\S/);
    assert.deepEqual(more, [""]);
    assert.equal(code, 2);
    assert.equal(out, "", "nothing that a script could take for a result");
  });
}

for (
  const argv of [
    ["client", "init", "--local", "5432"],
    ["client", "init", "--server", "host:x"],
    ["client", "register", "--local", "db:0"],
    ["server", "addalias"],
    ["server", "removealias", "1001"],
  ]
) {
  test(`command line: "petit ${argv.join(" ")}" is wrong usage, and makes no file`, async (t) => {
    const folder = temporaryFolder(t);
    const { code, err } = await petit(...argv, "-c", join(folder, "config.toml"));
    assert.equal(code, 2, err);
    assert.match(err, /^petit: /);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("command line: a config file that is not there is wrong usage, for every command that needs one", async (t) => {
  const file = join(temporaryFolder(t), "none.toml");
  for (const argv of [["server"], ["server", "join"], ["server", "addalias", "1001", "x"], ["client"]]) {
    const { code, err } = await petit(...argv, "-c", file);
    assert.equal(code, 2);
    assert.ok(err.startsWith(`petit: There is no config file "${file}"\n`), err);
  }
  assert.equal(existsSync(file), false);
});

test("command line: a mistake in the config file is told with its place", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  writeFileSync(file, "[server]\nproxyPort = 70000\n");
  const { code, err } = await petit("server", "--config", file);
  assert.equal(code, 2);
  assert.ok(err.startsWith(`petit: ${file}:2:1: "server.proxyPort" is 70000; wanted a port`), err);
});

test("command line: what fails although it was asked for rightly has exit code 1", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "config.toml");
  writeFileSync(file, "");
  const { code, out, err } = await petit("server", "join", "-c", file);
  assert.equal(code, 1);
  assert.ok(err.startsWith(`petit: There is no host key "${join(folder, "ssh_host_ed25519_key")}"\n`), err);
  assert.equal(out, "");
});
