/** A tag of git, and the commit that it names. */
export interface Tag {
  readonly name: string;
  readonly commit: string;
}

/** What stands for the previous release until there is one: main before the peers of 0.6.x. */
export const BEFORE_THE_FIRST = "5f49ed55a6b73878c002bc9dd92c59b3bffcacbd";

/**
 * The newest release before a commit, by Semantic Versioning's precedence (2.0.0, section 11).
 *
 * @param tags those that are ancestors of it, itself included
 * @returns undefined where there is none
 */
export function previousRelease(tags: readonly Tag[], head: string): Tag | undefined {
  return tags
    .filter(({ name, commit }) => VERSION.test(name) && commit !== head)
    .sort((a, b) => compareVersions(a.name, b.name))
    .at(-1);
}

const VERSION = /^v(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/;

function compareVersions(a: string, b: string): number {
  const [, ...left] = VERSION.exec(a) as unknown as string[];
  const [, ...right] = VERSION.exec(b) as unknown as string[];
  for (const part of [0, 1, 2]) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference;
  }
  const [before, after] = [left[3]?.split("."), right[3]?.split(".")];
  // A version comes after its own pre-releases.
  if (before === undefined || after === undefined) return Number(before === undefined) - Number(after === undefined);
  for (let part = 0; part < Math.max(before.length, after.length); part++) {
    const difference = compareIdentifiers(before[part], after[part]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers as numbers, and before words; what is not there comes first. */
function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
