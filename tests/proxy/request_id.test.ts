import assert from "node:assert/strict";
import test from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");

test("request id: a refusal names its own, and the log line of that request names the same", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy());
  const seen = new Set<string>();
  const caller = new RawCaller(world.proxyPort);
  for (const host of ["9999", "9998", world.id]) {
    const answer = await takeAnswer(caller.send(head("GET / HTTP/1.1", `Host: ${host}`)));
    const { request, code } = JSON.parse(answer.body) as { request: string; code: string };
    assert.deepEqual(valuesOf(answer.head, "x-request-id"), [request]);
    const line = await world.server.logged((line) => line["request"] === request);
    assert.equal(line.code, code);
    assert.equal(line["id"], host === world.id ? world.id : null);
    seen.add(request);
  }
  assert.equal(seen.size, 3);
});

test("request id: a failure of the service is logged with registration and channel", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.close();
  const answer = await takeAnswer(caller);
  const { request } = JSON.parse(answer.body) as { request: string };
  const line = await world.server.logged((line) => line["request"] === request);
  assert.equal(line["id"], world.id);
  assert.equal(typeof line["channel"], "number");
  assert.equal(line.code, "service-closed");
});

test("request id: it does not go to the service, and a caller's own is left alone", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  await takeAnswer(caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`)));
  const answer = await takeAnswer(caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, "X-Request-Id: mine")));
  assert.deepEqual(service.heads.map((head) => valuesOf(head, "x-request-id")), [[], ["mine"]]);
  assert.deepEqual(valuesOf(answer.head, "x-request-id"), []);
});

test("request id: a connection to the reverse port that fails is logged with registration and request", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy());
  world.service.server.close();
  await new RawCaller(world.rawPort).closed;
  const line = await world.server.logged(({ code }) => code === "service-refused");
  assert.equal(line["id"], world.id);
  assert.match(line["request"] as string, /^[0-9a-f]{8}-[0-9a-z]+$/);
  assert.match(line.msg, /^A connection to the reverse port of \d+ was not answered: service-refused \(.+\)$/);
});
