const BEYOND_ASCII = /[\x7f-\uffff]/g;

/** A value as JSON in ASCII, on one line: what others have chosen can feign neither a line nor a direction of writing. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    BEYOND_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
