import { createServer } from "node:net";

// All of these lie below the ports that systems give to outgoing connections (from 32,768 on with Linux), so that none of
// those takes one before it is used. Single ports and blocks lie apart.
const SINGLE = { from: 12_000, to: 16_000 };
const BLOCKS = { from: 16_000, to: 31_900 };
const BLOCK = 100;
const BLOCK_COUNT = (BLOCKS.to - BLOCKS.from) / BLOCK;

/** Another run of the tests at the same time gives ports away too: each begins elsewhere. */
let block = Math.floor(Math.random() * BLOCK_COUNT);
const given = new Set<number>();

/** The first of a hundred reverse ports for one server; no server of the next 158 in this process gets any of them. */
export function firstReversePort(): number {
  block = (block + 1) % BLOCK_COUNT;
  return BLOCKS.from + block * BLOCK;
}

/** A port on which nothing listens, and which is given to nobody else in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = SINGLE.from + Math.floor(Math.random() * (SINGLE.to - SINGLE.from));
    if (given.has(port)) continue;
    given.add(port);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
