import { createServer, type RequestListener } from "node:http";
import { head, RawCaller, statusOf, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { listenOn, type Scope } from "../world/world.ts";

const ROUNDS = 6;
const CONNECTIONS = 32;
/** Of all connections together before they are closed. */
const REQUESTS_BEFORE = 200;
/** After each round, so that something is seen of a server that has died in the last one. */
const REQUESTS_AFTER = 20;
/** Milliseconds. */
const PATIENCE = 10_000;
const BODY = "hello";

/** The service: "/never" is not answered. */
const answer: RequestListener = (request, response) => {
  request.resume();
  if (request.url !== "/never") response.end(BODY);
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

/** One that does not wait for ever: tunnels of 0.6.34 may stall. */
class PatientCaller extends RawCaller {
  constructor(port: number) {
    super(port);
    this.socket.setTimeout(PATIENCE, () => this.close());
  }
}

/** So many connections of one kind that are there. */
async function connected(port: number): Promise<RawCaller[]> {
  const callers = Array.from({ length: CONNECTIONS }, () => new PatientCaller(port));
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
  ];
  await Promise.all(callers.map(async (caller, i) => {
    await stages[i % stages.length]?.(caller);
    caller.reset();
    await caller.closed;
  }));
}

/** As a load generator ends: each connection has a request on its way somewhere. */
async function closeAtOnce(way: Way): Promise<void> {
  const callers = Array.from({ length: CONNECTIONS }, () => new KeptCaller(way));
  let left = REQUESTS_BEFORE;
  await Promise.all(callers.map(async (caller) => {
    while (left-- > 0) await caller.ask().catch(() => {});
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
  const count = async (ask: () => Promise<void>) => {
    outcome.asked++;
    await ask().catch((error: Error) => outcome.failed.push(error.message));
  };
  const keep = async (ask: () => Promise<void>) => {
    while (!over) await count(ask);
  };
  const kept = new KeptCaller(way);
  const others = Promise.all([keep(() => once(way)), keep(() => kept.ask())]);
  await count(() => once(way));
  for (let round = 0; round < ROUNDS; round++) {
    await how(way);
    for (let request = 0; request < REQUESTS_AFTER; request++) await count(() => once(way));
  }
  over = true;
  await others;
  kept.close();
  return outcome;
}

/** A request on a connection of its own. @throws Error where its answer is not as it should be */
async function once(way: Way): Promise<void> {
  const caller = new PatientCaller(way.port);
  const text = await caller.send(get(way, "/", "Connection: close")).all();
  caller.close();
  if (statusOf(text) !== 200 || !text.includes(BODY)) throw new Error(text.split("\r\n")[0] || "no answer");
}

/** One connection for all requests, or for as many as the server wants to answer on one. */
class KeptCaller {
  readonly #way: Way;
  #caller: PatientCaller | undefined;

  constructor(way: Way) {
    this.#way = way;
  }

  /** @throws Error where the answer is not as it should be */
  async ask(): Promise<void> {
    this.#caller ??= new PatientCaller(this.#way.port);
    try {
      const { status, head, body } = await takeAnswer(this.#caller.send(get(this.#way, "/")));
      if (status !== 200 || body !== BODY) throw new Error(`status ${status}`);
      if (valuesOf(head, "connection")[0] === "close") this.close();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#caller?.close();
    this.#caller = undefined;
  }
}
