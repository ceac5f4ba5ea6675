import { connect } from "node:net";
import { RawPeer } from "./raw_peer.ts";

/** An HTTP caller that sends exactly the bytes it is told, and keeps all that comes back. */
export class RawCaller extends RawPeer {
  constructor(port: number, host = "127.0.0.1") {
    super(connect({ port, host, allowHalfOpen: true, noDelay: true }));
  }
}

/** Sends one request on a connection of its own and returns everything up to its end. */
export async function exchange(port: number, text: string): Promise<string> {
  const caller = new RawCaller(port);
  caller.send(text);
  const all = await caller.all();
  caller.close();
  return all;
}

/** GETs a path on a connection of its own; everything that comes back. */
export function getOnce(port: number, host: string, path = "/"): Promise<string> {
  return exchange(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

/** The status code of the (last) answer in a text. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** The bytes of a head: its lines, each with its CRLF, and the empty line. */
export function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The field lines of a head as they were sent, without its first line. */
export function fieldLines(head: string): string[] {
  return head.slice(0, -4).split("\r\n").slice(1);
}

/** The values of a field, one for each of its lines. */
export function valuesOf(head: string, name: string): string[] {
  const start = `${name.toLowerCase()}:`;
  return fieldLines(head).filter((line) => line.toLowerCase().startsWith(start)).map((line) =>
    line.slice(start.length).trim()
  );
}

/** An answer in its parts. */
export interface Answer {
  status: number;
  head: string;
  body: string;
  /** Field lines behind a chunked body. */
  trailers: string;
}

/** Takes one answer, framed by a length or in chunks, to a request that was not HEAD. */
export async function takeAnswer(caller: RawPeer): Promise<Answer> {
  const text = await caller.takeHead();
  const answer = { status: statusOf(text), head: text, body: "", trailers: "" };
  if (valuesOf(text, "transfer-encoding")[0] === "chunked") {
    for (;;) {
      const size = Number.parseInt(await caller.takeUntil("\r\n"), 16);
      if (size === 0) break;
      answer.body += (await caller.take(size + 2)).slice(0, -2);
    }
    for (let line = ""; line !== "\r\n"; line = await caller.takeUntil("\r\n")) answer.trailers += line;
  } else answer.body = await caller.take(Number(valuesOf(text, "content-length")[0] ?? 0));
  return answer;
}
