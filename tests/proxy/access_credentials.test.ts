import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { OwnAccess } from "../../src/registry/access.ts";
import { basic, echoHead, grant } from "../world/access.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { addTenant } from "../world/tenants.ts";
import { asking, SWITCHING } from "../world/websocket.ts";
import { makeWorld, startService, type World } from "../world/world.ts";

/** A world whose service answers with the head that it got, and whose registration has a rule. */
async function guarded(
  t: TestContext,
  rule: OwnAccess,
  settings: { server?: string; ssh?: string } = {},
): Promise<World> {
  const world = await makeWorld(t, echoHead, settings);
  world.server.running.control.access.set(world.id, rule);
  return world;
}

/** Sends a GET on a connection of its own. */
function ask({ proxyPort, id }: World, ...lines: string[]): Promise<string> {
  return exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close", ...lines));
}

const codeOf = (answer: string) => /"code":"([^"]*)"/.exec(answer)?.[1];

test("a request without credentials is told which ones are wanted", async (t) => {
  const world = await guarded(t, { require: ["bearer", "basic"] });
  const answer = await ask(world);
  assert.equal(statusOf(answer), 401);
  assert.equal(codeOf(answer), "credentials-missing");
  assert.deepEqual(valuesOf(answer.slice(0, answer.indexOf("\r\n\r\n") + 4), "www-authenticate"), [
    'Bearer realm="petit"',
    'Basic realm="petit", charset="UTF-8"',
  ]);
});

test("a token lets a request in, in any case of the scheme, and is kept from the service", async (t) => {
  const world = await guarded(t, { require: ["bearer"] });
  const { secret } = await grant(world.server, world.id);
  for (const line of [`Authorization: Bearer ${secret}`, `authorization: bEARER   ${secret}`]) {
    const answer = await ask(world, line, "X-Other: stays");
    assert.equal(statusOf(answer), 200, line);
    assert.doesNotMatch(answer, /authorization|petit_/i);
    assert.match(answer, /\r\nX-Other: stays\r\n/);
  }
});

test("what is not quite a token is refused, and says so", async (t) => {
  const world = await guarded(t, { require: ["bearer"] });
  const { id, secret } = await grant(world.server, world.id);
  const other = await grant(world.server, world.id);
  const unknown = secret.replace(id, id === "000000000000" ? "000000000001" : "000000000000");
  const mixed = secret.replace(id, other.id);
  const wrongs = [
    `Bearer ${secret.slice(0, -1)}`,
    `Bearer ${secret}A`,
    `Bearer ${secret.toUpperCase()}`,
    `Bearer ${unknown}`,
    `Bearer ${mixed}`,
    `Bearer ${secret}, Bearer ${secret}`,
    `Bearer ${secret} x`,
    "Bearer",
    "Bearer petit",
    `Bearer "${secret}"`,
    `Bearer ${secret}%00`,
  ];
  for (const shown of wrongs) {
    const answer = await ask(world, `Authorization: ${shown}`);
    assert.equal(codeOf(answer), "credentials-wrong", shown);
    assert.match(answer, /\r\nWWW-Authenticate: Bearer realm="petit", error="invalid_token"\r\n/);
  }
  for (const shown of ["", `Digest username="x"`, secret, `Basic ${Buffer.from(`x:${secret}`).toString("base64")}`]) {
    assert.equal(codeOf(await ask(world, `Authorization: ${shown}`)), "credentials-missing", shown);
  }
  for (const line of [`Proxy-Authorization: Bearer ${secret}`, `X-Authorization: Bearer ${secret}`]) {
    assert.equal(codeOf(await ask(world, line)), "credentials-missing", line);
  }
});

test("a user's password lets a request in: one that petit has made, and one of the user's own choice", async (t) => {
  const world = await guarded(t, { require: ["basic"] });
  const made = await grant(world.server, world.id, { kind: "basic", user: "ann" });
  await grant(world.server, world.id, { kind: "basic", user: "jörg", password: "grüße: ein Paßwort" });
  const good = [made.shown, made.shown.replace("Basic", "bAsIc"), basic("jörg", "grüße: ein Paßwort")];
  // The same letters, taken apart: what one keyboard sends for "ö" is not what another does.
  good.push(basic("jo\u0308rg", "gru\u0308ße: ein Paßwort"));
  // Twice: the second time it is remembered.
  for (const shown of [...good, ...good]) {
    assert.equal(statusOf(await ask(world, `Authorization: ${shown}`)), 200, shown);
  }
  for (
    const shown of [
      basic("ann", "grüße: ein Paßwort"),
      basic("Ann", made.secret),
      "Basic ****",
      "Basic",
      `Basic ${Buffer.from("ann").toString("base64")}`,
      `Basic ${Buffer.from("ann\0:x").toString("base64")}`,
      `Basic ${Buffer.from([0x61, 0xff, 0x3a, 0x62]).toString("base64")}`,
    ]
  ) assert.equal(codeOf(await ask(world, `Authorization: ${shown}`)), "credentials-wrong", shown);
  assert.equal(codeOf(await ask(world, `Authorization: Bearer ${made.secret}`)), "credentials-missing");
});

test("guessing passwords is slowed by address, whoever is asked for; what is right and known goes on", async (t) => {
  const world = await guarded(t, { require: ["basic"] });
  const { shown } = await grant(world.server, world.id, { kind: "basic", user: "ann", password: "correct horse" });
  assert.equal(statusOf(await ask(world, `Authorization: ${shown}`)), 200);
  const guesses = Array.from(
    { length: 14 },
    (_, at) => ask(world, `Authorization: ${basic(`user${at % 3}`, `guess ${at}`)}`),
  );
  const codes = (await Promise.all(guesses)).map((answer) => [statusOf(answer), codeOf(answer)].join(" "));
  assert.deepEqual(codes.sort(), [
    ...Array.from({ length: 10 }, () => "401 credentials-wrong"),
    ...Array.from({ length: 4 }, () => "429 credentials-throttled"),
  ]);
  const throttled = await ask(world, `Authorization: ${basic("ann", "battery staple")}`);
  assert.match(throttled, /^HTTP\/1\.1 429 Too Many Requests\r\n[\s\S]*\r\nRetry-After: [1-9]\d?\r\n/);
  assert.equal(statusOf(await ask(world, `Authorization: ${shown}`)), 200);
});

test("two fields with credentials are refused, and no spelling of one reaches the service", async (t) => {
  const world = await guarded(t, { require: ["bearer"], credentialField: "x-petit-authorization" });
  const { shown } = await grant(world.server, world.id);
  const twice = await ask(world, `X-Petit-Authorization: ${shown}`, "x-petit-authorization: Bearer other");
  assert.equal(statusOf(twice), 400);
  assert.equal(codeOf(twice), "credentials-ambiguous");
  const answer = await ask(
    world,
    `X-Petit-Authorization: ${shown}`,
    "X_Petit_Authorization: forged",
    "X-Petit_Authorization: forged",
    "Authorization: Basic the-service-s-own",
  );
  assert.equal(statusOf(answer), 200);
  assert.doesNotMatch(answer, /x.petit.authorization/i);
  assert.match(answer, /\r\nAuthorization: Basic the-service-s-own\r\n/);
  const missing = await ask(world, `Authorization: ${shown}`);
  assert.equal(statusOf(missing), 401);
  assert.match(missing, /\r\nWWW-Authenticate: Petit realm="petit", field="x-petit-authorization"\r\n/);
});

test("the service sees credentials where that is set, and its own where petit asks for none", async (t) => {
  const world = await guarded(t, { require: ["bearer"], stripCredentials: false });
  const { shown } = await grant(world.server, world.id);
  assert.ok((await ask(world, `Authorization: ${shown}`)).includes(`\r\nAuthorization: ${shown}\r\n`));
  world.server.running.control.access.set(world.id, { allow: ["127.0.0.0/8"] });
  assert.ok((await ask(world, "Authorization: Basic own")).includes("\r\nAuthorization: Basic own\r\n"));
});

test("each request on a connection is judged by the registration that its own Host names", async (t) => {
  const world = await guarded(t, {});
  const { port } = await startService(t, echoHead);
  const { registeredId: other } = await addTenant(world.client, world.server, "guarded", { port });
  await world.client.running.control.reload(world.client.config.client);
  world.server.running.control.access.set(other, { require: ["bearer"] });
  const { shown } = await grant(world.server, other);
  const get = (host: string, ...lines: string[]) => head("GET / HTTP/1.1", `Host: ${host}`, ...lines);
  const caller = new RawCaller(world.proxyPort);
  const statuses: number[] = [];
  const say = async (...requests: string[]) => {
    caller.send(requests.join(""));
    for (const _ of requests) statuses.push((await takeAnswer(caller)).status);
  };
  await say(get(world.id));
  await say(get(other));
  await say(get(other, `Authorization: ${shown}`));
  // What one request has shown says nothing about the next.
  await say(get(other), get(world.id), get(other, `Authorization: ${shown}`), get(other));
  caller.close();
  assert.deepEqual(statuses, [200, 401, 200, 401, 200, 200, 401]);
  const absolute = (host: string, line: string) =>
    exchange(world.proxyPort, head(`GET http://${line}/ HTTP/1.1`, `Host: ${host}`, "Connection: close"));
  assert.equal(statusOf(await absolute(other, other)), 401);
  assert.equal(statusOf(await absolute(world.id, other)), 400, "two hosts in one request");
  assert.equal(statusOf(await absolute(other, world.id)), 400, "two hosts in one request");
});

test("HEAD, a body, an upgrade and HTTP/1.0 are refused alike, before anything reaches the service", async (t) => {
  let reached = 0;
  const world = await makeWorld(t, (socket) => {
    reached++;
    echoHead(socket);
  });
  world.server.running.control.access.set(world.id, { require: ["bearer"] });
  const host = `Host: ${world.id}`;
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("HEAD / HTTP/1.1", host));
  assert.equal(statusOf(await caller.takeHead()), 401);
  caller.send(asking(world.id));
  assert.equal((await takeAnswer(caller)).status, 401, "and the connection goes on after a HEAD");
  caller.send(head("POST / HTTP/1.1", host, "Content-Length: 1000000", "Expect: 100-continue"));
  assert.equal((await takeAnswer(caller)).status, 401);
  assert.equal(await caller.closed, "end", "a body that is refused is not waited for");
  caller.close();
  assert.equal(statusOf(await exchange(world.proxyPort, head("GET / HTTP/1.0", host))), 401);
  assert.equal(reached, 0);
});

test("who is not let in does not wait for a client that is away, and takes no place of those who do", async (t) => {
  const world = await guarded(t, { require: ["bearer"] }, { server: 'holdFor = "1h"' });
  const { shown } = await grant(world.server, world.id);
  await world.client.stop();
  assert.equal(statusOf(await ask(world)), 401);
  assert.equal(world.server.running.control.held, 0);
  const held = new RawCaller(world.proxyPort);
  held.send(head("GET / HTTP/1.1", `Host: ${world.id}`, `Authorization: ${shown}`));
  await eventually("it waits", () => world.server.running.control.held === 1);
  world.server.running.control.access.set(world.id, { allow: ["10.0.0.0/8"] });
  assert.equal((await takeAnswer(held)).status, 403, "and not for longer than it may");
  assert.equal(world.server.running.control.held, 0);
  held.close();
});

test("a request waits for nothing of its body while its password is looked at, and goes through then", async (t) => {
  const world = await guarded(t, { require: ["basic"] });
  const { shown } = await grant(world.server, world.id, { kind: "basic", user: "ann", password: "correct horse" });
  const caller = new RawCaller(world.proxyPort);
  const post = head("POST / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 0", `Authorization: ${shown}`);
  const bad = head("GET / HTTP/1.1", `Host: ${world.id}`, `Authorization: ${basic("ann", "wrong")}`);
  caller.send(post + bad + post);
  const statuses = [];
  for (let count = 0; count < 3; count++) statuses.push((await takeAnswer(caller)).status);
  assert.deepEqual(statuses, [200, 401, 200]);
  // Gone in the middle of it: nothing comes of that.
  const gone = new RawCaller(world.proxyPort);
  gone.send(bad);
  gone.socket.resetAndDestroy();
  caller.send(post);
  assert.equal((await takeAnswer(caller)).status, 200);
  caller.close();
});

test("a credential that is revoked or has expired is refused at once, on open connections too", async (t) => {
  const world = await guarded(t, { require: ["bearer", "basic"] });
  const token = await grant(world.server, world.id);
  const user = await grant(world.server, world.id, { kind: "basic", user: "ann", password: "correct horse" });
  const short = await grant(world.server, world.id, { lifetime: 1 });
  const caller = new RawCaller(world.proxyPort);
  const status = async (shown: string) => {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, `Authorization: ${shown}`));
    return (await takeAnswer(caller)).status;
  };
  assert.equal(await status(token.shown), 200);
  assert.equal(await status(user.shown), 200);
  assert.equal(await status(short.shown), 401);
  const { access } = world.server.running.control;
  access.revoke(token.id);
  assert.equal(await status(token.shown), 401);
  assert.equal(await status(user.shown), 200);
  access.revoke(user.id);
  assert.equal(await status(user.shown), 401, "what was remembered of the password is worth nothing");
  caller.close();
});

test("a connection that has been upgraded ends when what let it in is revoked; one of another credential goes on", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.once("data", () => {
      socket.write(SWITCHING);
      socket.on("data", (bytes) => socket.write(bytes));
    });
  });
  const { access } = world.server.running.control;
  access.set(world.id, { require: ["bearer"] });
  const open = async (shown: string) => {
    const caller = new RawCaller(world.proxyPort);
    const text = asking(world.id).replace("\r\n\r\n", `\r\nAuthorization: ${shown}\r\n\r\n`);
    caller.send(text);
    assert.equal(statusOf(await caller.takeHead()), 101);
    return caller;
  };
  const [first, second] = [await grant(world.server, world.id), await grant(world.server, world.id)];
  const [stays, goes] = [await open(first.shown), await open(second.shown)];
  access.revoke(second.id);
  assert.equal(await goes.closed, "ECONNRESET");
  stays.send("still here");
  assert.equal(await stays.take(10), "still here");
  const line = await world.server.logged(({ code }) => code === "access-revoked");
  assert.equal(line["id"], world.id);
  stays.close();
});

test("a connection that has been upgraded ends when its credential expires", async (t) => {
  const world = await makeWorld(t, (socket) => void socket.once("data", () => socket.write(SWITCHING)));
  world.server.running.control.access.set(world.id, { require: ["bearer"] });
  const { shown } = await grant(world.server, world.id, { lifetime: 3000 });
  const caller = new RawCaller(world.proxyPort);
  caller.send(asking(world.id).replace("\r\n\r\n", `\r\nAuthorization: ${shown}\r\n\r\n`));
  assert.equal(statusOf(await caller.takeHead()), 101);
  assert.equal(await caller.closed, "ECONNRESET");
});

test("an answer that has not begun is refused when its credential is revoked", async (t) => {
  let arrived = () => {};
  const asked = new Promise<void>((resolve) => arrived = resolve);
  const world = await makeWorld(t, (socket) => socket.on("data", () => arrived()));
  const { access } = world.server.running.control;
  access.set(world.id, { require: ["bearer"] });
  const { id, shown } = await grant(world.server, world.id);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, `Authorization: ${shown}`));
  await asked;
  access.revoke(id);
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 403);
  assert.equal(codeOf(answer.body), "access-revoked");
  caller.close();
});

test("everybody's credentials open what follows the default, and nothing that has a requirement of its own", async (t) => {
  const world = await guarded(t, {}, { ssh: '[server.access]\nrequire = ["bearer"]\n' });
  const general = await grant(world.server, null);
  const own = await grant(world.server, world.id);
  const status = async (shown: string) => statusOf(await ask(world, `Authorization: ${shown}`));
  assert.deepEqual([await status(general.shown), await status(own.shown)], [200, 200]);
  const { access } = world.server.running.control;
  access.set(world.id, { allow: ["127.0.0.1"] });
  assert.deepEqual([await status(general.shown), await status(own.shown)], [200, 200]);
  access.set(world.id, { require: ["bearer"] });
  assert.deepEqual([await status(general.shown), await status(own.shown)], [401, 200]);
  access.set(world.id, { require: [] });
  assert.equal(statusOf(await ask(world)), 200, "open by its own word");
});

test("who is not let in by default cannot tell which ids there are", async (t) => {
  const world = await guarded(t, {}, { ssh: '[server.access]\nrequire = ["bearer"]\n' });
  const general = await grant(world.server, null);
  const ask404 = (...lines: string[]) =>
    exchange(world.proxyPort, head("GET / HTTP/1.1", "Host: 4711", "Connection: close", ...lines));
  const without = (answer: string) => answer.replace(/"request":"[^"]*"|X-Request-Id: .*|Date: .*/g, "");
  assert.equal(without(await ask404()), without(await ask(world)));
  const wrong = `Authorization: ${general.shown.slice(0, -1)}`;
  assert.equal(without(await ask404(wrong)), without(await ask(world, wrong)));
  assert.equal(statusOf(await ask404(`Authorization: ${general.shown}`)), 404);
});

test("what comes back by its key after it was taken away is guarded as before", async (t) => {
  const world = await guarded(t, { require: ["bearer"] });
  const { shown } = await grant(world.server, world.id);
  world.server.running.control.unregister(world.id);
  await world.client.stop();
  await world.client.register(world.server.joinCode());
  assert.equal(world.client.registered.registeredId, world.id);
  await world.client.start();
  assert.equal(statusOf(await ask(world)), 401);
  assert.equal(statusOf(await ask(world, `Authorization: ${shown}`)), 200);
});
