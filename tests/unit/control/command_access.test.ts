import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import type { LocalAccess } from "../../../src/config/schema.ts";
import { apiToken, scopeOfToken } from "../../../src/control/api_token.ts";
import { askCommand, type Asked } from "../../../src/control/ask_command.ts";
import { CommandPort } from "../../../src/control/command_port.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";
import { listenOn } from "../../world/world.ts";
import { exchange } from "./exchange.ts";

const WINDOWS = process.platform === "win32" && "Windows has no Unix sockets with modes";

/** A port that everybody can reach, and a socket for the daemon's own user, with words that note that they were given. */
async function commandPorts(scope: Scope, open: LocalAccess) {
  const folder = temporaryFolder(scope);
  const given: string[] = [];
  const words = {
    STATUS: { reads: true, run: () => (given.push("STATUS"), { status: "running" }) },
    STOP: { silent: true, run: ([pid]: readonly string[]) => (given.push(`STOP ${pid}`), { success: true }) },
  } as const;
  const access = { open: () => open, scopeOf: (token: string) => scopeOfToken(folder, token), role: "server" } as const;
  const port = new CommandPort(words, silentLog(), access);
  const socket = new CommandPort(words, silentLog());
  scope.after(() => Promise.all([port.close(), socket.close()]));
  const listen = await port.listen(0, "[server] listenPort");
  const path = join(folder, "server.sock");
  await socket.listenOnSocket(path);
  const daemon: Asked = { role: "server", folder, listen, socket: path };
  return { folder, given, listen, path, daemon, socket };
}

for (const open of ["none", "read", "all"] as const) {
  test(`command access: with "${open}", that and no more is open on the port without the token`, async (t) => {
    const { listen, given, folder } = await commandPorts(t, open);
    const cases = [["STATUS", open !== "none", "STATUS"], ["STOP 7", open === "all", "STOP 7"]] as const;
    for (const [command, allowed, word] of cases) {
      given.length = 0;
      for (const end of [false, true]) {
        const answer = await exchange(listen, [`${command}\x03`], { end });
        // Whoever reads nothing would wait for ever for an answer to STOP; who is refused has to be told all the same.
        if (!allowed) {
          assert.match(
            answer,
            /\[server\] localAccess = \\"\w+\\"\)","code":"command-closed","hint":"As the daemon's own user/,
            command,
          );
        } else assert.equal(answer === "" || !answer.includes("error"), true, answer);
      }
      assert.deepEqual(given, allowed ? [word, word] : []);
    }
    given.length = 0;
    const wrong = await exchange(listen, [`AUTH ${"x".repeat(43)} STOP 7\x03`]);
    assert.match(wrong, /"code":"token-wrong"/);
    assert.deepEqual(given, []);
    assert.equal(await exchange(listen, [`AUTH ${apiToken(folder)} STOP 7\x03`]), '{"success":true}');
    assert.equal(await exchange(listen, [`AUTH ${apiToken(folder)} STOP 7\x03`], { end: true }), "");
    assert.deepEqual(given, ["STOP 7", "STOP 7"]);
    assert.match(await exchange(listen, ["AUTH\x03"]), /"code":"token-wrong"/);
    assert.match(await exchange(listen, [`AUTH ${apiToken(folder)}\x03`]), /"code":"command-unknown"/);
  });
}

test("command access: petit's own commands need no opening: by the socket, and without one by the token", async (t) => {
  const { daemon, given, socket, path } = await commandPorts(t, "none");
  if (process.platform !== "win32") {
    assert.deepEqual(await askCommand({ ...daemon, listen: 1 }, "STOP 7", 10_000), { success: true });
  }
  assert.deepEqual(await askCommand({ ...daemon, socket: null }, "STOP 8", 10_000), { success: true });
  await socket.close();
  assert.equal(existsSync(path), false);
  assert.deepEqual(await askCommand(daemon, "STOP 9", 10_000), { success: true });
  assert.deepEqual(given.slice(-2), ["STOP 8", "STOP 9"]);
});

test("command access: on the socket every command is taken", { skip: WINDOWS }, async (t) => {
  const { path, given } = await commandPorts(t, "none");
  assert.equal(await exchange(path, ["STATUS\x03"]), '{"status":"running"}');
  assert.equal(await exchange(path, ["STOP 7\x03"]), '{"success":true}');
  assert.deepEqual(given, ["STATUS", "STOP 7"]);
});

test("command access: another program on the port of a dead daemon is not sent the token unasked", async (t) => {
  const heard: string[] = [];
  const other = createServer((socket) =>
    socket.on("data", (bytes) => (heard.push(String(bytes)), socket.end("hello")))
  );
  t.after(() => other.close());
  const listen = await listenOn(other);
  const daemon: Asked = { role: "server", folder: temporaryFolder(t), listen, socket: null };
  await assert.rejects(askCommand(daemon, "STOP 7", 10_000), { code: "daemon-silent" });
  assert.deepEqual(heard, ["STOP 7\x03"]);
});
