import assert from "node:assert/strict";
import test from "node:test";
import { type Asked, TestApi } from "../world/api.ts";
import { Description } from "../world/described.ts";
import { makeWorld, TestClient, TestServer } from "../world/world.ts";
import { VECTORS } from "../unit/tunnel/ssh_keygen_vectors.ts";

const [{ line: KEY }] = VECTORS;

/** What answers 2xx, in an order in which each has what it needs. `ID` and `CODE` are filled in. */
const QUESTIONS: readonly [operation: string, path: string, asked?: Asked][] = [
  ["GET /ping", "/ping"],
  ["GET /version", "/version"],
  ["GET /status", "/status"],
  ["GET /registry", "/registry"],
  ["GET /status/{id}", "/status/ID"],
  ["GET /registrations", "/registrations?limit=1&connected=true&search=default"],
  ["PUT /registrations/{id}/aliases/{alias}", "/registrations/ID/aliases/db.example.com"],
  ["DELETE /registrations/{id}/aliases/{alias}", "/registrations/ID/aliases/db.example.com"],
  ["GET /tunnels", "/tunnels"],
  ["POST /join-codes", "/join-codes", { body: { uses: 2, expires: "1h", brand: "acme" } }],
  ["GET /join-codes", "/join-codes"],
  ["DELETE /join-codes/{id}", "/join-codes/CODE"],
  ["PUT /registrations/{id}/access", "/registrations/ID/access", {
    body: { allow: ["10.0.0.0/8"], require: ["bearer"], credentialField: "X-Own" },
  }],
  ["GET /registrations/{id}/access", "/registrations/ID/access"],
  ["DELETE /registrations/{id}/access", "/registrations/ID/access"],
  ["POST /credentials", "/credentials", { body: { registration: "1001", kind: "basic", user: "ann", expires: "90d" } }],
  ["GET /credentials", "/credentials?registration=1001"],
  ["DELETE /credentials/{credential}", "/credentials/CREDENTIAL"],
  ["GET /usage/{id}", "/usage/ID?start=2020-01-01"],
  ["GET /stats/{id}", "/stats/ID"],
  ["GET /counts/registers", "/counts/registers"],
  ["GET /counts/registrations", "/counts/registrations"],
  ["GET /counts/errors", "/counts/errors?code=404"],
  ["GET /counts/requests", "/counts/requests?type=success", { headers: { "elements-g2c-brand": "ce" } }],
  ["GET /audit", "/audit?limit=2&before=3&event=join-code-made"],
  ["GET /config", "/config"],
  ["PATCH /config", "/config", { body: { "server.idleTimeout": "90s" } }],
  ["GET /log", "/log"],
  ["GET /log/level", "/log/level"],
  ["PUT /log/level", "/log/level", { body: { level: "debug" } }],
  ["GET /metrics", "/metrics"],
  ["GET /host-key", "/host-key"],
  ["POST /host-key/rotate", "/host-key/rotate"],
  ["POST /host-key/abort", "/host-key/abort"],
  ["POST /host-key/rotate", "/host-key/rotate"],
  ["GET /host-key", "/host-key"],
  ["POST /host-key/finish", "/host-key/finish"],
  // Behind that: its client has heard of no host key.
  ["POST /registrations", "/registrations", { body: { key: KEY, localName: "shop", brand: "acme" } }],
  ["GET /host-key", "/host-key"],
  ["POST /reload", "/reload"],
  ["POST /registrations/{id}/disconnect", "/registrations/ID/disconnect"],
  ["GET /disconnects", "/disconnects"],
  ["DELETE /registrations/{id}", "/registrations/ID"],
  ["POST /restart", "/restart"],
  ["POST /stop", "/stop"],
];

test("every answer of the server is as the description says", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy());
  let onStop = () => {};
  const stopped = new Promise<void>((resolve) => onStop = resolve);
  const api = await TestApi.ofServer(t, world.server, onStop);
  const description = new Description((await api.get("/openapi.json")).text);
  let code = "";
  let credential = "";
  for (const [operation, path, asked] of QUESTIONS) {
    const filled = path.replace("ID", world.id).replace("CODE", code).replace("CREDENTIAL", credential);
    const answer = await api.ask(operation.split(" ")[0] as string, filled, asked);
    assert.equal(Math.floor(answer.status / 100), 2, `${operation}: ${answer.status} ${answer.text}`);
    description.check(operation, answer);
    if (operation === "POST /join-codes") code = answer.json.id;
    if (operation === "POST /credentials") credential = answer.json.id;
  }
  await stopped;
  const asked = QUESTIONS.map(([operation]) => operation);
  const others = description.operations.filter((operation) => !asked.includes(operation));
  assert.deepEqual(others, ["GET /log/tail"], "a description that nothing is held to");
});

test("the fields that scripts of 0.6.x read are where they were", async (t) => {
  const { server, id, rawPort, service } = await makeWorld(t, (socket) => socket.destroy());
  const away = (await new TestClient(t, server, service.port).register(server.joinCode())).registered.registeredId;
  const api = await TestApi.ofServer(t, server);
  const ask = async (path: string) => (await api.get(path, { token: null })).json;
  assert.deepEqual(await ask("/ping"), { success: true });
  const { success, total, connected, disconnected } = await ask("/status");
  assert.deepEqual([success, total, connected, disconnected], [true, 2, [id], [away]]);
  const registry = await ask("/registry");
  const first = registry.connections.find(({ registeredId }: { registeredId: string }) => registeredId === id);
  assert.deepEqual([registry.status, first.port, first.connected, first.aliases], ["running", rawPort, true, []]);
  assert.deepEqual([first.vitae.brand, typeof first.fingerprint], ["ce", "string"]);
  assert.deepEqual(await ask("/counts/registrations"), { count: 2 });
  assert.deepEqual(await ask("/counts/requests?start=2020-01-01"), { count: 0 });
  const { successes, errors, unavailables } = await ask(`/stats/${id}`);
  assert.deepEqual([successes, errors, unavailables], [0, 0, 0]);
  assert.equal((await ask("/status/7")).error, 'There is no registration "7"');
});

test("a server that keeps no usage record says so", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t, 'usageUrl = ""').start());
  for (const path of ["/usage/1001", "/stats/1001", "/counts/errors", "/counts/requests", "/counts/registers"]) {
    const answer = await api.get(path);
    assert.deepEqual([answer.status, answer.json.code], [404, "usage-off"], path);
  }
  assert.equal((await api.get("/counts/registrations")).status, 200);
});
