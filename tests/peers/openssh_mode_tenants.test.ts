import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { listeningSockets } from "../../src/platform/listening_sockets.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { eventually } from "../world/eventually.ts";
import { ClientProcess } from "../world/executable.ts";
import { RawCaller, statusOf } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";
import { startWord } from "../world/word_service.ts";
import { clientCommand, get } from "./client_of_former.ts";
import { NEEDS, startOpensshMode } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";

peerTest("several tenants share a key and a connection to sshd, and one of them leaves", NEEDS, async (t) => {
  const { server, sshd } = await startOpensshMode(t, { server: { "server.holdFor": "2s" } });
  const client = await new ClientProcess(t).register(await server.joinCode(), await startWord(t, "first"));
  await client.start();
  const add = async (name: string, servicePort: number): Promise<{ id: string; port: number }> => {
    await clientCommand(client, "lease", "-t", name, "-l", "127.0.0.1", "-p", String(servicePort));
    const registered = await clientCommand(client, "register", await server.joinCode(), "-t", name, "--json");
    const { id, port, daemon } = JSON.parse(registered);
    assert.equal(daemon, "reloaded");
    await client.daemon.logged((line) => line["id"] === id && line["endpoint"] !== undefined);
    return { id, port };
  };
  const isServed = async ({ id, port }: { id: string; port: number }, word: string) => {
    for (const way of [server.proxyPort, port]) assert.match(await get(way, id), new RegExp(`200[^]*${word}$`));
  };
  const line = () =>
    readFileSync(sshd.authorizedKeys, "latin1").split("\n").find((one) => one.includes(` petit:${client.id}`)) ?? "";

  // Those that join a daemon that runs: its connection to sshd may not have their ports, and another one takes its place.
  const echo = await startService(t, (socket) => socket.pipe(socket));
  const echoed = await add("echo", echo.port);
  const caller = new RawCaller(echoed.port);
  caller.send("before");
  assert.equal(await caller.take(6), "before");
  const shop = await add("shop", await startWord(t, "shop"));
  assert.ok(line().endsWith(` petit:${client.id},${echoed.id},${shop.id}`), line());
  await isServed(shop, "shop");
  await isServed(client, "first");
  // Whoever was there goes on where it was.
  caller.send("and after");
  assert.equal(await caller.take(9), "and after");
  caller.close();
  assert.deepEqual(client.daemon.log.filter(({ level }) => level === "error" || level === "warn"), []);

  await clientCommand(client, "unregister", "-t", "shop");
  assert.ok(line().endsWith(` petit:${client.id},${echoed.id}`), line());
  assert.ok(!line().includes(`:${shop.port}"`), line());
  await eventually("its port is closed", () => !listeningSockets().some(({ port }) => port === shop.port));
  assert.equal(statusOf(await get(server.proxyPort, shop.id)), 404);
  await isServed(client, "first");

  // One that the operator takes away has to be taken from the client, whose connection ends for that, and for nothing else.
  const registry = openRegistry(server.registryUrl);
  registry.unregister(echoed.id);
  registry.close();
  await eventually("its port is closed", () => !listeningSockets().some(({ port }) => port === echoed.port));
  assert.ok(line().endsWith(` petit:${client.id}`), line());
  assert.equal(statusOf(await get(server.proxyPort, client.id)), 200);
  const ends = client.daemon.log.flatMap(({ msg, cause }) => /^The tunnel to .* ended/.test(msg) ? [cause] : []);
  assert.deepEqual(ends, ["the server's operator ended it"]);
});
