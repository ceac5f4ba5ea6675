import { asciiJson } from "./ascii_json.ts";
import type { ExchangeReport } from "./exchange_report.ts";

/** Characters of one field of a caller's that are kept; a head may be much larger. */
const LONGEST = 8192;

/**
 * One line in the combined format of Apache and nginx, escaped as nginx does it: in what a caller sends, quotes, backslashes, control
 * characters and all that is not ASCII become `\xHH`, so that nobody can feign a field or a line. The time is that of the first byte,
 * the size is all that was sent to the caller, head included; without an answer the status is 499 where the caller left, 000 otherwise.
 */
export function combinedLine(report: ExchangeReport): string {
  const { method, target, version, status } = report;
  const request = method === "" ? "-" : `${escaped(method)} ${escaped(target)} ${version}`;
  const answered = status !== 0 ? status : report.error === "caller-left" ? "499" : "000";
  return `${report.address} - - [${timeOf(report.begunAt)}] "${request}" ${answered} ${report.bytesOut} ` +
    `"${escaped(report.referer) || "-"}" "${escaped(report.userAgent) || "-"}"\n`;
}

/** One object, in ASCII; its fields have the names that they have in the log. `ms` is how long it took, `firstByteMs` until the answer began. */
export function jsonLine(report: ExchangeReport): string {
  const { firstByteAfter } = report;
  const line = asciiJson({
    time: new Date(report.begunAt).toISOString(),
    kind: report.kind,
    id: report.id,
    brand: report.brand,
    channel: report.channel,
    request: report.request,
    address: report.address,
    method: short(report.method),
    target: short(report.target),
    host: short(report.host),
    version: report.version,
    status: report.status,
    code: report.error,
    cause: report.cause,
    refused: report.refused,
    bytesIn: report.bytesIn,
    bytesOut: report.bytesOut,
    ms: tenths(report.duration),
    firstByteMs: firstByteAfter === null ? null : tenths(firstByteAfter),
    referer: short(report.referer),
    userAgent: short(report.userAgent),
  });
  return `${line}\n`;
}

// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x1f"\\\x7f-\uffff]/g;

function escaped(text: string): string {
  // A head is read as Latin-1: each character is a byte as the caller sent it.
  return short(text).replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2).toUpperCase()}`;
  });
}

function short(text: string): string {
  return text.length > LONGEST ? text.slice(0, LONGEST) : text;
}

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");

const tenths = (value: number) => Math.round(value * 10) / 10;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const lastTime = { second: 0, text: "" };

/** "21/Nov/2026:03:52:51 +0000", in the time zone of the machine. */
function timeOf(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== lastTime.second) {
    const date = new Date(time);
    const two = (value: number) => String(value).padStart(2, "0");
    const clock = [date.getFullYear(), date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
    const offset = -date.getTimezoneOffset();
    const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
    lastTime.text = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${clock} ${zone}`;
    lastTime.second = second;
  }
  return lastTime.text;
}
