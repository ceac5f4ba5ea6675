import type { DuplexChannel } from "../../tunnel/duplex_channel.ts";

/** What a probe found: the service, or why not. */
export type Finding =
  | { readonly well: true }
  | { readonly well: false; readonly code: "service-silent" | "service-unwell"; readonly error: string };

/** What a dialogue does. */
export interface Talk {
  send(bytes: Buffer): void;
  /** Says what was found; the first finding counts. The channel stays until `over`, or until time is up. */
  found(finding: Finding): void;
  /** Ends the channel in order. Without a finding before, the service counts as unwell. */
  over(): void;
}

/** How to speak with a service of one kind. */
export interface Dialogue {
  /** What is waited for: "the greeting of a MySQL server". */
  readonly wanted: string;
  begin(talk: Talk): void;
  /** @param bytes all that the service has sent so far */
  received(bytes: Buffer, talk: Talk): void;
  /** Milliseconds for all of it, where that is less than others have. */
  readonly within?: number;
  /** What it means that nothing comes in that time; by default that the service is silent. */
  readonly silence?: Finding;
}

/** Milliseconds that a service has to answer a probe. */
export const ANSWER_WITHIN = 5000;

/** What a service may send before it is not listened to any more. The answers that are waited for are shorter than this. */
export const MAX_BYTES = 16 * 1024;

export const unwell = (error: string): Finding => ({ well: false, code: "service-unwell", error });

/**
 * Has a dialogue with the service at the other end of a channel, and ends the channel. Never rejects.
 *
 * @param within milliseconds
 */
export function converse(
  channel: DuplexChannel,
  dialogue: Dialogue,
  within = dialogue.within ?? ANSWER_WITHIN,
): Promise<Finding> {
  return new Promise((resolve) => {
    const { wanted } = dialogue;
    let bytes: Buffer = Buffer.alloc(0);
    let ended = false;
    const end = (finding?: Finding) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (finding !== undefined) resolve(finding);
      // In order: a reset would look like a fault to the service.
      channel.finish();
    };
    const timer = setTimeout(() => {
      const told = bytes.length === 0 ? "said nothing" : `sent ${printed(bytes)} and nothing more`;
      end(
        bytes.length === 0 && dialogue.silence
          ? dialogue.silence
          : { well: false, code: "service-silent", error: `It ${told} within ${within / 1000} s; wanted ${wanted}` },
      );
    }, within);
    const talk: Talk = {
      send: (text) => void channel.write(text),
      found: resolve,
      over: () => end(unwell(`It sent ${printed(bytes)}; wanted ${wanted}`)),
    };
    const closed = () => {
      const told = bytes.length === 0 ? "closed the connection" : `sent ${printed(bytes)} and closed the connection`;
      end(unwell(`It ${told}; wanted ${wanted}`));
    };
    // Before what has come already is handed over.
    dialogue.begin(talk);
    channel.attach({
      onData(chunk) {
        if (ended) return;
        bytes = bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([bytes, chunk]);
        dialogue.received(bytes.subarray(0, MAX_BYTES), talk);
        if (!ended && bytes.length >= MAX_BYTES) talk.over();
      },
      onEnd: closed,
      onDrain() {},
      onClose: closed,
    });
  });
}

/** How much of what came is told. */
const PRINTED = 40;

/** The first bytes of what came, for people: as a text where it is one, in hex otherwise. */
export function printed(bytes: Buffer): string {
  const first = bytes.subarray(0, PRINTED);
  const more = bytes.length > first.length ? "…" : "";
  const text = first.toString("latin1").replace(/[\r\n]+$/, "");
  if (/^[\x20-\x7e]+$/.test(text)) return `"${text}${more}"`;
  return `${first.subarray(0, 16).toString("hex")}${bytes.length > 16 ? "…" : ""} (hex)`;
}
