import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { eventually } from "../world/eventually.ts";
import { ClientProcess } from "../world/executable.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { exchange, getOnce, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { startService, TestClient } from "../world/world.ts";
import { makeSshdWorld, NEEDS, startOpensshMode, startSshdServer } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";
import { sessionsOf } from "./sshd.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/** Who is away for a moment is waited for. */
const HOLDS = 'holdFor = "5s"\n';

const get = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

peerTest("the executables register with a join code and connect through the system's sshd", NEEDS, async (t) => {
  const web = await startService(t, new AnsweringService(OK).accept);
  const { server } = await startOpensshMode(t);
  const client = await new ClientProcess(t).register(await server.joinCode(), web.port);
  await client.start();
  assert.equal(statusOf(await getOnce(server.proxyPort, `${client.id}.example.com`)), 200);
});

peerTest("a hundred requests share a few connections to the service, through sshd's listener", NEEDS, async (t) => {
  const service = new AnsweringService(OK);
  const { proxyPort, host } = await makeSshdWorld(t, service.accept);
  const callers = Array.from({ length: 4 }, () => new RawCaller(proxyPort));
  for (let round = 0; round < 25; round++) {
    for (const caller of callers) caller.send(get(host));
    for (const caller of callers) assert.equal((await takeAnswer(caller)).body, "hello");
  }
  for (const caller of callers) caller.close();
  assert.ok(service.connections <= 4, `${service.connections} connections`);
});

peerTest("a large body goes to the service and back unchanged", NEEDS, async (t) => {
  const { proxyPort, host, rawPort } = await makeSshdWorld(t, (socket) => {
    let length = -1;
    let body = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      body = Buffer.concat([body, bytes]);
      const end = length < 0 ? body.indexOf("\r\n\r\n") : -1;
      if (end >= 0) {
        length = Number(/content-length: (\d+)/i.exec(body.toString("latin1", 0, end))?.[1]);
        body = body.subarray(end + 4);
      }
      if (length >= 0 && body.length === length) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
        socket.write(body);
        length = -1;
        body = Buffer.alloc(0);
      }
    });
  });
  const body = randomBytes(4 * 1024 ** 2);
  const sum = createHash("sha256").update(body).digest("hex");
  // The reverse port is sshd's own listener.
  for (const port of [proxyPort, rawPort]) {
    const caller = new RawCaller(port);
    caller.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n`);
    caller.socket.write(body);
    const answer = await takeAnswer(caller);
    caller.close();
    assert.equal(createHash("sha256").update(Buffer.from(answer.body, "latin1")).digest("hex"), sum);
  }
});

peerTest("an upgraded connection carries bytes both ways, and half-closes", NEEDS, async (t) => {
  const { proxyPort, host } = await makeSshdWorld(t, (socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.on("data", (bytes) => socket.write(bytes));
      socket.on("end", () => socket.end("and the end"));
    });
  });
  const caller = new RawCaller(proxyPort);
  caller.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
  assert.equal(statusOf(await caller.takeHead()), 101);
  caller.send("there and back");
  assert.equal(await caller.take(14), "there and back");
  caller.socket.end();
  assert.equal(await caller.all(), "and the end");
});

peerTest("a reader that pauses stops the service, and gets everything afterwards", NEEDS, async (t) => {
  const size = 64 * 1024 ** 2;
  let written = 0;
  const { proxyPort, host } = await makeSshdWorld(t, (socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      const piece = Buffer.alloc(64 * 1024);
      const next = () => {
        if (written >= size) return;
        written += piece.length;
        socket.write(piece, next);
      };
      next();
    });
  });
  const caller = new RawCaller(proxyPort);
  caller.send(get(host));
  await caller.takeHead();
  caller.socket.pause();
  let before = -1;
  await eventually("the service is stopped", () => {
    const quiet = written === before;
    before = written;
    return quiet && written > 0;
  });
  assert.ok(written < size, `${written} bytes wait somewhere`);
  let got = caller.received.length;
  caller.received = "";
  caller.socket.removeAllListeners("data");
  await new Promise<void>((resolve) => {
    caller.socket.on("data", (bytes: Buffer) => (got += bytes.length) >= size && resolve());
    caller.socket.resume();
  });
  assert.equal(got, size);
  caller.close();
});

peerTest("status, lights and probes tell how it is", NEEDS, async (t) => {
  const { server, client, id, service } = await makeSshdWorld(t, new AnsweringService(OK).accept, { probe: "/" });
  await eventually("all lights are green", () => {
    const { lights } = server.running.control.statusOf(id);
    return [lights.client, lights.tunnel, lights.service].every(({ state }) => state === "green");
  });
  const { tunnel } = client.running.control.status();
  assert.ok(tunnel !== null);
  const [probed] = await client.running.control.probe("default");
  assert.equal(probed?.reached, true);
  for (const socket of service.sockets) socket.destroy();
  service.server.close();
  const [again] = await client.running.control.probe("default");
  assert.equal(again?.reached, false);
});

peerTest("a client that is killed is back at once, and its disconnect is on record", NEEDS, async (t) => {
  const { server, client, id, proxyPort, host, sshd } = await makeSshdWorld(t, new AnsweringService(OK).accept, {
    server: HOLDS,
  });
  const [session] = sessionsOf(sshd.process.child.pid as number);
  assert.ok(session !== undefined);
  process.kill(session, "SIGKILL");
  await server.logged((line) => line["id"] === id && line.msg.includes("disconnected"));
  const begun = performance.now();
  assert.equal(statusOf(await getOnce(proxyPort, host)), 200);
  assert.ok(performance.now() - begun < 5000);
  const [disconnect] = server.running.control.statusOf(id).disconnects;
  assert.equal(disconnect?.code, "closed");
  await client.stop();
  await eventually("its line says that it stopped", () => server.running.control.statusOf(id).tunnel === null);
});

peerTest("a session of sshd that hangs gives its port up to the client that comes back", NEEDS, async (t) => {
  const { server, client, id, proxyPort, host, sshd } = await makeSshdWorld(t, new AnsweringService(OK).accept, {
    server: HOLDS,
    client: 'serverAliveInterval = "1s"\nserverAliveCountMax = 1\n',
  });
  const sessions = sessionsOf(sshd.process.child.pid as number);
  for (const session of sessions) process.kill(session, "SIGSTOP");
  await server.logged((line) => line["id"] === id && line.msg.includes("took over from its older tunnel"));
  await client.logged((line) => line["code"] === undefined && line.msg.startsWith("The tunnel to"));
  await eventually("it is served again", async () => statusOf(await getOnce(proxyPort, host)) === 200);
  assert.equal(server.running.control.statusOf(id).disconnects[0]?.code, "taken-over");
});

peerTest("the tunnel stands while the server is started again", NEEDS, async (t) => {
  const { server, client, id, host, service } = await makeSshdWorld(t, new AnsweringService(OK).accept);
  const { tunnel } = client.running.control.status();
  await server.stop();
  await server.start();
  assert.equal(statusOf(await getOnce(server.running.proxyPort, host)), 200);
  await eventually("its client has introduced itself again", () => {
    const { lights } = server.running.control.statusOf(id);
    return lights.client.state === "green" && lights.tunnel.state === "green";
  });
  assert.equal(client.running.control.status().tunnel?.since, tunnel?.since);
  assert.ok(service.sockets.size > 0);
});

peerTest("sshd's restart is survived too", NEEDS, async (t) => {
  const { sshd, server, id, proxyPort, host } = await makeSshdWorld(t, new AnsweringService(OK).accept, {
    server: HOLDS,
  });
  for (const session of sessionsOf(sshd.process.child.pid as number)) process.kill(session, "SIGKILL");
  await server.logged((line) => line["id"] === id && line.msg.includes("disconnected"));
  assert.equal(statusOf(await getOnce(proxyPort, host)), 200);
});

peerTest("of two clients with a copied key the later one wins, and both logs say so", NEEDS, async (t) => {
  const { server, client, id, proxyPort, host, service } = await makeSshdWorld(t, new AnsweringService(OK).accept, {
    server: HOLDS,
  });
  const copy = new TestClient(t, server, service.port);
  for (const file of ["key", "known_hosts"]) {
    writeFileSync(`${copy.folder}/${file}`, readFileSync(`${client.folder}/${file}`), { mode: 0o600 });
  }
  const { host: name, port, username, backPort } = client.config.client;
  Object.assign(copy.config.client, { host: name, port, username, backPort });
  const { writeRegistration } = await import("../../src/client/state.ts");
  writeRegistration(copy.folder, "default", client.registered);
  await copy.start();
  await client.logged(({ code }) => code === "taken-over");
  await server.logged((line) => line["id"] === id && line.msg.includes("took over from its older tunnel"));
  assert.equal(statusOf(await getOnce(proxyPort, host)), 200);
  assert.equal(client.running.control.status().waiting?.code, "taken-over");
});

peerTest("unregistering takes the key out of the file, and ends the tunnel", NEEDS, async (t) => {
  const { sshd, server, client, id, rawPort } = await makeSshdWorld(t, new AnsweringService(OK).accept);
  const foreign = "# somebody's\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdBt9E8f4j7Waq6CfVG/2Z1nI9j+WNPMb7CWegWfAuP me";
  writeFileSync(sshd.authorizedKeys, `${foreign}\n${readFileSync(sshd.authorizedKeys, "latin1")}`);
  const line = () => readFileSync(sshd.authorizedKeys, "latin1");
  assert.ok(line().includes(` petit:${id}\n`));
  const registry = openRegistry(server.config.server.registryUrl);
  registry.unregister(id);
  registry.close();
  await eventually("the line is gone", () => !line().includes("petit:"));
  assert.equal(line(), `${foreign}\n`);
  await client.logged(({ code }) => code === "login-refused");
  assert.equal(await exchange(rawPort, "GET / HTTP/1.1\r\n\r\n"), "");
});

peerTest("a line that was removed or changed is put right, between whatever else stands there", NEEDS, async (t) => {
  const { sshd, server } = await startSshdServer(t);
  const service = await startService(t, new AnsweringService(OK).accept);
  const client = await new TestClient(t, server, service.port).register(server.joinCode());
  const right = readFileSync(sshd.authorizedKeys, "latin1");
  assert.ok(right.includes(`permitlisten="127.0.0.1:${client.registered.registeredPort}"`));
  for (const wrong of ["", right.replace("restrict,", ""), `other\n${right.slice(0, 40)}\n`]) {
    writeFileSync(sshd.authorizedKeys, wrong);
    await eventually("it is right again", () => readFileSync(sshd.authorizedKeys, "latin1").endsWith(right));
  }
  const foreign = `\xff\x00 broken\r\nssh-ed25519 AAAA cut off\n${"x".repeat(1024 ** 2)}\n`;
  writeFileSync(sshd.authorizedKeys, Buffer.from(`${foreign}no end`, "latin1"));
  const wanted = `${foreign}no end\n${right}`;
  await eventually("its lines are there", () => readFileSync(sshd.authorizedKeys, "latin1") === wanted);
  // sshd finds its way through that too.
  await client.start();
});
