import { type BlockList, isIPv6 } from "node:net";
import { Crowd } from "../../platform/crowd.ts";
import type { OpenFiles } from "../../platform/open_files.ts";
import { type BlockSizes, blockSizes, netBlock } from "../../platform/net_block.ts";
import { addressList } from "../forwarded_fields.ts";
import { type LoginSource, LoginSources } from "./login_sources.ts";
import { LoginTurns } from "./login_turns.ts";

/** Settings of [server.ssh], read anew each time. */
export interface LoginGuardSettings {
  readonly maxStartups: number;
  readonly perSourceMaxStartups: number;
  /** Milliseconds that a failed login weighs on its source; 0 throttles nobody. */
  readonly perSourcePenalty: number;
  /** Milliseconds of penalties that a source may gather before it is refused. */
  readonly perSourcePenaltyMin: number;
  readonly perSourcePenaltyExemptList: readonly string[];
  readonly perSourceNetBlockSize: string;
  /** Failed logins a second of all strangers together. */
  readonly maxFailedLogins: number;
}

/** Why a connection was closed before it could log in; the words of the counters. */
export type ThrottleReason = "source" | "overall" | "startups";

/** A connection that was closed at accept. */
export interface Throttled {
  readonly reason: ThrottleReason;
  readonly address: string;
  /** The address, or the network that it counts as. */
  readonly source: string;
  /** Milliseconds until the next one of it may come; of "startups" unknown. */
  readonly wait: number | undefined;
}

/** How a connection ended that did not log in. */
export interface FailedLogin {
  /** Whether it tried, and was refused. */
  readonly refused: boolean;
  /** Whether it took all the time there is. */
  readonly slow: boolean;
  /** Wrong join codes that it tried. */
  readonly wrongCodes: number;
}

/** A connection that was let in. What becomes of it is told the guard once: `loggedIn` and then `loggedOut`, or `failed`. */
export interface Startup {
  readonly crowd: Crowd<Startup>;
  readonly name: string;
  readonly source: LoginSource;
  readonly exempt: boolean;
  readonly since: number;
  /** It had to make room. */
  dropped: boolean;
  /** It is logged in, or gone. */
  over: boolean;
  /** What it was charged when it began; given back where it logs in. */
  readonly charged: number;
  drop(): void;
}

/** Failures weigh as many penalties. Who leaves before trying may be a health check, or an attempt that another one overtook. */
const WEIGHT = { refused: 1, slow: 1, wrongCode: 4, left: 0.2 };

/** Milliseconds that a source can owe at most, as in OpenSSH. */
const OWES_MAX = 600_000;

/** A known source counts as so many addresses at least, or as it has clients: one that fails must not shut out its neighbours. */
const KNOWN_COUNTS_AS = 20;

/** Milliseconds for which a connection keeps its place: a login takes some round trips. */
const KEPT_FOR = 3000;

/** Milliseconds of `maxFailedLogins` that may come at once. */
const BURST = 4000;

/** Milliseconds between the logins of two strangers where none has failed lately: a few times what one of them takes. */
const CALM_SPACING = 10;

/** Milliseconds that all strangers can owe at most: connections that were under way when the limit was reached count too. */
const ALL_OWE_MAX = 60_000;

/** Milliseconds that strangers owe from which on each of their logins counts when it begins, and begins later: many could before the first of them fails. */
const SUSPICIOUS = 500;

/** What part of the burst is for sources that have failed before; the rest is kept for newcomers. */
const REPEATED_PART = 0.5;

/**
 * Decides at accept, before any cryptography, whether a connection may begin a login: an SSH login costs its peer as much as a random number,
 * and the server a key exchange with a signature.
 *
 * Each source (an IPv4 address, an IPv6 /64) owes time for each failed login, and is refused while it owes too much; all
 * strangers together owe likewise. No failures, no suspicion: a thousand clients that come back at once are let in. Sources whose clients have
 * logged in lately are not touched by what strangers do.
 */
export class LoginGuard {
  /** Connections closed at accept, since the start. */
  readonly throttled: Record<ThrottleReason, number> = { source: 0, overall: 0, startups: 0 };
  readonly #settings: LoginGuardSettings;
  readonly #files: Pick<OpenFiles, "mostForStartups">;
  readonly #now: () => number;
  readonly #onThrottled: (throttled: Throttled) => void;
  readonly #sources = new LoginSources();
  readonly #strangers = new Crowd<Startup>(KEPT_FOR);
  readonly #known = new Crowd<Startup>(KEPT_FOR);
  /** When the failures of strangers are made up for. */
  #owes = 0;
  readonly #turns: LoginTurns;
  #exempt: { readonly from: readonly string[]; readonly list: BlockList } | undefined;
  #blocks: { readonly from: string; readonly sizes: BlockSizes } | undefined;

  /** @param now milliseconds of a clock that nobody sets */
  constructor(
    settings: LoginGuardSettings,
    files: Pick<OpenFiles, "mostForStartups">,
    onThrottled: (throttled: Throttled) => void = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.#settings = settings;
    this.#files = files;
    this.#onThrottled = onThrottled;
    this.#now = now;
    this.#turns = new LoginTurns(() => this.#isSuspicious(now()) ? 1000 / settings.maxFailedLogins : CALM_SPACING, now);
  }

  /** Connections that are not logged in. */
  get startups(): number {
    return this.#strangers.size + this.#known.size;
  }

  /** Sources remembered. */
  get remembered(): number {
    return this.#sources.size;
  }

  /**
   * @param drop ends the connection when others need its place
   * @returns undefined where the connection is to be closed at once
   */
  admit(address: string, drop: () => void): Startup | undefined {
    const settings = this.#settings;
    const now = this.#now();
    const exempt = this.#isExempt(settings, address);
    const name = netBlock(address, this.#sizes(settings));
    const found = this.#sources.find(name, now);
    const crowd = found?.knownAt === undefined ? this.#strangers : this.#known;
    const refusal = (exempt || settings.perSourcePenalty === 0 ? undefined : this.#refusal(settings, found, now)) ??
      (this.#hasRoom(settings, crowd, name, exempt, now)
        ? undefined
        : { reason: "startups" as const, wait: undefined });
    if (refusal !== undefined) {
      this.throttled[refusal.reason]++;
      this.#onThrottled({ ...refusal, address, source: name });
      return undefined;
    }
    const source = this.#sources.findOrAdd(name, now);
    const isSuspect = !exempt && crowd === this.#strangers && this.#isSuspicious(now);
    const charged = isSuspect ? this.#charge(now) : 0;
    const startup: Startup = { crowd, name, source, exempt, since: now, dropped: false, over: false, charged, drop };
    source.startups++;
    crowd.add(name, startup);
    return startup;
  }

  /** Calls `begin` when the login may begin; not at all where the connection is gone by then. */
  whenItsTurn(startup: Startup, begin: () => void): void {
    const { perSourcePenalty } = this.#settings;
    if (startup.exempt || startup.crowd === this.#known || perSourcePenalty === 0) return begin();
    this.#turns.enter(begin, () => {
      if (startup.over) return "over";
      return startup.source.knownAt === undefined ? "waits" : "free";
    });
  }

  #refusal(
    settings: LoginGuardSettings,
    source: LoginSource | undefined,
    now: number,
  ): { readonly reason: ThrottleReason; readonly wait: number } | undefined {
    const { perSourcePenaltyMin: allowed } = settings;
    const owed = Math.max(0, (source?.owes ?? 0) - now);
    const known = source?.knownAt !== undefined;
    const owedByAll = Math.max(0, this.#owes - now);
    const burst = BURST * REPEATED_PART;
    // Under suspicion those that are under way count as failed: otherwise as many of them could begin as there is room for.
    const suspicious = owed > 0 || (!known && owedByAll > burst);
    const underWay = suspicious ? (source?.startups ?? 0) * penalty(settings, source) : 0;
    if (owed + underWay > allowed) return { reason: "source", wait: Math.max(0, owed - allowed) };
    if (known) return undefined;
    const limit = owed > 0 ? burst : BURST;
    return owedByAll > limit ? { reason: "overall", wait: owedByAll - limit } : undefined;
  }

  /** Makes room, where whoever has been there long enough without logging in can give way. */
  #hasRoom(settings: LoginGuardSettings, crowd: Crowd<Startup>, name: string, exempt: boolean, now: number): boolean {
    if (!exempt && crowd.sizeOf(name) >= settings.perSourceMaxStartups) return dropOldest(crowd, name, name, now);
    if (crowd.size < Math.min(settings.maxStartups, this.#files.mostForStartups)) return true;
    return crowd.candidates().some((source) => dropOldest(crowd, source, name, now));
  }

  loggedIn(startup: Startup): void {
    const { name, source, charged } = startup;
    const now = this.#now();
    leave(startup);
    this.#owes -= charged;
    const isNew = source.knownAt === undefined;
    // What it owed as one address is little for a source that has a client.
    if (isNew) source.owes = now + Math.max(0, source.owes - now) / KNOWN_COUNTS_AS;
    source.live++;
    this.#sources.isKnown(name, source, now);
    if (isNew) this.#turns.release();
  }

  /** The names of the sources that have a client, or had one within the last hour. */
  get known(): string[] {
    return this.#sources.known(this.#now());
  }

  /** A source had a client before this process began. @param name as one of `known` */
  remember(name: string): void {
    const now = this.#now();
    this.#sources.isKnown(name, this.#sources.findOrAdd(name, now), now);
  }

  /** A connection that was logged in is gone. */
  loggedOut({ name, source }: Startup): void {
    source.live--;
    this.#sources.isKnown(name, source, this.#now());
  }

  /** A connection is gone that was not logged in, or logged in for nothing. */
  failed(startup: Startup, { refused, slow, wrongCodes }: FailedLogin): void {
    const { name, source, exempt, dropped } = startup;
    const settings = this.#settings;
    const now = this.#now();
    leave(startup);
    if (!exempt) {
      const weight = wrongCodes * WEIGHT.wrongCode ||
        (refused ? WEIGHT.refused : slow || dropped ? WEIGHT.slow : WEIGHT.left);
      const owes = Math.max(source.owes, now) + weight * penalty(settings, source);
      source.owes = Math.min(owes, now + Math.max(OWES_MAX, settings.perSourcePenaltyMin));
      // What a key exchange costs is the same for all of them.
      if (source.knownAt === undefined && startup.charged === 0) this.#charge(now);
    }
    this.#sources.tidy(name, source, now);
  }

  /** Whether so many logins of strangers fail that the others are looked at as if they would. */
  #isSuspicious(now: number): boolean {
    return this.#owes - now > SUSPICIOUS;
  }

  /** One login of a stranger that fails, or may. */
  #charge(now: number): number {
    const each = 1000 / this.#settings.maxFailedLogins;
    this.#owes = Math.min(Math.max(this.#owes, now) + each, now + ALL_OWE_MAX);
    return each;
  }

  #isExempt({ perSourcePenaltyExemptList: from }: LoginGuardSettings, address: string): boolean {
    if (from.length === 0) return false;
    if (this.#exempt?.from !== from) this.#exempt = { from, list: addressList(from) };
    return this.#exempt.list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }

  #sizes({ perSourceNetBlockSize: from }: LoginGuardSettings): BlockSizes {
    if (this.#blocks?.from !== from) this.#blocks = { from, sizes: blockSizes(from) };
    return this.#blocks.sizes;
  }
}

/** Milliseconds that one failure costs the source. */
function penalty(settings: LoginGuardSettings, source: LoginSource | undefined): number {
  const countsAs = source?.knownAt === undefined ? 1 : Math.max(KNOWN_COUNTS_AS, source.peak);
  return settings.perSourcePenalty / countsAs;
}

/** Makes room, where the oldest of a source gives way to one more of another: a login in progress is not to be thrown away. */
function dropOldest(crowd: Crowd<Startup>, source: string, by: string, now: number): boolean {
  const startup = crowd.oldestOf(source);
  if (startup === undefined || !crowd.givesWay(source, startup.since, now, by)) return false;
  startup.dropped = true;
  leave(startup);
  startup.drop();
  return true;
}

function leave(startup: Startup): void {
  startup.over = true;
  const { crowd, name, source } = startup;
  if (crowd.delete(name, startup)) source.startups--;
}
