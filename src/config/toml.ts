import { type AST, getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser";

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
    this.text = text;
    try {
      this.#program = parseTOML(text);
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
  with(section: string, key: string, value: string | number | boolean): string {
    const path = [...section.split("."), key];
    const written = JSON.stringify(value);
    const node = this.#find(path);
    if (node?.type === "TOMLKeyValue") {
      const [from, to] = node.value.range;
      return this.text.slice(0, from) + written + this.text.slice(to);
    }
    const table = this.#find(section.split("."));
    if (table?.type === "TOMLTable") {
      const lineEnd = this.text.indexOf("\n", table.key.range[1]);
      const at = lineEnd < 0 ? this.text.length : lineEnd + 1;
      return `${this.text.slice(0, at)}${lineEnd < 0 ? "\n" : ""}${key} = ${written}\n${this.text.slice(at)}`;
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
