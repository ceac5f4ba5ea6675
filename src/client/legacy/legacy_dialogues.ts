import { LEGACY_VERSION, type LegacyVitae } from "../../tunnel/legacy_messages.ts";
import type { ClientVitae } from "../../tunnel/messages.ts";
import type { RsaKey } from "../../tunnel/rsa_key.ts";
import type { TenantRegistration } from "../state.ts";
import { answerPrompt } from "./answer_prompt.ts";
import type { LegacyConnection } from "./legacy_connection.ts";

const handshakeVersion = LEGACY_VERSION;

/** What a handshake comes to. */
export interface LegacyHandshake {
  /** By id. */
  readonly ports: ReadonlyMap<string, number>;
  /** Ids that were in use by then: another client, or this one's connection before. */
  readonly replaced: readonly string[];
  readonly vitae: LegacyVitae;
}

/**
 * The first two of a handshake's three steps: the server tells which ports these ids have. From the first step on it sends callers of them nowhere,
 * until `finishHandshake` or the end of the connection.
 *
 * @throws PetitError `prompt-unreadable`, and as `LegacyConnection.ask`: one unknown id is enough for a refusal of all
 */
export async function beginHandshake(
  connection: LegacyConnection,
  key: RsaKey,
  ids: readonly string[],
): Promise<LegacyHandshake> {
  const first = { type: "handshake1", handshakeVersion, registeredId: ids };
  const { prompt, replacement } = await connection.ask(first, "shakehand1");
  const second = { type: "handshake2", handshakeVersion, registeredId: ids, response: answerPrompt(key, prompt) };
  const { bindPort, vitae } = await connection.ask(second, "shakehand2");
  const ports = new Map(ids.flatMap((id, at) => bindPort[at] === undefined ? [] : [[id, bindPort[at]]]));
  return { ports, replaced: replacement, vitae };
}

/** The last step, which is not answered: this connection stands for the client as long as it is open. */
export function finishHandshake(connection: LegacyConnection, vitae: ClientVitae): void {
  connection.tell({ type: "handshake3", vitae });
}

/**
 * Makes a registration.
 * @returns its port is undefined where the server has none left
 * @throws PetitError as `LegacyConnection.ask`
 */
export async function registerWith(
  connection: LegacyConnection,
  key: RsaKey,
  preferred: TenantRegistration | undefined,
): Promise<{ id: string; port: number | undefined }> {
  const { registeredId: id, registeredPort } = await connection.ask(
    { type: "register1", handshakeVersion, publicKey: key.publicPem, preferred: preferred ?? null },
    "didRegister1",
  );
  connection.tell({ type: "register2" });
  return { id, port: registeredPort ?? undefined };
}

/**
 * Whether the server has that registration, and for this key. It is asked to take it away and not told the proof: that has no effect there, other
 * than a handshake.
 *
 * @throws PetitError as `LegacyConnection.ask`
 */
export async function isRegisteredAt(connection: LegacyConnection, key: RsaKey, id: string): Promise<boolean> {
  try {
    const asked = { type: "unregister1", handshakeVersion, registeredId: id };
    answerPrompt(key, (await connection.ask(asked, "didUnregister1")).prompt);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Takes a registration away. @throws PetitError `prompt-unreadable`, and as `LegacyConnection.ask` */
export async function unregisterAt(connection: LegacyConnection, key: RsaKey, id: string): Promise<void> {
  const first = { type: "unregister1", handshakeVersion, registeredId: id };
  const { prompt } = await connection.ask(first, "didUnregister1");
  const second = { type: "unregister2", handshakeVersion, registeredId: id, response: answerPrompt(key, prompt) };
  await connection.ask(second, "didUnregister2");
  connection.tell({ type: "unregister3" });
}

/** Whether the server has understood, and does not want; it has no codes that would say why. */
export function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "server-error" || code === "prompt-unreadable";
}
