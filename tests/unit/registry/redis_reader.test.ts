import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import test, { type TestContext } from "node:test";
import type { PetitError } from "../../../src/error.ts";
import { withRedis } from "../../../src/registry/redis_reader.ts";

/** A server that does `serve` with each connection, as the URL of a Redis. */
async function start(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://:hidden@127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusal(url: string): Promise<string> {
  const error = await withRedis(url, (redis) => redis.members("g2c/allids"), 500).then(
    (members) => assert.fail(`It was read: ${members}`),
    (error: PetitError) => error,
  );
  assert.equal(error.code, "import-unreadable", String(error.stack));
  assert.doesNotMatch(error.message + error.hint, /hidden/);
  return error.message;
}

const OTHERS: [name: string, serve: (socket: Socket) => void, said: RegExp][] = [
  [
    "an HTTP server",
    (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    /what answers there is no Redis$/,
  ],
  ["an SSH server", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n"), /what answers there is no Redis$/],
  ["a server that hangs up", (socket) => socket.end(), /cannot be read: ./],
  ["a server that resets", (socket) => socket.resetAndDestroy(), /cannot be read: ./],
  ["a server that says nothing", () => {}, /it did not answer within 0\.5 s$/],
  ["a Redis that is loading", (socket) => {
    socket.on("data", () => socket.write("-LOADING Redis is loading the dataset in memory\r\n"));
  }, /LOADING Redis is loading/],
  ["a Redis that breaks off", (socket) => {
    socket.once("data", () => socket.write("+OK\r\n*2\r\n$1\r\n0\r\n*100\r\n$4\r\n40", () => socket.end()));
  }, /cannot be read: ./],
];
for (const [name, serve, said] of OTHERS) {
  test(`reading a Redis: ${name} is a sentence, and no password in it`, async (t) => {
    assert.match(await refusal(await start(t, serve)), said);
  });
}

test("reading a Redis: a port where nobody is", async () => {
  const url = await new Promise<string>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(`redis://127.0.0.1:${port}`));
    });
  });
  assert.match(await refusal(url), /^The Redis at 127\.0\.0\.1:\d+ cannot be read: .*ECONNREFUSED/);
});

test("reading a Redis: a set is asked for in parts, of which none is lost or told twice", async (t) => {
  const url = await start(t, (socket) => {
    let asked = 0;
    socket.on("data", () => {
      asked++;
      if (asked === 1) socket.write("+OK\r\n");
      else if (asked === 2) socket.write("*2\r\n$2\r\n17\r\n*2\r\n$4\r\n4001\r\n$4\r\n4002\r\n");
      else socket.write("*2\r\n$1\r\n0\r\n*2\r\n$4\r\n4002\r\n$4\r\n4003\r\n");
    });
  });
  assert.deepEqual(await withRedis(url, (redis) => redis.members("g2c/allids")), ["4001", "4002", "4003"]);
});
