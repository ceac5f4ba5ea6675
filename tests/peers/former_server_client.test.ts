import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Detached } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { ClientProcess, configure, petit, petitExecutable } from "../world/executable.ts";
import { output } from "../world/processes.ts";
import { exchange } from "../world/raw_http.ts";
import { ShellTerminal } from "../world/shell_terminal.ts";
import { startSayer } from "../world/tenants.ts";
import { startWord } from "../world/word_service.ts";
import { clientCommand, fingerprintOf, get, initFor, registeredFor } from "./client_of_former.ts";
import { FORMER_SERVER } from "./former.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";

const ON_TERMINAL = [...FORMER_SERVER, "script"];

peerTest("a client registers with a 0.6.34 server, and all commands work", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await registeredFor(t, server, await startWord(t, "hello"));
  assert.match(readFileSync(client.keyFile, "utf8"), /^-----BEGIN RSA PRIVATE KEY-----/);
  assert.ok(existsSync(`${client.keyFile}.before`), "the key that init made is put aside");
  assert.deepEqual(JSON.parse(readFileSync(join(client.folder, "legacy_server"), "utf8")), {
    host: "127.0.0.1",
    plain: true,
  });

  await client.start();
  for (const port of [server.proxyPort, client.port]) {
    assert.match(await get(port, client.id), /^HTTP\/1\.1 200 [^]*hello/);
    assert.match(await get(port, client.id, "/-g2c-intercept"), /^HTTP\/1\.1 200 OK\r\n[^]*\{"success": true\}$/);
    assert.match(await get(port, client.id, "/-g2c-interceptor"), /^HTTP\/1\.1 200 [^]*hello/);
  }
  const ssh = await server.sshd.process.line((line) => line.includes("Accepted publickey"));
  assert.match(ssh, new RegExp(`for ${server.target.username} `));

  const status = JSON.parse(await clientCommand(client, "status", "--json"));
  assert.equal(status.status, "running");
  assert.deepEqual(status.server.vitae, {
    environment: "local",
    endpoint: `http://REGID.localhost:${server.proxyPort}`,
    version: "0.6.34",
  });
  assert.match(await clientCommand(client, "ping", "-n", "2", "-i", "0.1"), /2 sent, 2 answered/);
  assert.match(await clientCommand(client, "sping", "-n", "1"), /Service of \d+ \(default\) reached/);
  const checked = JSON.parse(await clientCommand(client, "check", "--json"));
  assert.equal(checked.ok, true);
  const told = checked.items.find(({ name }: { name: string }) => name === "server");
  assert.deepEqual([told.state, told.code], ["warning", "server-legacy"]);
  // Looking has not taken the daemon's place.
  assert.match(await get(server.proxyPort, client.id), /hello/);
  assert.match(
    await clientCommand(client, "inbound", "-n", "100"),
    /probe .* ok \(answered by the client itself: a petit 0\.6 server's probe\)/,
  );

  assert.match(await clientCommand(client, "unregister", "-t", "default"), /^Unregistered \d+ \(tenant default\)/);
  assert.match(await server.redis.command("EXISTS", `g2c/ids/${client.id}/key`), /^0$/m);
  await eventually("it is gone", async () => (await get(server.proxyPort, client.id)).includes(" 404 "));
  // The key stays, and the server gives the same id to whoever asks for it.
  const again = JSON.parse(await clientCommand(client, "register", "--json"));
  assert.deepEqual([again.id, again.port, again.daemon], [client.id, client.port, "reloaded"]);
  await eventually("it is back", async () => (await get(server.proxyPort, client.id)).endsWith("hello"));
});

peerTest("several tenants share a tunnel to a 0.6.34 server, also over a restart", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const made: { daemon?: Detached } = {};
  // Before its folder goes.
  t.after(() => made.daemon?.kill());
  const client = await registeredFor(t, server, await startWord(t, "first"));
  const daemon = made.daemon = new Detached("client", client.folder, client.config);
  const { pid: first } = await daemon.start();
  const add = async (name: string) => {
    await clientCommand(client, "lease", "-t", name, "-l", "127.0.0.1", "-p", String(await startWord(t, name)));
    const { id, port, daemon } = JSON.parse(await clientCommand(client, "register", "-t", name, "--json"));
    assert.equal(daemon, "reloaded");
    return { id, port } as { id: string; port: number };
  };
  const shop = await add("shop");
  const ledger = await add("ledger");
  const reached = async (id: string, port: number, word: string) => {
    assert.match(await get(server.proxyPort, id), new RegExp(`200[^]*${word}`));
    assert.match(await get(port, id), new RegExp(`200[^]*${word}`));
  };
  await reached(ledger.id, ledger.port, "ledger");
  await reached(shop.id, shop.port, "shop");
  await reached(client.id, client.port, "first");

  const { pid: second } = JSON.parse(await clientCommand(client, "restart", "--json"));
  assert.notEqual(second, first);
  await reached(shop.id, shop.port, "shop");
  await reached(client.id, client.port, "first");
  assert.match(await clientCommand(client, "evict", "shop"), /shop/);
  await eventually("it is gone", async () => (await get(server.proxyPort, shop.id)).includes(" 404 "));
  await reached(ledger.id, ledger.port, "ledger");
  // The server has taken an id away without anybody's asking: it refuses all of them then, and the others go on.
  await server.redis.command("DEL", `g2c/ids/${ledger.id}/key`, `g2c/ids/${ledger.id}/port`);
  const restarted = await daemon.run("restart", "--wait", "5s");
  assert.match(
    restarted.stderr,
    new RegExp(`not ready: the server does not know registration ${ledger.id} of this key`),
  );
  await reached(client.id, client.port, "first");
  const tenants = JSON.parse(await clientCommand(client, "tenants", "--json"));
  assert.deepEqual(
    tenants.map(({ tenant, served }: { tenant: string; served: boolean }) => [tenant, served]),
    [["default", true], ["ledger", false]],
  );
});

peerTest("a client comes back after its 0.6.34 server or the sshd was killed", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await (await registeredFor(t, server, await startWord(t, "hello"))).start();
  await server.process.stop("SIGKILL");
  const lost = await client.daemon.logged(({ msg }) => /^The tunnel to .* ended/.test(String(msg)));
  assert.equal(lost["cause"], "the server closed the connection without a word");
  await client.daemon.logged(({ code }) => code === "backchannel-unreachable");
  await server.start();
  const connections = () => client.daemon.log.filter(({ endpoint }) => endpoint !== undefined).length;
  await eventually("it is back", () => connections() === 2);
  assert.match(await get(server.proxyPort, client.id), /hello/);

  // The process of its session, which lives on without the one that listens.
  const sessions = await output("pgrep", ["-P", String(server.sshd.process.child.pid)]);
  for (const pid of sessions.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  await eventually("it is back", () => connections() === 3);
  assert.match(await get(server.proxyPort, client.id), /hello/);
  assert.match(await get(client.port, client.id), /hello/);
});

peerTest(
  "of two clients with one key at a 0.6.34 server the later one wins, and both say so",
  FORMER_SERVER,
  async (t) => {
    const server = await (await FormerServer.make(t)).start();
    const client = await (await registeredFor(t, server, await startWord(t, "one"))).start();
    const copy = new ClientProcess(t);
    cpSync(client.folder, copy.folder, {
      recursive: true,
      filter: (file) => !/\.(?:lock|pid|sock|db|log)$/.test(file),
    });
    copy.id = client.id;
    configure(copy.config, { "client.local.port": await startWord(t, "two") });
    // The sshd holds the port as long as the other tunnel stands.
    copy.takeFreePorts();
    const started = copy.start();
    const gaveWay = await client.daemon.logged(({ code }) => code === "taken-over");
    assert.match(String(gaveWay["hint"]), /A copy of this client's folder/);
    await started;
    assert.match(await get(server.proxyPort, client.id), /two/);
    await copy.daemon.logged(({ code, ids }) => code === "replaced" && String(ids) === client.id);
  },
);

peerTest("what a service says first comes through a 0.6.34 server", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await (await registeredFor(t, server, await startSayer(t, "220 welcome\r\n"))).start();
  assert.equal(await exchange(client.port, ""), "220 welcome\r\n");
});

peerTest("nobody is registered at a 0.6.34 server whose host key nobody vouches for", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await initFor(t, server, 1);
  const register = (...args: string[]) => petit(["client", "register", "-c", client.config, ...args]);
  const fingerprint = await fingerprintOf(server);
  const none = await register();
  assert.equal(none.code, 2);
  assert.match(none.stderr, /Nobody vouches for the host key of 127\.0\.0\.1:\d+, which is no petit server's/);
  assert.ok(none.stderr.includes(`--host-key ${fingerprint}`));
  const wrong = await register("--host-key", `SHA256:${"A".repeat(43)}`);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /shows the host key SHA256:/);
  const typo = await register("--host-key", "aa:bb");
  assert.equal(typo.code, 2);
  assert.match(await server.redis.command("EXISTS", "g2c/allids"), /^0$/m);
  // Its ports are not gone from the set for nothing either.
  await server.redis.command("DEL", "g2c/openPorts");
  const full = await register("--host-key", fingerprint);
  assert.match(full.stderr, /has no reverse port to give/);
  assert.ok(!existsSync(join(client.folder, "known_hosts")));
});

peerTest("on a terminal, a person is asked for the host key of a 0.6.34 server", ON_TERMINAL, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await initFor(t, server, 1);
  const fingerprint = await fingerprintOf(server);
  for (const [answer, outcome] of [["no", /was not confirmed/], [fingerprint, /Registered as \d+ with/]] as const) {
    const command = `${petitExecutable} client register -c ${client.config}`;
    const terminal = new ShellTerminal(t, command, client.folder, {});
    const asked = await terminal.until(/Is this the right key/);
    assert.ok(asked.includes(`host key is ${fingerprint}`), asked);
    assert.match(asked, /is not encrypted, and registers whoever comes/);
    terminal.type(`${answer}\n`);
    await terminal.until(outcome);
  }
});

peerTest("a client of a 0.6.34 server keeps to the host key", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const client = await registeredFor(t, server, await startWord(t, "hello"));
  // A user that its sshd does not know says nothing of the registration.
  configure(client.config, { "client.username": "nobody-here" });
  const unregistered = await petit(["client", "unregister", "-a", "-c", client.config]);
  assert.equal(unregistered.code, 1);
  assert.match(unregistered.stderr, /does not let "nobody-here" in with the key/);
  assert.match(unregistered.stderr, /Check \[client\] username/);
  configure(client.config, { "client.username": server.target.username });
  assert.match(await clientCommand(client, "ping", "-n", "1"), /1 answered/);

  const other = await (await FormerServer.make(t)).start();
  configure(client.config, { "client.port": other.target.sshPort, "client.backPort": other.target.backPort });
  const elsewhere = await petit(["client", "ping", "-c", client.config]);
  assert.match(elsewhere.stderr, /No host key is known for 127\.0\.0\.1/);
  const known = join(client.folder, "known_hosts");
  writeFileSync(known, `[127.0.0.1]:${other.target.sshPort} ${server.sshd.hostKey}\n`);
  const wrong = await petit(["client", "ping", "-c", client.config]);
  assert.match(wrong.stderr, /shows another host key/);
});
