import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { startService } from "../world/world.ts";
import { Caller } from "./world/caller.ts";
import { FaultRelay } from "./world/fault_relay.ts";
import type { Outcome } from "./world/outcome.ts";
import { serveVerifiably } from "./world/verifying_service.ts";

/** A caller of a service, without petit in between. */
async function callerOf(t: TestContext, accept: (socket: Socket) => void, patience = 300): Promise<Caller> {
  const { port } = await startService(t, accept);
  return new Caller({ proxyPort: port, rawPort: port, host: "service" }, patience);
}

/** A service that answers each request with `answer`, in which TAG is the request's tag, and ends the connection or breaks it off. */
function answering(answer: string, reset = false): (socket: Socket) => void {
  return (socket) =>
    socket.once("data", (bytes: Buffer) => {
      const tag = /X-Tag: (.*)\r\n/.exec(bytes.toString("latin1"))?.[1] ?? "";
      const text = answer.replaceAll("\n", "\r\n").replace("TAG", tag);
      socket.write(text, () => reset ? setTimeout(() => socket.resetAndDestroy(), 20) : socket.end());
    });
}

async function classOf(outcome: Promise<Outcome>): Promise<string> {
  return (await outcome).class;
}

test("what the verifying service answers is correct, whatever is asked", async (t) => {
  const caller = await callerOf(t, serveVerifiably, 5000);
  const outcomes = [
    caller.ask(),
    caller.download(1_000_000),
    caller.download(1_000_000, { chunked: true }),
    caller.upload(1_000_000),
    caller.events(5, 10),
    caller.webSocket(5, 10_000),
    caller.tcp(5, 10_000),
  ];
  for (const outcome of await Promise.all(outcomes)) assert.equal(outcome.class, "correct", JSON.stringify(outcome));
  assert.deepEqual((await caller.keptAlive(5)).map((outcome) => outcome.class), Array(5).fill("correct"));
});

test("petit's own refusals, a refused connection and one that ends without a word are clean failures", async (t) => {
  const refusal = '{"g2c":"unavailable","code":"tunnel-away"}';
  const head = `HTTP/1.1 503 Service Unavailable\nContent-Length: ${refusal.length}\n\n`;
  const refused = await (await callerOf(t, answering(head + refusal))).ask();
  assert.deepEqual([refused.class, refused.detail], ["refused", "503 tunnel-away"]);
  assert.equal(await classOf((await callerOf(t, (socket) => socket.resetAndDestroy())).ask()), "refused");
  const { port } = await startService(t, () => {});
  const gone = await FaultRelay.to(t, port, { accepting: "refuse" });
  assert.equal(await classOf(new Caller({ proxyPort: gone.port, rawPort: 0, host: "" }).ask()), "refused");
});

test("an answer that visibly ends too early is cut", async (t) => {
  const length = await callerOf(t, answering("HTTP/1.1 200 OK\nX-Tag: TAG\nContent-Length: 64\n\nhalf"));
  assert.equal(await classOf(length.ask()), "cut");
  const chunk = await callerOf(t, answering("HTTP/1.1 200 OK\nX-Tag: TAG\nTransfer-Encoding: chunked\n\n3\nabc\n"));
  assert.equal(await classOf(chunk.ask()), "cut");
  assert.equal(await classOf((await callerOf(t, answering("half", true))).tcp(1, 100)), "cut");
});

test("wrong bytes, a whole that is none, another's answer and a stranger's refusal are corrupt", async (t) => {
  for (
    const answer of [
      `HTTP/1.1 200 OK\nX-Tag: TAG\nContent-Length: 64\n\n${"x".repeat(64)}`,
      "HTTP/1.1 200 OK\nX-Tag: TAG\nContent-Length: 4\n\nless",
      "HTTP/1.1 200 OK\nX-Tag: TAG\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
      "HTTP/1.1 200 OK\nX-Tag: other\nContent-Length: 0\n\n",
      "HTTP/1.1 503 Service Unavailable\nContent-Length: 0\n\n",
      "HTTP/1.1 500 Internal Server Error\nContent-Length: 0\n\n",
    ]
  ) {
    const caller = await callerOf(t, answering(answer));
    assert.equal(await classOf(caller.ask()), "corrupt", answer);
  }
  // A bare stream has no other end than its connection's.
  assert.equal(await classOf((await callerOf(t, answering("half"))).tcp(1, 100)), "corrupt");
  assert.equal(await classOf((await callerOf(t, (socket) => socket.end("x".repeat(100)))).tcp(1, 100)), "corrupt");
});

test("who hears nothing for longer than its bound is stuck", async (t) => {
  assert.equal(await classOf((await callerOf(t, (socket) => socket.resume(), 100)).ask()), "stuck");
  const half = await callerOf(t, (socket) => socket.write("HTTP/1.1 200 OK\r\n"), 100);
  assert.equal(await classOf(half.ask()), "stuck");
  const slow = await callerOf(t, serveVerifiably, 200);
  assert.equal(await classOf(slow.events(5, 100)), "correct");
});
