import { type AST, getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser";

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
  readonly #program: AST.TOMLProgram;

  /** @throws TomlSyntaxError */
  constructor(text: string) {
    // Older editors on Windows begin a file with a byte order mark.
    this.text = text.replace(/^\uFEFF/, "");
    try {
      this.#program = parseTOML(this.text);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw new TomlSyntaxError(error.message, { line: error.lineNumber, column: error.column + 1 }, error);
    }
  }

  get value(): Record<string, unknown> {
    return getStaticTOMLValue(this.#program) as Record<string, unknown>;
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
      else {
        const last = node.value.body.at(-1);
        const index = last === undefined ? node.value.range[0] + 1 : last.range[1];
        found ??= { index, before: last === undefined ? " " : ", ", name: "", after: last === undefined ? " " : "" };
      }
    } else if (names.length > 1 && here.length > path.length && path.every((name, index) => name === here[index])) {
      const dotted = path.slice(prefix.length).map((name) =>
        /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name)
      );
      const name = dotted.map((part) => `${part}.`).join("");
      if (name === "") continue;
      found ??= node.parent?.type === "TOMLInlineTable"
        ? { index: node.range[1], before: ", ", name, after: "" }
        : behindLine(text, node.range[1], name);
    }
  }
  return found;
}

function behindLine(text: string, from: number, name: string): Insertion {
  const end = text.indexOf("\n", from);
  return end < 0
    ? { index: text.length, before: "\n", name, after: "\n" }
    : { index: end + 1, before: "", name, after: "\n" };
}
