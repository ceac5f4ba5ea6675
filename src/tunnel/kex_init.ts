/** SSH_MSG_KEXINIT (RFC 4253, section 7.1): type, cookie of 16 bytes, ten lists of names, whether a guess follows, and a zero. */
export const KEXINIT = 20;
const LISTS_AT = 17;
const LISTS = 10;

/** The names in one of its lists; none where it breaks off before. */
export function kexInitList(payload: Buffer, index: number): string[] {
  const at = listAt(payload, index);
  if (at === undefined || at + 4 > payload.length) return [];
  const names = payload.toString("latin1", at + 4, Math.min(at + 4 + payload.readUInt32BE(at), payload.length));
  return names === "" ? [] : names.split(",");
}

/** Whether its sender has gone on already, with the key exchange that it guesses will be agreed on. */
export function guessFollows(payload: Buffer): boolean {
  return payload[listAt(payload, LISTS) ?? -1] === 1;
}

/** Where a list begins, or what follows the last of them. */
function listAt(payload: Buffer, index: number): number | undefined {
  let at = LISTS_AT;
  for (let skipped = 0; skipped < index; skipped++) {
    if (at + 4 > payload.length) return undefined;
    at += 4 + payload.readUInt32BE(at);
  }
  return at;
}
