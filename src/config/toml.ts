import { type AST, getStaticTOMLValue, ParseError, parseTOML, traverseNodes } from "toml-eslint-parser";

/** A value as it stands in a TOML text: as in JSON, but for one character that TOML wants escaped and JSON does not. */
export function tomlValue(value: string | number | boolean | readonly string[]): string {
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}

/** A place in a text, both counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A TOML text that does not parse. */
export class TomlSyntaxError extends Error {
  readonly place: Place;
  constructor(message: string, place: Place, cause: unknown) {
    super(message, { cause });
    this.place = place;
  }
}

/** A parsed TOML text that still knows where each value stands, so that messages and edits can point at it. */
export class TomlDocument {
  readonly text: string;
  readonly value: Record<string, unknown>;
  readonly #program: AST.TOMLProgram;

  /** @throws TomlSyntaxError */
  constructor(text: string) {
    // Older editors on Windows begin a file with a byte order mark.
    this.text = text.replace(/^\uFEFF/, "");
    refuseEndless(this.text);
    try {
      this.#program = parseTOML(this.text);
      refusePrototypes(this.#program);
      this.value = getStaticTOMLValue(this.#program) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof RangeError) throw new TomlSyntaxError("It is nested too deeply", START, error);
      if (!(error instanceof ParseError)) throw error;
      throw new TomlSyntaxError(error.message, { line: error.lineNumber, column: error.column + 1 }, error);
    }
  }

  /** Where the key `path` stands, or the longest part of it that is there. */
  placeOf(path: readonly PropertyKey[]): Place {
    for (let length = path.length; length > 0; length--) {
      const node = this.#find(path.slice(0, length).map(String));
      if (node) return { line: node.key.loc.start.line, column: node.key.loc.start.column + 1 };
    }
    return { line: 1, column: 1 };
  }

  /** The value at `path`, or undefined where it is not set. */
  get(path: readonly PropertyKey[]): unknown {
    return path.reduce((value: unknown, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], this.value);
  }

  /** The text with `section.key` set to `value`; everything else, comments too, stays as it is. */
  with(section: string, key: string, value: string | number | boolean | readonly string[]): string {
    const path = [...section.split("."), key];
    const written = tomlValue(value);
    const node = this.#find(path);
    if (node?.type === "TOMLKeyValue") {
      const [from, to] = node.value.range;
      return this.text.slice(0, from) + written + this.text.slice(to);
    }
    const at = insertion(this.#program.body[0].body, section.split("."), [], this.text);
    if (at !== undefined) {
      const { index, before, name, after } = at;
      return `${this.text.slice(0, index)}${before}${name}${key} = ${written}${after}${this.text.slice(index)}`;
    }
    const gap = this.text === "" || this.text.endsWith("\n\n") ? "" : this.text.endsWith("\n") ? "\n" : "\n\n";
    return `${this.text}${gap}[${section}]\n${key} = ${written}\n`;
  }

  #find(path: string[]): AST.TOMLKeyValue | AST.TOMLTable | undefined {
    return search(this.#program.body[0].body, path, []);
  }
}

const START: Place = { line: 1, column: 1 };

/** Characters of a text; with all its comments a config has about 15,000. */
const MAX_TEXT = 256 * 1024;

/** So many parts of one key, which the library needs seconds for where there are thousands. */
const LONG_KEY = /(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[\t ]*\.[\t ]*){64}/;

/** What would take the library longer than anybody waits. */
function refuseEndless(text: string): void {
  if (text.length > MAX_TEXT) throw new TomlSyntaxError(`It is longer than ${MAX_TEXT} characters`, START, undefined);
  const at = LONG_KEY.exec(text)?.index;
  if (at === undefined) return;
  const before = text.slice(0, at).split("\n");
  const place = { line: before.length, column: (before.at(-1) as string).length + 1 };
  throw new TomlSyntaxError("A key has more than 64 parts", place, undefined);
}

/** The library puts values into plain objects: this key would lead it to the prototype of all objects of the process. */
function refusePrototypes(program: AST.TOMLProgram): void {
  traverseNodes(program, {
    enterNode(node) {
      if (node.type !== "TOMLBare" && node.type !== "TOMLQuoted") return;
      if ((node.type === "TOMLBare" ? node.name : node.value) !== "__proto__") return;
      const { line, column } = node.loc.start;
      throw new TomlSyntaxError('The key "__proto__" is not for use', { line, column: column + 1 }, undefined);
    },
    leaveNode() {},
  });
}

function search(
  nodes: (AST.TOMLKeyValue | AST.TOMLTable)[],
  path: string[],
  prefix: string[],
): AST.TOMLKeyValue | AST.TOMLTable | undefined {
  let found: AST.TOMLKeyValue | AST.TOMLTable | undefined;
  for (const node of nodes) {
    const names = node.key.keys.map((key) => key.type === "TOMLBare" ? key.name : key.value);
    const here = node.type === "TOMLTable" ? node.resolvedKey.map(String) : [...prefix, ...names];
    const common = here.every((name, index) => name === path[index]);
    if (common && here.length === path.length) return node;
    if (node.type === "TOMLTable") {
      if (common) found ??= search(node.body, path, here);
      // A table that exists only through a table below it: "[a.b]" is where "a" stands.
      else if (path.every((name, index) => name === here[index])) found ??= node;
    } else if (common && node.value.type === "TOMLInlineTable") {
      found ??= search(node.value.body, path, here);
    } else if (path.every((name, index) => name === here[index])) {
      found ??= node;
    }
  }
  return found;
}

/** Where a new key goes into a text, and what has to stand around it. */
interface Insertion {
  readonly index: number;
  readonly before: string;
  /** The part of a dotted key that is before the key itself. */
  readonly name: string;
  readonly after: string;
}

/** Where a table of that path takes a new key: as a section, as an inline table, or as dotted keys; undefined where it is none of these. */
function insertion(
  nodes: (AST.TOMLKeyValue | AST.TOMLTable)[],
  path: string[],
  prefix: string[],
  text: string,
): Insertion | undefined {
  let found: Insertion | undefined;
  for (const node of nodes) {
    const names = node.key.keys.map((key) => key.type === "TOMLBare" ? key.name : key.value);
    const here = node.type === "TOMLTable" ? node.resolvedKey.map(String) : [...prefix, ...names];
    const within = here.every((name, index) => name === path[index]);
    const exact = within && here.length === path.length;
    if (node.type === "TOMLTable") {
      if (exact) return behindLine(text, node.key.range[1], "");
      if (within) found ??= insertion(node.body, path, here, text);
    } else if (node.value.type === "TOMLInlineTable" && within) {
      if (!exact) found ??= insertion(node.value.body, path, here, text);
      const last = node.value.body.at(-1);
      const index = last === undefined ? node.value.range[0] + 1 : last.range[1];
      // A table that is not there yet can only be made inside of the inline table: that is closed.
      const name = dottedName(path.slice(here.length));
      found ??= { index, before: last === undefined ? " " : ", ", name, after: last === undefined ? " " : "" };
    } else if (names.length > 1 && here.length > path.length && path.every((name, index) => name === here[index])) {
      const name = dottedName(path.slice(prefix.length));
      if (name === "") continue;
      found ??= node.parent?.type === "TOMLInlineTable"
        ? { index: node.range[1], before: ", ", name, after: "" }
        : behindLine(text, node.range[1], name);
    }
  }
  return found;
}

/** What stands before a key that is written with the tables above it: "a.b.". */
function dottedName(path: readonly string[]): string {
  return path.map((name) => `${/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name)}.`).join("");
}

function behindLine(text: string, from: number, name: string): Insertion {
  const end = text.indexOf("\n", from);
  return end < 0
    ? { index: text.length, before: "\n", name, after: "\n" }
    : { index: end + 1, before: "", name, after: "\n" };
}
