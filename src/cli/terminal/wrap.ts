import { textWidth } from "../../text_width.ts";

/**
 * Breaks a text between words so that no line is wider than `width` columns; a longer word keeps its line to itself.
 *
 * @param indent put before every line but the first
 */
export function wrap(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    const room = width - (lines.length === 0 ? 0 : indent.length);
    if (line !== "" && textWidth(longer) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join(`\n${indent}`);
}

/** Lines of "what  explanation", the explanations below each other; one that is too long for its column goes below. */
export function definitions(items: readonly (readonly [what: string, explanation: string])[], width: number): string[] {
  const widest = Math.max(0, ...items.map(([what]) => textWidth(what)));
  const column = Math.min(widest + 2, Math.max(16, Math.floor(width * 0.45)));
  const indent = " ".repeat(column);
  return items.map(([what, explanation]) => {
    const wrapped = wrap(explanation, Math.max(width - column, 20)).replaceAll("\n", `\n${indent}`);
    const gap = column - textWidth(what);
    return gap >= 2 ? `${what}${" ".repeat(gap)}${wrapped}` : `${what}\n${indent}${wrapped}`;
  });
}
