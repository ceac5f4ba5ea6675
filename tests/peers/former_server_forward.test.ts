import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import type { TestContext } from "node:test";
import { eventually } from "../world/eventually.ts";
import { ClientProcess } from "../world/executable.ts";
import { startWord } from "../world/word_service.ts";
import { get, registeredFor } from "./client_of_former.ts";
import { FORMER_SERVER } from "./former.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";
import { sessionsOf } from "./sshd.ts";

/** A 0.6.34 server, and a client of it that has not been started yet. */
async function makeWorld(t: TestContext) {
  const server = await (await FormerServer.make(t)).start();
  const settings = { "client.reconnectDelayMax": "4s" };
  const client = await registeredFor(t, server, await startWord(t, "hello"), settings);
  const logins = () => server.sshd.process.lines.filter((line) => line.startsWith("Accepted publickey")).length;
  return { server, client, logins };
}

const isRefusal = ({ msg }: { msg: string }) => /^The server's sshd refuses to listen on .*; trying again in/.test(msg);

/** Until the client has been refused `times` times; with each it says what to look at. */
async function refused(client: ClientProcess, times: number): Promise<void> {
  const refusals = () => client.daemon.log.filter(isRefusal);
  await eventually(`refused ${times} times`, () => refusals().length >= times);
  for (const { code, hint } of refusals()) {
    assert.equal(code, "forward-refused");
    assert.match(String(hint), /AllowTcpForwarding.*ClientAliveInterval.*permitlisten.*another program/);
  }
}

/** Starts it, and does not wait for the tunnel: there is none. */
function launch(client: ClientProcess): void {
  client.start().catch(() => {});
}

peerTest(
  "where the sshd of a 0.6.34 server forwards nothing, the client says what to look at, and tries later and later",
  FORMER_SERVER,
  async (t) => {
    const { server, client, logins } = await makeWorld(t);
    const { configFile, process: sshd } = server.sshd;
    const config = readFileSync(configFile, "utf8");
    const reread = async (text: string) => {
      writeFileSync(configFile, text);
      const listens = () => sshd.lines.filter((line) => line.startsWith("Server listening")).length;
      const before = listens();
      sshd.child.kill("SIGHUP");
      await eventually("sshd has read its config", () => listens() > before);
    };
    await reread(`AllowTcpForwarding no\n${config}`);
    launch(client);
    await refused(client, 3);
    assert.ok(logins() <= 4, `${logins()} logins`);
    await reread(config);
    await eventually("it is served", async () => (await get(server.proxyPort, client.id)).endsWith("hello"));
  },
);

peerTest(
  "a port that another program or a hung session has at a 0.6.34 server: the client is told, and served once it is free",
  FORMER_SERVER,
  async (t) => {
    const { server, client, logins } = await makeWorld(t);
    const isServed = () =>
      eventually("it is served", async () => (await get(server.proxyPort, client.id)).endsWith("hello"));
    const squatter = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => squatter.listen(client.port, "127.0.0.1", resolve));
    t.after(() => squatter.close());
    launch(client);
    await refused(client, 2);
    assert.ok(logins() <= 3, `${logins()} logins`);
    await new Promise((resolve) => squatter.close(resolve));
    await isServed();

    const sessions = sessionsOf(server.sshd.process.child.pid as number);
    for (const session of sessions) process.kill(session, "SIGSTOP");
    await client.daemon.process.stop("SIGKILL");
    launch(client);
    await refused(client, 2);
    for (const session of sessions) process.kill(session, "SIGKILL");
    await isServed();
  },
);
