import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { makeWorld, TestServer, type World } from "../world/world.ts";

const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function serve(socket: Socket): void {
  socket.on("data", () => socket.write(answer("hello")));
  socket.on("end", () => socket.end());
}

function ask(port: number, host: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { host, "user-agent": 'te"st', referer: "https://example.com/" };
    get({ host: "127.0.0.1", port, path, headers, agent: false }, (answer) => {
      answer.resume().on("close", () => resolve(answer.statusCode));
    }).on("error", reject);
  });
}

/** The lines of a server, once there are `count`, and after its end. */
async function linesOf({ server }: World, count: number): Promise<string[]> {
  const file = join(server.config.server.logFolder, "access.log");
  const lines = () => readFileSync(file, "utf8").split("\n").slice(0, -1);
  await eventually(`the access log has ${count} lines`, () => lines().length >= count);
  await server.stop();
  return lines();
}

test("access log: as JSON it names each request's registration and channel, also of those that are refused", async (t) => {
  const world = await makeWorld(t, serve, {
    server: 'accessLog = "json"',
  });
  await ask(world.proxyPort, `${world.id}.localhost`, "/items?page=2");
  await ask(world.proxyPort, "nobody.localhost", "/");
  const raw = connect(world.rawPort, "127.0.0.1");
  raw.write("raw");
  await new Promise((resolve) => raw.once("data", resolve));
  await new Promise((resolve) => raw.on("close", resolve).destroy());
  const lines = (await linesOf(world, 3)).map((line) => JSON.parse(line) as Record<string, unknown>);
  const told = lines.map(({ kind, id, method, target, status, code, address }) => ({
    kind,
    id,
    method,
    target,
    status,
    code,
    address,
  }));
  const address = "127.0.0.1";
  const { id } = world;
  assert.deepEqual(told.slice(0, 2), [
    { kind: "http", id, method: "GET", target: "/items?page=2", status: 200, code: null, address },
    { kind: "http", id: null, method: "GET", target: "/", status: 404, code: told[1]?.code, address },
  ]);
  assert.deepEqual(told.slice(2).map(({ kind, id }) => ({ kind, id })), [{ kind: "tcp", id }]);
  assert.equal(typeof lines[0]?.["channel"], "number");
  assert.equal(typeof told[1]?.code, "string");
  assert.equal(new Set(lines.map(({ request }) => request)).size, 3);
});

test("access log: whoever is cut off when the server stops is in it", async (t) => {
  const world = await makeWorld(t, serve, { server: 'accessLog = "json"' });
  const raw = connect(world.rawPort, "127.0.0.1").on("error", () => {});
  t.after(() => raw.destroy());
  raw.write("raw");
  await new Promise((resolve) => raw.once("data", resolve));
  const [line, ...more] = await linesOf(world, 0);
  assert.equal((JSON.parse(line as string) as { kind: string }).kind, "tcp");
  assert.deepEqual(more, []);
});

test("access log: in the combined format a request is a line that no caller can break", async (t) => {
  const world = await makeWorld(t, serve, {
    server: 'accessLog = "combined"',
  });
  await ask(world.proxyPort, `${world.id}.localhost`, "/items");
  const [line, ...more] = await linesOf(world, 1);
  assert.match(
    line as string,
    /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/items HTTP\/1\.1" 200 \d+ "https:\/\/example\.com\/" "te\\x22st"$/,
  );
  assert.deepEqual(more, []);
});

test("access log: none is kept unless it is asked for", async (t) => {
  const server = await new TestServer(t).start();
  const folder = server.config.server.logFolder;
  assert.equal(dirname(folder), server.folder);
  assert.equal(existsSync(join(folder, "access.log")), false);
});

test("access log: a server that has no folder for it does not start", async (t) => {
  const server = new TestServer(t, 'accessLog = "json"\nlogFolder = ""');
  await assert.rejects(server.start(), { name: "PetitError", code: "access-log-nowhere" });
});
