import type { ExchangeObserver, ExchangeReport } from "./exchange_report.ts";
import type { Log } from "./log.ts";
import type { OnceAMinute } from "./once_a_minute.ts";

/**
 * Logs what went wrong for callers: a warning for the first of its kind in a minute, for each registration and code, and
 * everything at the level "debug". Each line names registration, channel and request.
 */
export class FailureLog implements ExchangeObserver {
  readonly #log: Log;
  readonly #noise: OnceAMinute;

  constructor(log: Log, noise: OnceAMinute) {
    this.#log = log;
    this.#noise = noise;
  }

  exchangeDone(report: ExchangeReport): void {
    const { error } = report;
    if (error === null) return;
    // Whoever closes a page leaves: nobody has to look into that.
    if (error === "caller-left") return this.#log.debug(fieldsOf(report), sentence(report));
    let told = false;
    this.#noise.tell(`exchange ${report.id} ${error}`, (repeated) => {
      told = true;
      this.#log.warn({ ...fieldsOf(report), repeated }, sentence(report));
    });
    if (!told && this.#log.isLevelEnabled("debug")) this.#log.debug(fieldsOf(report), sentence(report));
  }
}

function fieldsOf(report: ExchangeReport): Record<string, unknown> {
  const { id, channel, request, error, status, address, host, bytesIn, bytesOut } = report;
  return {
    id,
    channel,
    request,
    code: error,
    ...(status === 0 ? {} : { status }),
    ...(report.kind === "tcp" ? {} : { host }),
    address,
    bytesIn,
    bytesOut,
    ms: Math.round(report.duration),
  };
}

function sentence({ kind, id, channel, refused, error, cause }: ExchangeReport): string {
  const what = kind === "tcp" ? "A connection to the reverse port" : kind === "http" ? "A request" : "A connection";
  const whose = id === null ? what : `${what} of ${id}`;
  if (error === "caller-left") return `${whose} ended because the caller left`;
  const why = cause === null ? error : `${error} (${cause})`;
  const how = refused ? "was refused" : channel === null ? "was not answered" : "broke off";
  return `${whose} ${how}: ${why}`;
}
