import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { RawService } from "../world/raw_service.ts";
import { addTenant, changedConfig, startSayer } from "../world/tenants.ts";
import { asking, SWITCHING } from "../world/websocket.ts";
import { listenOn, makeWorld, TestClient, TestServer } from "../world/world.ts";

const RULES = 'allow.methods = ["GET", "POST"]\nallow.paths = ["/api/", "/health"]';

/** A world behind these rules, whose service is Node's HTTP server; it tells which requests it was sent. */
async function httpWorld(
  t: test.TestContext,
  rules = RULES,
  answer = (request: IncomingMessage, response: ServerResponse) => {
    request.resume().on("end", () => response.end(`${request.method} ${request.url}`));
  },
) {
  const seen: string[] = [];
  const service = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const port = await listenOn(service);
  t.after(() => (service.close(), service.closeAllConnections()));
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, port, rules).register(server.joinCode());
  await client.start();
  return { server, client, seen, rawPort: client.registered.registeredPort, proxyPort: server.running.proxyPort };
}

const get = (target: string, ...more: string[]) => head(`GET ${target} HTTP/1.1`, "Host: x", ...more);

test("allowed requests go through, on one connection one after the other; the first that is not ends it with a 403", async (t) => {
  const { rawPort, seen, client } = await httpWorld(t);
  const caller = new RawCaller(rawPort);
  for (const target of ["/api/a", "/health?b"]) {
    assert.equal((await takeAnswer(caller.send(get(target)))).body, `GET ${target}`);
  }
  const refused = await takeAnswer(caller.send(get("/admin")));
  assert.equal(refused.status, 403);
  assert.deepEqual(JSON.parse(refused.body), {
    g2c: "unavailable",
    code: "not-allowed-by-client",
    message: "The customer's side does not allow this request: its path is not allowed.",
  });
  assert.equal(await caller.closed, "end");
  assert.deepEqual(seen, ["GET /api/a", "GET /health?b"]);
  assert.ok(client.log.some(({ code }) => code === "not-allowed-by-client"));
});

test("through the HTTP proxy too, where the client's answer stands in for the service's", async (t) => {
  const { proxyPort, seen, client } = await httpWorld(t);
  const host = client.registered.registeredId;
  const caller = new RawCaller(proxyPort);
  for (
    const [line, status] of [["GET /api/", 200], ["PUT /api/", 403], ["GET /api/../x", 403], [
      "POST /api/",
      200,
    ]] as const
  ) {
    const length = line.startsWith("P") ? ["Content-Length: 2"] : [];
    caller.send(`${head(`${line} HTTP/1.1`, `Host: ${host}`, ...length)}${length.length > 0 ? "ab" : ""}`);
    const answer = await takeAnswer(caller);
    assert.equal(answer.status, status, line);
    assert.equal(
      answer.status === 403 ? JSON.parse(answer.body).code : "not-allowed-by-client",
      "not-allowed-by-client",
    );
  }
  assert.deepEqual(seen, ["GET /api/", "POST /api/"]);
});

for (
  const [what, status, text] of [
    ["dot segments", 403, get("/api/../admin")],
    ["escaped dot segments", 403, get("/api/%2e%2e/admin")],
    ["an empty segment", 403, get("//admin")],
    ["parameters", 403, get("/api/..;/admin")],
    ["a backslash", 403, get("/api/\\..\\admin")],
    ["an escaped solidus", 403, get("/api/..%2fadmin")],
    ["escaped letters", 403, get("/%61pi/x")],
    ["a URL as its target", 403, get("http://x/api/")],
    ["the target *", 403, head("OPTIONS * HTTP/1.1", "Host: x")],
    ["a method in small letters", 403, head("get /api/ HTTP/1.1", "Host: x")],
    ["CONNECT", 403, head("CONNECT x:80 HTTP/1.1", "Host: x")],
    [
      "a switch to h2c",
      403,
      get("/api/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    ],
    ["two lengths", 400, `${head("POST /api/ HTTP/1.1", "Host: x", "Content-Length: 3", "Content-Length: 30")}abc`],
    [
      "a length and chunks",
      400,
      `${head("POST /api/ HTTP/1.1", "Host: x", "Content-Length: 3", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    ],
    ["a folded field", 400, head("GET /api/ HTTP/1.1", "Host: x", "A: b", " c")],
    ["a blank before the colon", 400, head("GET /api/ HTTP/1.1", "Host : x")],
    ["a line feed alone", 400, "GET /api/ HTTP/1.1\nHost: x\n\n"],
    ["another version", 505, head("PRI * HTTP/2.0")],
    ["no version", 400, "GET /api/\r\n"],
    ["a TLS hello", 400, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"],
    ["the greeting of SSH", 400, "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a request of PostgreSQL", 400, "\0\0\0\x08\x04\xd2\x16\x2f"],
  ] as const
) {
  test(`a caller on the reverse port with ${what} gets ${status}, and the service nothing`, async (t) => {
    const service = new RawService();
    const { rawPort } = await makeWorld(t, service.accept, { client: RULES });
    const answer = await exchange(rawPort, text);
    assert.equal(statusOf(answer), status, answer);
    assert.equal(await (await service.next()).all(), "");
  });
}

test("requests that are sent without waiting are checked one by one, and answered in their order", async (t) => {
  const { rawPort, seen } = await httpWorld(t);
  const post = `${head("POST /api/p HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")}5;x=y\r\nGET /\r\n0\r\n\r\n`;
  const answer = await exchange(rawPort, get("/api/1") + post + get("/health") + get("/admin") + get("/api/2"));
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+|(?:GET|POST) \/\w+(?:\/\w+)?(?=HTTP)/g), [
    "HTTP/1.1 200",
    "GET /api/1",
    "HTTP/1.1 200",
    "POST /api/p",
    "HTTP/1.1 200",
    "GET /health",
    "HTTP/1.1 403",
  ]);
  assert.deepEqual(seen, ["GET /api/1", "POST /api/p", "GET /health"]);
});

test("a request that hides behind the body of another one is seen", async (t) => {
  const { rawPort, seen } = await httpWorld(t);
  const caller = new RawCaller(rawPort);
  const hidden = get("/admin");
  caller.send(`${head("POST /api/ HTTP/1.1", "Host: x", "Content-Length: 2")}ab${hidden}`);
  assert.equal((await takeAnswer(caller)).status, 200);
  assert.equal((await takeAnswer(caller)).status, 403);
  assert.deepEqual(seen, ["POST /api/"]);
  // The same as a body is nobody's request.
  const body = `${head("POST /api/ HTTP/1.1", "Host: x", `Content-Length: ${hidden.length}`)}${hidden}`;
  assert.equal((await takeAnswer(new RawCaller(rawPort).send(body))).status, 200);
  assert.deepEqual(seen, ["POST /api/", "POST /api/"]);
});

test("requests that were sent before the caller ended its direction are all answered", async (t) => {
  const { rawPort } = await httpWorld(t);
  const caller = new RawCaller(rawPort).send(get("/api/1") + get("/api/2") + get("/api/3", "Connection: close")).end();
  const all = await caller.all();
  assert.deepEqual(all.match(/GET \/api\/\d/g), ["GET /api/1", "GET /api/2", "GET /api/3"]);
});

test("heads and bodies may come in pieces of a byte", async (t) => {
  const { rawPort } = await httpWorld(t);
  const caller = new RawCaller(rawPort);
  await caller.sendApart([
    ...`\r\n${head("POST /api/ HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")}2\r\nab\r\n0\r\n\r\n`,
  ]);
  assert.equal((await takeAnswer(caller)).body, "POST /api/");
  await caller.sendApart([...get("/no")]);
  assert.equal((await takeAnswer(caller)).status, 403);
});

/** Sends `chunk` over and over, `times` at most, as fast as it is taken; returns how often that was once it stands still. */
async function pour(caller: RawCaller, chunk: Buffer, times: number): Promise<number> {
  let sent = 0;
  const more = () => {
    while (sent < times) {
      sent++;
      if (!caller.socket.write(chunk)) return;
    }
  };
  caller.socket.on("drain", more);
  more();
  let last = 0;
  let still = 0;
  await eventually("it stands still", () => {
    const now = caller.socket.bytesWritten - caller.socket.writableLength;
    still = now === last && now > 0 ? still + 1 : 0;
    last = now;
    return still === 10;
  });
  return sent;
}

test("a body of any size streams to the service, and waits for it: nothing is kept", async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  const size = 64 * chunk.length;
  let received = 0;
  let go = () => {};
  const { rawPort } = await httpWorld(t, RULES, (request, response) => {
    go = () => {
      request.on("data", (bytes: Buffer) => received += bytes.length);
      request.on("end", () => response.end(String(received)));
    };
  });
  const caller = new RawCaller(rawPort).send(head("POST /api/ HTTP/1.1", "Host: x", `Content-Length: ${size}`));
  // What fits into the windows and buffers on the way goes.
  assert.ok(await pour(caller, chunk, 64) < 64, "all of it went to a service that reads nothing");
  go();
  assert.equal((await takeAnswer(caller)).body, String(size));
});

test("requests that are sent without waiting for the first answer wait for it outside", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: RULES });
  const caller = new RawCaller(rawPort);
  const many = Buffer.from(get("/api/").repeat(16_384));
  assert.ok(await pour(caller, many, 64) < 64, "all of them were kept somewhere");
  const there = await service.next();
  assert.equal(there.received, get("/api/"));
  // That the caller has left is seen behind all that.
  caller.reset();
  await there.closed;
});

test("chunks are framed anew: nothing of the caller's own framing reaches the service", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: RULES });
  const text = head("POST /api/ HTTP/1.1", "Host: x", "Transfer-Encoding: chunked");
  new RawCaller(rawPort).send(`${text}00000005;a="b"\r\nhello\r\n0;c\r\nA: b\r\nContent-Length: 5\r\n\r\n`);
  const there = await service.next();
  assert.equal(await there.takeHead(), text);
  assert.equal(await there.takeHead(), "5\r\nhello\r\n0\r\nA: b\r\n\r\n");
});

test("answers of any size and framing pass as they are", async (t) => {
  const size = 8 * 1024 * 1024;
  const { rawPort } = await httpWorld(t, RULES, (request, response) => {
    if (request.url === "/api/length") response.setHeader("Content-Length", size);
    response.end(request.url === "/health" ? "" : Buffer.alloc(size, "y"));
  });
  const caller = new RawCaller(rawPort);
  assert.equal((await takeAnswer(caller.send(get("/api/length")))).body.length, size);
  assert.equal((await takeAnswer(caller.send(get("/health")))).status, 200);
  assert.equal((await exchange(rawPort, head("GET /api/ HTTP/1.0"))).split("\r\n\r\n")[1]?.length, size);
});

test("an interim answer does not count as the answer", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: RULES });
  const caller = new RawCaller(rawPort).send(
    head("POST /api/ HTTP/1.1", "Host: x", "Content-Length: 2", "Expect: 100-continue"),
  );
  const there = await service.next();
  await there.takeHead();
  there.send(head("HTTP/1.1 100 Continue"));
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 100 /);
  caller.send(`ab${get("/admin")}`);
  assert.equal(await there.take(2), "ab");
  there.send(`${head("HTTP/1.1 200 OK", "Content-Length: 2")}o`);
  await caller.takeHead();
  there.send("k");
  assert.equal(await caller.take(2), "ok");
  assert.equal((await takeAnswer(caller)).status, 403);
});

test("a WebSocket where its path is allowed passes as it is, and not before the service has agreed", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: 'allow.paths = ["/chat"]' });
  const caller = new RawCaller(rawPort).send(`${asking("x")}early`);
  const there = await service.next();
  await there.takeHead();
  there.send(`${SWITCHING}\x81\x02hi`);
  await caller.takeHead();
  assert.equal(await caller.take(4), "\x81\x02hi");
  assert.equal(await there.take(5), "early");
  caller.send(get("/admin"));
  assert.equal(await there.take(get("/admin").length), get("/admin"));
  there.end();
  assert.equal(await caller.closed, "end");
});

test("what follows a WebSocket that the service does not want is a request like any other", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: 'allow.paths = ["/chat"]' });
  const caller = new RawCaller(rawPort).send(asking("x") + get("/admin"));
  const there = await service.next();
  await there.takeHead();
  there.send(head("HTTP/1.1 426 Upgrade Required", "Content-Length: 0"));
  assert.equal((await takeAnswer(caller)).status, 426);
  assert.equal((await takeAnswer(caller)).status, 403);
  assert.equal(await there.all(), "");
});

test("an answer that careless services may go on with is the last one: its body cannot pass for a consent to a WebSocket", async (t) => {
  const service = new RawService();
  const { rawPort } = await makeWorld(t, service.accept, { client: 'allow.paths = ["/chat"]' });
  const caller = new RawCaller(rawPort).send(head("HEAD /chat HTTP/1.1", "Host: x") + asking("x") + get("/admin"));
  const there = await service.next();
  await there.takeHead();
  const answer = head("HTTP/1.1 200 OK", `Content-Length: ${SWITCHING.length}`);
  there.send(answer);
  assert.equal(await caller.takeHead(), answer);
  there.send(SWITCHING);
  assert.equal(await there.all(), "");
  assert.equal(await caller.all(), "");
});

test("a service that switches to what nobody asked for, or answers with no HTTP, is cut off", async (t) => {
  const service = new RawService();
  const { rawPort, client } = await makeWorld(t, service.accept, { client: RULES });
  for (
    const answer of [head("HTTP/1.1 101 Switching Protocols", "Upgrade: x", "Connection: Upgrade"), "SSH-2.0-x\r\n\r\n"]
  ) {
    const caller = new RawCaller(rawPort).send(get("/api/"));
    const there = await service.next();
    await there.takeHead();
    there.send(answer);
    assert.equal(await caller.closed, "ECONNRESET");
    assert.equal(caller.received, "");
  }
  await client.stop();
  const log = readFileSync(join(client.folder, "logs/inbound.log"), "utf8");
  assert.equal(log.match(/"outcome":"service-invalid"/g)?.length, 2);
});

test("one tenant may be HTTP and another a database: each goes by its own rules", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9, RULES).register(server.joinCode());
  const db = await addTenant(client, server, "db", { port: await startSayer(t, "5.7.0 MySQL") });
  const file = join(client.folder, "tenants/db/config.toml");
  writeFileSync(file, `${readFileSync(file, "utf8")}\n[allow]\nmethods = ["*"]\npaths = ["*"]\n`);
  await client.start();
  assert.equal(await exchange(db.registeredPort, ""), "5.7.0 MySQL");
});

test("a service that is not in the list is not served, and the status says why; the others are", async (t) => {
  const server = await new TestServer(t).start();
  const one = await startSayer(t, "one");
  const other = await startSayer(t, "other");
  const client = await new TestClient(t, server, one, `allow.services = ["127.0.0.1:${one}"]`).register(
    server.joinCode(),
  );
  const shop = await addTenant(client, server, "shop", { port: other });
  await client.start();
  const { control } = client.running;
  assert.equal(await exchange(client.registered.registeredPort, ""), "one");
  assert.equal(await new RawCaller(shop.registeredPort).closed, "ECONNREFUSED");
  const [, tenant] = control.tenants();
  assert.equal(tenant?.served, false);
  assert.deepEqual([tenant?.lights.tunnel.state, tenant?.lights.tunnel.code, tenant?.lights.tunnel.error], [
    "red",
    "service-not-allowed",
    `The service 127.0.0.1:${other} is not in [client.allow] services`,
  ]);
  assert.deepEqual((await control.probe("shop")).map(({ reached, code }) => [reached, code]), [[
    false,
    "service-not-allowed",
  ]]);
  assert.ok(client.log.some(({ code, tenant }) => code === "service-not-allowed" && tenant === "shop"));
  const { tunnel } = server.running.control.statusOf(shop.registeredId).lights;
  assert.deepEqual([tunnel.state, tunnel.code], ["red", "service-not-allowed"]);
  await assert.rejects(control.lease({ host: "127.0.0.1", port: other }), {
    code: "service-not-allowed",
    exitCode: 2,
    message: /\[client.allow\] services/,
  });
  assert.equal((await control.lease({ host: "127.0.0.1", port: one })).tenant, "2");
});

test("what a reload takes off the list ends at once, with its connections; what it adds is served", async (t) => {
  const { client, rawPort, service } = await makeWorld(t, (socket) => socket.write("hello"));
  const { control } = client.running;
  const caller = new RawCaller(rawPort);
  await caller.take(5);
  await control.reload(changedConfig(client, ({ allow }) => allow.services = ["localhost:1"]));
  assert.equal(await caller.closed, "ECONNRESET");
  assert.equal(await new RawCaller(rawPort).closed, "ECONNREFUSED");
  await control.reload(changedConfig(client, ({ allow }) => allow.services = [`127.0.0.1:${service.port}`]));
  assert.equal(await new RawCaller(rawPort).take(5), "hello");
});

test("connections that began under other rules end when the rules change, and stay when they do not", async (t) => {
  const { client, rawPort } = await makeWorld(t, (socket) => socket.pipe(socket));
  const { control } = client.running;
  const caller = new RawCaller(rawPort);
  assert.equal(await caller.send("a").take(1), "a");
  await control.reload(changedConfig(client, (config) => config.connectTimeout++));
  assert.equal(await caller.send("b").take(1), "b");
  await control.reload(changedConfig(client, ({ allow }) => allow.methods = ["GET"]));
  assert.equal(await caller.closed, "ECONNRESET");
  assert.equal(statusOf(await exchange(rawPort, head("POST / HTTP/1.1", "Host: x"))), 403);
});
