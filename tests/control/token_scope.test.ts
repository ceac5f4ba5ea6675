import assert from "node:assert/strict";
import test, { before } from "node:test";
import { addToken, revokeToken } from "../../src/control/named_tokens.ts";
import { TestApi } from "../world/api.ts";
import { Description } from "../world/described.ts";
import { fileScope } from "../world/file_scope.ts";
import { TestServer } from "../world/world.ts";

const scope = fileScope();
let server: TestServer;
let api: TestApi;
let reading: string;

before(async () => {
  server = await new TestServer(scope).start();
  api = await TestApi.ofServer(scope, server);
  reading = addToken(api.facilities.folder, "scraper", "read");
});

test("a token that may read gets every answer, and changes nothing", async () => {
  const description = new Description((await api.get("/openapi.json")).text);
  for (const operation of description.operations) {
    const [method = "", path = ""] = operation.split(" ");
    // It has no end.
    if (path === "/log/tail") continue;
    const filled = path.replace("{id}", "1001").replace("{alias}", "a.example.com");
    const { status, text } = await api.ask(method, filled, {
      token: reading,
      ...(method === "GET" ? {} : { body: {} }),
    });
    if (method !== "GET") assert.deepEqual([status, JSON.parse(text).code], [403, "token-scope"], operation);
    else assert.ok(![401, 403].includes(status), `${operation} got ${status}`);
  }
});

test("a token counts from the moment that it is made until it is revoked", async () => {
  const { folder } = api.facilities;
  const token = addToken(folder, "script", "all");
  const change = () => api.ask("PUT", "/log/level", { token, body: { level: "info" } });
  assert.equal((await change()).status, 200);
  revokeToken(folder, "script");
  const { status, json } = await change();
  assert.deepEqual([status, json.code], [401, "token-wrong"]);
});

test('with localAccess = "none" only what tells nothing is open without a token', async () => {
  const { control } = server.running;
  control.config.localAccess = "none";
  for (const path of ["/ping", "/version", "/openapi.json"]) {
    assert.equal((await api.get(path, { token: null })).status, 200, path);
  }
  const description = new Description((await api.get("/openapi.json")).text);
  for (const operation of description.operations) {
    const [method = "", path = ""] = operation.split(" ");
    if (["/ping", "/version", "/openapi.json"].includes(path)) continue;
    const filled = path.replace("{id}", "1001").replace("{alias}", "a.example.com");
    assert.equal((await api.ask(method, filled, { token: null })).status, 401, operation);
  }
  assert.equal((await api.get("/status", { token: reading })).status, 200);
  control.config.localAccess = "read";
  assert.equal((await api.get("/status", { token: null })).status, 200);
});
