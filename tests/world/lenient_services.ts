import type { Socket } from "node:net";

/** How a service of the careless kind reads requests. Each kind is one that exists in the wild. */
export interface Leniency {
  /** Which framing wins where both are given. */
  readonly prefers: "length" | "chunked";
  /** What ends a line. */
  readonly lineEnd: "crlf" | "crlf-or-lf" | "anything";
  /** Whether a line that begins with white space continues the one before; otherwise it is a field of its own. */
  readonly folds: boolean;
}

/** The three kinds of careless services that smugglers count on. */
export const LENIENT: Readonly<Record<string, Leniency>> = {
  "takes the length before chunks": { prefers: "length", lineEnd: "crlf", folds: false },
  "takes anything for chunks": { prefers: "chunked", lineEnd: "crlf-or-lf", folds: false },
  "ends lines at any CR or LF and folds": { prefers: "chunked", lineEnd: "anything", folds: true },
};

const LINE_ENDS = { crlf: /\r\n/, "crlf-or-lf": /\r?\n/, anything: /\r\n|\n|\r/ };

/**
 * A service that never refuses anything: it makes what sense it can of whatever bytes come, as its leniency says, answers each
 * request it believes to see with 200, and remembers their first lines.
 */
export class LenientService {
  /** First lines of all requests, whatever they look like. */
  readonly seen: string[] = [];
  readonly #leniency: Leniency;

  constructor(leniency: Leniency) {
    this.#leniency = leniency;
  }

  readonly accept = (socket: Socket): void => {
    let pending = "";
    socket.on("end", () => socket.end());
    socket.on("data", (bytes: Buffer) => {
      pending += bytes.toString("latin1");
      for (let used = this.#request(pending); used > 0; used = this.#request(pending)) {
        pending = pending.slice(used);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
  };

  /** Reads one request at the beginning of `text`; returns its length, 0 where it is not complete. */
  #request(text: string): number {
    const lines: string[] = [];
    let at = 0;
    for (;;) {
      const line = this.#line(text, at);
      if (line === undefined) return 0;
      at = line.end;
      if (line.text !== "") lines.push(line.text);
      else if (lines.length > 0) break;
    }
    const end = this.#bodyEnd(text, at, lines);
    if (end < 0) return 0;
    this.seen.push(lines[0] as string);
    return end;
  }

  #line(text: string, from: number): { text: string; end: number } | undefined {
    const match = LINE_ENDS[this.#leniency.lineEnd].exec(text.slice(from));
    if (match === null) return undefined;
    return { text: text.slice(from, from + match.index), end: from + match.index + match[0].length };
  }

  #bodyEnd(text: string, from: number, lines: string[]): number {
    let length: number | undefined;
    let chunked = false;
    for (const line of this.#unfolded(lines.slice(1))) {
      const colon = line.indexOf(":");
      // Control characters and white space around names and values count for nothing here.
      const name = line.slice(0, colon).toLowerCase().replace(/[^!-~]/g, "");
      const value = line.slice(colon + 1).toLowerCase();
      if (name === "content-length") length = Number.parseInt(value.replace(/[^!-~]/g, ""), 10);
      else if (name === "transfer-encoding" && value.includes("chunked")) chunked = true;
    }
    const hasLength = length !== undefined && length >= 0;
    if (hasLength && (!chunked || this.#leniency.prefers === "length")) {
      const end = from + (length as number);
      return end <= text.length ? end : -1;
    }
    return chunked ? this.#chunksEnd(text, from) : from;
  }

  #unfolded(lines: string[]): string[] {
    const whole: string[] = [];
    for (const line of lines) {
      if (this.#leniency.folds && /^[ \t]/.test(line) && whole.length > 0) whole.push(whole.pop() + line);
      else whole.push(line);
    }
    return whole;
  }

  #chunksEnd(text: string, from: number): number {
    for (let at = from;;) {
      const line = this.#line(text, at);
      if (line === undefined) return -1;
      const size = Number.parseInt(line.text.trim().replace(/^\+/, ""), 16) || 0;
      if (size <= 0) return this.#trailersEnd(text, line.end);
      // What stands behind the data is skipped up to the line's end, whatever it is.
      const behind = this.#line(text, line.end + size);
      if (behind === undefined) return -1;
      at = behind.end;
    }
  }

  #trailersEnd(text: string, from: number): number {
    for (let at = from;;) {
      const line = this.#line(text, at);
      if (line === undefined) return -1;
      at = line.end;
      if (line.text === "") return at;
    }
  }
}
