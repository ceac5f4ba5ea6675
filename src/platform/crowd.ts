/** Sources that are looked at, beside the greediest: those that have been here longest. */
const LONGEST = 8;

/** Those of one source, the oldest first. */
type Group<Member> = Set<Member>;

/**
 * Those who are let in and have shown nothing yet, by where they come from. When there is no room left, who came first of the source
 * that takes most of it has to go: a flood makes room for others by itself.
 */
export class Crowd<Member extends object> {
  readonly #groups = new Map<string, Group<Member>>();
  readonly #keptFor: number;
  #size = 0;

  /** @param keptFor milliseconds for which a place is kept though nothing has been shown yet */
  constructor(keptFor: number) {
    this.#keptFor = keptFor;
  }

  get size(): number {
    return this.#size;
  }

  sizeOf(source: string): number {
    return this.#groups.get(source)?.size ?? 0;
  }

  add(source: string, member: Member): void {
    const group = this.#groups.get(source) ?? new Set();
    if (group.size === 0) this.#groups.set(source, group);
    group.add(member);
    this.#size++;
  }

  /** @returns whether it was there */
  delete(source: string, member: Member): boolean {
    const group = this.#groups.get(source);
    if (group === undefined || !group.delete(member)) return false;
    this.#size--;
    if (group.size === 0) this.#groups.delete(source);
    return true;
  }

  /** Who came first of a source. */
  oldestOf(source: string): Member | undefined {
    return this.#groups.get(source)?.values().next().value;
  }

  /**
   * Whether the oldest of a source may be asked to go for one more of another: a place is not taken from what may be about to show something,
   * unless its source has more than the other would have then.
   *
   * @param since when the oldest came
   */
  givesWay(source: string, since: number, now: number, other: string): boolean {
    return now - since >= this.#keptFor || this.sizeOf(source) > this.sizeOf(other) + 1;
  }

  /** Whose oldest is to be asked to go: the source that has most here, and then some of those that have been here longest. */
  candidates(): string[] {
    let most = 0;
    let greediest: string | undefined;
    const longest: string[] = [];
    for (const [source, { size }] of this.#groups) {
      if (longest.length < LONGEST) longest.push(source);
      if (size <= most) continue;
      most = size;
      greediest = source;
    }
    return greediest === undefined ? [] : [greediest, ...longest];
  }
}
