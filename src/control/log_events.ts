import type { LogTail } from "../observe/log_tail.ts";

/** After so many milliseconds without a line a comment is sent, so that nothing on the way takes the connection for dead. */
const KEEP_ALIVE = 15_000;

/** Tells the lines of this process from those of another one before or after. */
const RUN = Date.now().toString(36);

/**
 * The end of the log as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Lines are taken from the tail only
 * when the reader has taken what came before, so a slow one holds no more than the tail does for it.
 *
 * @param lines how many of the past; `lastEventId` comes before that
 */
export function logEvents(
  tail: LogTail,
  lines: number,
  lastEventId: string | undefined,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const total = tail.total;
  const [run, seen] = (lastEventId ?? "").split(".");
  const resumed = run === RUN && /^\d{1,15}$/.test(seen ?? "") && Number(seen) <= total;
  const wanted = resumed ? total - Number(seen) : lines;
  const past = tail.last(wanted).length;
  let number = total - past;
  let missed = resumed ? wanted - past : 0;

  const left = new AbortController();
  const chunks = tail.follow({ last: past, signal: AbortSignal.any([signal, left.signal]) });
  const encoder = new TextEncoder();
  let next: Promise<IteratorResult<{ lines: string[]; missed: number }>> | undefined;
  const text = async (): Promise<string | undefined> => {
    next ??= chunks.next();
    const result = await withTimeout(next, KEEP_ALIVE);
    if (result === undefined) return ": still here\n\n";
    next = undefined;
    if (result.done === true) return undefined;
    missed += result.value.missed;
    number += result.value.missed;
    let events = missed === 0 ? "" : `event: missed\ndata: {"missed":${missed}}\n\n`;
    missed = 0;
    for (const line of result.value.lines) {
      events += `id: ${RUN}.${++number}\ndata: ${line.replaceAll(/[\r\n]/g, " ")}\n\n`;
    }
    return events;
  };
  let begun = false;
  return new ReadableStream({
    async pull(controller) {
      // The head of the answer goes out with the first bytes.
      const events = begun ? await text() : ": the log of petit\n\n";
      begun = true;
      if (events === undefined) controller.close();
      else controller.enqueue(encoder.encode(events));
    },
    cancel: () => left.abort(),
  }, { highWaterMark: 0 });
}

async function withTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<undefined>((resolve) => timer = setTimeout(resolve, milliseconds, undefined)),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
