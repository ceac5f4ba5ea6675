import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { eventually } from "../world/eventually.ts";
import { petit } from "../world/executable.ts";
import { RawCaller, takeAnswer } from "../world/raw_http.ts";
import type { Scope } from "../world/temporary_folder.ts";
import { listenOn, startService } from "../world/world.ts";
import { FORMER_CLIENT } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { isServed, legacyWorld, serverOfFormer, statusOf } from "./former_world.ts";
import { peerTest } from "./peer_test.ts";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** An HTTP service that says what it was sent, on connections that it keeps. */
async function startWeb(scope: Scope, name = "web") {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url as string);
    const pieces: Buffer[] = [];
    request.on("data", (bytes: Buffer) => pieces.push(bytes)).on("end", () => {
      const body = Buffer.concat(pieces);
      if (request.url?.startsWith("/many/") === true) response.setHeader("connection", "close");
      if (request.url === "/back") response.end(body);
      else response.end(`${name} ${request.method} ${request.url} ${body.length} ${sha256(body).slice(0, 8)}`);
    });
  });
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: await listenOn(server), paths };
}

peerTest("a client of 0.6.34 is registered, and its service is reached by HTTP", FORMER_CLIENT, async (t) => {
  const web = await startWeb(t);
  const { server, client, id, port } = await legacyWorld(t, web.port);
  assert.ok(port >= 1024);
  const host = `${id}.example.com`;
  const caller = new RawCaller(server.proxyPort);
  for (let n = 1; n <= 50; n++) {
    caller.send(`GET /${n} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match((await takeAnswer(caller)).body, new RegExp(`^web GET /${n} 0 `));
    caller.send(`POST /${n} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\n12345`);
    assert.match((await takeAnswer(caller)).body, new RegExp(`^web POST /${n} 5 `));
  }
  caller.close();
  const url = `http://127.0.0.1:${server.proxyPort}`;
  const body = randomBytes(9_000_000);
  const up = await fetch(`${url}/up`, { method: "POST", body, headers: { host } });
  assert.equal(await up.text(), `web POST /up 9000000 ${sha256(body).slice(0, 8)}`);
  const back = await fetch(`${url}/back`, { method: "POST", body, headers: { host } });
  assert.equal(sha256(Buffer.from(await back.arrayBuffer())), sha256(body));
  // Many at once, and none of them is left open.
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => fetch(`${url}/many/${n}`, { headers: { host } }).then((one) => one.text())),
  );
  assert.deepEqual(answers.map((text) => text.split(" ")[2]), answers.map((_, n) => `/many/${n}`));
  await eventually("its channels are closed", async () => (await statusOf(server, id)).tunnel?.channels === 0);
  assert.equal(client.heals, false);
  assert.match(
    readFileSync(join(client.folder, "endpoint"), "utf8"),
    new RegExp(`^http://${id}\\.localhost:${server.proxyPort}\n$`),
  );
});

peerTest("the reverse port of a client of 0.6.34 carries raw connections", FORMER_CLIENT, async (t) => {
  const echo = await startService(t, (socket) => {
    socket.on("data", (bytes) => socket.write(bytes)).on("end", () => socket.end());
  });
  const { port, client } = await legacyWorld(t, echo.port);
  const sent = randomBytes(3_000_000);
  const received = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const pieces: Buffer[] = [];
    let size = 0;
    socket.on("data", (bytes: Buffer) => {
      pieces.push(bytes);
      size += bytes.length;
      if (size === sent.length) socket.end();
    }).on("close", () => resolve(Buffer.concat(pieces))).on("error", reject);
    socket.write(sent);
  });
  assert.equal(sha256(received), sha256(sent));
  await eventually("the service's connection is closed", () => echo.sockets.size === 0);
  assert.equal(client.heals, false);
});

peerTest("a client of 0.6.34 is shown as it is", FORMER_CLIENT, async (t) => {
  const web = await startWeb(t);
  const { server, client, id } = await legacyWorld(t, web.port, { client: { "client.vitae.brand": "acme" } });
  await eventually("what it tells of itself is known", async () => (await statusOf(server, id)).brand === "acme");
  const fresh = await statusOf(server, id);
  assert.equal(fresh.connected, true);
  assert.deepEqual([fresh.vitae?.version, fresh.old], ["0.6.34", true]);
  assert.deepEqual([fresh.lights.client.state, fresh.lights.tunnel.state], ["green", "green"]);
  assert.equal(fresh.lights.service.state, "unknown", "it opens channels without asking its service");
  await (await fetch(`http://127.0.0.1:${server.proxyPort}/`, { headers: { host: id } })).text();
  const called = await statusOf(server, id);
  assert.equal(called.lights.service.state, "green");
  const status = await client.succeed("status");
  assert.match(status, new RegExp(`"status": "running"[^]*"id": "${id}"`));
  assert.match(status, /"environment": "local"/);
  assert.match(await client.succeed("sping"), /didPing1/);
  assert.match(await client.succeed("check"), /up.to.date|No |false/i);
  const metrics = await petit(["server", "status", "-c", server.config]);
  assert.match(metrics.stdout, new RegExp(id));
  const told = await server.daemon.logged(({ code }) => code === "old-clients");
  assert.deepEqual([told["count"], told["total"], told["ids"]], [1, 2, [id]]);
});

peerTest(
  "the loopback probe of 0.6.34 is answered by the client's end, whatever was asked before",
  FORMER_CLIENT,
  async (t) => {
    const web = await startWeb(t);
    const { server, id } = await legacyWorld(t, web.port);
    const caller = new RawCaller(server.proxyPort);
    for (let n = 0; n < 20; n++) {
      // This leaves a channel behind that is used for the next request.
      caller.send(`GET /${n} HTTP/1.1\r\nHost: ${id}\r\n\r\n`);
      assert.equal((await takeAnswer(caller)).status, 200);
      caller.send(`GET /-g2c-intercept HTTP/1.1\r\nHost: ${id}\r\n\r\n`);
      const { status, body } = await takeAnswer(caller);
      assert.deepEqual([status, JSON.parse(body)], [200, { success: true }]);
    }
    caller.close();
    assert.deepEqual(web.paths.filter((path) => path.includes("g2c")), []);
  },
);

peerTest(
  "each tenant of a client of 0.6.34 has a tunnel of its own, and all are served at once",
  FORMER_CLIENT,
  async (t) => {
    const [one, two, three] = [await startWeb(t, "one"), await startWeb(t, "two"), await startWeb(t, "three")];
    const { server, target } = await serverOfFormer(t);
    const client = await FormerClient.init(t, target);
    const first = await client.register(one.port, "first");
    const second = await client.register(two.port, "second");
    const third = await client.register(three.port, "third");
    assert.equal(new Set([first.id, second.id, third.id]).size, 3);
    await client.start();
    const ask = async (id: string) =>
      (await (await fetch(`http://127.0.0.1:${server.proxyPort}/`, { headers: { host: id } })).text()).split(" ")[0];
    for (const { id } of [first, second, third]) await isServed(server, id);
    assert.deepEqual(await Promise.all([first, second, third].map(({ id }) => ask(id))), ["one", "two", "three"]);
    const addresses = await Promise.all([first, second, third].map(({ id }) => statusOf(server, id)));
    assert.equal(new Set(addresses.map(({ fingerprint }) => fingerprint)).size, 1);
    // One of them is given back while the others go on.
    await client.succeed("unregister", "-r", second.id);
    await client.succeed("reload");
    await eventually(
      "the others are back",
      async () => (await statusOf(server, first.id)).connected && (await statusOf(server, third.id)).connected,
    );
    assert.deepEqual(await Promise.all([first, third].map(({ id }) => ask(id))), ["one", "three"]);
    const gone = await fetch(`http://127.0.0.1:${server.proxyPort}/`, { headers: { host: second.id } });
    assert.equal(gone.status, 404);
    assert.equal(client.heals, false);
  },
);

peerTest(
  "a service that is down is told of at once, and is well again with the next answer",
  FORMER_CLIENT,
  async (t) => {
    const closed = await startService(t, (socket) => socket.destroy());
    await new Promise((resolve) => closed.server.close(resolve));
    const { server, id, port, client } = await legacyWorld(t, closed.port);
    const url = `http://127.0.0.1:${server.proxyPort}/`;
    const begun = performance.now();
    for (const method of ["GET", "POST"]) {
      const refused = await fetch(url, { method, headers: { host: id } });
      assert.equal(refused.status, 502);
      assert.match(await refused.text(), /service-closed/);
    }
    assert.ok(performance.now() - begun < 2000);
    assert.equal(client.count("ECONNREFUSED"), 2, "one attempt for each request");
    const { service } = (await statusOf(server, id)).lights;
    assert.deepEqual([service.state, service.code], ["red", "service-closed"]);
    const raw = await new Promise<string>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => {}).on("close", () => resolve("closed")).on("data", () => resolve("data"));
      socket.write("hello");
    });
    assert.equal(raw, "closed");
    const web = createServer((_, response) => response.end("back"));
    t.after(() => (web.closeAllConnections(), web.close()));
    await listenOn(web, closed.port);
    assert.equal(await (await fetch(url, { headers: { host: id } })).text(), "back");
    assert.equal((await statusOf(server, id)).lights.service.state, "green");
    assert.equal(client.heals, false);
  },
);

peerTest(
  "keys are exchanged anew under a client of 0.6.34 while nothing is under way that it would lose",
  FORMER_CLIENT,
  async (t) => {
    const echo = createServer((request, response) => request.pipe(response));
    t.after(() => (echo.closeAllConnections(), echo.close()));
    const { server, client, id } = await legacyWorld(t, await listenOn(echo), {
      server: { "server.ssh.rekeyLimit": "1MiB", "server.ssh.rekeyInterval": "1s" },
      env: { NODE_OPTIONS: `--no-deprecation --require ${join(import.meta.dirname, "former_debug.cjs")}` },
    });
    const body = Buffer.alloc(2_000_000, "petit");
    const ask = async () => {
      const signal = AbortSignal.timeout(10_000);
      const url = `http://127.0.0.1:${server.proxyPort}/`;
      const answer = await fetch(url, { method: "POST", body, headers: { host: id }, signal });
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
    };
    for (let times = 1; times <= 3; times++) {
      for (let asked = 0; asked < 5; asked++) await ask();
      await eventually("keys are exchanged", () => client.count("keys are exchanged") >= times);
    }
    await ask();
    assert.equal(client.count("Tunnel connected."), 1);
  },
);
