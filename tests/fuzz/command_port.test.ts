import assert from "node:assert/strict";
import { before } from "node:test";
import fc from "fast-check";
import { CommandPort } from "../../src/control/command_port.ts";
import { daemonWords } from "../../src/control/daemon_words.ts";
import { silentLog } from "../../src/observe/log.ts";
import { serverCommands } from "../../src/server/server_commands.ts";
import { fileScope } from "../world/file_scope.ts";
import { TestServer } from "../world/world.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const scope = fileScope();
let port: number;

/** The words of a server that runs; those that would end it only say so. */
before(async () => {
  const server = await new TestServer(scope).start();
  const facilities = daemonWords({
    role: "server",
    pid: 1,
    stopped: Promise.resolve(),
    stop() {},
    restart: () => Promise.resolve({ pid: 1 }),
    reload: () => Promise.resolve({ changed: [], restartNeeded: [] }),
    setLevel() {},
    readiness: () => ({ ready: true, missing: [], endpoints: [] }),
  });
  const commands = new CommandPort({ ...facilities, ...serverCommands(server.running.control) }, silentLog());
  port = await commands.listen(0, "[server] listenPort");
  scope.after(() => commands.close());
});

async function check(bytes: Buffer): Promise<void> {
  const chance = chanceOf(bytes);
  const pieces = chance() < 0.5 ? [bytes] : piecesOf(bytes, chance).slice(0, 40);
  const answer = await hostileConnection(port, pieces);
  const text = Buffer.concat(pieces).toString("utf8");
  const [command = "", ...more] = text.split("\x03");
  if (more.length === 0 || /^\S+ \S+ HTTP\//.test(command.trim())) assert.equal(answer, "");
  if (answer === "") return;
  // One object, and never a fault of petit's own.
  const told = JSON.parse(answer) as { code?: string };
  assert.notEqual(told.code, "internal");
}

const word = fc.constantFrom(
  "STATUS",
  "LOG",
  "ADDALIAS",
  "DELALIAS",
  "STOP",
  "RELOAD",
  "READY",
  "RESTART",
  "__proto__",
  "constructor",
  "status",
);
const rest = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom("1001", "db.example.com", "debug", "__proto__", "x".repeat(70_000)),
);
const made = fc.tuple(word, fc.array(rest, { maxLength: 3 }), fc.constantFrom("\x03", "", "\x03STOP\x03", "\n\x03"))
  .map(([word, words, end]) => [word, ...words].join(" ") + end);

fuzzTest({
  name: "command_port",
  seeds: [
    "STATUS\x03",
    "STATUS 1001\x03",
    "LOG debug\x03",
    "ADDALIAS 1001 db.example.com\x03",
    "STOP 5\x03",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  words: ["\x03", " ", "\0", "\n", "STOP", "STATUS", "\xff", "\u{1f600}", "HTTP/1.1"],
  made: [made],
  short: 200,
  batch: 500,
  check,
});
