/** When keys are exchanged anew, as OpenSSH's RekeyLimit has it. */
export interface RekeyTimes {
  /** Bytes in both directions together; 0 leaves it to the other end. */
  readonly rekeyLimit: number;
  /** Milliseconds; 0 leaves it to the other end. */
  readonly rekeyInterval: number;
}

/** What is looked at of a connection. */
export interface RekeyLink {
  /** Bytes that it has carried in both directions. */
  readonly volume: number;
  /** Whether keys are being exchanged, whoever began. */
  readonly exchanging: boolean;
  /**
   * Whether an exchange would do harm now: a channel on which a client of petit 0.6.x writes during one never sends again, since its library
   * (ssh2 0.8) keeps the bytes back and forgets to say when there is room.
   */
  readonly isFragile: boolean;
  /** Begins an exchange of keys. Does nothing during one. */
  rekey(): void;
  /** Has `call` called once when it has carried so many bytes. */
  alarmAt(volume: number, call: () => void): void;
  /** Told of each exchange that is done. */
  onExchanged: () => void;
  /** The peer broke the protocol: ends the connection. */
  violated(what: string): void;
}

/**
 * Most bytes under one key, whatever is set: 2^32 blocks of 16 bytes (RFC 4344, section 3.2). As a packet has 36 bytes at least, that keeps
 * the 2^31 packets of section 3.1 too, and the counters of AES-GCM (RFC 5647, section 7.1) far from their end.
 */
const MOST_BYTES = 2 ** 36;

/** Milliseconds that an exchange may take: it waits behind what is on its way already, in both directions. */
const EXCHANGE_WITHIN = 60_000;

/** How often all connections are looked at, in milliseconds. */
const TICK = 1000;

/** A look that comes so many milliseconds late says that this process, or the machine, stood still. */
const STOOD_STILL = 5000;

/** How many exchanges begin in one look, and one more for so many connections: each takes the server most of a millisecond. */
const AT_A_TIME = 8;
const CONNECTIONS_FOR_ONE_MORE = 64;

/** A peer may begin so many exchanges for which there is no reason, and one more in so many milliseconds. */
const UNREASONABLE = 20;
const UNREASONABLE_EVERY = 1000;
/** Bytes that are a reason for one. */
const REASON = 128 * 1024;

/** The keys of one connection. */
class Keys {
  readonly #link: RekeyLink;
  readonly #times: RekeyTimes;
  /** When the keys came, and what had been carried by then. */
  #since: number;
  #from: number;
  /** What part of limit and interval is used: both ends begin at different times, and so do all tunnels of a server that was started. */
  #share = 1;
  /** When an exchange was seen to be under way. */
  #begun: number | undefined;
  #own = false;
  #unreasonable = 0;
  #countedAt = -Infinity;

  constructor(link: RekeyLink, times: RekeyTimes, now: () => number) {
    this.#link = link;
    this.#times = times;
    this.#since = now();
    this.#from = link.volume;
    this.#draw();
    link.onExchanged = () => this.#exchanged(now());
  }

  #draw(): void {
    this.#share = 0.75 + Math.random() / 4;
    this.#setAlarm();
  }

  /** A limit that a reload has changed counts from the next look on. */
  #setAlarm(): void {
    const { rekeyLimit } = this.#times;
    const most = Math.min(rekeyLimit === 0 ? Infinity : rekeyLimit, MOST_BYTES);
    this.#link.alarmAt(this.#from + most * this.#share, () => this.begin());
  }

  #exchanged(now: number): void {
    const carried = this.#link.volume - this.#from;
    if (!this.#own && carried < REASON) {
      this.#unreasonable = Math.max(0, this.#unreasonable - (now - this.#countedAt) / UNREASONABLE_EVERY) + 1;
      this.#countedAt = now;
    }
    this.#own = false;
    this.#begun = undefined;
    this.#since = now;
    this.#from = this.#link.volume;
    this.#draw();
    if (this.#unreasonable > UNREASONABLE) this.#link.violated("exchanged keys again and again");
  }

  begin(): void {
    if (this.#link.exchanging || this.#mustWait) return;
    this.#own = true;
    this.#link.rekey();
  }

  /** Whether it has carried enough, and has been waited for. */
  get #isPostponed(): boolean {
    const { rekeyLimit } = this.#times;
    return rekeyLimit > 0 && this.#link.volume - this.#from >= rekeyLimit * this.#share;
  }

  /** Whoever is fragile is waited for, but not beyond what a key may carry. */
  get #mustWait(): boolean {
    return this.#link.isFragile && this.#link.volume - this.#from < MOST_BYTES * this.#share;
  }

  /** @returns whether an exchange is due */
  look(now: number, stoodStill: boolean): boolean {
    if (this.#link.exchanging) {
      if (this.#begun === undefined || stoodStill) this.#begun = now;
      if (now - this.#begun >= EXCHANGE_WITHIN) {
        this.#link.violated(`did not exchange keys within ${EXCHANGE_WITHIN / 1000} s`);
      }
      return false;
    }
    this.#setAlarm();
    if (this.#mustWait) return false;
    const { rekeyInterval } = this.#times;
    if (this.#isPostponed) return true;
    return rekeyInterval > 0 && now - this.#since >= rekeyInterval * this.#share;
  }
}

/** Looks after the keys of all connections of a process with one timer. */
export class RekeyWatch {
  readonly #now: () => number;
  readonly #watched = new Set<Keys>();
  #timer: NodeJS.Timeout | undefined;
  #looked: number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#looked = now();
  }

  /**
   * @param link its keys count as new
   * @param times read anew each time
   * @returns a function that stops it
   */
  add(link: RekeyLink, times: RekeyTimes): () => void {
    const keys = new Keys(link, times, this.#now);
    if (this.#watched.size === 0) this.#looked = this.#now();
    this.#watched.add(keys);
    this.#timer ??= setInterval(() => this.look(), TICK);
    return () => this.#remove(keys);
  }

  #remove(keys: Keys): void {
    this.#watched.delete(keys);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks at all of them. Called by the timer. */
  look(): void {
    const now = this.#now();
    const stoodStill = now - this.#looked > STOOD_STILL;
    this.#looked = now;
    let left = AT_A_TIME + Math.floor(this.#watched.size / CONNECTIONS_FOR_ONE_MORE);
    for (const keys of this.#watched) {
      if (!keys.look(now, stoodStill) || left <= 0) continue;
      left--;
      keys.begin();
    }
  }
}

const watch = new RekeyWatch();

/** Has the process's one {@link RekeyWatch} look after the keys of a connection; parameters as of `add`. */
export function renewKeys(link: RekeyLink, times: RekeyTimes): () => void {
  return watch.add(link, times);
}
