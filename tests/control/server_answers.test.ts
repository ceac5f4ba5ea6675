import assert from "node:assert/strict";
import test from "node:test";
import { type Asked, TestApi } from "../world/api.ts";
import { Description } from "../world/described.ts";
import { makeWorld } from "../world/world.ts";

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
  ["GET /usage/{id}", "/usage/ID?start=2020-01-01"],
  ["GET /stats/{id}", "/stats/ID"],
  ["GET /counts/registers", "/counts/registers"],
  ["GET /counts/registrations", "/counts/registrations"],
  ["GET /counts/errors", "/counts/errors?code=404"],
  ["GET /counts/requests", "/counts/requests?type=success", { headers: { "elements-g2c-brand": "ce" } }],
  ["GET /config", "/config"],
  ["PATCH /config", "/config", { body: { "server.idleTimeout": "90s" } }],
  ["GET /log", "/log"],
  ["GET /log/level", "/log/level"],
  ["PUT /log/level", "/log/level", { body: { level: "debug" } }],
  ["GET /metrics", "/metrics"],
  ["POST /reload", "/reload"],
  ["POST /registrations/{id}/disconnect", "/registrations/ID/disconnect"],
  ["GET /disconnects", "/disconnects"],
  ["DELETE /registrations/{id}", "/registrations/ID"],
  ["POST /stop", "/stop"],
];

test("every answer of the server is as the description says", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy());
  let onStop = () => {};
  const stopped = new Promise<void>((resolve) => onStop = resolve);
  const api = await TestApi.ofServer(t, world.server, onStop);
  const description = new Description((await api.get("/openapi.json")).text);
  let code = "";
  for (const [operation, path, asked] of QUESTIONS) {
    const filled = path.replace("ID", world.id).replace("CODE", code);
    const answer = await api.ask(operation.split(" ")[0] as string, filled, asked);
    assert.equal(Math.floor(answer.status / 100), 2, `${operation}: ${answer.status} ${answer.text}`);
    description.check(operation, answer);
    if (operation === "POST /join-codes") code = answer.json.id;
  }
  await stopped;
  const asked = QUESTIONS.map(([operation]) => operation);
  const others = description.operations.filter((operation) => !asked.includes(operation));
  assert.deepEqual(others, ["GET /log/tail"], "a description that nothing is held to");
});
