import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { configure, petit, startExecutables } from "../world/executable.ts";
import { output, run } from "../world/processes.ts";
import { startService } from "../world/world.ts";

/** The folder with `petit-server` and `petit-client` of 0.6.34, such as node_modules/.bin of a folder where npm has installed it. */
const FORMER = process.env["PETIT_FORMER"];
const OPTIONS = {
  timeout: 120_000,
  skip: FORMER === undefined && "PETIT_FORMER does not name the folder of the tools of 0.6.x",
};

/** They know of no token. */
const OPEN = { server: { "server.localAccess": "all" }, client: { "client.localAccess": "all" } };

/** Runs one of the tools of 0.6.x to its end. */
const former = (tool: string, args: string[]) =>
  output(join(FORMER as string, tool), args, { env: { NODE_OPTIONS: "--no-deprecation" }, timeout: 20_000 });

test("the tools of 0.6.x see, change and stop a server", OPTIONS, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { server, id, rawPort } = await startExecutables(t, service.port, OPEN);
  const tool = (...args: string[]) => former("petit-server", [...args, "-c", server.config]);
  assert.match(
    await tool("status"),
    new RegExp(`Server has status "running" on pid ${server.daemon.pid}\\.\n[^]* \\+ ${id} ${rawPort} SHA256:`),
  );
  assert.match(await tool("addalias", id, "db.example.com"), /Alias added/);
  assert.match(
    await tool("addalias", "999999", "dc.example.com"),
    /Alias not added: There is no registration "999999"/,
  );
  assert.match(await tool("addalias", id, "not_a_name"), /Alias not added: "not_a_name" is not a host name/);
  const full = await tool("status", id);
  assert.match(full, /"[^"]+" @ 127\.0\.0\.1\n +\d{4}-\d\d-\d\dT.*\n.* \(ce\) on linux/);
  assert.match(full, /= db\.example\.com/);
  assert.match(await tool("removealias", id, "db.example.com"), /Alias deleted/);
  assert.doesNotMatch(await tool("status", id), /db\.example\.com/);
  assert.match(await tool("stop"), /Server is stopped\./);
  assert.equal(await server.daemon.process.exited, 0);
  const after = await run(join(FORMER as string, "petit-server"), ["status", "-c", server.config]);
  assert.match(after.stdout, /Server is not running/);
});

test("unless that is opened to them, the tools of 0.6.x see a server, and change nothing", OPTIONS, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { server, client, id } = await startExecutables(t, service.port);
  const tool = (...args: string[]) => former("petit-server", [...args, "-c", server.config]);
  assert.match(await tool("status"), /Server has status "running"/);
  assert.match(
    await tool("addalias", id, "db.example.com"),
    /Alias not added: .*not open to every user of this machine \(\[server\] localAccess = "read"\)/,
  );
  assert.doesNotMatch(await tool("stop"), /is stopped/);
  assert.match(await former("petit-client", ["status", "-c", client.config]), /"status": "running"/);
  assert.doesNotMatch(await former("petit-client", ["stop", "-c", client.config]), /stopped/);
  assert.ok(server.daemon.process.alive && client.daemon.process.alive);
});

test("the tools of 0.6.x see, change and stop a client", OPTIONS, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { client, id } = await startExecutables(t, service.port, OPEN);
  const tool = (...args: string[]) => former("petit-client", [...args, "-c", client.config]);
  const status = await tool("status");
  assert.match(status, new RegExp(`Client has status on pid ${client.daemon.pid}`));
  assert.match(status, new RegExp(`"status": "running"[^]*"id": "${id}"`));
  assert.match(await tool("log", "debug"), /Logging level set to "debug"/);
  assert.match(await tool("sping"), /Client ping: \{.*"milliseconds":/);
  configure(client.config, { "client.reconnectDelayMax": "7s" });
  assert.match(await tool("reload"), /Client is reloaded/);
  await client.daemon.logged(({ msg }) => /client\.reconnectDelayMax changed/.test(msg));
  assert.match(await tool("stop"), /Client stopped\./);
  assert.equal(await client.daemon.process.exited, 0);
  const after = await run(join(FORMER as string, "petit-client"), ["status", "-c", client.config]);
  assert.match(after.stderr, /Client isn't running/);
});

test("a start of 0.6.x does not start a second client beside one that runs", OPTIONS, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { client } = await startExecutables(t, service.port);
  const { stderr, code } = await run(join(FORMER as string, "petit-client"), ["start", "-c", client.config]);
  assert.equal(code, 101);
  assert.match(stderr, new RegExp(`already running on pid ${client.daemon.pid}`));
  assert.equal((await petit(["client", "stop", "-c", client.config])).code, 0);
});
