import { Buffer } from "node:buffer";
import type { Channel } from "../../tunnel/channel.ts";
import { INTERCEPT_PATH } from "../../tunnel/legacy_messages.ts";
import type { IncomingOpen } from "../../tunnel/link.ts";

const ASKED = Buffer.from(`GET ${INTERCEPT_PATH}`);

const BODY = '{"success": true}';
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`,
);

/** Milliseconds for a caller to begin: one whose service speaks first says nothing. */
const BEGINS_WITHIN = 300;

/** Milliseconds for a caller that was answered to leave. */
const LEAVES_WITHIN = 2000;

/**
 * Answers a caller's connection that begins with `GET /-g2c-intercept`, as servers of 0.6.x and whoever watches them expect it, and has `pass` take all
 * others. Those are accepted by then: what `pass` refuses is closed.
 *
 * @param onAnswered told when one was answered, in place of `pass`
 */
export function unlessIntercepted(
  forwarded: IncomingOpen,
  pass: (forwarded: IncomingOpen) => void,
  onAnswered: () => void,
): void {
  const channel = forwarded.accept();
  let begun: Buffer = Buffer.alloc(0);
  const timer = setTimeout(go, BEGINS_WITHIN);
  function go(): void {
    clearTimeout(timer);
    channel.release(begun);
    pass({ ...forwarded, accept: () => channel, refuse: () => channel.close() });
  }
  channel.attach({
    onData(chunk) {
      begun = Buffer.concat([begun, chunk]);
      const asked = isAsked(begun);
      if (asked === "no") go();
      if (asked !== "yes") return;
      clearTimeout(timer);
      answer(channel);
      onAnswered();
    },
    onEnd: go,
    onDrain() {},
    // It left before it has said anything.
    onClose: () => clearTimeout(timer),
  });
}

function isAsked(begun: Buffer): "yes" | "no" | "perhaps" {
  const length = Math.min(begun.length, ASKED.length);
  if (!begun.subarray(0, length).equals(ASKED.subarray(0, length))) return "no";
  if (begun.length <= ASKED.length) return "perhaps";
  return " ?".includes(String.fromCharCode(begun[ASKED.length] as number)) ? "yes" : "no";
}

/** The rest of the request is read and dropped: a connection that ends with bytes unread is reset, and the answer with it. */
function answer(channel: Channel): void {
  const over = setTimeout(() => channel.finish(), LEAVES_WITHIN);
  const leave = () => {
    clearTimeout(over);
    channel.finish();
  };
  channel.attach({ onData() {}, onEnd: leave, onDrain() {}, onClose: leave });
  channel.write(ANSWER);
  channel.end();
}
