import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, statusOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { makeWorld, startService, TestClient, type World } from "../world/world.ts";

const answeredBy = (name: string) =>
  new AnsweringService(head("HTTP/1.1 200 OK", `X-Service: ${name}`, "Content-Length: 0"));

/** A world with a second registration, so that an answer shows which service it came from. */
async function twoServices(t: TestContext): Promise<World & { other: string }> {
  const world = await makeWorld(t, answeredBy("first").accept);
  const service = await startService(t, answeredBy("second").accept);
  const client = await new TestClient(t, world.server, service.port).register(world.server.joinCode());
  await client.start();
  return { ...world, other: client.registered.registeredId };
}

/** Which service answers a request with this Host: its name, or the status code of the refusal. */
async function whoAnswers(proxyPort: number, host: string): Promise<string> {
  const answer = await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${host}`, "Connection: close"));
  return /X-Service: (\w+)/.exec(answer)?.[1] ?? String(statusOf(answer));
}

test("the Host field chooses the service by the registration's id, in each of its forms", async (t) => {
  const { proxyPort, id, other } = await twoServices(t);
  const forms = [
    "ID",
    "ID:8090",
    "ID:",
    "ID-anything",
    "ID-a-b",
    "ID.example.com",
    "ID-x.example.com:443",
    "ID-X.Example.COM",
  ];
  for (const form of forms) {
    assert.equal(await whoAnswers(proxyPort, form.replace("ID", id)), "first", form);
    assert.equal(await whoAnswers(proxyPort, form.replace("ID", other)), "second", form);
  }
});

test("a host that only begins or ends with a registration's id is unknown", async (t) => {
  const { proxyPort, id } = await twoServices(t);
  for (const form of ["ID0", "0ID", "x-ID", "example.ID.com", "IDx.example.com", "ID_x", "-ID", ".ID"]) {
    assert.equal(await whoAnswers(proxyPort, form.replace("ID", id)), "404", form);
  }
});

test("an alias reaches its service soon after it is added, in any case and with any port", async (t) => {
  const { server, proxyPort, other } = await twoServices(t);
  assert.equal(await whoAnswers(proxyPort, "books.example.com"), "404");
  alter(server.config.server.registryUrl, (registry) => registry.addAlias(other, "books.example.com"));
  await eventually("the alias is routed", async () => await whoAnswers(proxyPort, "books.example.com") === "second");
  assert.equal(await whoAnswers(proxyPort, "Books.Example.COM:8090"), "second");
  assert.equal(await whoAnswers(proxyPort, "www.books.example.com"), "404");
});

test("an alias cannot take the callers of another registration's address", async (t) => {
  const { server, proxyPort, id, other } = await twoServices(t);
  for (const alias of [id, `${id}-shop.example.com`, `${id}.example.com`]) {
    alter(server.config.server.registryUrl, (registry) => {
      assert.throws(() => registry.addAlias(other, alias), { code: "alias-taken" });
      registry.addAlias(id, alias);
    });
    assert.equal(await whoAnswers(proxyPort, alias), "first", alias);
  }
});

test("an alias that is removed no longer reaches the service", async (t) => {
  const { server, proxyPort, id } = await twoServices(t);
  alter(server.config.server.registryUrl, (registry) => registry.addAlias(id, "books"));
  await eventually("the alias is routed", async () => await whoAnswers(proxyPort, "books") === "first");
  alter(server.config.server.registryUrl, (registry) => registry.removeAlias(id, "books"));
  await eventually("the alias is gone", async () => await whoAnswers(proxyPort, "books") === "404");
});

test("requests on one connection are routed each by its own Host", async (t) => {
  const { proxyPort, id, other } = await twoServices(t);
  const answers = await exchange(
    proxyPort,
    head("GET / HTTP/1.1", `Host: ${id}`) + head("GET / HTTP/1.1", `Host: ${other}`) +
      head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close"),
  );
  assert.deepEqual([...answers.matchAll(/X-Service: (\w+)/g)].map(([, name]) => name), ["first", "second", "first"]);
});

/** Changes the registry as another process would, such as `petit server addalias`. */
function alter(registryUrl: string, change: (registry: ReturnType<typeof openRegistry>) => void): void {
  const registry = openRegistry(registryUrl);
  change(registry);
  registry.close();
}
