import assert from "node:assert/strict";
import test, { before } from "node:test";
import { TestApi } from "../world/api.ts";
import { Description } from "../world/described.ts";
import { fileScope } from "../world/file_scope.ts";
import { TestServer } from "../world/world.ts";

const scope = fileScope();
let api: TestApi;

before(async () => {
  api = await TestApi.ofServer(scope, await new TestServer(scope).start());
});

test("whatever changes something is refused without the token, and with a wrong one", async () => {
  const description = new Description((await api.get("/openapi.json", { token: null })).text);
  const changing = description.operations.filter((operation) => !operation.startsWith("GET "));
  assert.ok(changing.length > 8);
  for (const operation of changing) {
    const [method = "", path = ""] = operation.split(" ");
    const filled = path.replace("{id}", "1001").replace("{alias}", "a.example.com");
    for (const token of [null, "wrong", `${api.token}x`, api.token.slice(1)]) {
      const answer = await api.ask(method, filled, { token, body: {} });
      assert.equal(answer.status, 401, operation);
      assert.match(String(answer.headers["www-authenticate"]), /^Bearer/);
      description.check(operation, answer);
      assert.ok(!answer.text.includes(api.token));
    }
  }
});

test("what 0.6.x did not show is refused without the token", async () => {
  for (const path of ["/registrations", "/tunnels", "/disconnects", "/join-codes", "/log", "/log/tail", "/config"]) {
    assert.equal((await api.get(path, { token: null })).status, 401, path);
    assert.equal((await api.ask("HEAD", path, { token: null })).status, 401, path);
  }
  for (const path of ["/ping", "/status", "/registry", "/counts/errors", "/version", "/metrics"]) {
    assert.equal((await api.get(path, { token: null })).status, 200, path);
  }
});

test("a Host that is no name of this machine's loopback is refused", async () => {
  const { port } = api;
  for (const host of ["localhost", `localhost:${port}`, `127.0.0.1:${port}`, "[::1]", "LOCALHOST:1"]) {
    assert.equal((await api.get("/ping", { headers: { host } })).status, 200, host);
  }
  for (
    const host of [
      "evil.example.com",
      `rebound.example.com:${port}`,
      "localhost.evil.example.com",
      "127.0.0.1.nip.io",
      "10.0.0.1",
    ]
  ) {
    const answer = await api.get("/ping", { headers: { host } });
    assert.deepEqual([answer.status, answer.json.code], [421, "host-refused"], host);
  }
  for (const host of ["a b", "localhost@evil.example.com", "localhost/x", "[::1"]) {
    const { status } = await api.get("/ping", { headers: { host } });
    assert.ok(status === 400 || status === 421, `"${host}" got ${status}`);
  }
  assert.equal((await api.get("http://evil.example.com/ping")).status, 421);
});

test("web pages are refused, and no answer tells a browser that one may read it", async () => {
  for (const origin of ["https://evil.example.com", "null", `http://localhost:1`, `https://127.0.0.1:${api.port}`]) {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const answer = await api.ask(method, "/ping", { headers: { origin } });
      assert.deepEqual(
        [answer.status, answer.headers["access-control-allow-origin"]],
        [403, undefined],
        `${method} ${origin}`,
      );
    }
  }
  const own = await api.get("/ping", { headers: { origin: `http://127.0.0.1:${api.port}` } });
  assert.equal(own.status, 200);
  for (const answer of [own, await api.ask("OPTIONS", "/status"), await api.get("/nothing")]) {
    const cors = Object.keys(answer.headers).filter((name) => name.startsWith("access-control"));
    assert.deepEqual(cors, []);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
  }
});

test("methods that a path does not take are answered with those that it takes", async () => {
  const wrong = await api.ask("DELETE", "/config");
  assert.deepEqual([wrong.status, wrong.json.code], [405, "method-not-allowed"]);
  assert.equal(wrong.headers["allow"], "GET, PATCH, HEAD, OPTIONS");
  const options = await api.ask("OPTIONS", "/registrations/1001/disconnect", { token: null });
  assert.deepEqual([options.status, options.headers["allow"], options.text], [204, "POST, OPTIONS", ""]);
  assert.equal((await api.ask("TRACE", "/status")).status, 405);
  assert.equal((await api.ask("POST", "/nothing")).status, 404);
  assert.equal((await api.ask("OPTIONS", "/nothing")).status, 404);
});

test("HEAD is answered as GET, without the content", async () => {
  for (const path of ["/status", "/openapi.json", "/metrics", "/log/tail"]) {
    const answer = await api.ask("HEAD", path);
    assert.deepEqual([answer.status, answer.text], [200, ""], path);
  }
  assert.equal((await api.ask("HEAD", "/status/999999")).status, 404);
});

test("errors of petit come with the status that fits, their code, message and hint", async () => {
  const cases: [string, string, unknown, number, string][] = [
    ["GET", "/status/999999", undefined, 404, "registration-unknown"],
    ["DELETE", "/registrations/999999", undefined, 404, "registration-unknown"],
    ["POST", "/registrations/999999/disconnect", undefined, 404, "registration-unknown"],
    ["PUT", "/registrations/999999/aliases/db.example.com", undefined, 404, "registration-unknown"],
    ["PUT", "/registrations/1001/aliases/-no-host-name", undefined, 422, "alias-invalid"],
    ["DELETE", "/registrations/1001/aliases/db.example.com", undefined, 404, "alias-unknown"],
    ["DELETE", "/join-codes/0123456789abcdef", undefined, 404, "join-code-unknown"],
    ["DELETE", "/join-codes/xyz", undefined, 400, "request-invalid"],
    ["GET", "/registrations?limit=0", undefined, 400, "request-invalid"],
    ["GET", "/usage/1001?start=never", undefined, 400, "range-invalid"],
    ["PATCH", "/config", { "server.idleTimeout": "soon" }, 400, "request-invalid"],
    ["PATCH", "/config", { "server.idelTimeout": "90s" }, 400, "request-invalid"],
    ["PATCH", "/config", { "client.host": "a" }, 400, "request-invalid"],
    ["POST", "/join-codes", { uses: 0 }, 400, "request-invalid"],
    ["POST", "/registrations", {}, 400, "request-invalid"],
    ["POST", "/registrations", { key: "ssh-ed25519 AAAA" }, 422, "key-invalid"],
    ["POST", "/registrations", { key: "-----BEGIN OPENSSH PRIVATE KEY-----" }, 422, "key-private"],
    ["POST", "/registrations", { key: "x", localName: "../x" }, 400, "request-invalid"],
    ["POST", "/join-codes", { expires: "for ever" }, 400, "request-invalid"],
    ["POST", "/join-codes", { unknown: 1 }, 400, "request-invalid"],
    ["PUT", "/log/level", { level: "loud" }, 400, "request-invalid"],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await api.ask(method, path, { body });
    assert.deepEqual([answer.status, answer.json.code], [status, code], `${method} ${path}`);
    assert.equal(answer.json.error, answer.json.message);
  }
});
