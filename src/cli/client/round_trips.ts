/** What a series of round trips came to; times in milliseconds. */
export interface RoundTrips {
  readonly sent: number;
  readonly answered: number;
  /** In percent. */
  readonly loss: number;
  /** Null where nothing was answered. */
  readonly milliseconds:
    | { readonly min: number; readonly avg: number; readonly max: number; readonly mdev: number }
    | null;
}

/** @param times of those that were answered, in milliseconds */
export function roundTrips(sent: number, times: readonly number[]): RoundTrips {
  const answered = times.length;
  const loss = sent === 0 ? 0 : Math.round((sent - answered) / sent * 1000) / 10;
  if (answered === 0) return { sent, answered, loss, milliseconds: null };
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const avg = mean(times);
  const mdev = Math.sqrt(mean(times.map((time) => (time - avg) ** 2)));
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return {
    ...{ sent, answered, loss },
    milliseconds: {
      min: rounded(times.reduce((least, one) => Math.min(least, one), Infinity)),
      avg: rounded(avg),
      max: rounded(times.reduce((most, one) => Math.max(most, one), 0)),
      mdev: rounded(mdev),
    },
  };
}

/** The two last lines of ping(8), near enough. */
export function roundTripsText({ sent, answered, loss, milliseconds }: RoundTrips): string {
  const counts = `${sent} sent, ${answered} answered, ${loss}% lost`;
  if (milliseconds === null) return counts;
  const { min, avg, max, mdev } = milliseconds;
  return `${counts}, min/avg/max/mdev ${[min, avg, max, mdev].map((value) => value.toFixed(3)).join("/")} ms`;
}
