import { BACKCHANNEL } from "../../tunnel/messages.ts";

/** A registered key, and what it may do. */
export interface ListedKey {
  /** "ssh-ed25519 AAAA…" */
  readonly key: string;
  /** Its registrations, in the order of their ids. */
  readonly registrations: readonly { readonly id: string; readonly port: number; readonly legacy?: boolean }[];
}

/**
 * What every line of petit's begins with. Behind "restrict" sshd still runs whatever command its client asks for, or a shell without a terminal:
 * this one runs in its place.
 */
const RESTRICT = `restrict,port-forwarding,command="echo 'petit: this key is for tunnels only' >&2; exit 1"`;

/**
 * Under which addresses a client may ask for its port. "localhost" is what ssh says where it is told none, and is a name of its own to sshd
 * (sshd(8), permitlisten).
 */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** What clients of 0.6.x ask for by default. Where sshd's GatewayPorts is "no" it listens on loopback for that too. */
const LEGACY = "0.0.0.0";

/** Of what sshd takes in one line: it discards one with more (auth-options.c, SSH_AUTHOPT_PERMIT_MAX). */
const MAX_LISTENS = 4096;

const listensOf = ({ port, legacy }: ListedKey["registrations"][number], everywhere: boolean): string[] =>
  everywhere ? [`${port}`] : [...LOOPBACK, ...legacy ? [LEGACY] : []].map((host) => `${host}:${port}`);

/** As many of a key's registrations, from the first on, as sshd takes in one line. */
export function fittingLine<Registration extends ListedKey["registrations"][number]>(
  registrations: readonly Registration[],
  everywhere: boolean,
): readonly Registration[] {
  let room = MAX_LISTENS;
  const end = registrations.findIndex((registration) => (room -= listensOf(registration, everywhere).length) < 0);
  return end === -1 ? registrations : registrations.slice(0, end);
}

/**
 * The line of a key in an authorized_keys file (sshd(8)), without its end.
 *
 * @param everywhere whether its ports may listen on any address
 * @throws Error where there are no registrations: a line without "permitlisten" lets its key listen on every port
 */
export function keyLine({ key, registrations }: ListedKey, everywhere: boolean, backPort: number): string {
  if (registrations.length === 0) throw new Error("a key without registrations has no line");
  const fitting = fittingLine(registrations, everywhere);
  const options = [
    RESTRICT,
    ...fitting.flatMap((one) => listensOf(one, everywhere)).map((listen) => `permitlisten="${listen}"`),
    `permitopen="${BACKCHANNEL.host}:${backPort}"`,
  ];
  return `${options.join(",")} ${key} ${commentOf(fitting.map(({ id }) => id))}`;
}

const commentOf = (ids: readonly string[]) => `petit:${ids.join(",")}`;

/** Whether a line is petit's own, by its comment, which is its last word: whatever else was changed in it is put right. */
export function isOwnLine(line: string): boolean {
  if (line.startsWith("#")) return false;
  let end = line.length;
  while (end > 0 && BLANKS.includes(line[end - 1] as string)) end--;
  const begin = Math.max(line.lastIndexOf(" ", end - 1), line.lastIndexOf("\t", end - 1)) + 1;
  return /^petit:\d{1,20}(?:,\d{1,20})*$/.test(line.slice(begin, end));
}

const BLANKS = " \t\r";

/** The key of a line ("ssh-ed25519 AAAA…"), with or without options before it; undefined where it has none that could be read. */
export function keyOfLine(line: string): string | undefined {
  const match = KEY.exec(withoutOptions(line.trim()));
  return match === null ? undefined : `${match[1]} ${match[2]}`;
}

const KEY = /^((?:ssh|sk-ssh|ecdsa|sk-ecdsa)-[a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)(?:[ \t]|$)/;

/** Options end with the first blank that is not between quotes; a backslash takes the meaning of one quote (sshd(8)). */
function withoutOptions(line: string): string {
  if (KEY.test(line)) return line;
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (char === "\\" && line[at + 1] === '"') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === " " || char === "\t")) return line.slice(at).trimStart();
  }
  return "";
}
