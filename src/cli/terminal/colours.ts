import process from "node:process";
import { styleText } from "node:util";

/** How a text stands out. */
export type Colour = "red" | "green" | "yellow" | "cyan" | "bold" | "dim";

/**
 * The text in a colour where the output is a terminal and NO_COLOR is not set; as it is elsewhere. FORCE_COLOR and TERM=dumb
 * are heeded too: node:util's styleText does all of it, alike under Bun, Deno and Node.
 */
export function paint(colour: Colour, text: string, output: NodeJS.WriteStream = process.stdout): string {
  return styleText(colour, text, { stream: output });
}
