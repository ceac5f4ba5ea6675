import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { echoHead, grant } from "../world/access.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { makeWorld, startService, TestClient, TestServer, type World } from "../world/world.ts";

const ask = ({ proxyPort, id }: World, ...lines: string[]) =>
  exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close", ...lines));
const codeOf = (answer: string) => /"code":"([^"]*)"/.exec(answer)?.[1];

test("requests come in from the addresses of the list only, whatever else they show", async (t) => {
  const world = await makeWorld(t, echoHead);
  const { access } = world.server.running.control;
  const { shown } = await grant(world.server, world.id);
  for (const list of [["127.0.0.0/8"], ["127.0.0.1"], ["::1", "127.0.0.1/32"], ["0.0.0.0/0"]]) {
    access.set(world.id, { allow: list });
    assert.equal(statusOf(await ask(world)), 200, String(list));
  }
  for (const list of [["10.0.0.0/8"], ["127.0.0.2"], ["::1/128"], ["128.0.0.0/1"]]) {
    access.set(world.id, { allow: list, require: ["bearer"] });
    const answer = await ask(world, `Authorization: ${shown}`, "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1");
    assert.deepEqual([statusOf(answer), codeOf(answer)], [403, "caller-not-allowed"], String(list));
  }
  access.set(world.id, { allow: ["127.0.0.1"], require: ["bearer"] });
  assert.equal(statusOf(await ask(world)), 401, "an address alone is not enough where more is wanted");
  assert.equal(statusOf(await ask(world, `Authorization: ${shown}`)), 200);
});

test("behind a balancer that is trusted, each request is judged by the address that the balancer tells of", async (t) => {
  const world = await makeWorld(t, echoHead, { server: 'trustedProxies = ["127.0.0.0/8", "10.9.9.9"]' });
  world.server.running.control.access.set(world.id, { allow: ["192.0.2.0/24", "2001:db8::/32"] });
  const caller = new RawCaller(world.proxyPort);
  const status = async (...lines: string[]) => {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, ...lines));
    return (await takeAnswer(caller)).status;
  };
  assert.equal(await status("X-Forwarded-For: 192.0.2.7"), 200);
  assert.equal(await status("X-Forwarded-For: 198.51.100.1"), 403, "the next one on the same connection");
  assert.equal(await status("X-Forwarded-For: 192.0.2.7, 198.51.100.1"), 403, "what the caller itself has claimed");
  assert.equal(await status("X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 198.51.100.1"), 403);
  assert.equal(await status("X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.9.9.9"), 200);
  assert.equal(await status('Forwarded: for="[2001:db8::1]:4711"'), 200);
  assert.equal(await status("X-Forwarded-For: ::ffff:192.0.2.7"), 200);
  // Which of the two the balancer writes is not known: what only one of them says may be the caller's own words.
  assert.equal(await status("X-Forwarded-For: 192.0.2.7", "Forwarded: for=198.51.100.1"), 403);
  assert.equal(await status("X-Forwarded-For: 198.51.100.1", "Forwarded: for=192.0.2.7"), 403);
  assert.equal(await status("X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.8"), 403);
  assert.equal(await status("X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7"), 200);
  assert.equal(await status("Forwarded: for=unknown"), 403);
  assert.equal(await status(), 403, "the balancer's own address is not in the list");
  caller.close();
});

test("an IPv4 caller of an IPv6 socket is known by its IPv4 address", async (t) => {
  const service = await startService(t, echoHead);
  const server = new TestServer(t, "", '[server.access]\nallow = ["127.0.0.0/8"]\n');
  server.config.server.proxyHost = "::ffff:127.0.0.1";
  await server.start();
  const client = await new TestClient(t, server, service.port).register(server.joinCode());
  await client.start();
  const { registeredId } = client.registered;
  const request = head("GET / HTTP/1.1", `Host: ${registeredId}`, "Connection: close");
  assert.equal(statusOf(await exchange(server.running.proxyPort, request)), 200);
  server.running.control.access.set(registeredId, { allow: ["10.0.0.0/8"] });
  assert.equal(statusOf(await exchange(server.running.proxyPort, request)), 403);
});

test("a reload of the default is in force for the next request on an open connection", async (t) => {
  const world = await makeWorld(t, echoHead);
  const { control } = world.server.running;
  const caller = new RawCaller(world.proxyPort);
  const status = async () => {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    return (await takeAnswer(caller)).status;
  };
  assert.equal(await status(), 200);
  const reload = (text: string) => control.reload(parseConfig(text, `${world.server.folder}/config.toml`).server);
  const { changed } = reload('[server.access]\nallow = ["10.0.0.0/8"]\nrawAllow = ["10.0.0.0/8"]\n');
  assert.ok(changed.includes("server.access.allow") && changed.includes("server.access.rawAllow"));
  assert.equal(await status(), 403);
  reload("");
  assert.equal(await status(), 200);
  caller.close();
});

/** A service that sends back what it gets, and a count of those who came. */
async function echoing(t: TestContext): Promise<World & { came: () => number }> {
  let came = 0;
  const world = await makeWorld(t, (socket) => {
    came++;
    socket.on("data", (bytes) => socket.write(bytes));
    socket.on("end", () => socket.end());
  });
  return { ...world, came: () => came };
}

/** A connection to a reverse port that has carried something. */
async function connected(port: number): Promise<RawCaller> {
  const caller = new RawCaller(port);
  caller.send("hello");
  assert.equal(await caller.take(5), "hello");
  return caller;
}

test("a reverse port takes connections from the addresses of its list only, before anything is opened for them", async (t) => {
  const { server, id, rawPort, came } = await echoing(t);
  const { access } = server.running.control;
  access.set(id, { rawAllow: ["10.0.0.0/8"] });
  const refused = new RawCaller(rawPort);
  refused.send("hello");
  assert.equal(await refused.closed, "ECONNRESET");
  const line = await server.logged(({ code }) => code === "caller-not-allowed");
  assert.equal(line["id"], id);
  assert.equal(line["address"], "127.0.0.1");
  assert.equal(came(), 0);
  access.set(id, { rawAllow: ["127.0.0.0/8"], allow: ["10.0.0.0/8"], require: ["bearer"] });
  (await connected(rawPort)).close();
});

test("open connections to a reverse port end when their address is taken from the list, and others stay", async (t) => {
  const { server, id, rawPort } = await echoing(t);
  const { access } = server.running.control;
  access.set(id, { rawAllow: ["127.0.0.1"] });
  const caller = await connected(rawPort);
  access.set(id, { rawAllow: ["127.0.0.0/8"] });
  caller.send("again");
  assert.equal(await caller.take(5), "again");
  access.set(id, { rawAllow: ["10.0.0.0/8"] });
  assert.equal(await caller.closed, "ECONNRESET");
  await server.logged(({ code }) => code === "access-revoked");
});

test("a reverse port has no more connections at the same time than it may", async (t) => {
  const { server, id, rawPort, came } = await echoing(t);
  server.running.control.access.set(id, { maxRawCallers: 2 });
  const [first, second] = [await connected(rawPort), await connected(rawPort)];
  const third = new RawCaller(rawPort);
  assert.equal(await third.closed, "ECONNRESET");
  await server.logged(({ code }) => code === "port-full");
  assert.equal(came(), 2);
  first.close();
  await eventually("there is room again", async () => {
    const caller = new RawCaller(rawPort);
    caller.send("hello");
    const got = await Promise.race([caller.closed, caller.take(5).catch(() => "")]);
    caller.close();
    return got === "hello";
  });
  second.send("still");
  assert.equal(await second.take(5), "still");
  second.close();
});

test("a rule that cannot be read lets nobody in", async (t) => {
  const { server, id, proxyPort, rawPort } = await echoing(t);
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(server.config.server.registryUrl.slice("sqlite:".length));
  db.prepare("INSERT INTO access_rules VALUES (?, ?)").run(Number(id), '{"allow":["anybody"]}');
  db.close();
  const request = head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close");
  await eventually("nobody is let in", async () => statusOf(await exchange(proxyPort, request)) === 403);
  assert.equal(await new RawCaller(rawPort).closed, "ECONNRESET");
  assert.match(server.running.control.statusOf(id).access, /damaged/);
});
