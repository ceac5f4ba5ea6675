import { createServer, type RequestListener } from "node:http";
import { exchange, head, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { listenOn, type Scope } from "../world/world.ts";

const ROUNDS = 10;
const CONNECTIONS = 32;
/** Of all connections together before they are closed. */
const REQUESTS_BEFORE = 200;
/** Of the last round, so that something is seen of a server that has died then. */
const REQUESTS_AFTER = 20;
const BODY = "hello";
const LARGE = Buffer.alloc(16 * 1024 ** 2);

/** The service: "/never" is not answered, and "/large" is longer than what fits between caller and service. */
const answer: RequestListener = (request, response) => {
  request.resume();
  if (request.url === "/never") return;
  response.end(request.url === "/large" ? LARGE : BODY);
};

export async function startAbusedService(scope: Scope): Promise<number> {
  const service = createServer(answer);
  scope.after(() => {
    service.closeAllConnections();
    service.close();
  });
  return await listenOn(service);
}

/** Where callers go: a port, and the Host field that leads to the service. */
interface Way {
  readonly port: number;
  readonly host: string;
}

const get = ({ host }: Way, path: string, ...fields: string[]) =>
  head(`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields);

/** So many connections of one kind that are there. */
async function connected(port: number): Promise<RawCaller[]> {
  const callers = Array.from({ length: CONNECTIONS }, () => new RawCaller(port));
  await Promise.all(
    callers.map(({ socket }) =>
      new Promise<void>((resolve) => socket.once("connect", resolve).once("error", () => resolve()))
    ),
  );
  return callers;
}

async function resetInTheMiddle(way: Way): Promise<void> {
  const callers = await connected(way.port);
  const stages: ((caller: RawCaller) => unknown)[] = [
    (caller) => caller.send(get(way, "/").slice(0, 20)),
    (caller) => caller.send(`POST / HTTP/1.1\r\nHost: ${way.host}\r\nContent-Length: 1000\r\n\r\nsome`),
    // Sent and reset in one go: the server has not looked up yet where the request has to go.
    (caller) => caller.send(get(way, "/")),
    (caller) => caller.send(get(way, "/never")),
    (caller) => caller.send(get(way, "/large")).take(100_000).catch(() => {}),
  ];
  await Promise.all(callers.map(async (caller, i) => {
    await stages[i % stages.length]?.(caller);
    caller.reset();
    await caller.closed;
  }));
}

/** As a load generator ends: each connection has a request on its way somewhere. */
async function closeAtOnce(way: Way): Promise<void> {
  const callers = await connected(way.port);
  let left = REQUESTS_BEFORE;
  await Promise.all(callers.map(async (caller) => {
    const closed = caller.closed.then(() => left = 0);
    while (left-- > 0) await Promise.race([takeAnswer(caller.send(get(way, "/"))).catch(() => {}), closed]);
    for (const caller of callers) caller.close();
  }));
}

/** What callers do of which a server of 0.6.34 dies. */
export const ABUSES: Readonly<Record<string, (way: Way) => Promise<void>>> = {
  "callers that reset in the middle of requests": resetInTheMiddle,
  [`${CONNECTIONS} kept connections closed at once`]: closeAtOnce,
};

/** What became of the ordinary requests beside and behind an abuse. */
export interface Outcome {
  asked: number;
  /** Why each of those that failed did. */
  readonly failed: string[];
}

/** Abuses a way, round after round, while and after others use it as one should. */
export async function abuse(way: Way, how: (way: Way) => Promise<void>): Promise<Outcome> {
  const outcome: Outcome = { asked: 0, failed: [] };
  let over = false;
  const keep = async (ask: () => Promise<void>) => {
    while (!over) await ask();
  };
  const kept = new KeptCaller(way);
  const others = Promise.all([keep(() => once(way, outcome)), keep(() => kept.ask(outcome))]);
  await once(way, outcome);
  for (let round = 0; round < ROUNDS; round++) {
    await how(way);
    for (let request = 0; request < REQUESTS_AFTER; request++) await once(way, outcome);
  }
  over = true;
  await others;
  kept.close();
  return outcome;
}

/** A request on a connection of its own. */
async function once(way: Way, outcome: Outcome): Promise<void> {
  outcome.asked++;
  const text = await exchange(way.port, get(way, "/", "Connection: close"));
  if (statusOf(text) !== 200 || !text.includes(BODY)) outcome.failed.push(text.split("\r\n")[0] || "no answer");
}

/** One connection for all requests, for as long as it lasts. */
class KeptCaller {
  readonly #way: Way;
  #caller: RawCaller | undefined;

  constructor(way: Way) {
    this.#way = way;
  }

  async ask(outcome: Outcome): Promise<void> {
    outcome.asked++;
    this.#caller ??= new RawCaller(this.#way.port);
    try {
      const { status, body } = await takeAnswer(this.#caller.send(get(this.#way, "/")));
      if (status !== 200 || body !== BODY) throw new Error(`status ${status}`);
    } catch (error) {
      outcome.failed.push((error as Error).message);
      this.close();
    }
  }

  close(): void {
    this.#caller?.close();
    this.#caller = undefined;
  }
}
