import { stripVTControlCharacters } from "node:util";

/** East Asian wide and fullwidth characters (Unicode Standard Annex 11), by script and block, less the halfwidth forms; and emoji. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}\p{sc=Tangut}\u3000-\u303e\u3041-\u33ff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]|\p{Emoji}\ufe0f/u;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u;
const ASCII = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How many columns of a terminal a printable text takes. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text, or as much of it as takes `width` columns with an ellipsis at its end. */
export function truncated(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  let left = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= graphemeWidth(segment);
    if (left < 0) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/**
 * The text on one line and without anything that acts on a terminal or turns its order around: what clients tell of themselves is
 * printed where an operator reads.
 */
export function printable(text: string): string {
  if (ASCII.test(text)) return text;
  return stripVTControlCharacters(text).replace(
    /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu,
    " ",
  );
}

function graphemeWidth(grapheme: string): number {
  return NOTHING.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1;
}
