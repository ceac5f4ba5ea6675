/** Why a channel is not opened (RFC 4254, section 5.1): the peer does not allow it, or could not reach what it is for. */
export const PROHIBITED = 1;
export const CONNECT_FAILED = 2;

const IN_WORDS: Readonly<Record<number, string>> = {
  [PROHIBITED]: "administratively prohibited",
  [CONNECT_FAILED]: "connect failed",
  3: "unknown channel type",
  4: "resource shortage",
};

/** What an error of the library about a channel that was not opened says, in words. */
export function openFailure(error: Error & { reason?: number | string }): string {
  const description = error.message.replace("(SSH) Channel open failure: ", "");
  return description !== "" ? description : IN_WORDS[Number(error.reason)] ?? "no reason given";
}

/** Whether the peer does not allow the channel, and has not tried: some way down the causes of `error`. */
export function isProhibited(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { reason?: unknown }).reason === PROHIBITED || isProhibited(error.cause);
}
