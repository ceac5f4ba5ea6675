/** Lines that came since the last ones, without line feeds; before the first of them `missed` more came, which nobody kept. */
export interface TailChunk {
  readonly lines: string[];
  readonly missed: number;
}

/** What is kept for each reader, and of the past: so many lines, and about so many bytes. */
const MAX_LINES = 1000;
const MAX_BYTES = 1024 * 1024;

/** The end of the log, for people who look at it from elsewhere: the last lines, and those that are to come. */
export class LogTail {
  readonly #past = new BoundedLines();
  readonly #readers = new Set<Reader>();
  #total = 0;

  /** How many lines have come altogether: the last of them has this number. */
  get total(): number {
    return this.#total;
  }

  /** Takes a line without its line feed. */
  push(line: string): void {
    this.#total++;
    this.#past.push(line);
    for (const reader of this.#readers) reader.push(line);
  }

  /** The last lines, oldest first; 1,000 lines or 1 MiB at most. */
  last(count = MAX_LINES): string[] {
    return count <= 0 ? [] : this.#past.lines.slice(-count);
  }

  /**
   * The last `last` lines (0 by default) and then every new one, from this call on and until `signal` is aborted. A reader that falls more
   * than 1,000 lines or 1 MiB behind loses the oldest, and is told how many.
   */
  follow({ last = 0, signal }: { last?: number; signal: AbortSignal }): AsyncIterableIterator<TailChunk> {
    const reader = new Reader(this.last(last));
    if (signal.aborted) reader.end();
    else {
      this.#readers.add(reader);
      signal.addEventListener("abort", () => {
        this.#readers.delete(reader);
        reader.end();
      }, { once: true });
    }
    return this.#chunks(reader);
  }

  async *#chunks(reader: Reader): AsyncGenerator<TailChunk> {
    try {
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) yield chunk;
    } finally {
      this.#readers.delete(reader);
    }
  }
}

/** The newest lines; the oldest make room. */
class BoundedLines {
  lines: string[] = [];
  #bytes = 0;
  dropped = 0;

  push(line: string): void {
    this.lines.push(line);
    this.#bytes += line.length;
    while (this.lines.length > MAX_LINES || (this.#bytes > MAX_BYTES && this.lines.length > 1)) {
      this.#bytes -= (this.lines.shift() as string).length;
      this.dropped++;
    }
  }
}

/** The lines that one reader has not taken yet. */
class Reader {
  #waiting = new BoundedLines();
  #ended = false;
  #wake = () => {};

  constructor(past: readonly string[]) {
    for (const line of past) this.#waiting.push(line);
  }

  push(line: string): void {
    this.#waiting.push(line);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Undefined at the end. */
  async next(): Promise<TailChunk | undefined> {
    while (this.#waiting.lines.length === 0 && !this.#ended) await new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#ended) return undefined;
    const { lines, dropped: missed } = this.#waiting;
    this.#waiting = new BoundedLines();
    return { lines, missed };
  }
}
