import type { Socket } from "node:net";

/** How a service of the careless kind reads requests. Each carelessness is one that exists in the wild. */
export interface Leniency {
  /** Which framing wins where both are given. */
  readonly prefers: "length" | "chunked";
  /** Which length wins where several are given. */
  readonly length: "first" | "last";
  /** How lengths and chunk sizes are read: the first digits that are found, or as C and Python read literals, in 64 bits. */
  readonly numbers: "digits" | "literal";
  /** What ends a line. */
  readonly lineEnd: "crlf" | "crlf-or-lf" | "anything";
  /** Whether a line that begins with white space or a colon continues the one before; otherwise it is a field of its own. */
  readonly folds: boolean;
  /** Whether all punctuation in names is the same, as in CGI; otherwise what is not printable counts for nothing. */
  readonly cgiNames: boolean;
  /** Whether it looks for no body behind methods that have none as a rule, and behind Expect; fields that Connection names are no matter. */
  readonly overlooksBodies: boolean;
  /** Whether it is a server of HTTP/1.0 and before: chunks are unknown, and a line without a version is a request. */
  readonly antique: boolean;
}

const STRICTER: Leniency = {
  prefers: "length",
  length: "first",
  numbers: "digits",
  lineEnd: "crlf",
  folds: false,
  cgiNames: false,
  overlooksBodies: false,
  antique: false,
};

/** The kinds of careless services that smugglers count on. */
export const LENIENT: Readonly<Record<string, Leniency>> = {
  "takes the length before chunks": STRICTER,
  "takes anything for chunks": {
    ...STRICTER,
    prefers: "chunked",
    length: "last",
    numbers: "literal",
    lineEnd: "crlf-or-lf",
  },
  "ends lines at any CR or LF and folds": { ...STRICTER, prefers: "chunked", lineEnd: "anything", folds: true },
  "overlooks bodies": { ...STRICTER, prefers: "chunked", cgiNames: true, overlooksBodies: true },
  "knows no chunks": { ...STRICTER, antique: true },
};

const LINE_ENDS = { crlf: /\r\n/, "crlf-or-lf": /\r?\n/, anything: /\r\n|\n|\r/ };

const WITHOUT_BODY = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

/** A request as a careless service believes to see it. */
interface Seen {
  readonly line: string;
  readonly end: number;
  readonly closes: boolean;
}

/**
 * A service that never refuses anything: it makes what sense it can of whatever bytes come, as its leniency says, answers each
 * request it believes to see with 200 and the target as body, and remembers their first lines. It closes where it is asked to.
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
    let closed = false;
    socket.on("end", () => socket.end());
    socket.on("data", (bytes: Buffer) => {
      pending += bytes.toString("latin1");
      while (!closed) {
        const request = this.#request(pending);
        if (request === undefined) break;
        pending = pending.slice(request.end);
        this.seen.push(request.line);
        const [method, target = ""] = request.line.split(/\s+/);
        const body = method === "HEAD" ? "" : target;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${body}`, "latin1");
        closed = request.closes;
        if (closed) socket.end();
      }
    });
  };

  /** Reads one request at the beginning of `text`; undefined where it is not complete. */
  #request(text: string): Seen | undefined {
    const lines: string[] = [];
    let at = 0;
    for (;;) {
      const line = this.#line(text, at);
      if (line === undefined) return undefined;
      at = line.end;
      // What is no request line is skipped by those who find themselves in the middle of a body.
      if (lines.length === 0 && this.#skipsGarbage && !/^[A-Za-z]+ \S/.test(line.text)) continue;
      if (line.text !== "") lines.push(line.text);
      else if (lines.length > 0) break;
      if (this.#leniency.antique && /^GET \S+$/.test(lines[0] as string)) {
        return { line: lines[0] as string, end: at, closes: false };
      }
    }
    const fields = this.#fields(lines);
    const end = this.#bodyEnd(text, at, (lines[0] as string).split(" ")[0] as string, fields);
    if (end < 0) return undefined;
    const closes = fields.some(({ name, value }) => name === "connection" && /\bclose\b/.test(value));
    return { line: lines[0] as string, end, closes };
  }

  get #skipsGarbage(): boolean {
    return this.#leniency.antique || this.#leniency.overlooksBodies;
  }

  #line(text: string, from: number): { text: string; end: number } | undefined {
    const match = LINE_ENDS[this.#leniency.lineEnd].exec(text.slice(from));
    if (match === null) return undefined;
    return { text: text.slice(from, from + match.index), end: from + match.index + match[0].length };
  }

  #fields(lines: string[]): { name: string; value: string }[] {
    const fields = this.#unfolded(lines.slice(1)).map((line) => {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase().replace(/[^!-~]/g, "");
      return {
        name: this.#leniency.cgiNames ? name.replace(/[^a-z0-9]/g, "-") : name,
        value: line.slice(colon + 1).toLowerCase(),
      };
    });
    if (!this.#leniency.overlooksBodies) return fields;
    const nominated = fields.filter(({ name }) => name === "connection").flatMap(({ value }) => value.split(/[\s,]+/));
    return fields.filter(({ name }) => name === "expect" || !nominated.includes(name));
  }

  #unfolded(lines: string[]): string[] {
    const whole: string[] = [];
    for (const line of lines) {
      if (this.#leniency.folds && /^[ \t:]/.test(line) && whole.length > 0) whole.push(whole.pop() + line);
      else whole.push(line);
    }
    return whole;
  }

  #bodyEnd(text: string, from: number, method: string, fields: { name: string; value: string }[]): number {
    const { overlooksBodies, antique, prefers } = this.#leniency;
    if (overlooksBodies && (WITHOUT_BODY.has(method.toUpperCase()) || fields.some(({ name }) => name === "expect"))) {
      return from;
    }
    const lengths = fields.filter(({ name }) => name === "content-length").map(({ value }) => this.#number(value, 10));
    const length = lengths.at(this.#leniency.length === "first" ? 0 : -1);
    const chunked = !antique &&
      fields.some(({ name, value }) => name === "transfer-encoding" && value.includes("chunked"));
    if (length !== undefined && (!chunked || prefers === "length")) {
      const end = from + length;
      return end <= text.length ? end : -1;
    }
    return chunked ? this.#chunksEnd(text, from) : from;
  }

  /** Whatever a text holds of a number; 0 where there is none. */
  #number(text: string, radix: 10 | 16): number {
    if (this.#leniency.numbers === "digits") {
      return Number.parseInt((radix === 10 ? /\d+/ : /[0-9a-f]+/i).exec(text)?.[0] ?? "0", radix);
    }
    // Digits of other scripts in UTF-8 are digits to Python.
    const ascii = text.replace(/\xd9([\xa0-\xa9])/g, (_, digit: string) => String(digit.charCodeAt(0) - 0xa0));
    const [, hex, digits] = /^[^0-9a-fx]*(0x)?([0-9a-f_]*)/i.exec(ascii) as unknown as [string, string?, string?];
    const plain = (digits ?? "").replaceAll("_", "");
    if (hex !== undefined || radix === 16) return asLong(`0x${plain}`);
    const decimal = /^\d*/.exec(plain)?.[0] ?? "";
    return asLong(/^0[0-7]+$/.test(decimal) ? `0o${decimal}` : decimal);
  }

  #chunksEnd(text: string, from: number): number {
    for (let at = from;;) {
      const line = this.#line(text, at);
      if (line === undefined) return -1;
      const size = this.#number(line.text, 16);
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

/** A number that wraps around at 2^64. */
function asLong(digits: string): number {
  try {
    return Number(BigInt.asUintN(64, BigInt(digits)));
  } catch {
    return 0;
  }
}
