/** One of several attempts at the same thing. */
export interface HedgedAttempt<Result> {
  readonly result: Promise<Result>;
  /** Whether nothing has been heard of it for so long that another one is worth it. */
  hangs(): boolean;
}

export interface HedgeOptions<Result> {
  readonly signal: AbortSignal;
  /** Attempts at the same time. */
  readonly most: number;
  /** Milliseconds between two looks. */
  readonly look: number;
  /** Takes back what came too late. */
  discard(result: Result): void;
}

/**
 * Begins another attempt beside one that hangs, and takes the first that succeeds. A network that swallows packets lets an attempt wait for
 * its next retransmission long after it is well again (RFC 6298 doubles the time with each); a new one goes through at once.
 *
 * The first attempt stays to its end; of the later ones the oldest gives way. The first error of any of them is the answer.
 *
 * @param begin told when its attempt is no longer wanted
 * @throws what the first attempt that fails by itself throws; the signal's reason
 */
export async function hedged<Result>(
  begin: (signal: AbortSignal) => HedgedAttempt<Result>,
  options: HedgeOptions<Result>,
): Promise<Result> {
  const { signal, most, look, discard } = options;
  const attempts: { readonly attempt: HedgedAttempt<Result>; readonly stop: AbortController }[] = [];
  return await new Promise<Result>((resolve, reject) => {
    let over = false;
    const finish = () => {
      over = true;
      clearInterval(timer);
      for (const { stop } of attempts) stop.abort();
    };
    const another = () => {
      if (attempts.length >= most) attempts.splice(1, 1)[0]?.stop.abort();
      const stop = new AbortController();
      const attempt = begin(AbortSignal.any([signal, stop.signal]));
      attempts.push({ attempt, stop });
      attempt.result.then(
        (result) => {
          if (over || stop.signal.aborted) return discard(result);
          attempts.splice(attempts.findIndex((one) => one.attempt === attempt), 1);
          finish();
          resolve(result);
        },
        (error) => {
          if (over || stop.signal.aborted) return;
          finish();
          reject(error);
        },
      );
    };
    const timer = setInterval(() => {
      if (attempts.at(-1)?.attempt.hangs()) another();
    }, look);
    another();
  });
}
