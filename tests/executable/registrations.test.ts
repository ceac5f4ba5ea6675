import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { legacyFile, SOME_KEY } from "../unit/registry/legacy_file.ts";
import { eventually } from "../world/eventually.ts";
import { type Executables, petit, ServerProcess, startExecutables } from "../world/executable.ts";
import type { Finished } from "../world/processes.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { type Scope, startService } from "../world/world.ts";

/** Server, client and a service that answers, with a way to give the server's commands. */
async function newWorld(scope: Scope): Promise<Executables & { run(...args: string[]): Promise<Finished> }> {
  const service = await startService(scope, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const world = await startExecutables(scope, service.port);
  const run = (...args: string[]) => petit(["server", ...args, "-c", world.server.config]);
  await eventually("the server can be asked", async () => (await run("status")).code === 0);
  return { ...world, run };
}

const facts = async (finished: Promise<Finished>) => JSON.parse((await finished).stdout);

test("server status: a summary and a table, of which a part can be asked for", async (t) => {
  const { run, id, server, client } = await newWorld(t);
  await run("addalias", id, "db.example.com");
  await eventually("the alias is known", async () => (await run("status")).stdout.includes("db.example.com"));
  const { stdout, stderr } = await run("status");
  assert.equal(stderr, "");
  const [running, ports, count, empty, head, ...rows] = stdout.trimEnd().split("\n");
  assert.match(running as string, new RegExp(`^Server running since 20.*, pid ${server.daemon.pid}, version `));
  assert.equal(ports, `Ports: SSH ${server.sshPort}, HTTP ${server.proxyPort}`);
  assert.equal(count, "2 registrations, 1 connected");
  assert.equal(empty, "");
  assert.deepEqual((head as string).trim().split(/\s+/), [
    "ID",
    "STATE",
    "CLIENT",
    "TUNNEL",
    "SERVICE",
    "SINCE",
    "ADDRESS",
    "HOST",
    "BRAND",
    "ALIASES",
    "VERSION",
  ]);
  assert.match(rows[0] as string, /^ *1001 +away +down +down +- +- +- +- +nobody +- +0$/);
  assert.match(
    rows[1] as string,
    new RegExp(`^ *${id} +connected +up +.*20.* 127\\.0\\.0\\.1 +.* ce +db\\.example\\.com +`),
  );
  assert.equal(rows.length, 2);

  const shown = async (...args: string[]) =>
    (await facts(run("status", "--json", ...args))).connections.map((one: { registeredId: string }) =>
      one.registeredId
    );
  assert.deepEqual(await shown(), ["1001", id]);
  assert.deepEqual(await shown("--connected"), [id]);
  assert.deepEqual(await shown("--away"), ["1001"]);
  assert.deepEqual(await shown("--search", "NOBODY"), ["1001"]);
  assert.deepEqual(await shown("--search", "db.exam"), [id]);
  assert.deepEqual(await shown("--search", "no such thing"), []);
  assert.match((await run("status", "--away")).stdout, /2 registrations, 1 connected, 1 shown/);

  const json = await facts(run("status", "--json"));
  const [, own] = json.connections;
  assert.deepEqual([json.status, json.connected, json.pid], ["running", 1, server.daemon.pid]);
  assert.deepEqual([own.port, own.connected, own.aliases], [client.port, true, ["db.example.com"]]);
  assert.match(own.fingerprint, /^SHA256:/);
});

test("server status ID: everything about one, also why it was disconnected", async (t) => {
  const { run, id, client } = await newWorld(t);
  const before = (await run("status", id)).stdout;
  assert.match(before, new RegExp(`^Registration +${id}\nState +connected\n`));
  assert.match(before, new RegExp(`\nReverse port +${client.port}\n`));
  assert.match(before, /\nNo disconnects are on record/);
  const { code, stdout } = await run("disconnect", id);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Disconnected ${id}\\.`));
  await eventually("the client is back", async () => {
    const { connected, disconnects } = await facts(run("status", id, "--json"));
    return connected && disconnects.length === 1;
  });
  assert.match((await run("status", id)).stdout, /Last disconnects\nAT +AFTER +ADDRESS +CAUSE +CLIENT SAW\n20/);
});

test("server status, disconnect and unregister: an id that is not there is named", async (t) => {
  const { run } = await newWorld(t);
  for (const args of [["status", "9999"], ["disconnect", "9999"], ["unregister", "9999"]]) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /There is no registration "9999"/);
    assert.equal(stdout, "");
  }
  const away = await run("disconnect", "1001");
  assert.equal(away.code, 1);
  assert.match(away.stderr, /"1001" is not connected/);
  for (
    const args of [["status", "1001", "--away"], ["status", "--away", "--connected"], ["status", "x"], ["disconnect"]]
  ) {
    assert.equal((await run(...args)).code, 2);
  }
});

test("server unregister: a running server lets go of the client at once, and the id leads nowhere", async (t) => {
  const { run, id, proxyPort, server } = await newWorld(t);
  const ask = async () =>
    statusOf(await exchange(proxyPort, `GET / HTTP/1.1\r\nHost: ${id}\r\nConnection: close\r\n\r\n`));
  assert.equal(await ask(), 200);
  const { code, stdout } = await run("unregister", id);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Removed registration ${id}: port \\d+, brand ce`));
  await eventually("the server has noticed", async () => await ask() === 404);
  await eventually("the client is refused", async () => (await facts(run("status", "--json"))).connected === 0);
  assert.equal((await run("unregister", id)).code, 1);
  assert.ok(server.daemon.process.alive);
});

test("server import: a running server takes up what comes in", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const file = join(server.folder, "registry");
  const key = SOME_KEY;
  writeFileSync(file, legacyFile({ "1500": { port: 11580, key, aliases: ["old.example.com"] } }));
  const ask = async (host: string) =>
    await exchange(server.proxyPort, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const unknown = await ask("old.example.com");
  const { code, stdout, stderr } = await petit(["server", "import", file, "-c", server.config]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Registration 1500 was taken in\n");
  const known = async () => (await facts(petit(["server", "status", "--json", "-c", server.config]))).connections;
  await eventually("it is there", async () => (await known()).length === 2);
  assert.deepEqual((await known())[1].aliases, ["old.example.com"]);
  assert.equal(statusOf(unknown), 404);
});

test("server status: without a server exit code 3, and what to do", async (t) => {
  const server = await ServerProcess.init(t);
  for (const args of [["status"], ["status", "1001"], ["disconnect", "1001"], ["status", "--json"]]) {
    const { code, stdout, stderr } = await petit(["server", ...args, "-c", server.config]);
    assert.equal(code, 3, args.join(" "));
    assert.match(stderr, /The server is not running[\s\S]*petit server start/);
    assert.equal(stdout, "");
  }
});
