import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import test, { type TestContext } from "node:test";
import { TestApi } from "../world/api.ts";
import { TestServer } from "../world/world.ts";

/** An event, with its data read as JSON. */
interface Event {
  readonly id?: string;
  readonly event?: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** A reader of /log/tail. */
class Reader {
  readonly events: Event[] = [];
  readonly answer: IncomingMessage;
  #rest = "";
  #wake = () => {};

  constructor(answer: IncomingMessage) {
    this.answer = answer;
    answer.setEncoding("utf8").on("data", (text: string) => this.#take(text)).on("error", () => {});
  }

  static follow(
    t: TestContext,
    api: TestApi,
    path = "/log/tail",
    headers: Record<string, string> = {},
  ): Promise<Reader> {
    return new Promise((resolve, reject) => {
      const authorization = `Bearer ${api.token}`;
      const sent = request({
        host: "127.0.0.1",
        port: api.port,
        path,
        agent: false,
        headers: { authorization, ...headers },
      });
      sent.on("response", (answer) => resolve(new Reader(answer))).on("error", reject).end();
      t.after(() => sent.destroy());
    });
  }

  async until(test: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const found = this.events.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() as string;
    for (const part of parts) {
      if (part.startsWith(":")) continue;
      const fields = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      this.events.push({ ...fields, data: JSON.parse(fields["data"] as string) });
    }
    this.#wake();
  }
}

test("each new line of the log is an event", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t).start());
  const { log } = api.facilities;
  log.info("before");
  const reader = await Reader.follow(t, api);
  assert.equal(reader.answer.headers["content-type"], "text/event-stream");
  log.info({ id: "1001" }, "two\nlines");
  const { data } = await reader.until(({ data }) => data.msg === "two\nlines");
  assert.deepEqual([data.id, data.level], ["1001", "info"]);
  assert.equal(reader.events.length, 1);
});

test("lines of the past come first where they are asked for", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t).start());
  const { log } = api.facilities;
  for (const word of ["one", "two", "three"]) log.info(word);
  assert.deepEqual((await api.get("/log?lines=2")).json.lines.map(({ msg }: { msg: string }) => msg), ["two", "three"]);
  const reader = await Reader.follow(t, api, "/log/tail?lines=2");
  log.info("four");
  await reader.until(({ data }) => data.msg === "four");
  assert.deepEqual(reader.events.map(({ data }) => data.msg), ["two", "three", "four"]);
});

test("a reader that comes back with the id of its last event misses nothing and gets nothing twice", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t).start());
  const { log } = api.facilities;
  const first = await Reader.follow(t, api);
  log.info("seen");
  const { id } = await first.until(({ data }) => data.msg === "seen");
  first.answer.destroy();
  for (const word of ["one", "two"]) log.info(word);
  const second = await Reader.follow(t, api, "/log/tail", { "last-event-id": id as string });
  log.info("three");
  await second.until(({ data }) => data.msg === "three");
  assert.deepEqual(second.events.map(({ data }) => data.msg), ["one", "two", "three"]);
  for (let i = 0; i < 1500; i++) log.info("many");
  const third = await Reader.follow(t, api, "/log/tail", { "last-event-id": id as string });
  assert.deepEqual((await third.until(({ event }) => event === "missed")).data, { missed: 503 });
  const other = await Reader.follow(t, api, "/log/tail?lines=1", { "last-event-id": "another.7" });
  assert.equal((await other.until(() => true)).data.msg, "many");
});

test("a reader that does not read holds nothing up, and is told how much it missed", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t).start());
  const { log } = api.facilities;
  const reader = await Reader.follow(t, api);
  log.info("first");
  await reader.until(({ data }) => data.msg === "first");
  reader.answer.pause();
  const text = "x".repeat(10_000);
  // More than all buffers on the way hold.
  for (let i = 0; i < 10_000; i++) {
    log.info({ i }, text);
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  reader.answer.resume();
  const { data: { missed } } = await reader.until(({ event }) => event === "missed");
  await reader.until(({ data }) => data.i === 9999);
  const lines = reader.events.filter(({ data }) => data.msg === text).length;
  const told = reader.events.reduce((sum, { event, data }) => event === "missed" ? sum + data.missed : sum, 0);
  assert.ok(missed > 0);
  assert.equal(lines + told, 10_000);
});

test("a reader that leaves is forgotten", async (t) => {
  const api = await TestApi.ofServer(t, await new TestServer(t).start());
  const { tail, log } = api.facilities;
  const follow = tail.follow.bind(tail);
  const ended = new Promise<void>((resolve) => {
    tail.follow = (options) => {
      options.signal.addEventListener("abort", () => resolve());
      return follow(options);
    };
  });
  const reader = await Reader.follow(t, api);
  log.info("here");
  await reader.until(({ data }) => data.msg === "here");
  reader.answer.destroy();
  await ended;
});
