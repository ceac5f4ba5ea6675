import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { askCommand } from "../../../src/control/ask_command.ts";
import { CommandPort } from "../../../src/control/command_port.ts";
import type { CommandWords } from "../../../src/control/command_words.ts";
import { PetitError } from "../../../src/error.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";
import { exchange } from "./exchange.ts";

/** A command port that notes what it was asked. */
async function commandPort(
  scope: Scope,
  words: CommandWords = {},
): Promise<{ port: number; done: string[]; commands: CommandPort }> {
  const done: string[] = [];
  const commands = new CommandPort({
    STATUS: { run: (rest) => ({ status: "running", rest }) },
    STOP: { silent: true, run: () => (done.push("STOP"), { success: true }) },
    REFUSE: {
      run() {
        throw new PetitError("registration-unknown", 'There is no registration "9"', { hint: "Look" });
      },
    },
    FAULT: {
      run() {
        throw new TypeError("undefined is not a function");
      },
    },
    ...words,
  }, silentLog());
  const port = await commands.listen(0, "[server] listenPort");
  scope.after(() => commands.close());
  return { port, done, commands };
}

test("command port: a word and ETX are answered with one JSON object, then the connection ends", async (t) => {
  const { port } = await commandPort(t);
  assert.equal(await exchange(port, ["STATUS\x03"]), '{"status":"running","rest":[]}');
  assert.equal(await exchange(port, ["STATUS\x03"], { end: true }), '{"status":"running","rest":[]}');
  assert.equal(await exchange(port, ["STA", "TUS", " 1001", " \n\x03"]), '{"status":"running","rest":["1001"]}');
  assert.equal(
    await exchange(port, ["STATUS\x03STATUS\x03STOP\x03"]),
    '{"status":"running","rest":[]}',
    "only the first counts",
  );
});

test("command port: who ends its direction behind a silent word is told by the end alone; who does not gets an answer", async (t) => {
  const { port, done } = await commandPort(t);
  assert.equal(await exchange(port, ["STOP\x03"], { end: true }), "");
  assert.equal(await exchange(port, ["STOP\x03"]), '{"success":true}');
  assert.deepEqual(done, ["STOP", "STOP"]);
});

test("command port: unknown words, refusals and faults are answered, and do not end it", async (t) => {
  const { port } = await commandPort(t);
  const cases: [command: string, code: string, error: RegExp][] = [
    ["", "command-unknown", /There is no command ""/],
    ["status", "command-unknown", /There is no command "status"/],
    ["constructor", "command-unknown", /There is no command "constructor"/],
    ["REFUSE 9", "registration-unknown", /There is no registration "9"/],
    ["FAULT", "internal", /fault of petit's own: undefined is not a function/],
  ];
  for (const [command, code, error] of cases) {
    const answer = JSON.parse(await exchange(port, [`${command}\x03`])) as Record<string, string>;
    assert.deepEqual([answer["success"], answer["type"], answer["code"]], [false, "error", code]);
    assert.match(answer["error"] as string, error);
  }
  assert.match(await exchange(port, ["STATUS\x03"]), /running/);
});

test("command port: what a browser can be made to send ends the connection without effect", async (t) => {
  const { port, done } = await commandPort(t);
  const requests = [
    "POST / HTTP/1.1\r\nHost: localhost:3016\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nSTOP\x03",
    "STOP / HTTP/1.1\r\nHost: localhost:3016\r\n\r\nSTOP\x03",
    "GET /STOP\x03 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST / HTTP/1.1\nSTOP\x03",
    "\x16\x03\x01\x02STOP\x03",
    "EHLO x\r\nSTOP\x03",
    "\r\n\r\nPOST / HTTP/1.1\r\n\r\nSTOP\x03",
    "\0STOP\x03",
  ];
  for (const request of requests) {
    // As a whole, and byte by byte.
    for (const parts of [[request], [...request]]) {
      const answer = await exchange(port, parts);
      assert.ok(answer === "" || answer.includes("command-unknown"), `${JSON.stringify(request)}: ${answer}`);
    }
  }
  assert.deepEqual(done, []);
});

test("command port: a command without an end is bounded, and one that breaks off has no effect", async (t) => {
  const { port, done } = await commandPort(t);
  assert.equal(await exchange(port, [Buffer.alloc(1024 * 1024, "A")]), "");
  assert.equal(await exchange(port, ["STOP"], { end: true }), "");
  assert.deepEqual(done, []);
  assert.match(await exchange(port, ["STATUS\x03"]), /running/);
});

test("command port: more connections than it takes are turned away, and it works on when they are gone", async (t) => {
  const { port } = await commandPort(t);
  const sockets = Array.from({ length: 200 }, () => connect({ host: "127.0.0.1", port }));
  for (const socket of sockets) socket.on("error", () => {});
  const closed = sockets.map((socket) => new Promise<boolean>((resolve) => socket.on("close", () => resolve(true))));
  assert.equal(await Promise.race(closed), true);
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  for (;;) if ((await exchange(port, ["STATUS\x03"])).includes("running")) break;
});

test("command port: closing it sends the answers that are due", async (t) => {
  let finish!: () => void;
  let begun!: () => void;
  const asked = new Promise<void>((resolve) => begun = resolve);
  const work = new Promise<void>((resolve) => finish = resolve);
  const { port, commands } = await commandPort(t, {
    SLOW: { run: () => (begun(), work.then(() => ({ success: true }))) },
  });
  const answer = exchange(port, ["SLOW\x03"]);
  await asked;
  const closed = commands.close();
  finish();
  assert.equal(await answer, '{"success":true}');
  await closed;
});

test("asking a command port: answers of any size, the daemon's own errors, and those who are no daemon", async (t) => {
  const large = "x".repeat(5_000_000);
  const { port, commands } = await commandPort(t, { LARGE: { run: () => ({ large }) } });
  const daemon = { role: "server", folder: temporaryFolder(t), listen: port, socket: null } as const;
  assert.deepEqual(await askCommand(daemon, "STATUS 1001", 10_000), { status: "running", rest: ["1001"] });
  assert.deepEqual(await askCommand(daemon, "LARGE", 10_000), { large });
  assert.deepEqual(await askCommand(daemon, "STOP", 10_000), { success: true });
  await assert.rejects(
    askCommand(daemon, "REFUSE", 10_000),
    (error) => error instanceof PetitError && error.code === "registration-unknown" && error.hint === "Look",
  );
  await commands.close();
  await assert.rejects(
    askCommand(daemon, "STATUS", 10_000),
    (error) =>
      error instanceof PetitError && error.code === "daemon-silent" && /connection refused/.test(error.message),
  );
});
