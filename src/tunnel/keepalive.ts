import { isPetit } from "./petit_peer.ts";

/** The times of a keep-alive, in milliseconds, with OpenSSH's meaning of AliveInterval and AliveCountMax. */
export interface AliveTimes {
  readonly interval: number;
  readonly countMax: number;
}

/** What is looked at of the connection to a peer; times in milliseconds of `performance.now()`. */
export interface AliveWire {
  /** When bytes last came, and when some were last sent. */
  readonly lastReceived: number;
  readonly lastSent: number;
  /** Bytes sent since some came last. */
  readonly unanswered: number;
  /** The peer's identification (RFC 4253, section 4.2). */
  readonly greeting: string;
}

/** How often all connections are looked at, in milliseconds: how exact a deadline is. */
const TICK = 500;

/** A look that comes so many milliseconds late says that this process, or the machine, stood still. */
const STOOD_STILL = 2000;

/** Bytes on their way to a peer behind which a question waits: at 64 KB/s they take a second. */
const QUEUE = 64 * 1024;

/** By how much longer a peer is waited for that does not ask by itself, while it is being sent a lot. */
const PATIENCE = 5;

interface Watched {
  readonly wire: AliveWire;
  readonly times: AliveTimes;
  readonly ask: () => void;
  readonly lost: (silent: number) => void;
  asked: number;
}

/**
 * Looks after all connections of a process with one timer: a glance at two times for each, twice a second, so that ten thousand
 * idle tunnels cost next to nothing but the questions themselves.
 *
 * A peer is asked for a sign of life when nothing came from it for an interval, or when nothing was sent to it: each end is heard every interval,
 * whatever goes on in the other direction. So silence means a dead link, even where the answer to a question would have to wait
 * behind two megabytes on a slow line.
 */
export class AliveWatch {
  readonly #now: () => number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #looked: number;
  /** Silence counts from here at the earliest. */
  #from = -Infinity;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#looked = now();
  }

  /**
   * @param ask sends a question that every peer has to answer
   * @param lost called once when the peer has been silent for `countMax` questions and an interval more; told for how many milliseconds
   * @returns a function that stops it
   */
  add(wire: AliveWire, times: AliveTimes, ask: () => void, lost: (silent: number) => void): () => void {
    // As in OpenSSH, 0 turns it off.
    if (times.interval === 0) return () => {};
    const watched = { wire, times, ask, lost, asked: -Infinity };
    if (this.#watched.size === 0) this.#looked = this.#now();
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.look(), TICK);
    return () => this.#remove(watched);
  }

  #remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks at all of them. Called by the timer. */
  look(): void {
    const now = this.#now();
    // After a suspend or a SIGSTOP everybody seems to have been silent: what they sent has not been read yet.
    if (now - this.#looked > STOOD_STILL) this.#from = now;
    this.#looked = now;
    for (const watched of this.#watched) this.#lookAt(watched, now);
  }

  #lookAt(watched: Watched, now: number): void {
    const { wire, times: { interval, countMax }, ask, lost } = watched;
    const silent = now - Math.max(wire.lastReceived, this.#from);
    const most = interval * (countMax + 1);
    if (silent >= (isWaitedFor(wire) ? PATIENCE * most : most)) {
      this.#remove(watched);
      return lost(now - wire.lastReceived);
    }
    const quiet = now - wire.lastSent;
    if (Math.max(silent, quiet) < interval || now - watched.asked < interval) return;
    watched.asked = now;
    ask();
  }
}

/** A peer that is not petit may have nothing to say while it takes a lot: what it is asked waits behind that. */
function isWaitedFor({ unanswered, greeting }: AliveWire): boolean {
  return unanswered > QUEUE && !isPetit(greeting);
}

const watch = new AliveWatch();

/** Has the process's one {@link AliveWatch} look after a connection; parameters as of `add`. */
export function keepAlive(
  wire: AliveWire,
  times: AliveTimes,
  ask: () => void,
  lost: (silent: number) => void,
): () => void {
  return watch.add(wire, times, ask, lost);
}
