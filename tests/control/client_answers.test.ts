import assert from "node:assert/strict";
import test from "node:test";
import { type Asked, TestApi } from "../world/api.ts";
import { Description } from "../world/described.ts";
import { makeWorld } from "../world/world.ts";

/** What answers 200, in an order in which each has what it needs. `CODE` is a join code. */
const QUESTIONS: readonly [operation: string, path: string, asked?: Asked][] = [
  ["GET /status", "/status"],
  ["GET /ping", "/ping"],
  ["GET /version", "/version"],
  ["GET /tenants", "/tenants"],
  ["POST /tenants", "/tenants", { body: { host: "localhost", port: "5432" } }],
  ["POST /tenants", "/tenants", { body: { tenant: "files", port: 8443, tls: true, tlsVerify: false } }],
  ["POST /register/{id}", "/register/files", { body: { code: "CODE" } }],
  ["GET /tenants", "/tenants"],
  ["GET /config", "/config"],
  ["GET /config", "/config", { token: null }],
  ["GET /config/{id}", "/config/files"],
  ["PATCH /config", "/config", { body: { "client.reconnectDelayMax": "20s" } }],
  ["POST /sping", "/sping?tenant=default"],
  ["POST /pause", "/pause"],
  ["GET /status", "/status"],
  ["POST /pause", "/pause", { body: { tenant: "files", drain: true } }],
  ["GET /tenants", "/tenants"],
  ["POST /resume", "/resume"],
  ["POST /resume", "/resume", { body: { tenant: "files" } }],
  ["GET /check", "/check"],
  ["GET /check", "/check", { token: null }],
  ["POST /unregister/{id}", "/unregister/files"],
  ["DELETE /tenants/{id}", "/tenants/files"],
  ["POST /unregister/{id}", "/unregister/default"],
  ["POST /register", "/register", { body: { code: "CODE" } }],
  ["GET /log", "/log"],
  ["GET /log/level", "/log/level"],
  ["PUT /log/level", "/log/level", { body: { level: "warn" } }],
  ["POST /log", "/log", { body: { msg: "verbose" } }],
  ["GET /metrics", "/metrics"],
  ["GET /disconnects", "/disconnects"],
  ["POST /reload", "/reload"],
  ["POST /start", "/start"],
  ["POST /restart", "/restart"],
  ["POST /stop", "/stop"],
];

test("every answer of the client is as the description says", async (t) => {
  const { server, client } = await makeWorld(t, (socket) => socket.destroy());
  let onStop = () => {};
  const stopped = new Promise<void>((resolve) => onStop = resolve);
  const api = await TestApi.ofClient(t, client, onStop);
  const description = new Description((await api.get("/openapi.json")).text);
  for (const [operation, path, asked = {}] of QUESTIONS) {
    const { body } = asked as { body?: { code?: string } };
    const withCode = body?.code === "CODE" ? { ...asked, body: { code: server.joinCodeText() } } : asked;
    const answer = await api.ask(operation.split(" ")[0] as string, path, withCode);
    assert.equal(answer.status, 200, `${operation}: ${answer.status} ${answer.text}`);
    description.check(operation, answer);
  }
  await stopped;
  const upgrade = await api.ask("POST", "/upgrade");
  assert.equal(upgrade.status, 501);
  description.check("POST /upgrade", upgrade);
  const asked = [...QUESTIONS.map(([operation]) => operation), "POST /upgrade", "GET /log/tail"];
  assert.deepEqual(description.operations.filter((operation) => !asked.includes(operation)), []);
});

test("the fields that scripts of 0.6.x read are where they were", async (t) => {
  const { client, id, rawPort } = await makeWorld(t, (socket) => socket.destroy());
  const api = await TestApi.ofClient(t, client);
  const status = (await api.get("/status")).json;
  assert.deepEqual([status.success, status.pid, status.status.status], [true, process.pid, "running"]);
  assert.equal(status.status.registration[0].id, id);
  const { tenants } = (await api.get("/tenants")).json;
  const { name, registered, registeredId, registeredPort, dir } = tenants[0];
  assert.deepEqual([name, registered, registeredId, registeredPort], ["default", true, id, rawPort]);
  const unknown = await api.ask("DELETE", "/tenants/nobody");
  assert.equal(unknown.json.error, 'There is no tenant "nobody"');
  const leased = await api.ask("POST", "/tenants", { body: { host: "db.local", port: 5432 } });
  assert.equal(leased.json.path, dir.replace(/default$/, "1"));
  assert.deepEqual(leased.json.tenant.local, { host: "db.local", port: 5432, tls: false });
});
